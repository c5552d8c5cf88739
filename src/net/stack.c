/* Layers run in order forward, and in the opposite order backward. With residuals the gradient by y_l goes
 * two ways: a copy waits in `carry` while the layer, which destroys it, makes its own share of the gradient
 * by y_(l-1), and is added last. */
#include "net/stack.h"

#include "net/dropout.h"
#include "net/noise.h"

#include <string.h>

/* What direction d of layer l is made of. */
static struct recurrent_shape shape_of(const struct stack *stack, size_t l, size_t d)
{
    const struct net_config *c = stack->config;
    return (struct recurrent_shape){.prefix = "rnn",
        .suffix = d ? "_reverse" : "",
        .layer = l,
        .cell = c->cell,
        .reverse = d == 1,
        .H = c->hidden[l],
        .inputs = stack->outputs,
        .one_hot = stack->one_hot,
        .needs_input_gradient = stack->needs_input_gradient,
        .start = c->initial_state ? START_LEARNED : START_ZERO,
        .peepholes = c->peepholes,
        .transition_layers = c->transition_layers,
        .dropout = c->recurrent_dropout,
        .forget_bias = c->forget_bias,
        .timescale = c->timescale,
        .recurrent_max = c->recurrent_max};
}

static void init_norm(struct layer *layer, size_t l, struct parameters *parameters)
{
    size_t width = extent_true(layer->inputs);
    struct starting one = {.rule = STARTS_CONSTANT, .number = 1}, zero = {.rule = STARTS_CONSTANT};
    size_t weight = parameters_declare(parameters, width, 0, one, "norm.%zu.weight", l);
    size_t bias = parameters_declare(parameters, width, 0, zero, "norm.%zu.bias", l);
    norm_init(&layer->norm, layer->inputs, weight, bias);
}

static int init_layer(struct stack *stack, size_t l, struct parameters *parameters, struct error *error)
{
    const struct net_config *c = stack->config;
    struct layer *layer = &stack->layer[l];
    layer->D = c->bidirectional[l] ? 2 : 1;
    layer->inputs = stack->outputs;
    layer->outputs = (struct extent){.parts = layer->D, .size = c->hidden[l], .interleave = 1};
    layer->stride = kernel_stride(extent_padded(layer->outputs));
    layer->drops = l > 0 && c->dropout > 0;
    layer->residual = l > 0 && c->residual;
    layer->first = parameters->n;
    if (l > 0 && c->normalize)
        init_norm(layer, l, parameters);
    for (size_t d = 0; d < layer->D; d++) {
        struct recurrent_shape shape = shape_of(stack, l, d);
        if (recurrent_init(&layer->direction[d], &shape, parameters, error))
            return -1;
    }
    return 0;
}

/* What brings the inputs to the first recurrent layer. */
static int init_inputs(struct stack *stack, struct parameters *parameters, struct error *error)
{
    const struct net_config *c = stack->config;
    struct dense_shape first = {.name = "input",
        .inputs = {.parts = 1, .size = c->embedding ? c->embedding : c->inputs, .interleave = 1},
        .one_hot = c->symbols && !c->embedding,
        .needs_input_gradient = c->embedding > 0};
    if (c->embedding) {
        size_t table = parameters_declare(parameters, c->inputs, c->embedding,
            (struct starting){.rule = STARTS_NORMAL, .number = 1}, "embedding.weight");
        embedding_init(&stack->embedding, c->inputs, c->embedding, table);
    }
    stack->X_stride = c->embedding ? stack->embedding.stride : kernel_stride(extent_padded(first.inputs));
    stack->one_hot = first.one_hot && c->input_layers == 0;
    stack->needs_input_gradient = first.needs_input_gradient || c->input_layers > 0;
    if (dense_layers_init(&stack->input, &first, c->input_layers, c->input_size, parameters, error))
        return -1;
    stack->outputs = stack->input.outputs;
    return 0;
}

int stack_init(
    struct stack *stack, const struct net_config *config, struct parameters *parameters, struct error *error)
{
    *stack = (struct stack){.config = config};
    if (init_inputs(stack, parameters, error))
        return -1;
    stack->layer = memory_create(config->layers, sizeof *stack->layer, error);
    if (!stack->layer)
        return -1;
    for (; stack->L < config->layers; stack->L++) {
        if (init_layer(stack, stack->L, parameters, error)) {
            stack->L++;
            return -1;
        }
        stack->outputs = stack->layer[stack->L].outputs;
        stack->one_hot = 0;
        stack->needs_input_gradient = 1;
    }
    stack->end = parameters->n;
    return 0;
}

