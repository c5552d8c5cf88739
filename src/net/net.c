/* A pass runs the stack, and on its rows the output. Every buffer of a pass comes from one block that is
 * measured for the microbatch first; nothing is allocated while a microbatch of a size already seen is
 * computed. */
#include "net/net.h"

#include "net/carry.h"
#include "net/check.h"
#include "net/layout.h"
#include "net/outputs/output.h"
#include "net/packing.h"
#include "net/state.h"
#include "net/times.h"

#include <assert.h>
#include <stdio.h>

_Static_assert(sizeof(struct net) < 4096, "what grows with a network is on the heap");

static int init_layers(struct net *net, const struct net_config *config, struct error *error)
{
    *net->config = *config;
    if (stack_init(&net->stack, net->config, &net->parameters, error) || net->output->init(net, error))
        return -1;
    if (net->parameters.failed)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    return 0;
}

/* Takes room for all that is packed, in the order in which a pass reads it. */
static void take_panels(struct net *net, struct arena *arena)
{
    stack_take_panels(&net->stack, arena);
    if (net->output->take_panels)
        net->output->take_panels(net, arena);
    top_take_panels(&net->top, arena);
}

struct net *net_describe(const struct net_config *config, struct error *error)
{
    struct arena arena = {0};
    assert(net_config_check(config, NULL, NULL) == 0);
    const struct kernel *kernel = kernel_choose(error);
    struct net *net = kernel ? memory_create(1, sizeof *net, error) : NULL;
    if (!net)
        return NULL;
    net->kernel = kernel;
    net->output = output_of(config);
    net->config = memory_create(1, sizeof *net->config, error);
    if (!net->config || init_layers(net, config, error)) {
        net_destroy(net);
        return NULL;
    }
    take_panels(net, &arena);
    net->panels_bytes = arena.peak;
    return net;
}

struct net *net_create(const struct net_config *config, struct error *error)
{
    struct net *net = net_describe(config, error);
    if (!net)
        return NULL;
    net->own_panels = memory_create(net->panels_bytes, 1, error);
    if (!net->own_panels) {
        error_explain_memory(
            error, "packed weights of the network", "a smaller model.hidden or model.layers takes");
        net_destroy(net);
        return NULL;
    }
    net_use_panels(net, net->own_panels);
    return net;
}

void net_use_panels(struct net *net, void *memory)
{
    struct arena arena = {.base = memory, .size = net->panels_bytes};
    net->panels = memory;
    take_panels(net, &arena);
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    if (net->output->finish && net->output_state)
        net->output->finish(net);
    memory_destroy(net->output_state);
    stack_finish(&net->stack);
    top_finish(&net->top);
    parameters_finish(&net->parameters);
    memory_destroy(net->config);
    memory_destroy(net->own_panels);
    memory_destroy(net->block);
    memory_destroy(net);
}

const struct net_config *net_get_config(const struct net *net)
{
    return net->config;
}

const struct kernel *net_get_kernel(const struct net *net)
{
    return net->kernel;
}

size_t net_count_parameters(const struct net *net)
{
    return net->parameters.count;
}

size_t net_first_layer_end(const struct net *net)
{
    const struct stack *stack = &net->stack;
    if (stack->L > 1)
        return net->parameters.list[stack->layer[1].first].offset;
    return stack->L && net->output->has_decoder ? net->parameters.list[stack->end].offset
                                                : net->parameters.count;
}

const struct parameter *net_get_parameters(const struct net *net, size_t *n)
{
    *n = net->parameters.n;
    return net->parameters.list;
}

void net_bound_weights(const struct net *net, size_t first, size_t end, float *weights)
{
    parameters_bound(&net->parameters, first, end, weights);
}

int net_init_weights(const struct net *net, uint64_t seed, float *weights, struct error *error)
{
    struct net_piece piece;
    for (size_t i = 0; net_get_piece(net, i, &piece); i++)
        if (net_start_piece(net, &piece, seed, &(struct net_life){0}, weights, error))
            return -1;
    return 0;
}

int net_get_piece(const struct net *net, size_t i, struct net_piece *piece)
{
    return parameters_get_piece(&net->parameters, i, piece);
}

int net_start_piece(const struct net *net, const struct net_piece *piece, uint64_t seed,
    const struct net_life *life, float *weights, struct error *error)
{
    return parameters_start(&net->parameters, net->kernel, piece, seed, life, weights, error);
}

void net_pack_share(struct net *net, const float *weights, size_t share, size_t shares)
{
    const struct packing packing = {
        .kernel = net->kernel, .weights = weights, .share = share, .shares = shares};
    assert(net->panels && share < shares);
    stack_pack(&net->stack, &packing);
    if (net->output->pack)
        net->output->pack(net, &packing);
    top_pack(&net->top, &packing);
}

