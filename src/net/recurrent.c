/* What a direction is made of: its tensors and their packed forms. Its share of the workspace is in
 * recurrent_workspace.c, the steps in recurrent_forward.c, recurrent_backward.c and recurrent_segments.c. */
#include "net/recurrent.h"

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
        .usual_start = shape->start,
        .reverse = shape->reverse,
        .H = shape->H,
        .Hp = extent_padded(units),
        .one_hot = shape->one_hot,
        .has_unit_weights = cell_has_unit_weights(kind, shape->peepholes),
        .gates = {.parts = 1, .size = shape->H, .interleave = kind->gates}};
    r->to = r->Hp;
    r->width = kind->gates * r->Hp;
    r->a_stride = kernel_stride(r->width);
    r->tensors.from = parameters->n;
    size_t hidden = 0, input = declare_cell(r, shape, parameters, &hidden);
    if (r->has_unit_weights)
        r->unit_offset = declare_unit_weights(r, shape, parameters);
    matrix_init(&r->input, input, r->gates, shape->inputs, shape->needs_input_gradient);
    if (kind->has_product)
        matrix_init(&r->hidden, hidden, r->gates, units, 1);
    if (kind->mixing)
        mixing_init(&r->mixing, kind->mixing, shape, parameters);
    if (transition_init(&r->transition, shape, parameters, error))
        return -1;
    declare_start(r, shape, parameters);
    r->tensors.to = parameters->n;
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
    if (r->usual_start == START_LEARNED)
        memcpy(r->learned, weights + r->h0, r->H * sizeof *r->learned);
    if (r->usual_start == START_LEARNED && r->kind->has_memory)
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