void stack_finish(struct stack *stack)
{
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < 2; d++)
            recurrent_finish(&stack->layer[l].direction[d]);
    memory_destroy(stack->layer);
    dense_layers_finish(&stack->input);
    *stack = (struct stack){0};
}

struct dense_shape stack_output_shape(const struct stack *stack)
{
    return (struct dense_shape){.inputs = stack->outputs,
        .one_hot = stack->one_hot,
        .needs_input_gradient = stack->needs_input_gradient};
}

void stack_take_panels(struct stack *stack, struct arena *arena)
{
    embedding_take_panels(&stack->embedding, arena);
    dense_layers_take_panels(&stack->input, arena);
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        for (size_t d = 0; d < layer->D; d++)
            recurrent_take_panels(&layer->direction[d], arena);
        if (layer->norm.is_there)
            norm_take_panels(&layer->norm, arena);
    }
}

void stack_pack(struct stack *stack, const struct packing *packing)
{
    embedding_pack(&stack->embedding, packing);
    dense_layers_pack(&stack->input, packing);
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        for (size_t d = 0; d < layer->D; d++)
            recurrent_pack(&layer->direction[d], packing);
        if (layer->norm.is_there)
            norm_pack(&layer->norm, packing);
    }
}

/* What the input layers see. */
static struct dense_input bottom_input(const struct stack *stack, const struct microbatch *microbatch)
{
    if (stack->X)
        return (struct dense_input){.X = as_rows(stack->X, stack->X_stride)};
    return (struct dense_input){
        .X = as_rows(microbatch->inputs, microbatch->inputs_stride), .symbols = microbatch->symbols};
}

/* y of layer l - 1; l = 0: what the first layer sees. */
static struct dense_input output_before(
    const struct stack *stack, const struct microbatch *microbatch, size_t l)
{
    if (l > 0)
        return (struct dense_input){.X = as_rows(stack->layer[l - 1].y, stack->layer[l - 1].stride)};
    return dense_layers_output(&stack->input, bottom_input(stack, microbatch));
}

static struct dense_input layer_input(
    const struct stack *stack, const struct microbatch *microbatch, size_t l)
{
    struct dense_input in = output_before(stack, microbatch, l);
    if (stack->layer[l].in)
        in.X.data = stack->layer[l].in;
    return in;
}

struct dense_input stack_output(const struct stack *stack, const struct microbatch *microbatch)
{
    return output_before(stack, microbatch, stack->L);
}

/* Where the gradient by output_before(l) goes. */
static float *gradient_before(const struct stack *stack, size_t l)
{
    return l > 0 ? stack->layer[l - 1].dY : dense_layers_gradient(&stack->input, stack->dX);
}

int stack_trains_below(const struct stack *stack, const struct pass *pass, size_t l)
{
    return pass_trains_before(pass, l < stack->L ? stack->layer[l].first : stack->end);
}

int stack_wants_gradient(const struct stack *stack, const struct pass *pass)
{
    return stack->needs_input_gradient && stack_trains_below(stack, pass, stack->L);
}

float *stack_gradient(const struct stack *stack, const struct pass *pass)
{
    return stack_wants_gradient(stack, pass) ? gradient_before(stack, stack->L) : NULL;
}

/* Adds rows of one extent to rows of another that has as many real values but may pad them elsewhere. */
static void add_rows(size_t N, struct extent from, struct rows in, struct extent to, struct rows out)
{
    size_t width = extent_true(from), from_part = extent_padded(from) / from.parts,
           to_part = extent_padded(to) / to.parts;
    for (size_t i = 0, run; i < width; i += run) {
        size_t a = i % from.size, b = i % to.size;
        run = from.size - a < to.size - b ? from.size - a : to.size - b;
        const float *x = in.data + i / from.size * from_part + a;
        float *y = out.data + i / to.size * to_part + b;
        for (size_t n = 0; n < N; n++)
            for (size_t k = 0; k < run; k++)
                y[n * out.stride + k] += x[n * in.stride + k];
    }
}

/* How many members compute a direction: where each has one, half of them, else all. */
static size_t count_sharers(const struct layer *layer, size_t members)
{
    return layer->D == 2 && members % 2 == 0 ? members / 2 : members;
}

enum net_sharing stack_find_sharing(const struct stack *stack, size_t l, size_t members)
{
    const struct layer *layer = &stack->layer[l];
    size_t sharers = count_sharers(layer, members);
    int units = sharers > 1 && !layer->direction[0].transition.on;
    if (sharers < members)
        return units ? NET_BY_BOTH : NET_BY_DIRECTIONS;
    return units ? NET_BY_UNITS : NET_ALONE;
}

