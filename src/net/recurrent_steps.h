/* Steps of a direction of a recurrent layer, and what is added to the parameters' gradients behind them.
 * Only the files that implement recurrent.h include this. */
#ifndef NET_RECURRENT_STEPS_H
#define NET_RECURRENT_STEPS_H

#include "net/recurrent.h"

/* One step in time: its frames, and those of the step before it in the direction's own time. */
struct step {
    size_t first, rows;     /* frames first .. first + rows - 1 */
    size_t before, carried; /* rows 0 .. carried - 1 go on from frames before .. */
};

static inline struct step step_at(const struct recurrent *r, const struct microbatch *microbatch, size_t t)
{
    struct step step = {.first = microbatch->first[t], .rows = (size_t)microbatch->alive[t]};
    if (r->reverse && t + 1 < microbatch->T) {
        step.before = microbatch->first[t + 1];
        step.carried = (size_t)microbatch->alive[t + 1];
    } else if (!r->reverse && t > 0) {
        step.before = microbatch->first[t - 1];
        step.carried = step.rows;
    }
    return step;
}

/* Rows of a step that go on from a run of states. */
struct step_part {
    size_t first, rows; /* frames first .. first + rows - 1 */
    size_t row;         /* of the microbatch, of the first */
    size_t before;      /* go on from those of frames before .., or from N on those that rows start from */
    int product;        /* and W_hh m is not zero */
};

/* The rows that are carried on, and those that start here. */
static inline void split_step(
    const struct recurrent *r, const struct microbatch *microbatch, struct step step, struct step_part run[2])
{
    run[0] =
        (struct step_part){.first = step.first, .rows = step.carried, .before = step.before, .product = 1};
    run[1] = (struct step_part){.first = step.first + step.carried,
        .rows = step.rows - step.carried,
        .row = step.carried,
        .before = microbatch->N + step.carried,
        .product = r->start != START_ZERO || r->transition.K > 0};
}

/* The i-th step in the direction's own time. */
static inline size_t step_time(const struct recurrent *r, const struct microbatch *microbatch, size_t i)
{
    return r->reverse ? microbatch->T - 1 - i : i;
}

static inline struct rows columns_from(struct rows rows, size_t column)
{
    return (struct rows){rows.data + column, rows.stride};
}

/* Frames [first, end) of steps [from, to) in the direction's own time. */
static inline void find_frames(const struct recurrent *r, const struct microbatch *microbatch,
    struct range steps, size_t *first, size_t *end)
{
    *first = microbatch->first[r->reverse ? microbatch->T - steps.to : steps.from];
    *end = microbatch->first[r->reverse ? microbatch->T - steps.from : steps.to];
}

/* Steps of a segment; all that there are where the reserve is the direction's own. */
static inline size_t count_segment(const struct recurrent *r, const struct microbatch *microbatch)
{
    return r->segment ? r->segment : microbatch->T;
}

static inline struct range segment_at(
    const struct recurrent *r, const struct microbatch *microbatch, size_t i)
{
    size_t steps = count_segment(r, microbatch), from = i - i % steps;
    return (struct range){from, microbatch->T - from < steps ? microbatch->T : from + steps};
}

/* The states that a run of rows goes on from, in the rows that begin with those of frame 0. */
static inline struct rows rows_before(
    const struct microbatch *microbatch, struct step_part run, const struct frames *frames, struct rows start)
{
    return run.before < microbatch->N ? frames_at(frames, run.before)
                                      : rows_from(start, run.before - microbatch->N);
}

/* The gates of this member's units: columns of a and u. */
static inline struct range own_gates(const struct recurrent *r)
{
    return (struct range){r->from * r->kind->gates, r->to * r->kind->gates};
}

/* Panels of which products make this member's columns. A share of nothing has no product. */
static inline struct panels own_panels(const struct panels *panels, struct range range)
{
    struct panels own = *panels;
    own.from = range.from;
    own.to = range.to;
    return own;
}

/* Every member's units of a step are there before anybody goes on from them, which without a recurrent
 * product is the next layer. */
