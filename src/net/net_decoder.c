/* A pass of a net with a decoder, from the rows of the stack on. */
#include "net/edit.h"
#include "net/layout.h"

void net_decoder_lay(struct net *net, struct arena *arena, const struct decoder_size *size)
{
    size_t longest = size->steps + 1;
    decoder_lay(&net->decoder, net->kernel, arena, size);
    top_lay(&net->top, net->kernel, arena, decoder_count_rows(size), size->training);
    net->row_scores = arena_take(arena, size->symbols, sizeof *net->row_scores);
    net->edits = arena_take(arena, size->beam ? longest : 0, sizeof *net->edits);
}

static struct dense_input rows_of(const struct decoder *d)
{
    return (struct dense_input){.X = d->out, .stride = d->S_stride};
}

/* Teacher forcing: sums over a sequence's symbols in their order. With classes the end symbol has a loss, but
 * is no label. */
static void score_forced(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct dense_input in, struct net_score *scores)
{
    struct decoder *d = &net->decoder;
    const struct microbatch *targets = &d->targets;
    decoder_forward(d, net->kernel, pass, microbatch, in);
    top_forward(&net->top, net->kernel, targets->N, rows_of(d));
    struct loss_rows of_head = net_loss_rows(net, targets->N, targets);
    loss_forward(&net->config, net->kernel, &of_head, net->row_scores);
    for (size_t b = 0; b < targets->B; b++) {
        struct net_score sum = {0};
        size_t symbols = (size_t)targets->length[b], labels = symbols - (d->classes ? 1 : 0);
        for (size_t u = 0; u < symbols; u++) {
            const struct net_score *row = &net->row_scores[microbatch_frame(targets, b, u)];
            sum.loss += row->loss;
            sum.counted += row->counted;
            sum.errors += u < labels ? row->errors : 0;
        }
        sum.labels = (double)labels;
        scores[d->source[b]] = sum;
    }
}

static void score_edits(struct net *net, const struct microbatch *microbatch, struct net_score *scores)
{
    const struct decoder *d = &net->decoder;
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t made = d->label_start[b], wanted = microbatch->target_start[b];
        scores[b].errors = (double)edit_distance(d->labels + made, d->label_start[b + 1] - made,
            microbatch->classes + wanted, microbatch->target_start[b + 1] - wanted, net->edits);
    }
}

void net_decoder_forward(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores)
{
    struct decoder *d = &net->decoder;
    struct dense_input in = stack_output(&net->stack, microbatch);
    decoder_start(d, net->kernel, microbatch, in);
    if (scores)
        score_forced(net, pass, microbatch, in, scores);
    *outputs = (struct net_outputs){.stride = net->top.stride};
    if (pass->training)
        return;
    decoder_run(d, net->kernel, pass, microbatch, in, &net->top);
    if (scores && d->classes)
        score_edits(net, microbatch, scores);
    outputs->rows = d->classes ? 0 : microbatch->B * net->config.target_length;
    outputs->values = d->values;
    outputs->label_start = d->label_start;
    outputs->labels = d->labels;
}

void net_decoder_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient)
{
    struct decoder *d = &net->decoder;
    size_t rows = d->targets.N;
    struct loss_rows of_head = net_loss_rows(net, rows, &d->targets);
    loss_backward(&net->config, &of_head);
    top_backward(&net->top, net->kernel, rows, rows_of(d), d->dout, gradient);
    decoder_backward(d, net->kernel, pass, microbatch, stack_output(&net->stack, microbatch),
        stack_gradient(&net->stack), gradient);
}