size_t stack_count_employed(const struct stack *stack)
{
    size_t most = 1;
    for (size_t l = 0; l < stack->L; l++) {
        size_t blocks = stack->layer[l].direction[0].Hp / KERNEL_BLOCK, D = stack->layer[l].D;
        size_t employed = D * (stack->layer[l].direction[0].transition.on ? 1 : blocks);
        most = employed > most ? employed : most;
    }
    return most;
}

/* Has this member a part in direction d? Those of a direction compute a share of its units each, and meet at
 * each step; but layers between h' and W_hh, which would meet several times a step, are left to the first. */
static int take_part(const struct pass *pass, struct stack *stack, size_t l, size_t d)
{
    const struct layer *layer = &stack->layer[l];
    struct recurrent *direction = &stack->layer[l].direction[d];
    size_t members = pass_members(pass), sharers = count_sharers(layer, members);
    struct division whole = {.members = 1},
                    division = {.index = pass_index(pass) % sharers, .members = sharers};
    if (sharers < members)
        division.group = d == 0 ? NET_FIRST_HALF : NET_SECOND_HALF;
    int alone = direction->transition.on, first = division.index == 0;
    recurrent_divide(direction, alone ? whole : division);
    return (first || !alone) && (sharers == members || pass_index(pass) / sharers == d);
}

/* Makes layer->in of what comes from below. */
static void prepare_input(
    struct stack *stack, const struct pass *pass, size_t l, struct rows from, struct rows in)
{
    struct layer *layer = &stack->layer[l];
    if (layer->norm.is_there)
        norm_forward(&layer->norm, pass->microbatch->N, from, as_rows(layer->in, from.stride));
    if (pass_is_random(pass) && layer->drops)
        dropout_apply(pass, stack->config->dropout, l - 1, extent_padded(layer->inputs),
            layer->norm.is_there ? in : from, in);
}

static void add_residual(const struct layer *layer, size_t N, struct rows from)
{
    memcpy(layer->y, layer->h, N * layer->stride * sizeof *layer->y);
    add_rows(N, layer->inputs, from, layer->outputs, as_rows(layer->y, layer->stride));
}

static void layer_forward(struct stack *stack, const struct pass *pass, size_t l)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct layer *layer = &stack->layer[l];
    struct dense_input from = output_before(stack, microbatch, l), in = layer_input(stack, microbatch, l);
    if (layer->in) {
        if (pass_leads(pass))
            prepare_input(stack, pass, l, from.X, in.X);
        pass_meet(pass);
    }
    for (size_t d = 0; d < layer->D; d++)
        if (take_part(pass, stack, l, d))
            recurrent_forward(&layer->direction[d], pass, in.X,
                as_rows(layer->h + d * layer->direction[d].Hp, layer->stride));
    pass_meet(pass);
    if (layer->residual) {
        if (pass_leads(pass))
            add_residual(layer, microbatch->N, from.X);
        pass_meet(pass);
    }
}

/* Makes stack->X, what the input layers see. */
static void prepare_inputs(struct stack *stack, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct net_config *c = stack->config;
    if (c->embedding)
        embedding_look_up(&stack->embedding, microbatch->N, microbatch->symbols, stack->X);
    else
        noise_apply(pass, c->input_noise, c->inputs, as_rows(stack->X, stack->X_stride));
}

/* What the first recurrent layer sees. */
static void inputs_forward(struct stack *stack, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    if (stack->X) {
        if (pass_leads(pass))
            prepare_inputs(stack, pass);
        pass_meet(pass);
    }
    dense_layers_forward(&stack->input, pass, microbatch->N, bottom_input(stack, microbatch));
    pass_meet(pass);
}

void stack_forward(struct stack *stack, const struct pass *pass)
{
    inputs_forward(stack, pass);
    for (size_t l = 0; l < stack->L; l++)
        layer_forward(stack, pass, l);
}

/* Which gradient by the inputs direction d makes as it goes backward: its own share, or where memory is saved
 * the last one those of all, which may then lie in place of what they all have read. Of a team, whose members
 * may be at a direction each, none. */
static struct recurrent_inputs share_inputs(
    const struct stack *stack, const struct pass *pass, size_t l, size_t d, struct rows dX)
{
    const struct layer *layer = &stack->layer[l];
    struct recurrent_inputs own = {.dX = dX, .of = {&layer->direction[d]}, .n = 1, .add = d > 0};
    struct recurrent_inputs all = {
        .dX = dX, .of = {&layer->direction[0], &layer->direction[1]}, .n = layer->D};
    if (!dX.data || pass->options.team || (stack->saves && d + 1 < layer->D))
        own.n = 0;
    return stack->saves && own.n ? all : own;
}

/* The directions one after the other; or those of this member, and then the gradient by its share of the
 * frames of the inputs, to which both directions add in the same order. */
