/* Products that do not depend on the step before run over all frames of the microbatch at once: the input's
 * share of the sums, and in backward the gradients by the inputs and by the weights. Only the recurrent
 * product runs step by step.
 *
 * The rows of a microbatch's step are those alive, longest sequence first, so the rows that step t shares
 * with the step before it in time are always the first ones of both: `carried` of them. In reverse time new
 * rows join at the end. The states that rows start from lie behind the frames, row N + b that of row b, so
 * that what a run of rows goes on from is always a run of rows. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

struct cell_step step_of(const struct recurrent *r, struct step_part run, struct rows Y)
{
    size_t Hp = r->Hp, from = r->from, gates = own_gates(r).from;
    struct rows h = recurrent_states(r, Y);
    struct cell_step step = {.count = run.rows,
        .units = r->to - from,
        .gates = as_rows(r->a + run.first * r->a_stride + gates, r->a_stride),
        .h_previous = as_rows(row_at(h, run.before) + from, h.stride),
        .h = as_rows(row_at(h, run.first) + from, h.stride),
        .parameters = r->unit_weights ? r->unit_weights + from : NULL,
        .parameters_stride = Hp};
    if (r->kind->has_memory) {
        step.c_previous = as_rows(r->c + run.before * Hp + from, Hp);
        step.c = as_rows(r->c + run.first * Hp + from, Hp);
    }
    if (r->kind->saves_values)
        step.saved = as_rows(r->t + run.first * Hp + from, Hp);
    if (r->kind->separates_terms)
        step.recurrent = as_rows(r->u + run.first * r->a_stride + gates, r->a_stride);
    return step;
}

/* Sums of the rows before activation: a = W_ih x + b (already there) + W_hh m. */
static void run_product(
    const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y)
{
    struct rows m = rows_from(Y, run.before);
    const struct range own = own_gates(r);
    const struct panels hidden = own_panels(&r->hidden.forward, own);
    if (r->transition.on) {
        transition_forward(&r->transition, pass, run.first, run.rows, run.row, m);
        m = rows_from(transition_output(&r->transition), run.first);
    }
    if (r->kind->separates_terms) {
        struct rows u = as_rows(r->u + run.first * r->a_stride, r->a_stride);
        if (run.product)
            pass->kernel->product(&hidden, run.rows, m, as_rows(r->bias_recurrent, 0), u);
        for (size_t b = 0; b < run.rows && !run.product; b++)
            memcpy(
                row_at(u, b) + own.from, r->bias_recurrent + own.from, (own.to - own.from) * sizeof(float));
    } else if (run.product) {
        struct rows a = as_rows(r->a + run.first * r->a_stride, r->a_stride);
        pass->kernel->product(&hidden, run.rows, m, a, a);
    }
}

static void run_forward(
    const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y)
{
    if (r->kind->has_product)
        run_product(r, pass, run, Y);
    struct cell_step step = step_of(r, run, Y);
    double start = times_start(pass->times);
    r->kind->forward(pass->kernel, &step);
    times_add(pass->times, NET_ACTIVATION, start);
}

size_t count_span(const struct recurrent *r, const struct microbatch *microbatch)
{
    enum { FLOATS = 32 * 1024, FEWEST = 64 };
    size_t frames = FLOATS / r->a_stride > FEWEST ? FLOATS / r->a_stride : FEWEST;
    return microbatch->B > 0 && frames > microbatch->B ? frames / microbatch->B : 1;
}

void find_span(
    const struct recurrent *r, const struct microbatch *microbatch, size_t i, size_t *first, size_t *end)
{
    size_t span = count_span(r, microbatch), after = microbatch->T - i < span ? microbatch->T : i + span;
    *first = microbatch->first[r->reverse ? microbatch->T - after : i];
    *end = microbatch->first[r->reverse ? microbatch->T - i : after];
}

/* a = W_ih x + b for the frames of the span that starts with step i. */
static void span_forward(const struct recurrent *r, const struct pass *pass, size_t i, struct rows X)
{
    size_t n, end;
    find_span(r, pass->microbatch, i, &n, &end);
    const struct range own = own_gates(r);
    const struct panels input = own_panels(&r->input.forward, own);
    struct rows a = as_rows(r->a + n * r->a_stride, r->a_stride);
    if (r->one_hot)
        matrix_look_up(&r->input, own, end - n, pass->microbatch->symbols + n, r->bias, a);
    else
        pass_product(pass, &input, end - n, rows_from(X, n), as_rows(r->bias, 0), a);
}

/* The state that each row starts from, behind the frames of h and c. */
static void set_start(const struct recurrent *r, const struct microbatch *microbatch, struct rows Y)
{
    if (r->start == START_GIVEN)
        return;
    size_t bytes = (r->to - r->from) * sizeof(float);
    const float *h = r->learned + r->from, *c = h + r->Hp; /* zero unless learned */
    for (size_t b = 0; b < microbatch->B; b++)
        memcpy(row_at(recurrent_states(r, Y), microbatch->N + b) + r->from, h, bytes);
    for (size_t b = 0; b < microbatch->B && r->kind->has_memory; b++)
        memcpy(recurrent_start_c(r, microbatch) + b * r->Hp + r->from, c, bytes);
}

/* The outputs of the span that ends with step i, from the states of all units. */
static void span_mix(
    const struct recurrent *r, const struct pass *pass, size_t i, struct rows X, struct rows Y)
{
    struct mixing_frames frames = mixing_frames_of(r, X, Y);
    find_span(r, pass->microbatch, i - i % count_span(r, pass->microbatch), &frames.first, &frames.end);
    meet_divided(r, pass);
    if (r->from < r->to)
        mixing_sum(&r->mixing, pass, &frames);
    meet_divided(r, pass);
    if (r->from < r->to)
        mixing_open(&r->mixing, pass, &frames);
}

void recurrent_forward(struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t span = count_span(r, microbatch);
    int idle = r->from == r->to;
    set_start(r, microbatch, Y);
    transition_begin(&r->transition, pass);
    meet_divided(r, pass);
    for (size_t i = 0; i < microbatch->T && !pass_is_unwanted(pass); i++) {
        if (i % span == 0 && !idle)
            span_forward(r, pass, i, X);
        struct step_part run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2 && !idle; k++)
            if (run[k].rows > 0)
                run_forward(r, pass, run[k], Y);
        if (r->kind->has_product)
            meet_divided(r, pass);
        if (r->kind->mixes_states && ((i + 1) % span == 0 || i + 1 == microbatch->T))
            span_mix(r, pass, i, X, Y);
    }
    if (!r->kind->has_product)
        meet_divided(r, pass);
}