static inline void meet_divided(const struct recurrent *r, const struct pass *pass)
{
    if (r->division.members > 1)
        pass_meet_group(pass, r->division.group);
}

/* Where the gradients by weights of single units are summed, [unit weights][Hp]: behind those by the gates,
 * at which other members of a team may still be. */
static inline float *unit_sums(const struct recurrent *r)
{
    return r->sums + 2 * r->width;
}

/* What a cell that mixes its states sees of frames of a layer; Y or, in backward, dY. */
static inline struct mixing_frames mixing_frames_of(
    const struct recurrent *r, size_t first, size_t end, struct rows X, struct rows Y)
{
    return (struct mixing_frames){.first = first,
        .end = end,
        .own = {r->from, r->to},
        .X = X.data ? rows_from(X, first) : X,
        .h = frames_at(&r->s, first),
        .c = frames_at(&r->c, first),
        .out = Y.data ? rows_from(Y, first) : Y,
        .dc = frames_at(&r->t, first)};
}

/* Rows of the reserve: of what sums over frames read, of states, and of the rest. (recurrent_segments.c) */
struct reserve_rows {
    size_t sums, states, segment;
};
struct reserve_rows count_reserve_rows(const struct recurrent *r, const struct pass *pass);

/* Takes the reserve from the arena. (recurrent_workspace.c) */
void recurrent_take_reserve(struct recurrent *r, const struct pass *pass, struct arena *arena);

/* Says of which frames the reserve has rows from now on: those of this segment. The second brings the states
 * of the step before it there, the third keeps those of its last step. (recurrent_segments.c) */
void open_segment(struct recurrent *r, const struct pass *pass, struct range segment);
void load_states(const struct recurrent *r, const struct microbatch *microbatch, struct range segment);
void keep_states(const struct recurrent *r, const struct microbatch *microbatch, struct range segment);

/* Does backward sum over frames at the end, all at once, or segment by segment? Sums go by rising frames,
 * which is also the order in which backward comes to those of a reverse direction. (recurrent_segments.c) */
int sums_at_end(const struct recurrent *r, const struct pass *pass);

/* Makes the reserve of a segment again. (recurrent_segments.c) */
void segment_again(
    struct recurrent *r, const struct pass *pass, struct range segment, struct rows X, struct rows Y);

/* Returns what the cell reads and writes of a run of rows, this member's units. (recurrent_forward.c) */
struct cell_step step_of(
    const struct recurrent *r, const struct microbatch *microbatch, struct step_part run, struct rows Y);

/* The parts of forward, of steps of one segment (recurrent_forward.c): a = W_ih x + b for frames first .. end
 * - 1; the product with what a run of rows goes on from; the outputs that are mixed of states. */
void span_forward(
    const struct recurrent *r, const struct pass *pass, size_t first, size_t end, struct rows X);
void run_product(const struct recurrent *r, const struct pass *pass, struct step_part run, struct rows Y);
void span_mix(const struct recurrent *r, const struct pass *pass, const struct mixing_frames *frames);

/* Steps in the direction's own time whose frames the products over many frames take at once: as many as a
 * second cache holds, so that what one product leaves is near for the next. Spans begin with a segment.
 * (recurrent_forward.c) */
size_t count_span(const struct recurrent *r, const struct microbatch *microbatch);

/* The span that step i of a segment is in, by its steps. (recurrent_forward.c) */
struct range span_at(
    const struct recurrent *r, const struct microbatch *microbatch, struct range segment, size_t i);

/* Gradients by W_ih, W_hh and biases, and of the options by transition layers, single units and learned
 * states, from what the steps of backward have put into the workspace: sums are cleared, the frames of these
 * steps are added, and the whole is added to the gradient. X, Y and dY as in recurrent_backward.
 * (recurrent_gradients.c) */
void gradients_clear(const struct recurrent *r);
void gradients_sum(
    const struct recurrent *r, const struct pass *pass, struct range steps, struct rows X, struct rows Y);
void gradients_add(const struct recurrent *r, const struct pass *pass, struct rows dY);

#endif
