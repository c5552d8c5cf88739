/* What a direction is made of: its tensors, their packed forms, and its share of the workspace. The steps are
 * in recurrent_forward.c, recurrent_backward.c and recurrent_segments.c. */
#include "net/recurrent_steps.h"

#include <math.h>
#include <string.h>

/* How a gate that has this part starts: with the number, by its sign, half of it in each of two biases. */
static struct starting_gate start_of_gate(
    const struct cell_kind *kind, struct cell_gate gate, struct net_choice sum)
{
    double share = kind->has_product ? 0.5 : 1;
    struct net_choice start = {
        .given = gate.sign != 0 && sum.given, .number = gate.sign * share * sum.number};
    return (struct starting_gate){.gate = gate.gate, .start = start};
}

static struct starting start_of_bias(const struct recurrent *r, const struct recurrent_shape *shape)
{
    const struct cell_kind *kind = r->kind;
    const struct net_choice one = {.given = 1, .number = 1}, minus_one = {.given = 1, .number = -1};
    struct starting bias = starting_uniform(r->H);
    bias.gates = kind->gates;
    if (shape->timescale > 0) {
        bias.timescale = shape->timescale;
        bias.timescale_key = 2 * shape->layer + (shape->reverse ? 1 : 0);
        bias.gate[0] = start_of_gate(kind, kind->keeps, one);
        bias.gate[1] = start_of_gate(kind, kind->takes, minus_one);
    } else {
        bias.gate[0] = start_of_gate(
            kind, kind->keeps, shape->forget_bias.given ? shape->forget_bias : kind->usual_forget_bias);
    }
    return bias;
}

/* Declares the tensors of the rows of W_ih, one a gate; they lie one behind the other as those of one tensor
 * would. Returns the offset of the first. They start with the deviation that Orvieto et al. 2023 have for the
 * two parts of B (section 3.2). */
static size_t declare_inputs(
    const struct cell_kind *kind, const struct recurrent_shape *shape, struct parameters *parameters)
{
    size_t first = 0, I = extent_true(shape->inputs);
    struct starting start = {.rule = STARTS_NORMAL, .number = 1 / sqrt(2 * (double)I)};
    for (size_t k = 0; k < kind->gates; k++) {
        size_t offset = parameters_declare(parameters, shape->H, I, start, "%s.%s_l%zu%s", shape->prefix,
            kind->input_names[k], shape->layer, shape->suffix);
        first = k == 0 ? offset : first;
    }
    return first;
}

/* Declares the tensors of the cell in PyTorch's order; returns the offset of W_ih, and *hidden takes that of
 * W_hh. */
static size_t declare_cell(
    struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters, size_t *hidden)
{
    const struct cell_kind *kind = r->kind;
    const char *prefix = shape->prefix, *suffix = shape->suffix;
    size_t l = shape->layer, G = kind->gates, H = r->H, rows = G * H;
    struct starting uniform = starting_uniform(H), bias = start_of_bias(r, shape);
    struct starting orthogonal = {.rule = STARTS_ORTHOGONAL, .blocks = G};
    size_t input = kind->input_names ? declare_inputs(kind, shape, parameters)
                                     : parameters_declare(parameters, rows, extent_true(shape->inputs),
                                           uniform, "%s.weight_ih_l%zu%s", prefix, l, suffix);
    if (kind->has_product)
        *hidden =
            parameters_declare(parameters, rows, H, orthogonal, "%s.weight_hh_l%zu%s", prefix, l, suffix);
    if (!kind->lacks_bias)
        r->bias_ih = parameters_declare(parameters, rows, 0, bias, "%s.bias_ih_l%zu%s", prefix, l, suffix);
    if (kind->has_product)
        r->bias_hh = parameters_declare(parameters, rows, 0, bias, "%s.bias_hh_l%zu%s", prefix, l, suffix);
    return input;
}

/* Declares the tensors of one number a unit; they lie as the rows of one would. Returns the offset of the
 * first. */
static size_t declare_unit_tensors(
    const struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters)
{
    size_t first = 0;
    for (size_t k = 0; k < r->kind->unit_weights; k++) {
        const struct unit_tensor *tensor = &r->kind->unit_tensors[k];
        struct starting start = {.rule = STARTS_MADE,
            .make = tensor->start,
            .shares = tensor->shares,
            .timescale = shape->timescale};
        size_t offset = parameters_declare(parameters, r->H, 0, start, "%s.%s_l%zu%s", shape->prefix,
            tensor->name, shape->layer, shape->suffix);
        first = k == 0 ? offset : first;
    }
    return first;
}

static size_t declare_unit_weights(
    struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters)
{
    const struct cell_kind *kind = r->kind;
    struct starting start = starting_uniform(r->H);
    if (kind->unit_tensors)
        return declare_unit_tensors(r, shape, parameters);
    if (kind->unit_weights_are_bounded)
        start = (struct starting){.rule = STARTS_POSITIVE,
            .number = shape->recurrent_max > 0 ? shape->recurrent_max : 1,
            .bound = shape->recurrent_max};
    return parameters_declare(parameters, kind->unit_weights, r->H, start, "%s.%s_l%zu%s", shape->prefix,
        kind->unit_weight, shape->layer, shape->suffix);
}