void net_pack(struct net *net, const float *weights)
{
    net_pack_share(net, weights, 0, 1);
}

size_t net_panel_bytes(const struct net *net)
{
    return net->panels_bytes;
}

enum net_sharing net_find_sharing(const struct net *net, size_t layer, size_t members)
{
    return stack_find_sharing(&net->stack, layer, members);
}

size_t net_count_employed(const struct net *net)
{
    return stack_count_employed(&net->stack);
}

static struct pass make_pass(const struct net *net, const struct net_pass *options,
    const struct microbatch *microbatch, float *gradient)
{
    return (struct pass){.kernel = net->kernel,
        .microbatch = microbatch,
        .options = *options,
        .gradient = gradient,
        .times = net->times,
        .parameters = &net->parameters};
}

/* How far a pass goes: to the last recurrent layer, to the outputs, or to their scores. */
enum pass_end { END_OF_STACK, END_OF_OUTPUTS, END_OF_SCORES };

/* Takes all buffers of a pass, in the order of their use. */
static void take_workspace(struct net *net, const struct pass *pass, const struct net_saving *saving,
    struct arena *arena, enum pass_end end)
{
    stack_take_workspace(&net->stack, pass, saving, arena);
    if (end != END_OF_STACK)
        net->output->take_workspace(net, pass, arena, end == END_OF_SCORES);
}

/* Measures workspaces by taking them from an arena of no memory. Returns the first that is small enough, and
 * where none is the smallest. What goes back through single directions alone needs one of them at a time,
 * whole.
 */
static struct net_saving choose_saving(struct net *net, const struct pass *pass, enum pass_end end)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t most = pass->options.memory * pass_members(pass);
    struct net_saving saving = {0}, smallest = {.bytes = SIZE_MAX};
    if (end == END_OF_STACK)
        saving = (struct net_saving){.layers = net->stack.L, .steps = microbatch->T};
    do {
        struct arena arena = {0};
        take_workspace(net, pass, &saving, &arena, end);
        saving.bytes = arena.peak;
        if (saving.bytes < smallest.bytes)
            smallest = saving;
    } while (end != END_OF_STACK && most > 0 && saving.bytes > most &&
        stack_save_more(&net->stack, microbatch, &saving));
    return smallest;
}

struct net_saving net_find_saving(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch)
{
    struct pass pass = make_pass(net, options, microbatch, NULL);
    int scored = microbatch->classes || microbatch->values;
    return choose_saving(net, &pass, scored ? END_OF_SCORES : END_OF_OUTPUTS);
}

size_t net_workspace_bytes(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch)
{
    return net_find_saving(net, options, microbatch).bytes;
}

/* Takes the workspace from the memory of the team. */
static void share_workspace(struct net *net, const struct pass *pass, enum pass_end end)
{
    struct net_team *team = pass->options.team;
    struct arena arena = {.base = team->workspace, .size = team->workspace_bytes};
    if (pass_leads(pass))
        arena_reset(&arena);
    pass_meet(pass);
    take_workspace(net, pass, &team->saving, &arena, end);
}

static int grow_block(struct net *net, size_t frames, size_t bytes, struct error *error)
{
    if (bytes <= net->block_bytes)
        return 0;
    memory_destroy(net->block);
    net->block_bytes = 0;
    net->block = memory_create(bytes, 1, error);
    if (!net->block) {
        char what[80];
        snprintf(what, sizeof what, "activations of a microbatch of %zu frames", frames);
        return error_explain_memory(error, what,
            "train.activation_memory, a smaller train.microbatch (of rnn-predict, --batch), shorter "
            "sequences or a smaller model.hidden take");
    }
    net->block_bytes = bytes;
    return 0;
}

void net_give_back(struct net *net, size_t bytes)
{
    memory_give_back(net->block, net->block ? net->block_bytes : 0, bytes);
}

/* Measures the workspace, and takes it; that of a team has been measured for it. */
static int make_workspace(struct net *net, const struct pass *pass, enum pass_end end, struct error *error)
{
    if (pass->options.team) {
        share_workspace(net, pass, end);
        return 0;
    }
    struct net_saving saving = choose_saving(net, pass, end);
    if (grow_block(net, pass->microbatch->N, saving.bytes, error))
        return -1;
    struct arena arena = {.base = net->block, .size = net->block_bytes};
    arena_reset(&arena);
    take_workspace(net, pass, &saving, &arena, end);
    return 0;
}

