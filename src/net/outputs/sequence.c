/* A sequence has one output: the head sees of each sequence the states that were computed last, gathered into
 * rows [B][stride] (net/gather.h). */
#include "net/gather.h"
#include "net/layout.h"
#include "net/outputs/output.h"

#include <string.h>

struct sequence {
    size_t stride;

    /* Workspace. */
    float *rows, *drows; /* [B][stride] last states, and the gradient by them */
    int32_t *symbols;    /* [B], in their place where the head sees symbols */
};

static int init(struct net *net, struct error *error)
{
    struct dense_shape shape = stack_output_shape(&net->stack);
    struct sequence *sequence = net->output_state = memory_create(1, sizeof *sequence, error);
    if (!sequence)
        return -1;
    sequence->stride = kernel_stride(extent_padded(net->stack.outputs));
    return top_init(&net->top, net->config, &shape, &net->parameters, error);
}

static void take_workspace(struct net *net, const struct pass *pass, struct arena *arena, int scored)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct stack *stack = &net->stack;
    struct sequence *sequence = net->output_state;
    size_t B = microbatch->B, floats = stack->one_hot ? 0 : B * sequence->stride;
    sequence->rows = arena_take(arena, floats, sizeof(float));
    sequence->drows = arena_take(
        arena, pass->options.training && stack_wants_gradient(stack, pass) ? floats : 0, sizeof(float));
    sequence->symbols = arena_take(arena, stack->one_hot ? B : 0, sizeof *sequence->symbols);
    output_take_rows(net, pass, arena, B, B);
}

static struct dense_input gathered(const struct sequence *sequence)
{
    return (struct dense_input){.X = as_rows(sequence->rows, sequence->stride), .symbols = sequence->symbols};
}

static void gather(struct net *net, const struct microbatch *microbatch)
{
    const struct sequence *sequence = net->output_state;
    struct dense_input frames = stack_output(&net->stack, microbatch);
    if (net->stack.one_hot)
        gather_final_symbols(microbatch, sequence->symbols);
    else
        gather_final(net->stack.outputs, microbatch, frames.X, as_rows(sequence->rows, sequence->stride));
}

static void gather_back(struct net *net, const struct microbatch *microbatch, float *gradient)
{
    const struct sequence *sequence = net->output_state;
    struct rows dY = as_rows(gradient, stack_output(&net->stack, microbatch).X.stride);
    memset(dY.data, 0, microbatch->N * dY.stride * sizeof *dY.data);
    gather_final_back(net->stack.outputs, microbatch, as_rows(sequence->drows, sequence->stride), dY);
}

static void forward(
    struct net *net, const struct pass *pass, struct net_outputs *outputs, struct net_score *scores)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t B = microbatch->B;
    gather(net, microbatch);
    top_forward(&net->top, pass, B, gathered(net->output_state));
    *outputs = output_rows_forward(net, pass, B, microbatch, scores != NULL);
    if (scores)
        memcpy(scores, net->row_scores, B * sizeof *scores);
}

static void backward(struct net *net, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct sequence *sequence = net->output_state;
    float *gradient = stack_gradient(&net->stack, pass);
    output_rows_backward(net, pass, microbatch->B, microbatch);
    top_backward(&net->top, pass, microbatch->B, gathered(sequence), gradient ? sequence->drows : NULL);
    if (gradient)
        gather_back(net, microbatch, gradient);
}

const struct output_kind output_sequence = {.name = "sequence",
    .targets = PER_SEQUENCE,
    .rows = PER_SEQUENCE,
    .takes_pieces = 1,
    .takes_symbols = 1,
    .init = init,
    .take_workspace = take_workspace,
    .forward = forward,
    .backward = backward};