static void declare_start(
    struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters)
{
    struct starting zero = {.rule = STARTS_CONSTANT};
    if (shape->start != START_LEARNED)
        return;
    r->h0 = parameters_declare(
        parameters, r->H, 0, zero, "%s.h0_l%zu%s", shape->prefix, shape->layer, shape->suffix);
    if (r->kind->has_memory)
        r->c0 = parameters_declare(
            parameters, r->H, 0, zero, "%s.c0_l%zu%s", shape->prefix, shape->layer, shape->suffix);
}

int recurrent_init(struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters,
    struct error *error)
{
    const struct cell_kind *kind = cell_kinds[shape->cell];
    struct extent units = {.parts = 1, .size = shape->H, .interleave = 1};
    *r = (struct recurrent){.kind = kind,
        .start = shape->start,
        .reverse = shape->reverse,
        .H = shape->H,
        .Hp = extent_padded(units),
        .one_hot = shape->one_hot,
        .has_unit_weights = cell_has_unit_weights(kind, shape->peepholes),
        .gates = {.parts = 1, .size = shape->H, .interleave = kind->gates}};
    r->to = r->Hp;
    r->width = kind->gates * r->Hp;
    r->a_stride = kernel_stride(r->width);
    size_t hidden = 0, input = declare_cell(r, shape, parameters, &hidden);
    if (r->has_unit_weights)
        r->unit_offset = declare_unit_weights(r, shape, parameters);
    matrix_init(&r->input, input, r->gates, shape->inputs, shape->needs_input_gradient);
    if (kind->has_product)
        matrix_init(&r->hidden, hidden, r->gates, units, 1);
    if (kind->mixes_states)
        mixing_init(&r->mixing, shape, parameters);
    if (transition_init(&r->transition, shape, parameters, error))
        return -1;
    declare_start(r, shape, parameters);
    return 0;
}

void recurrent_finish(struct recurrent *r)
{
    transition_finish(&r->transition);
    *r = (struct recurrent){0};
}

void recurrent_take_panels(struct recurrent *r, struct arena *arena)
{
    size_t unit_weights = cell_count_unit_numbers(r->kind) * r->Hp;
    matrix_take_panels(&r->input, arena);
    if (r->kind->has_product)
        matrix_take_panels(&r->hidden, arena);
    transition_take_panels(&r->transition, arena);
    mixing_take_panels(&r->mixing, arena);
    r->bias = arena_take(arena, r->width, sizeof *r->bias);
    r->bias_recurrent = arena_take(arena, r->width, sizeof *r->bias_recurrent);
    r->learned = arena_take(arena, 2 * r->Hp, sizeof *r->learned);
    r->unit_weights = r->has_unit_weights ? arena_take(arena, unit_weights, sizeof *r->unit_weights) : NULL;
}

/* What a step takes of single units. */
static void pack_units(struct recurrent *r, const float *weights)
{
    const struct cell_kind *kind = r->kind;
    for (size_t h = 0; h < r->H && kind->unit_tensors; h++)
        kind->pack_unit(weights + r->unit_offset + h, r->H, r->unit_weights + h, r->Hp);
    for (size_t k = 0; k < kind->unit_weights && !kind->unit_tensors; k++)
        memcpy(r->unit_weights + k * r->Hp, weights + r->unit_offset + k * r->H, r->H * sizeof *weights);
}

/* Biases, learned states and what there is of single units. */
static void pack_vectors(struct recurrent *r, const float *weights)
{
    memset(r->bias, 0, r->width * sizeof *r->bias);
    memset(r->bias_recurrent, 0, r->width * sizeof *r->bias);
    if (!r->kind->lacks_bias)
        bias_add(r->gates, weights + r->bias_ih, r->bias);
    if (r->kind->has_product)
        bias_add(r->gates, weights + r->bias_hh, r->kind->separates_terms ? r->bias_recurrent : r->bias);
    if (r->start == START_LEARNED)
        memcpy(r->learned, weights + r->h0, r->H * sizeof *r->learned);
    if (r->start == START_LEARNED && r->kind->has_memory)
        memcpy(r->learned + r->Hp, weights + r->c0, r->H * sizeof *r->learned);
    if (r->unit_weights)
        pack_units(r, weights);
}

void recurrent_pack(struct recurrent *r, const struct packing *packing)
{
    if (r->one_hot)
        matrix_pack_table(&r->input, packing);
    else
        matrix_pack(&r->input, packing);
    if (r->kind->has_product)
        matrix_pack(&r->hidden, packing);
    transition_pack(&r->transition, packing);
    mixing_pack(&r->mixing, packing);
    if (packing_is_first(packing))
        pack_vectors(r, packing->weights);
}

