/* The stack, and the head on its rows. Every buffer of a pass comes from one block that is measured for the
 * microbatch first; nothing is allocated while a microbatch of a size already seen is computed. */
#include "net/check.h"
#include "net/gather.h"
#include "net/layout.h"
#include "net/state.h"
#include "net/times.h"

#include <assert.h>
#include <string.h>

/* The decoder where there is one, and what is on its rows or on those of the stack. */
static int init_top(struct net *net, struct error *error)
{
    const struct stack *stack = &net->stack;
    if (net->config.output != OUTPUT_DECODER)
        return top_init(&net->top, net, stack->outputs, stack->one_hot, stack->below, error);
    if (decoder_init(&net->decoder, net, stack->outputs, error))
        return -1;
    return top_init(&net->top, net, net->decoder.outputs, 0, 1, error);
}

struct net *net_create(const struct net_config *config, struct error *error)
{
    assert(net_config_check(config, NULL, NULL) == 0);
    const struct kernel *kernel = kernel_choose(error);
    struct net *net = kernel ? memory_create(1, sizeof *net, error) : NULL;
    if (!net)
        return NULL;
    net->config = *config;
    net->kernel = kernel;
    if (net_list_parameters(net, error) || stack_init(&net->stack, net, error) || init_top(net, error)) {
        net_destroy(net);
        return NULL;
    }
    net->gathered_stride = kernel_stride(side_padded(net->stack.outputs));
    net->transcript = (struct transcript){.C = config->outputs, .stride = net->top.stride};
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    stack_finish(&net->stack);
    decoder_finish(&net->decoder);
    top_finish(&net->top);
    memory_destroy(net->parameter);
    memory_destroy(net->block);
    memory_destroy(net);
}

const struct net_config *net_get_config(const struct net *net)
{
    return &net->config;
}

const struct kernel *net_get_kernel(const struct net *net)
{
    return net->kernel;
}

size_t net_count_parameters(const struct net *net)
{
    return net->P;
}

const struct parameter *net_get_parameters(const struct net *net, size_t *n)
{
    *n = net->parameters;
    return net->parameter;
}

void net_pack(struct net *net, const float *weights)
{
    stack_pack(&net->stack, net->kernel, weights);
    if (net->config.output == OUTPUT_DECODER)
        decoder_pack(&net->decoder, net->kernel, weights);
    top_pack(&net->top, net->kernel, weights);
}

size_t net_panel_bytes(const struct net *net)
{
    return stack_bytes(&net->stack) + decoder_bytes(&net->decoder) + top_bytes(&net->top);
}

/* What the size of a workspace depends on. */
struct extent {
    int training;
    size_t B, N;
    struct transcript_size transcript; /* ctc */
    struct decoder_size decoder;
};

/* That the head sees. */
static size_t count_rows(const struct net *net, size_t B, size_t N)
{
    return net->config.output == OUTPUT_SEQUENCE ? B : N;
}

/* All buffers of a pass, in the order of their use. */
static void lay_workspace(struct net *net, struct arena *arena, const struct extent *extent)
{
    int training = extent->training;
    size_t B = extent->B, N = extent->N, rows = count_rows(net, B, N);
    stack_lay(&net->stack, net->kernel, arena, B, N, training);
    if (net->config.output == OUTPUT_DECODER) {
        net_decoder_lay(net, arena, &extent->decoder);
        return;
    }
    if (net->config.output == OUTPUT_SEQUENCE) {
        size_t floats = net->stack.one_hot ? 0 : B * net->gathered_stride;
        net->gathered = arena_take(arena, floats, sizeof(float));
        net->dgathered = arena_take(arena, training && net->stack.below ? floats : 0, sizeof(float));
        net->gathered_symbols = arena_take(arena, net->stack.one_hot ? B : 0, sizeof(int32_t));
    }
    top_lay(&net->top, net->kernel, arena, rows, training);
    if (net->config.output == OUTPUT_CTC)
        transcript_lay(&net->transcript, arena, &extent->transcript);
    else
        net->row_scores = arena_take(arena, rows, sizeof *net->row_scores);
}

static struct extent measure(
    const struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, int scored)
{
    struct extent extent = {.training = pass->training, .B = microbatch->B, .N = microbatch->N};
    if (net->config.output == OUTPUT_CTC)
        extent.transcript = transcript_measure(pass, microbatch, scored);
    if (net->config.output == OUTPUT_DECODER)
        extent.decoder = decoder_measure(&net->decoder, pass, microbatch, net->top.stride);
    return extent;
}

size_t net_workspace_bytes(
    const struct net *net, const struct net_pass *pass, const struct microbatch *microbatch)
{
    struct net copy = *net; /* laying out while measuring sets nothing but pointers to NULL */
    struct arena arena = {0};
    struct extent extent = measure(net, pass, microbatch, microbatch->classes || microbatch->values);
    lay_workspace(&copy, &arena, &extent);
    return arena.peak;
}

static int make_workspace(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    int scored, struct error *error)
{
    struct arena arena = {0};
    struct extent extent = measure(net, pass, microbatch, scored);
    lay_workspace(net, &arena, &extent);
    if (arena.peak > net->block_bytes) {
        memory_destroy(net->block);
        net->block_bytes = 0;
        net->block = memory_create(arena.peak, 1, error);
        if (!net->block)
            return error_prefix(error, "activations of a microbatch of %zu frames: ", microbatch->N);
        net->block_bytes = arena.peak;
    }
    arena = (struct arena){.base = net->block, .size = net->block_bytes};
    arena_reset(&arena);
    lay_workspace(net, &arena, &extent);
    return 0;
}

