/* Sums over all frames of a microbatch at once, which do not depend on the order of the steps: products of
 * what the sums before activation have as gradient with what went into them. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

/* The row of Y that each frame goes on from, for the gradient by W_hh: dW_hh = sum over frames of da h'^T. */
static void find_before(const struct recurrent *r, const struct microbatch *microbatch)
{
    for (size_t t = 0; t < microbatch->T; t++) {
        struct step_part run[2];
        split_step(r, microbatch, step_at(r, microbatch, t), run);
        for (size_t k = 0; k < 2; k++)
            for (size_t b = 0; b < run[k].rows; b++)
                r->before[run[k].first + b] = run[k].product ? (int64_t)(run[k].before + b) : -1;
    }
}

/* What W_hh multiplied at each frame, and dW_hh for kernel->outer. */
static struct outer_product recurrent_product(
    const struct recurrent *r, const struct microbatch *microbatch, struct rows Y, float *dW)
{
    const struct transition *t = &r->transition;
    struct outer_product product = {.columns = r->Hp, .C = as_rows(dW, r->Hp)};
    if (t->on) {
        product.X = transition_output(t);
    } else {
        find_before(r, microbatch);
        product.X = Y;
        product.row = r->before;
    }
    return product;
}

/* Gradients by both biases, and sums for those by W_ih and W_hh in r->dW, the one behind the other. What the
 * sums before activation have as gradient, r->a, serves all, but where a cell separates the recurrent terms
 * these have their own, r->u. */
static void weight_sums(const struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y)
{
    size_t N = pass->microbatch->N, I = r->one_hot ? 0 : r->input.columns;
    const struct range own = own_gates(r);
    size_t from = own.from, width = own.to - own.from;
    float *dW = r->dW + from * I, *dW_hidden = r->dW + r->width * I + from * r->Hp, *sums = r->sums + from;
    int product = r->kind->has_product, apart = r->kind->separates_terms;
    struct outer_product products[2] = {{.columns = I, .X = X, .C = as_rows(dW, I)}};
    if (product)
        products[1] = recurrent_product(r, pass->microbatch, Y, dW_hidden);
    memset(dW, 0, width * I * sizeof *dW);
    memset(dW_hidden, 0, product ? width * r->Hp * sizeof *dW : 0);
    memset(sums, 0, width * sizeof *sums);
    size_t first = r->one_hot, end = product && !apart ? 2 : 1;
    const struct outer_sums all = {products + first, end - first, sums, r->scratch};
    pass_outer(pass, N, width, as_rows(r->a + from, r->a_stride), &all);
    if (!r->kind->lacks_bias)
        bias_add_gradient(r->gates, own, r->sums, pass->gradient + r->bias_ih);
    if (apart) {
        memset(sums, 0, width * sizeof *sums);
        const struct outer_sums recurrent = {products + 1, 1, sums, r->scratch};
        pass_outer(pass, N, width, as_rows(r->u + from, r->a_stride), &recurrent);
    }
    if (product)
        bias_add_gradient(r->gates, own, r->sums, pass->gradient + r->bias_hh);
}

static void weight_gradients(const struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t I = r->one_hot ? 0 : r->input.columns;
    const struct range own = own_gates(r);
    weight_sums(r, pass, X, Y);
    if (!r->one_hot)
        matrix_add_gradient(&r->input, own, r->dW, pass->gradient);
    if (r->kind->has_product)
        matrix_add_gradient(&r->hidden, own, r->dW + r->width * I, pass->gradient);
    /* Behind dW_hh, which other members of a team may still be at. */
    if (r->one_hot)
        matrix_add_symbols(&r->input, own, microbatch->N, microbatch->symbols, as_rows(r->a, r->a_stride),
            r->dW + (r->kind->has_product ? r->width * r->Hp : 0), pass->gradient);
}

/* Sums of the gradients by the weights with which units meet their own states, frame by frame. */
static void sum_units(const struct recurrent *r, const struct pass *pass, struct rows Y, float *sums)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t Hp = r->Hp, n = r->kind->unit_weights;
    for (size_t k = 0; k < n; k++)
        memset(sums + k * Hp + r->from, 0, (r->to - r->from) * sizeof *sums);
    for (size_t t = 0; t < microbatch->T; t++) {
        struct step_part run[2];
        split_step(r, microbatch, step_at(r, microbatch, t), run);
        for (size_t k = 0; k < 2; k++) {
            struct cell_step step = step_of(r, run[k], Y);
            r->kind->add_unit_gradients(&step, sums + r->from);
        }
    }
}

static void unit_gradients(const struct recurrent *r, const struct pass *pass, struct rows Y)
{
    size_t Hp = r->Hp, n = r->kind->unit_weights;
    float *sums = unit_sums(r);
    if (!r->kind->unit_tensors)
        sum_units(r, pass, Y, sums);
    for (size_t h = r->from; h < r->to && h < r->H && r->kind->unit_tensors; h++)
        r->kind->chain_unit(r->unit_weights + h, sums + h, Hp);
    for (size_t k = 0; k < n; k++)
        for (size_t h = r->from; h < r->to && h < r->H; h++)
            pass->gradient[r->unit_offset + k * r->H + h] += sums[k * Hp + h];
}

/* Gradients by what makes outputs of states; behind dW_ih, at which others may still be. */
static void mix_gradients(const struct recurrent *r, const struct pass *pass, struct rows X)
{
    struct mixing_frames frames = mixing_frames_of(r, X, (struct rows){0});
    float *behind = unit_sums(r) + r->kind->unit_weights * r->Hp;
    struct mixing_sums sums = {r->dW + r->width * r->input.columns, behind, r->scratch};
    frames.end = pass->microbatch->N;
    mixing_gradients(&r->mixing, pass, &frames, &sums);
}

/* Gradients by the learned state: sums over the rows of the microbatch in their order. */
static void start_gradients(
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

void recurrent_add_gradients(
    const struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y, struct rows dY)
{
    if (r->from == r->to)
        return;
    double start = times_start(pass->times);
    weight_gradients(r, pass, X, Y);
    if (r->transition.on)
        transition_gradients(&r->transition, pass);
    if (r->unit_weights)
        unit_gradients(r, pass, Y);
    if (r->kind->mixes_states)
        mix_gradients(r, pass, X);
    if (r->start == START_LEARNED)
        start_gradients(r, pass->microbatch, dY, pass->gradient);
    times_add(pass->times, NET_WEIGHT_GRADIENT, start);
}
