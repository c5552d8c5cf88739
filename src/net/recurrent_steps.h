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

/* Rows of a step that go on from a run of rows of Y and c. */
struct step_part {
    size_t first, rows; /* frames first .. first + rows - 1 */
    size_t row;         /* of the microbatch, of the first */
    size_t before;      /* go on from rows before .. */
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
    return r->sums + r->width;
}

/* What a cell that mixes its states sees of a layer, but for which frames; Y or, in backward, dY. */
static inline struct mixing_frames mixing_frames_of(const struct recurrent *r, struct rows X, struct rows Y)
{
    return (struct mixing_frames){.own = {r->from, r->to},
        .X = X,
        .h = as_rows(r->s, r->Hp),
        .c = as_rows(r->c, r->Hp),
        .out = Y,
        .dc = as_rows(r->t, r->Hp)};
}

/* Returns what the cell reads and writes of a run of rows, this member's units. (recurrent_forward.c) */
struct cell_step step_of(const struct recurrent *r, struct step_part run, struct rows Y);

/* Steps in the direction's own time whose frames the products over many frames take at once: as many as a
 * second cache holds, so that what one product leaves is near for the next. (recurrent_forward.c) */
size_t count_span(const struct recurrent *r, const struct microbatch *microbatch);

/* Frames [*first, *end) of the span that starts with step i. (recurrent_forward.c) */
void find_span(
    const struct recurrent *r, const struct microbatch *microbatch, size_t i, size_t *first, size_t *end);

/* After all steps of backward, with what they have put into the workspace: gradients by W_ih, W_hh and
 * biases, and of the options by transition layers, peepholes and learned states. X, Y and dY as in
 * recurrent_backward. (recurrent_gradients.c) */
void recurrent_add_gradients(
    const struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y, struct rows dY);

#endif