void recurrent_divide(struct recurrent *r, struct division division)
{
    size_t blocks = r->Hp / KERNEL_BLOCK;
    r->division = division;
    r->from = division.index * blocks / division.members * KERNEL_BLOCK;
    r->to = (division.index + 1) * blocks / division.members * KERNEL_BLOCK;
}

static struct frames take_frames(size_t rows, size_t stride, struct arena *arena)
{
    return (struct frames){.data = arena_take(arena, rows * stride, sizeof(float)), .stride = stride};
}

void recurrent_take_reserve(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    const struct cell_kind *kind = r->kind;
    size_t B = pass->microbatch->B;
    struct reserve_rows rows = count_reserve_rows(r, pass);
    r->a = take_frames(rows.sums, r->a_stride, arena);
    if (kind->has_memory)
        r->c = take_frames(rows.states, r->Hp, arena);
    if (kind->mixes_states)
        r->s = take_frames(rows.states, r->Hp, arena);
    if (kind->saves_values)
        r->t = take_frames(rows.segment, r->Hp, arena);
    if (kind->separates_terms)
        r->u = take_frames(rows.sums, r->a_stride, arena);
    transition_take_workspace(&r->transition, pass, rows.sums, arena);
    mixing_take_workspace(&r->mixing, pass, rows.sums, arena);
    if (!pass->options.training)
        return;
    r->again = arena_take(arena, r->segment ? r->Hp : 0, sizeof(float));
    r->dc = arena_take(arena, kind->has_memory ? B * r->Hp : 0, sizeof(float));
    r->ds = arena_take(arena, kind->mixes_states ? B * r->Hp : 0, sizeof(float));
}

/* What stays of a direction whoever's turn it is. */
static void take_states(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    size_t B = pass->microbatch->B, T = pass->microbatch->T;
    size_t ends = r->segment ? B * ((T + r->segment - 1) / r->segment) : 0;
    int memory = r->kind->has_memory, mixes = r->kind->mixes_states;
    r->c_start = arena_take(arena, memory ? B * r->Hp : 0, sizeof(float));
    r->s_start = arena_take(arena, mixes ? B * r->Hp : 0, sizeof(float));
    r->c_ends = arena_take(arena, memory ? ends * r->Hp : 0, sizeof(float));
    r->s_ends = arena_take(arena, mixes ? ends * r->Hp : 0, sizeof(float));
}

void recurrent_take_workspace(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    r->segment = 0;
    r->turns = (struct arena){0};
    take_states(r, pass, arena);
    recurrent_take_reserve(r, pass, arena);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void recurrent_take_turns(struct recurrent *const *directions, size_t n, size_t segment,
    const struct pass *pass, struct arena *arena)
{
    struct arena turns = {0};
    for (size_t i = 0; i < n; i++) {
        struct arena measured = {0};
        directions[i]->segment = segment;
        take_states(directions[i], pass, arena);
        recurrent_take_reserve(directions[i], pass, &measured);
        turns.size = larger(turns.size, measured.peak);
    }
    turns.base = arena_take(arena, turns.size, 1);
    for (size_t i = 0; i < n; i++)
        directions[i]->turns = turns;
}

/* Where sums over frames lie that are as large as weights, and as vectors of them. */
static size_t count_weight_sums(const struct recurrent *r)
{
    size_t columns = r->input.columns + (r->kind->has_product ? r->Hp : 0);
    return r->width * columns + mixing_count_weights(&r->mixing);
}

static size_t count_vector_sums(const struct recurrent *r)
{
    size_t units = r->has_unit_weights ? r->kind->unit_weights * r->Hp : 0;
    return 2 * r->width + units + (r->mixing.is_there ? 2 * r->Hp : 0);
}

void recurrent_take_sums(
    struct recurrent *const *directions, size_t n, const struct pass *pass, struct arena *arena)
{
    size_t most_weights = 0, most_vectors = 0;
    if (!pass->options.training || n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        most_weights = larger(most_weights, count_weight_sums(directions[i]));
        most_vectors = larger(most_vectors, count_vector_sums(directions[i]));
    }
    struct recurrent shared = {.dW = arena_take(arena, most_weights, sizeof(float)),
        .sums = arena_take(arena, most_vectors, sizeof(float))};
    for (size_t member = 0; member < pass_members(pass); member++) {
        int64_t *before = arena_take(arena, pass->microbatch->N, sizeof *before);
        float *scratch = arena_take(arena, pass->kernel->outer_floats, sizeof *scratch);
        if (member == pass_index(pass)) {
            shared.before = before;
            shared.scratch = scratch;
        }
    }
    for (size_t i = 0; i < n; i++) {
        directions[i]->dW = shared.dW;
        directions[i]->sums = shared.sums;
        directions[i]->before = shared.before;
        directions[i]->scratch = shared.scratch;
    }
}
