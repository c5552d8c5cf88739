/* The stack, and the head on its rows. Every buffer of a pass comes from one block that is measured for the
 * grain first; nothing is allocated while a grain of a size already seen is computed. */
#include "net/gather.h"
#include "net/layout.h"
#include "net/loss.h"
#include "net/times.h"

#include <string.h>

struct net *net_create(const struct net_config *config, struct error *error)
{
    const struct kernel *kernel = kernel_choose(error);
    struct net *net = kernel ? memory_create(1, sizeof *net, error) : NULL;
    if (!net)
        return NULL;
    net->config = *config;
    net->kernel = kernel;
    if (net_list_parameters(net, error) || stack_init(&net->stack, net, error) ||
        top_init(&net->top, net, net->stack.outputs, error)) {
        net_destroy(net);
        return NULL;
    }
    net->gathered_stride = kernel_stride(side_padded(net->stack.outputs));
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    stack_finish(&net->stack);
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
    top_pack(&net->top, net->kernel, weights);
}

size_t net_panel_bytes(const struct net *net)
{
    return stack_bytes(&net->stack) + top_bytes(&net->top);
}

/* All buffers of a pass, in the order of their use. */
static void lay_workspace(struct net *net, struct arena *arena, int training, size_t B, size_t N)
{
    size_t rows = net->config.output == OUTPUT_FRAME ? N : B;
    stack_lay(&net->stack, net->kernel, arena, B, N, training);
    if (net->config.output == OUTPUT_SEQUENCE) {
        net->gathered = arena_take(arena, B * net->gathered_stride, sizeof(float));
        net->dgathered = arena_take(arena, training ? B * net->gathered_stride : 0, sizeof(float));
    }
    top_lay(&net->top, net->kernel, arena, rows, training);
    net->row_scores = arena_take(arena, rows, sizeof *net->row_scores);
}

size_t net_workspace_bytes(const struct net *net, size_t B, size_t N)
{
    struct net copy = *net; /* laying out while measuring sets nothing but pointers to NULL */
    struct arena arena = {0};
    lay_workspace(&copy, &arena, 1, B, N);
    return arena.peak;
}

static int make_workspace(struct net *net, int training, const struct grain *grain, struct error *error)
{
    struct arena arena = {0};
    lay_workspace(net, &arena, training, grain->B, grain->N);
    if (arena.peak > net->block_bytes) {
        memory_destroy(net->block);
        net->block_bytes = 0;
        net->block = memory_create(arena.peak, 1, error);
        if (!net->block)
            return error_prefix(error, "activations of a grain of %zu frames: ", grain->N);
        net->block_bytes = arena.peak;
    }
    arena = (struct arena){.base = net->block, .size = net->block_bytes};
    arena_reset(&arena);
    lay_workspace(net, &arena, training, grain->B, grain->N);
    return 0;
}

/* Rows are scored one by one; a sequence's score is their sum in order of time. */
static void sum_scores(const struct net *net, const struct grain *grain, struct net_score *scores)
{
    if (net->config.output == OUTPUT_SEQUENCE) {
        memcpy(scores, net->row_scores, grain->B * sizeof *scores);
        return;
    }
    for (size_t b = 0; b < grain->B; b++) {
        struct net_score sum = {0};
        for (size_t t = 0; t < (size_t)grain->length[b]; t++) {
            const struct net_score *row = &net->row_scores[grain_frame(grain, b, t)];
            sum.loss += row->loss;
            sum.errors += row->errors;
            sum.counted += row->counted;
        }
        scores[b] = sum;
    }
}

/* What the head sees. */
static struct dense_input top_input(const struct net *net, const struct grain *grain)
{
    if (net->config.output == OUTPUT_SEQUENCE)
        return (struct dense_input){.X = net->gathered, .stride = net->gathered_stride};
    return stack_output(&net->stack, grain);
}

static void gather(struct net *net, const struct grain *grain)
{
    struct dense_input frames = stack_output(&net->stack, grain);
    gather_final(net->stack.outputs, grain, frames.X, frames.stride, net->gathered, net->gathered_stride);
}

static void gather_back(struct net *net, const struct grain *grain)
{
    size_t stride = stack_output(&net->stack, grain).stride;
    float *dY = stack_gradient(&net->stack);
    memset(dY, 0, grain->N * stride * sizeof *dY);
    gather_final_back(net->stack.outputs, grain, net->dgathered, net->gathered_stride, dY, stride);
}

int net_forward(struct net *net, const struct net_pass *pass, const struct grain *grain,
    struct net_outputs *outputs, struct net_score *scores, struct error *error)
{
    const struct net_config *c = &net->config;
    struct top *top = &net->top;
    double start = times_start(net->times);
    if (make_workspace(net, pass->training, grain, error))
        return -1;
    stack_forward(&net->stack, net->kernel, pass, grain);
    if (c->output == OUTPUT_SEQUENCE)
        gather(net, grain);
    size_t rows = c->output == OUTPUT_FRAME ? grain->N : grain->B;
    top_forward(top, net->kernel, rows, top_input(net, grain));
    loss_forward(c->loss, net->kernel, rows, c->outputs, top->outputs, top->stride, grain,
        scores ? net->row_scores : NULL);
    if (scores)
        sum_scores(net, grain, scores);
    *outputs = (struct net_outputs){.rows = rows, .stride = top->stride, .values = top->outputs};
    times_add(net->times, NET_FORWARD, start);
    return 0;
}

void net_backward(struct net *net, const struct net_pass *pass, const struct grain *grain, float *gradient)
{
    const struct net_config *c = &net->config;
    double start = times_start(net->times);
    int sequence = c->output == OUTPUT_SEQUENCE;
    size_t rows = sequence ? grain->B : grain->N;
    loss_backward(c->loss, rows, c->outputs, net->top.outputs, net->top.stride, grain);
    top_backward(&net->top, net->kernel, rows, top_input(net, grain),
        sequence ? net->dgathered : stack_gradient(&net->stack), gradient);
    if (sequence)
        gather_back(net, grain);
    stack_backward(&net->stack, net->kernel, pass, grain, gradient);
    times_add(net->times, NET_BACKWARD, start);
}

void net_set_times(struct net *net, double *times)
{
    net->times = times;
    stack_set_times(&net->stack, times);
}
