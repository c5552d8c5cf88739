/* The steps run in the opposite order. The gradient by the inputs follows span by span, those by the weights
 * at the end (recurrent_gradients.c). */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* What the next step back will read comes near while this one computes: a step has as much to read as to
 * compute with, in places where processors foresee little. */
static void fetch_step(const struct recurrent *r, struct step step, struct rows dY)
{
    kernel_fetch(frames_at(&r->a, step.first), step.rows, r->width);
    if (r->kind->mixing)
        kernel_fetch(frames_at(&r->s, step.first), step.rows, r->Hp);
    if (r->kind->has_memory)
        kernel_fetch(frames_at(&r->c, step.first), step.rows, r->Hp);
    if (r->kind->saves_values)
        kernel_fetch(frames_at(&r->t, step.first), step.rows, r->Hp);
    kernel_fetch(rows_from(dY, step.first), step.rows, r->Hp);
}

/* dX (+)= W_ih^T da */
void recurrent_backward_inputs(
    const struct recurrent_inputs *inputs, const struct pass *pass, size_t first, size_t end)
{
    struct rows rows = rows_from(inputs->dX, first);
    for (size_t i = 0; i < inputs->n; i++) {
        const struct recurrent *r = inputs->of[i];
        pass_product(pass, &r->input.backward, end - first, frames_at(&r->a, first),
            inputs->add || i > 0 ? rows : (struct rows){0}, rows);
        if (r->kind->mixing)
            mixing_input_backward(&r->mixing, pass, first, end, inputs->dX);
    }
}

/* dm = W_hh^T da, added to dh' or on its way there. */
static void product_backward(
    const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows dh_before)
{
    struct rows da = frames_at(r->kind->separates_terms ? &r->u : &r->a, run.first);
    const struct panels hidden = own_panels(&r->hidden.backward, (struct range){r->from, r->to});
    const struct transition *t = &r->transition;
    if (t->on) {
        pass->kernel->product(&r->hidden.backward, run.rows, da, (struct rows){0}, as_rows(t->dm, t->stride));
        transition_backward(t, pass, run.first, run.rows, run.row, dh_before);
    } else {
        pass->kernel->product(&hidden, run.rows, da, dh_before, dh_before);
    }
}

static void run_backward(
    const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y, struct rows dY)
{
    struct cell_gradient gradient = {.step = step_of(r, pass->microbatch, run, Y),
        .dh = columns_from(rows_from(dY, run.first), r->from),
        .dh_previous = columns_from(rows_from(dY, run.before), r->from)};
    if (r->kind->has_memory)
        gradient.dc = as_rows(r->dc + run.row * r->Hp + r->from, r->Hp);
    if (r->kind->mixing)
        gradient.dh_previous = as_rows(r->ds + run.row * r->Hp + r->from, r->Hp);
    if (r->kind->unit_tensors)
        gradient.sums = unit_sums(r) + r->from;
    double start = times_start(pass->times);
    r->kind->backward(pass->kernel, &gradient);
    times_add(pass->times, NET_ACTIVATION, start);
}

/* The gradient by the states of frames first .. end - 1, from that by their outputs. */
static void span_mix_backward(
    const struct recurrent *r, const struct pass *pass, size_t first, size_t end, struct rows dY)
{
    const struct mixing_frames frames = mixing_frames_of(r, first, end, (struct rows){0}, dY);
    int idle = r->from == r->to;
    if (!idle)
        mixing_gate_backward(&r->mixing, pass, &frames);
    meet_divided(r, pass);
    if (!idle)
        mixing_sum_backward(&r->mixing, pass, &frames);
    meet_divided(r, pass);
    if (!idle)
        mixing_state_backward(&r->mixing, pass, &frames);
}

/* A step's cells, and what they hand on to the step before: of that a member makes its own units, from all
 * gates of the step. */
static void step_backward(
    const struct recurrent *r, const struct pass *pass, size_t i, struct rows Y, struct rows dY)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct step_part run[2];
    int idle = r->from == r->to;
    split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
    for (size_t k = 0; k < 2 && !idle; k++)
        if (run[k].rows > 0)
            run_backward(r, pass, run[k], Y, dY);
    if (!r->kind->has_product)
        return;
    meet_divided(r, pass);
    for (size_t k = 0; k < 2 && !idle; k++)
        if (run[k].rows > 0 && run[k].product)
            product_backward(r, pass, run[k], rows_from(dY, run[k].before));
}

/* What comes from the step after the last one: nothing. */
static void clear_gradients(const struct recurrent *r, const struct microbatch *microbatch, struct rows dY)
{
    size_t bytes = (r->to - r->from) * sizeof(float);
    for (size_t b = 0; b < microbatch->B; b++)
        memset(row_at(recurrent_start_dh(r, microbatch, dY), b) + r->from, 0, bytes);
    for (size_t b = 0; b < microbatch->B && r->kind->has_memory; b++)
        memset(r->dc + b * r->Hp + r->from, 0, bytes);
}

