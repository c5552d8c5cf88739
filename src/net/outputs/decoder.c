/* A decoder (net/decoder.h) reads the rows of the stack and makes symbols or values of its own: the head sees
 * its rows. With targets it is scored on them (teacher forcing); not in training it also runs on what it
 * makes itself, and with classes its errors are those of the labels that it makes so. */
#include "net/decoder.h"

#include "base/edit_distance.h"
#include "net/layout.h"
#include "net/outputs/output.h"

struct decoder_output {
    struct decoder decoder;

    /* Workspace. */
    size_t *edits; /* scratch of edit_distance */
};

static struct decoder *decoder_of(const struct net *net)
{
    struct decoder_output *state = net->output_state;
    return &state->decoder;
}

static int init(struct net *net, struct error *error)
{
    net->output_state = memory_create(1, sizeof(struct decoder_output), error);
    if (!net->output_state ||
        decoder_init(decoder_of(net), net->config, net->stack.outputs, &net->parameters, error))
        return -1;
    struct dense_shape shape = {.inputs = decoder_of(net)->outputs, .needs_input_gradient = 1};
    return top_init(&net->top, net->config, &shape, &net->parameters, error);
}

static void finish(struct net *net)
{
    decoder_finish(decoder_of(net));
}

static void pack(struct net *net, const struct packing *packing)
{
    decoder_pack(decoder_of(net), packing);
}

static void take_panels(struct net *net, struct arena *arena)
{
    decoder_take_panels(decoder_of(net), arena);
}

static void take_workspace(struct net *net, const struct pass *pass, struct arena *arena, int scored)
{
    struct decoder_output *state = net->output_state;
    struct decoder_size size = decoder_measure(&state->decoder, pass, net->top.stride);
    size_t longest = size.steps + 1;
    decoder_take_workspace(&state->decoder, pass, arena, &size);
    output_take_rows(net, pass, arena, decoder_count_rows(&size), size.symbols);
    state->edits = arena_take(arena, size.beam ? longest : 0, sizeof *state->edits);
}

static struct dense_input rows_of(const struct decoder *d)
{
    return (struct dense_input){.X = as_rows(d->out, d->S_stride)};
}

/* Teacher forcing: sums over a sequence's symbols in their order. With classes the end symbol has a loss, but
 * is no label. */
static void score_forced(struct net *net, const struct pass *pass, struct net_score *scores)
{
    struct decoder *d = decoder_of(net);
    const struct microbatch *targets = &d->targets;
    decoder_forward(d, pass, stack_output(&net->stack, pass->microbatch));
    top_forward(&net->top, pass, targets->N, rows_of(d));
    output_rows_forward(net, pass, targets->N, targets, 1);
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
    const struct decoder_output *state = net->output_state;
    const struct decoder *d = &state->decoder;
    for (size_t b = 0; b < microbatch->B; b++) {
        const size_t *made = d->label_start + b, *wanted = microbatch->target_start + b;
        scores[b].errors = (double)edit_distance(d->labels + made[0], made[1] - made[0],
            microbatch->classes + wanted[0], wanted[1] - wanted[0], state->edits);
    }
}

static void forward(
    struct net *net, const struct pass *pass, struct net_outputs *outputs, struct net_score *scores)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct decoder *d = decoder_of(net);
    struct dense_input in = stack_output(&net->stack, microbatch);
    decoder_start(d, pass, in);
    if (scores)
        score_forced(net, pass, scores);
    *outputs = (struct net_outputs){.stride = net->top.stride};
    if (pass->options.training)
        return;
    decoder_run(d, pass, in, &net->top);
    if (scores && d->classes)
        score_edits(net, microbatch, scores);
    outputs->rows = d->classes ? 0 : microbatch->B * net->config->target_length;
    outputs->values = d->values;
    outputs->label_start = d->label_start;
    outputs->labels = d->labels;
}

static void backward(struct net *net, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct decoder *d = decoder_of(net);
    const struct stack *stack = &net->stack;
    float *dY = stack_gradient(stack, pass);
    int below = dY || pass_trains(pass, d->tensors);
    output_rows_backward(net, pass, d->targets.N, &d->targets);
    top_backward(&net->top, pass, d->targets.N, rows_of(d), below ? d->dout : NULL);
    if (below)
        decoder_backward(d, pass, stack_output(stack, microbatch), dY);
}

const struct output_kind output_decoder = {.name = "decoder",
    .targets = PER_TARGET,
    .rows = PER_TARGET,
    .has_decoder = 1,
    .init = init,
    .finish = finish,
    .pack = pack,
    .take_panels = take_panels,
    .take_workspace = take_workspace,
    .forward = forward,
    .backward = backward};
