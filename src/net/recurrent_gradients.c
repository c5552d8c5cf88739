/* Sums over frames, which do not depend on the order of the steps: products of what the sums before
 * activation have as gradient with what went into them. Frames are added in rising order, as many at a time
 * as there are: the bits are those of one sum over all. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

/* Where the sums lie. All of a matrix are apart from all of the next, as members of a team are at several. */
static float *hidden_sums(const struct recurrent *r)
{
    return r->dW;
}

static float *input_sums(const struct recurrent *r)
{
    return r->dW + (r->kind->has_product ? r->width * r->Hp : 0);
}

static float *recurrent_bias_sums(const struct recurrent *r)
{
    return r->sums + (r->kind->separates_terms ? r->width : 0);
}

static struct mixing_sums mixing_sums_of(const struct recurrent *r)
{
    return (struct mixing_sums){input_sums(r) + r->width * r->input.columns,
        unit_sums(r) + r->kind->unit_weights * r->Hp, r->scratch};
}

/* This member's rows of a matrix of sums. */
static void clear_rows(const struct recurrent *r, float *dW, size_t columns)
{
    const struct range own = own_gates(r);
    memset(dW + own.from * columns, 0, (own.to - own.from) * columns * sizeof *dW);
}

void gradients_clear(const struct recurrent *r)
{
    if (r->from == r->to)
        return;
    if (r->one_hot)
        matrix_clear_symbols(&r->input, own_gates(r), input_sums(r));
    else
        clear_rows(r, input_sums(r), r->input.columns);
    if (r->kind->has_product)
        clear_rows(r, hidden_sums(r), r->Hp);
    clear_rows(r, r->sums, 1);
    clear_rows(r, recurrent_bias_sums(r), 1);
    for (size_t k = 0; k < r->kind->unit_weights && r->has_unit_weights; k++)
        memset(unit_sums(r) + k * r->Hp + r->from, 0, (r->to - r->from) * sizeof(float));
    if (r->transition.on)
        transition_clear_sums(&r->transition);
    if (r->kind->mixing) {
        const struct mixing_sums sums = mixing_sums_of(r);
        mixing_clear_sums(&r->mixing, (struct range){r->from, r->to}, &sums);
    }
}

/* The row of Y that each frame of these steps goes on from, for the gradient by W_hh: dW_hh = sum over frames
 * of da h'^T. */
static void find_before(const struct recurrent *r, const struct microbatch *microbatch, struct range steps)
{
    size_t start, end;
    find_frames(r, microbatch, steps, &start, &end);
    for (size_t i = steps.from; i < steps.to; i++) {
        struct step_part run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2; k++)
            for (size_t b = 0; b < run[k].rows; b++)
                r->before[run[k].first + b - start] = run[k].product ? (int64_t)(run[k].before + b) : -1;
    }
}

/* What W_hh multiplied at each frame of these steps, the first of which is `first`, and this member's rows of
 * dW_hh. */
static struct outer_product recurrent_product(const struct recurrent *r, const struct microbatch *microbatch,
    struct range steps, size_t first, struct rows Y)
{
    struct outer_product product = {
        .columns = r->Hp, .C = as_rows(hidden_sums(r) + own_gates(r).from * r->Hp, r->Hp)};
    if (r->transition.on) {
        product.X = transition_output(&r->transition, first);
    } else {
        find_before(r, microbatch, steps);
        product.X = Y;
        product.row = r->before;
    }
    return product;
}

/* For W_ih, W_hh and both biases. What the sums before activation have as gradient, r->a, serves all, but
 * where a cell separates the recurrent terms these have their own, r->u. */
static void sum_weights(
    const struct recurrent *r, const struct pass *pass, struct range steps, struct rows X, struct rows Y)
{
    size_t I = r->input.columns, first, end;
    const struct range own = own_gates(r);
    size_t width = own.to - own.from;
    int apart = r->kind->separates_terms;
    find_frames(r, pass->microbatch, steps, &first, &end);
    struct outer_product products[2] = {0};
    if (!r->one_hot)
        products[0] = (struct outer_product){
            .columns = I, .X = rows_from(X, first), .C = as_rows(input_sums(r) + own.from * I, I)};
    if (r->kind->has_product)
        products[1] = recurrent_product(r, pass->microbatch, steps, first, Y);
    size_t from = r->one_hot, to = r->kind->has_product && !apart ? 2 : 1;
    const struct outer_sums all = {products + from, to - from, r->sums + own.from, r->scratch};
    pass_outer(pass, end - first, width, columns_from(frames_at(&r->a, first), own.from), &all);
    if (apart) {
        const struct outer_sums recurrent = {products + 1, 1, recurrent_bias_sums(r) + own.from, r->scratch};
        pass_outer(pass, end - first, width, columns_from(frames_at(&r->u, first), own.from), &recurrent);
    }
    if (r->one_hot)
        matrix_sum_symbols(&r->input, own, end - first, pass->microbatch->symbols + first,
            frames_at(&r->a, first), input_sums(r));
}

