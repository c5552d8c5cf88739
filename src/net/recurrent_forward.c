/* Products that do not depend on the step before run over all frames of the microbatch at once: the input's
 * share of the sums, and in backward the gradients by the inputs and by the weights. Only the recurrent
 * product runs step by step.
 *
 * The rows of a microbatch's step are those alive, longest sequence first, so the rows that step t shares
 * with the step before it in time are always the first ones of both: `carried` of them. In reverse time new
 * rows join at the end. The states that rows start from lie one behind the other as well, row N + b standing
 * for that of row b, so that what a run of rows goes on from is always a run of rows. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

struct cell_step step_of(
    const struct recurrent *r, const struct microbatch *microbatch, struct step_part run, struct rows Y)
{
    size_t Hp = r->Hp, from = r->from, gates = own_gates(r).from;
    struct frames outputs = {Y.data, Y.stride, 0};
    const struct frames *h = r->kind->mixing ? &r->s : &outputs;
    struct cell_step step = {.count = run.rows,
        .units = r->to - from,
        .gates = columns_from(frames_at(&r->a, run.first), gates),
        .h_previous =
            columns_from(rows_before(microbatch, run, h, recurrent_start_h(r, microbatch, Y)), from),
        .h = columns_from(frames_at(h, run.first), from),
        .parameters = r->unit_weights ? r->unit_weights + from : NULL,
        .parameters_stride = Hp};
    if (r->kind->has_memory) {
        step.c_previous = columns_from(rows_before(microbatch, run, &r->c, as_rows(r->c_start, Hp)), from);
        step.c = columns_from(frames_at(&r->c, run.first), from);
    }
    if (r->kind->saves_values)
        step.saved = columns_from(frames_at(&r->t, run.first), from);
    if (r->kind->separates_terms)
        step.recurrent = columns_from(frames_at(&r->u, run.first), gates);
    return step;
}

void run_product(const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y)
{
    struct rows m = rows_from(Y, run.before);
    const struct range own = own_gates(r);
    const struct panels hidden = own_panels(&r->hidden.forward, own);
    if (r->transition.on) {
        transition_forward(&r->transition, pass, run.first, run.rows, run.row, m);
        m = transition_output(&r->transition, run.first);
    }
    if (r->kind->separates_terms) {
        struct rows u = frames_at(&r->u, run.first);
        if (run.product)
            pass->kernel->product(&hidden, run.rows, m, as_rows(r->bias_recurrent, 0), u);
        for (size_t b = 0; b < run.rows && !run.product; b++)
            memcpy(
                row_at(u, b) + own.from, r->bias_recurrent + own.from, (own.to - own.from) * sizeof(float));
    } else if (run.product) {
        struct rows a = frames_at(&r->a, run.first);
        pass->kernel->product(&hidden, run.rows, m, a, a);
    }
}

static void run_forward(
    const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y)
{
    if (r->kind->has_product)
        run_product(r, pass, run, Y);
    struct cell_step step = step_of(r, pass->microbatch, run, Y);
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

struct range span_at(
    const struct recurrent *r, const struct microbatch *microbatch, struct range segment, size_t i)
{
    size_t span = count_span(r, microbatch), from = i - (i - segment.from) % span;
    return (struct range){from, segment.to - from < span ? segment.to : from + span};
}

void span_forward(const struct recurrent *r, const struct pass *pass, size_t first, size_t end, struct rows X)
{
    const struct range own = own_gates(r);
    const struct panels input = own_panels(&r->input.forward, own);
    struct rows a = frames_at(&r->a, first);
    if (r->one_hot)
        matrix_look_up(&r->input, own, end - first, pass->microbatch->symbols + first, r->bias, a);
    else
        pass_product(pass, &input, end - first, rows_from(X, first), as_rows(r->bias, 0), a);
}

/* The state that each row starts from. */
static void set_start(const struct recurrent *r, const struct microbatch *microbatch, struct rows Y)
{
    if (r->start == START_GIVEN)
        return;
    size_t bytes = (r->to - r->from) * sizeof(float);
    const float *h = r->learned + r->from, *c = h + r->Hp; /* zero unless learned */
    for (size_t b = 0; b < microbatch->B; b++)
        memcpy(row_at(recurrent_start_h(r, microbatch, Y), b) + r->from, h, bytes);
    for (size_t b = 0; b < microbatch->B && r->kind->has_memory; b++)
        memcpy(recurrent_start_c(r) + b * r->Hp + r->from, c, bytes);
}

void span_mix(const struct recurrent *r, const struct pass *pass, const struct mixing_frames *frames)
{
    meet_divided(r, pass);
    if (r->from < r->to)
        mixing_sum(&r->mixing, pass, frames);
    meet_divided(r, pass);
    if (r->from < r->to)
        mixing_open(&r->mixing, pass, frames);
}

static void step_forward(const struct recurrent *r, const struct pass *pass, size_t i, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct step_part run[2];
    split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
    for (size_t k = 0; k < 2 && r->from < r->to; k++)
        if (run[k].rows > 0)
            run_forward(r, pass, run[k], Y);
    if (r->kind->has_product)
        meet_divided(r, pass);
}

static void segment_forward(
    struct recurrent *r, const struct pass *pass, struct range segment, struct rows X, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    open_segment(r, pass, segment);
    load_states(r, microbatch, segment);
    for (size_t i = segment.from; i < segment.to && !pass_is_unwanted(pass); i++) {
        struct range span = span_at(r, microbatch, segment, i);
        size_t first, end;
        find_frames(r, microbatch, span, &first, &end);
        if (i == span.from && r->from < r->to)
            span_forward(r, pass, first, end, X);
        step_forward(r, pass, i, Y);
        if (r->kind->mixing && i + 1 == span.to) {
            struct mixing_frames frames = mixing_frames_of(r, first, end, X, Y);
            span_mix(r, pass, &frames);
        }
    }
    keep_states(r, microbatch, segment);
}

void recurrent_forward(struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    recurrent_begin_turn(r, pass);
    set_start(r, microbatch, Y);
    transition_begin(&r->transition, pass);
    meet_divided(r, pass);
    for (size_t i = 0; i < microbatch->T && !pass_is_unwanted(pass); i += count_segment(r, microbatch))
        segment_forward(r, pass, segment_at(r, microbatch, i), X, Y);
    if (!r->kind->has_product)
        meet_divided(r, pass);
}
