/* Every frame has an output: the head sees the rows of the stack as they are. A sequence's score is the sum
 * of its frames' in order of time. */
#include "net/layout.h"
#include "net/outputs/output.h"

static int init(struct net *net, struct error *error)
{
    struct dense_shape shape = stack_output_shape(&net->stack);
    return top_init(&net->top, net->config, &shape, &net->parameters, error);
}

static void take_workspace(struct net *net, const struct pass *pass, struct arena *arena, int scored)
{
    const struct microbatch *microbatch = pass->microbatch;
    output_take_rows(net, pass, arena, microbatch->N, microbatch->N);
}

static void sum_scores(const struct net *net, const struct microbatch *microbatch, struct net_score *scores)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        struct net_score sum = {0};
        for (size_t t = 0; t < (size_t)microbatch->length[b]; t++) {
            const struct net_score *row = &net->row_scores[microbatch_frame(microbatch, b, t)];
            sum.loss += row->loss;
            sum.errors += row->errors;
            sum.counted += row->counted;
            sum.labels += row->labels;
        }
        scores[b] = sum;
    }
}

static void forward(
    struct net *net, const struct pass *pass, struct net_outputs *outputs, struct net_score *scores)
{
    const struct microbatch *microbatch = pass->microbatch;
    top_forward(&net->top, pass, microbatch->N, stack_output(&net->stack, microbatch));
    *outputs = output_rows_forward(net, pass, microbatch->N, microbatch, scores != NULL);
    if (scores && pass_leads(pass))
        sum_scores(net, microbatch, scores);
}

static void backward(struct net *net, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct stack *stack = &net->stack;
    output_rows_backward(net, pass, microbatch->N, microbatch);
    top_backward(
        &net->top, pass, microbatch->N, stack_output(stack, microbatch), stack_gradient(stack, pass));
}

const struct output_kind output_frame = {.name = "frame",
    .targets = PER_FRAME,
    .rows = PER_FRAME,
    .divides = 1,
    .takes_pieces = 1,
    .takes_symbols = 1,
    .init = init,
    .take_workspace = take_workspace,
    .forward = forward,
    .backward = backward};