static void directions_backward(
    struct stack *stack, const struct pass *pass, size_t l, struct rows X, struct rows dX)
{
    struct layer *layer = &stack->layer[l];
    for (size_t d = 0; d < layer->D; d++) {
        size_t place = d * layer->direction[d].Hp;
        const struct recurrent_inputs inputs = share_inputs(stack, pass, l, d, dX);
        if (!dX.data && !pass_trains(pass, layer->direction[d].tensors))
            continue;
        if (take_part(pass, stack, l, d))
            recurrent_backward(&layer->direction[d], pass, X, as_rows(layer->h + place, layer->stride),
                as_rows(layer->dY + place, layer->stride), &inputs);
        else
            recurrent_begin_turn(&layer->direction[d], pass);
    }
    if (!pass->options.team)
        return;
    const struct recurrent_inputs all = {
        .dX = dX, .of = {&layer->direction[0], &layer->direction[1]}, .n = dX.data ? layer->D : 0};
    size_t first, end;
    pass_deal_rows(pass, pass->microbatch->N, &first, &end);
    pass_meet(pass);
    recurrent_backward_inputs(&all, pass, first, end);
    pass_meet(pass);
}

/* Makes the gradient by y of the layer before of that by what this layer saw, dX, which takes its place. */
static void prepare_backward(
    struct stack *stack, const struct pass *pass, size_t l, struct rows from, struct rows dX)
{
    struct layer *layer = &stack->layer[l];
    size_t N = pass->microbatch->N;
    if (layer->drops)
        dropout_apply(pass, stack->config->dropout, l - 1, extent_padded(layer->inputs), dX, dX);
    if (layer->norm.is_there)
        norm_backward(&layer->norm, N, from, dX, pass->gradient);
    if (layer->residual)
        add_rows(N, layer->outputs, as_rows(stack->carry, layer->stride), layer->inputs, dX);
}

static void layer_backward(struct stack *stack, const struct pass *pass, size_t l)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct layer *layer = &stack->layer[l];
    struct dense_input from = output_before(stack, microbatch, l), in = layer_input(stack, microbatch, l);
    int wanted = pass_trains_before(pass, layer->direction[0].tensors.from);
    struct rows dX = as_rows(wanted ? gradient_before(stack, l) : NULL, in.X.stride);
    int goes_past = layer->residual && wanted;
    if (goes_past && pass_leads(pass))
        memcpy(stack->carry, layer->dY, microbatch->N * layer->stride * sizeof *stack->carry);
    if (layer->saves && layer->in && pass_leads(pass))
        prepare_input(stack, pass, l, from.X, in.X);
    if (goes_past || (layer->saves && layer->in))
        pass_meet(pass);
    directions_backward(stack, pass, l, in.X, dX);
    if (!wanted || (!layer->drops && !layer->norm.is_there && !layer->residual))
        return;
    if (pass_leads(pass))
        prepare_backward(stack, pass, l, from.X, dX);
    pass_meet(pass);
}

void stack_backward(struct stack *stack, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct net_ahead *ahead = pass->options.ahead;
    size_t l = stack->L;
    while (l > 0 && stack_trains_below(stack, pass, l)) {
        if (ahead && l == 1)
            ahead->tell(ahead->context);
        layer_backward(stack, pass, --l);
    }
    if (!stack_trains_below(stack, pass, l))
        return;
    struct rows dX = as_rows(stack->dX, stack->X_stride);
    dense_layers_backward_inputs(&stack->input, pass, microbatch->N, dX);
    pass_meet(pass);
    dense_layers_add_gradient(&stack->input, pass, microbatch->N, bottom_input(stack, microbatch));
    if (stack->dX && pass_leads(pass))
        embedding_add_gradient(
            &stack->embedding, microbatch->N, microbatch->symbols, stack->dX, pass->gradient);
}

void stack_measure_flow(struct stack *stack, const struct pass *pass, const struct net_flow *flow)
{
    size_t n = 0, numbers = pass->microbatch->B * pass->microbatch->T;
    inputs_forward(stack, pass);
    for (size_t l = 0; l < stack->L && n < flow->end; l++) {
        struct layer *layer = &stack->layer[l];
        layer_forward(stack, pass, l);
        for (size_t d = 0; d < layer->D; d++, n++) {
            struct recurrent *direction = &layer->direction[d];
            size_t place = d * direction->Hp;
            if (n >= flow->first && n < flow->end)
                recurrent_flow(direction, pass, as_rows(layer->h + place, layer->stride),
                    as_rows(layer->dY + place, layer->stride), flow->norms + (n - flow->first) * numbers);
        }
    }
}