/* The pass over the output: of the leader alone where the members do not divide it. */
static struct pass output_pass(const struct net *net, const struct pass *pass)
{
    return net->output->divides ? *pass : pass_alone(pass);
}

int net_forward(struct net *net, const struct net_pass *options, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores, struct error *error)
{
    struct pass pass = make_pass(net, options, microbatch, NULL);
    double start = times_start(net->times);
    if (make_workspace(net, &pass, scores ? END_OF_SCORES : END_OF_OUTPUTS, error))
        return -1;
    carry_begin(&net->stack, &pass);
    stack_forward(&net->stack, &pass);
    carry_end(&net->stack, &pass);
    *outputs = (struct net_outputs){0};
    struct pass own = output_pass(net, &pass);
    if (!pass_is_unwanted(&pass) && (net->output->divides || pass_leads(&pass)))
        net->output->forward(net, &own, outputs, scores);
    times_add(net->times, NET_FORWARD, start);
    return 0;
}

/* The pass that flow is measured in: nothing random, and alone; gradients go through frozen layers too. */
static struct pass flow_pass(
    const struct net *net, const struct net_pass *options, const struct microbatch *microbatch)
{
    struct net_pass still = *options;
    still.training = still.still = 1;
    still.team = NULL;
    still.carry = NULL;
    struct pass pass = make_pass(net, &still, microbatch, NULL);
    pass.parameters = NULL;
    return pass;
}

size_t net_flow_bytes(struct net *net, const struct microbatch *microbatch)
{
    struct pass pass = flow_pass(net, &(struct net_pass){0}, microbatch);
    return choose_saving(net, &pass, END_OF_STACK).bytes;
}

int net_measure_flow(struct net *net, const struct net_pass *options, const struct microbatch *microbatch,
    const struct net_flow *flow, struct error *error)
{
    struct pass pass = flow_pass(net, options, microbatch);
    if (make_workspace(net, &pass, END_OF_STACK, error))
        return -1;
    carry_begin(&net->stack, &pass);
    stack_measure_flow(&net->stack, &pass, flow);
    return 0;
}

size_t net_count_states(const struct net *net)
{
    return carry_count(&net->stack);
}

struct net_state *net_state_create_windows(const struct net *net, size_t B, struct error *error)
{
    if (!net->output->has_decoder)
        return state_create(&net->stack, B, error);
    error_set(error, EXIT_CODE_USAGE,
        "there is a decoder: it reads a sequence whole before it says anything, so that none can go on");
    return NULL;
}

struct net_state *net_state_create(const struct net *net, size_t B, struct error *error)
{
    int no_decoder = !net->output->has_decoder;
    return no_decoder && state_refuse_reverse(&net->stack, error) ? NULL
                                                                  : net_state_create_windows(net, B, error);
}

void net_state_destroy(struct net_state *state)
{
    state_destroy(state);
}

void net_state_restart(struct net_state *state)
{
    state_restart(state);
}

int net_continue(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct error *error)
{
    return net_continue_window(net, state, microbatch, microbatch->T, outputs, error);
}

int net_continue_window(struct net *net, struct net_state *state, const struct microbatch *microbatch,
    size_t kept, struct net_outputs *outputs, struct error *error)
{
    const struct net_pass options = {.training = 0};
    struct pass pass = make_pass(net, &options, microbatch, NULL);
    assert(!net->output->has_decoder && state->L == net->stack.L && kept >= 1 && kept <= microbatch->T);
    if (make_workspace(net, &pass, END_OF_OUTPUTS, error))
        return -1;
    carry_begin(&net->stack, &pass);
    state_load(state, &net->stack, microbatch);
    stack_forward(&net->stack, &pass);
    net->output->forward(net, &pass, outputs, NULL);
    state_save(state, &net->stack, microbatch, kept);
    return 0;
}

void net_backward(
    struct net *net, const struct net_pass *options, const struct microbatch *microbatch, float *gradient)
{
    struct pass pass = make_pass(net, options, microbatch, gradient);
    double start = times_start(net->times);
    if (net_first_layer_end(net) == net->parameters.count)
        pass.options.ahead = NULL; /* there is nothing to tell of */
    struct pass own = output_pass(net, &pass);
    pass_meet(&pass); /* the leader has looked at the outputs, which become gradients in their place */
    if (!pass_is_unwanted(&pass) && (net->output->divides || pass_leads(&pass)))
        net->output->backward(net, &own);
    pass_meet(&pass);
    if (!pass_is_unwanted(&pass))
        stack_backward(&net->stack, &pass);
    times_add(net->times, NET_BACKWARD, start);
}

void net_set_times(struct net *net, double *times)
{
    net->times = times;
}