static void segment_backward(const struct recurrent *r, const struct pass *pass, struct range segment,
    struct rows Y, struct rows dY, const struct recurrent_inputs *inputs)
{
    const struct microbatch *microbatch = pass->microbatch;
    for (size_t i = segment.to; i-- > segment.from && !pass_is_unwanted(pass);) {
        struct range span = span_at(r, microbatch, segment, i);
        size_t first, end;
        find_frames(r, microbatch, span, &first, &end);
        if (i > segment.from)
            fetch_step(r, step_at(r, microbatch, step_time(r, microbatch, i - 1)), dY);
        if (r->kind->mixing && i + 1 == span.to)
            span_mix_backward(r, pass, first, end, dY);
        step_backward(r, pass, i, Y, dY);
        if (i == span.from)
            recurrent_backward_inputs(inputs, pass, first, end);
        pass_look(pass);
    }
}

void recurrent_backward(struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y,
    struct rows dY, const struct recurrent_inputs *inputs)
{
    const struct microbatch *microbatch = pass->microbatch;
    int at_end = sums_at_end(r, pass), trains = pass_trains(pass, r->tensors);
    if (r->segment)
        recurrent_begin_turn(r, pass);
    clear_gradients(r, microbatch, dY);
    gradients_clear(r);
    if (r->segment)
        transition_begin(&r->transition, pass);
    for (size_t i = microbatch->T; i > 0 && !pass_is_unwanted(pass);) {
        struct range segment = segment_at(r, microbatch, i - 1);
        if (r->segment)
            segment_again(r, pass, segment, X, Y);
        segment_backward(r, pass, segment, Y, dY, inputs);
        if (trains && !at_end && !pass_is_unwanted(pass))
            gradients_sum(r, pass, segment, X, Y);
        i = segment.from;
    }
    if (!r->kind->has_product)
        meet_divided(r, pass);
    if (!trains || pass_is_unwanted(pass))
        return;
    r->t.first = 0; /* no sum reads its rows */
    if (at_end)
        gradients_sum(r, pass, (struct range){0, microbatch->T}, X, Y);
    gradients_add(r, pass, dY);
}

/* The gradient by outputs that flow begins with: of the last step of each row, in the direction's own time,
 * and nothing elsewhere. Of a cell that mixes its states it becomes that by the states. */
static void begin_flow(const struct recurrent *r, const struct pass *pass, struct rows dY)
{
    const struct microbatch *microbatch = pass->microbatch;
    clear_gradients(r, microbatch, dY);
    gradients_clear(r);
    for (size_t n = 0; n < microbatch->N; n++) {
        memset(row_at(dY, n), 0, r->Hp * sizeof(float));
        if (r->kind->mixing)
            memset(frames_at(&r->t, n).data, 0, r->Hp * sizeof(float));
    }
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t last = microbatch->first[r->reverse ? 0 : microbatch->length[b] - 1] + b;
        for (size_t h = 0; h < r->H; h++)
            row_at(dY, last)[h] = (float)(1 / sqrt((double)r->H));
        if (r->kind->mixing)
            span_mix_backward(r, pass, last, last + 1, dY);
    }
}

/* Of the gradient by the states of frame n, row b of the microbatch: what came from the step after and, of a
 * cell that mixes its states, from the outputs. */
static double measure_states(const struct recurrent *r, struct rows dY, size_t n, size_t b)
{
    const float *dh = row_at(dY, n), *dc = r->dc + b * r->Hp, *ds = r->ds + b * r->Hp;
    const float *t = r->kind->mixing ? frames_at(&r->t, n).data : NULL;
    double sum = 0;
    for (size_t h = 0; h < r->H; h++) {
        double x = (double)dh[h] + (r->kind->mixing ? (double)ds[h] : 0);
        sum += x * x;
    }
    for (size_t h = 0; h < r->H && r->kind->has_memory; h++) {
        double x = (double)dc[h] + (r->kind->mixing ? (double)t[h] : 0);
        sum += x * x;
    }
    return sqrt(sum);
}

/* Norms of the states of step i of all rows, which are so much of that at their last steps. */
static void measure_step(
    const struct recurrent *r, const struct microbatch *microbatch, size_t i, struct rows dY, double *norm)
{
    size_t T = microbatch->T, t = step_time(r, microbatch, i);
    for (size_t b = 0; b < (size_t)microbatch->alive[t]; b++) {
        size_t distance = r->reverse ? t : (size_t)microbatch->length[b] - 1 - t;
        double size = measure_states(r, dY, microbatch->first[t] + b, b);
        norm[b * T + distance] = isfinite(size) ? size : (double)INFINITY;
    }
}

void recurrent_flow(struct recurrent *r, const struct pass *pass, struct rows Y, struct rows dY, double *norm)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t T = microbatch->T;
    assert(r->division.members <= 1);
    begin_flow(r, pass, dY);
    for (size_t i = 0; i < microbatch->B * T; i++)
        norm[i] = (double)INFINITY;
    for (size_t i = T; i-- > 0 && !pass_is_unwanted(pass);) {
        measure_step(r, microbatch, i, dY, norm);
        step_backward(r, pass, i, Y, dY);
    }
    for (size_t b = 0; b < microbatch->B; b++) {
        double whole = norm[b * T];
        for (size_t i = 0; i < T; i++)
            norm[b * T + i] /= whole;
    }
}