/* For the weights with which units meet their own states, frame by frame. */
static void sum_units(
    const struct recurrent *r, const struct microbatch *microbatch, struct range steps, struct rows Y)
{
    for (size_t n = 0; n < steps.to - steps.from; n++) {
        struct step_part run[2];
        size_t i = r->reverse ? steps.to - 1 - n : steps.from + n; /* by rising frames */
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2; k++) {
            if (run[k].rows == 0)
                continue;
            struct cell_step step = step_of(r, microbatch, run[k], Y);
            r->kind->add_unit_gradients(&step, unit_sums(r) + r->from);
        }
    }
}

void gradients_sum(
    const struct recurrent *r, const struct pass *pass, struct range steps, struct rows X, struct rows Y)
{
    double start = times_start(pass->times);
    size_t first, end;
    if (r->from == r->to)
        return;
    find_frames(r, pass->microbatch, steps, &first, &end);
    sum_weights(r, pass, steps, X, Y);
    if (r->transition.on)
        transition_sum(&r->transition, pass, first, end);
    if (r->unit_weights && !r->kind->unit_tensors)
        sum_units(r, pass->microbatch, steps, Y);
    if (r->kind->mixing) {
        const struct mixing_frames frames = mixing_frames_of(r, first, end, X, (struct rows){0});
        const struct mixing_sums sums = mixing_sums_of(r);
        mixing_sum_gradients(&r->mixing, pass, &frames, &sums);
    }
    times_add(pass->times, NET_WEIGHT_GRADIENT, start);
}

static void add_weights(const struct recurrent *r, float *gradient)
{
    const struct range own = own_gates(r);
    if (r->one_hot)
        matrix_add_symbols(&r->input, own, input_sums(r), gradient);
    else
        matrix_add_gradient(&r->input, own, input_sums(r), gradient);
    if (!r->kind->lacks_bias)
        bias_add_gradient(r->gates, own, r->sums, gradient + r->bias_ih);
    if (!r->kind->has_product)
        return;
    matrix_add_gradient(&r->hidden, own, hidden_sums(r), gradient);
    bias_add_gradient(r->gates, own, recurrent_bias_sums(r), gradient + r->bias_hh);
}

static void add_units(const struct recurrent *r, float *gradient)
{
    size_t Hp = r->Hp, n = r->kind->unit_weights;
    float *sums = unit_sums(r);
    for (size_t h = r->from; h < r->to && h < r->H && r->kind->unit_tensors; h++)
        r->kind->chain_unit(r->unit_weights + h, sums + h, Hp);
    for (size_t k = 0; k < n; k++)
        for (size_t h = r->from; h < r->to && h < r->H; h++)
            gradient[r->unit_offset + k * r->H + h] += sums[k * Hp + h];
}

/* Gradients by the learned state: sums over the rows of the microbatch in their order. */
static void add_start(
    const struct recurrent *r, const struct microbatch *microbatch, struct rows dY, float *gradient)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        const float *dh = row_at(recurrent_start_dh(r, microbatch, dY), b), *dc = r->dc + b * r->Hp;
        for (size_t h = r->from; h < r->to && h < r->H; h++)
            gradient[r->h0 + h] += dh[h];
        for (size_t h = r->from; h < r->to && h < r->H && r->kind->has_memory; h++)
            gradient[r->c0 + h] += dc[h];
    }
}

void gradients_add(const struct recurrent *r, const struct pass *pass, struct rows dY)
{
    double start = times_start(pass->times);
    if (r->from == r->to)
        return;
    add_weights(r, pass->gradient);
    if (r->transition.on)
        transition_add_gradients(&r->transition, pass);
    if (r->unit_weights)
        add_units(r, pass->gradient);
    if (r->kind->mixing) {
        const struct mixing_sums sums = mixing_sums_of(r);
        mixing_add_gradients(&r->mixing, pass, (struct range){r->from, r->to}, &sums);
    }
    if (r->start == START_LEARNED)
        add_start(r, pass->microbatch, dY, pass->gradient);
    times_add(pass->times, NET_WEIGHT_GRADIENT, start);
}