/* Rows are scored one by one; a sequence's score is their sum in order of time. */
static void sum_scores(const struct net *net, const struct microbatch *microbatch, struct net_score *scores)
{
    if (net->config.output == OUTPUT_SEQUENCE) {
        memcpy(scores, net->row_scores, microbatch->B * sizeof *scores);
        return;
    }
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

/* What the head sees. */
static struct dense_input top_input(const struct net *net, const struct microbatch *microbatch)
{
    if (net->config.output == OUTPUT_SEQUENCE)
        return (struct dense_input){
            .X = net->gathered, .stride = net->gathered_stride, .symbols = net->gathered_symbols};
    return stack_output(&net->stack, microbatch);
}

static void gather(struct net *net, const struct microbatch *microbatch)
{
    struct dense_input frames = stack_output(&net->stack, microbatch);
    if (net->stack.one_hot)
        gather_final_symbols(microbatch, net->gathered_symbols);
    else
        gather_final(
            net->stack.outputs, microbatch, frames.X, frames.stride, net->gathered, net->gathered_stride);
}

static void gather_back(struct net *net, const struct microbatch *microbatch)
{
    size_t stride = stack_output(&net->stack, microbatch).stride;
    float *dY = stack_gradient(&net->stack);
    memset(dY, 0, microbatch->N * stride * sizeof *dY);
    gather_final_back(net->stack.outputs, microbatch, net->dgathered, net->gathered_stride, dY, stride);
}

/* Labels and scores of sequences from what the head gives. */
static void transcribe(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores)
{
    transcript_forward(&net->transcript, net->kernel, pass, microbatch, net->top.outputs, scores);
    outputs->label_start = pass->training ? NULL : net->transcript.label_start;
    outputs->labels = pass->training ? NULL : net->transcript.labels;
}

/* From the rows of the stack on: output layers, head and loss. */
static void rows_forward(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores)
{
    const struct net_config *c = &net->config;
    struct top *top = &net->top;
    size_t rows = count_rows(net, microbatch->B, microbatch->N);
    if (c->output == OUTPUT_SEQUENCE)
        gather(net, microbatch);
    top_forward(top, net->kernel, rows, top_input(net, microbatch));
    *outputs = (struct net_outputs){.rows = rows, .stride = top->stride, .values = top->outputs};
    if (c->output == OUTPUT_CTC) {
        transcribe(net, pass, microbatch, outputs, scores);
        return;
    }
    struct loss_rows of_head = net_loss_rows(net, rows, microbatch);
    loss_forward(c, net->kernel, &of_head, scores ? net->row_scores : NULL);
    if (scores)
        sum_scores(net, microbatch, scores);
}

/* Inputs to outputs and scores, in a workspace laid for the microbatch. */
static void run_net(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores)
{
    stack_forward(&net->stack, net->kernel, pass, microbatch);
    if (net->config.output == OUTPUT_DECODER)
        net_decoder_forward(net, pass, microbatch, outputs, scores);
    else
        rows_forward(net, pass, microbatch, outputs, scores);
}

int net_forward(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores, struct error *error)
{
    double start = times_start(net->times);
    if (make_workspace(net, pass, microbatch, scores != NULL, error))
        return -1;
    run_net(net, pass, microbatch, outputs, scores);
    times_add(net->times, NET_FORWARD, start);
    return 0;
}

int net_continue(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct error *error)
{
    const struct net_pass pass = {.training = 0};
    assert(net->config.output != OUTPUT_DECODER && state->L == net->stack.L);
    if (make_workspace(net, &pass, microbatch, 0, error))
        return -1;
    state_load(state, &net->stack, microbatch);
    run_net(net, &pass, microbatch, outputs, NULL);
    state_save(state, &net->stack, microbatch);
    return 0;
}

static void rows_backward(struct net *net, const struct microbatch *microbatch, float *gradient)
{
    const struct net_config *c = &net->config;
    int sequence = c->output == OUTPUT_SEQUENCE;
    size_t rows = count_rows(net, microbatch->B, microbatch->N);
    struct loss_rows of_head = net_loss_rows(net, rows, microbatch);
    if (c->output == OUTPUT_CTC)
        transcript_backward(&net->transcript, microbatch, net->top.outputs);
    else
        loss_backward(c, &of_head);
    float *dX = sequence ? net->dgathered : stack_gradient(&net->stack);
    top_backward(
        &net->top, net->kernel, rows, top_input(net, microbatch), net->stack.below ? dX : NULL, gradient);
    if (sequence && net->stack.below)
        gather_back(net, microbatch);
}

void net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient)
{
    double start = times_start(net->times);
    if (net->config.output == OUTPUT_DECODER)
        net_decoder_backward(net, pass, microbatch, gradient);
    else
        rows_backward(net, microbatch, gradient);
    stack_backward(&net->stack, net->kernel, pass, microbatch, gradient);
    times_add(net->times, NET_BACKWARD, start);
}

void net_set_times(struct net *net, double *times)
{
    net->times = times;
    stack_set_times(&net->stack, times);
    decoder_set_times(&net->decoder, times);
}
