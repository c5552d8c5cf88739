/* One direction of one recurrent layer: a cell run over the sequences of a microbatch, forward and backward
 * in time.
 *
 * N frames, H units (Hp padded to blocks), G gates, R rows of a step. Buffers are of the workspace, taken by
 * recurrent_take_workspace or recurrent_take_turns, and recurrent_take_sums, before forward and valid until
 * backward is done. Backward adds to parameter gradients.
 *
 * What forward leaves for backward is a direction's reserve: a row of it is several times what the direction
 * gives for a frame. Where memory is short, directions take turns at one reserve: backward makes it again,
 * from what the direction saw and gave and from memories that it keeps of every so many steps, a segment of
 * these steps at a time (recurrent_segments.c). No bit depends on that. */
#ifndef NET_RECURRENT_H
#define NET_RECURRENT_H

#include "base/memory.h"
#include "net/cells/cell.h"
#include "net/frames.h"
#include "net/matrix.h"
#include "net/microbatch.h"
#include "net/mixing.h"
#include "net/pass.h"
#include "net/transition.h"
#include "net/types.h"

/* Who computes the units of a direction: member `index` of so many, who are a group of the team and meet at
 * each step where they are more than one. */
struct division {
    size_t index, members;
    enum net_group group;
};

struct recurrent {
    const struct cell_kind *kind;
    enum start start;             /* of the pass at hand */
    enum start usual_start;       /* of one that carries no states */
    int reverse;                  /* 1: from the last frame to the first */
    size_t H, Hp;                 /* units, padded */
    size_t width, a_stride;       /* G Hp; of the rows of a and u */
    int one_hot;                  /* inputs are symbols: W_ih x is a row of a table */
    struct extent gates;          /* the rows of W_ih and W_hh */
    struct matrix input, hidden;  /* W_ih; W_hh, zeroes where the cell has no recurrent product */
    struct transition transition; /* from h' to what W_hh multiplies */
    struct mixing mixing;         /* from states and inputs to outputs, of a cell that mixes them */
    size_t bias_ih, bias_hh;      /* offsets in the flat vector */
    float *bias;                  /* [G Hp] what W_ih x starts from; packed with the weights */
    float *bias_recurrent;        /* [G Hp] what W_hh h starts from, where the cell separates the two */
    struct tensors tensors;       /* all of these */
    size_t h0, c0;                /* START_LEARNED: offsets in the flat vector, c0 of a memory */
    float *learned;               /* [2 Hp] START_LEARNED: h and c to start from, packed with the weights */
    int has_unit_weights;
    size_t unit_offset;  /* in the flat vector */
    float *unit_weights; /* [unit numbers of the cell][Hp], packed; NULL: none */

    struct division division; /* of the pass at hand */
    size_t from, to;          /* units of this member, multiples of a block */

    /* Workspace. */
    float *c_start;         /* [B][Hp] memory before the first step of each row, of a cell that has one */
    float *s_start;         /* [B][Hp] h likewise, of a cell whose h is no output */
    size_t segment;         /* steps of a segment; 0: all there are, and the reserve is the direction's own */
    float *c_ends, *s_ends; /* [segments][B][Hp] c and s after the last step of each */

    /* The reserve: rows of all frames, or of those of a segment. */
    struct arena turns; /* what directions take turns at, else zeroes */
    struct frames a;    /* [a_stride] sums, then activations, then gradients by the sums */
    struct frames c;    /* [Hp] memory of a cell that has one, of the step before the segment too */
    struct frames s;    /* [Hp] h of a cell whose h is no output, as c */
    struct frames t;    /* [Hp] values that the cell saves for backward */
    struct frames u;    /* [a_stride] W_hh h + b_hh where it stays apart; in backward the gradient by it */
    float *again;       /* [Hp] where a cell puts outputs that are there already */
    float *dc;          /* [B][Hp] of a memory, in the end the gradient by c_start */
    float *ds;          /* the same of s */

    /* Workspace of recurrent_take_sums. */
    float *dW;       /* by W_hh, then by W_ih, or by the table of symbols, then of the mixing */
    float *sums;     /* [G Hp] by the gates, again of their recurrent terms, [unit weights][Hp], then
                        [2 Hp] of the mixing */
    int64_t *before; /* [N] the row of Y that each frame goes on from, -1: zeroes */
    float *scratch;  /* of kernel->outer */
};

/* Declares the tensors of the direction and sets it up. */
int recurrent_init(struct recurrent *r, const struct recurrent_shape *shape, struct parameters *parameters,
    struct error *error);
void recurrent_finish(struct recurrent *r); /* takes zeroes */

/* Takes room for panels and vectors from the arena, whose memory is zero; from one of no memory it measures
 * them. */
void recurrent_take_panels(struct recurrent *r, struct arena *arena);

void recurrent_pack(struct recurrent *r, const struct packing *packing);

/* Takes buffers from the arena: what forward needs, and in training what backward needs too, but for those in
 * which gradients are summed, which are as large as weights. The second takes them for n directions of which
 * no two are forward or backward at the same time, with one reserve for all, and segments of so many steps;
 * what a direction leaves there is lost with the next one's turn. The third takes what gradients are summed
 * in, once for n directions that go backward one after the other. */
void recurrent_take_workspace(struct recurrent *r, const struct pass *pass, struct arena *arena);
void recurrent_take_turns(struct recurrent *const *directions, size_t n, size_t segment,
    const struct pass *pass, struct arena *arena);
void recurrent_take_sums(
    struct recurrent *const *directions, size_t n, const struct pass *pass, struct arena *arena);

/* Says which share of the units this process computes in the pass at hand. */
void recurrent_divide(struct recurrent *r, struct division division);

/* Makes Y[n][0 .. Hp) what the layer gives at frame n < N. X is NULL when inputs are symbols of the
 * microbatch. Y has B rows more. recurrent_start_h and recurrent_start_c have the states before the first
 * step of each row of the microbatch. Forward sets them, but with START_GIVEN they are the caller's, zero
 * beyond H, set after the workspace has been taken. */
void recurrent_forward(struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y);

/* The gradient by the inputs that directions have in common: each of those named adds its share, the first to
 * what is there where `add` is 1. */
struct recurrent_inputs {
    struct rows dX;
    const struct recurrent *of[2];
    size_t n; /* 0: nothing is wanted */
    int add;
};

/* dY: gradient by Y, destroyed; it has N + B rows too. Unless the start is zero, recurrent_start_dh (mostly
 * rows N .. of dY) and recurrent_start_dc hold the gradient by the starting state afterwards, whatever was in
 * them. Rows of `inputs` are made as soon as those of dY are needed no more, in place of which they may lie;
 * directions named there beside r are done with backward. */
void recurrent_backward(struct recurrent *r, const struct pass *pass, struct rows X, struct rows Y,
    struct rows dY, const struct recurrent_inputs *inputs);

/* Of directions that take turns at a reserve it is this one's, as forward and backward say themselves. */
void recurrent_begin_turn(struct recurrent *r, const struct pass *pass);

/* The same gradient, for rows [first, end) of X, once all directions named are done with backward; whose turn
 * of them it has been in another member of a team alone is told by recurrent_begin_turn. */
void recurrent_backward_inputs(
    const struct recurrent_inputs *inputs, const struct pass *pass, size_t first, size_t end);

/* Measures what struct net_flow has of this direction, norm [B][T], after recurrent_forward. dY [N + B rows]
 * is overwritten, and what forward left. */
void recurrent_flow(
    struct recurrent *r, const struct pass *pass, struct rows Y, struct rows dY, double *norm);

/* The h of frame n and those behind it: Y, but where outputs are made of h. Of directions that take turns
 * there are those of the segment at hand. */
static inline struct rows recurrent_states(const struct recurrent *r, struct rows Y, size_t n)
{
    return r->kind->mixing ? frames_at(&r->s, n) : rows_from(Y, n);
}

/* The h that rows start from, and the gradient by it: [B]. */
static inline struct rows recurrent_start_h(
    const struct recurrent *r, const struct microbatch *microbatch, struct rows Y)
{
    return r->kind->mixing ? as_rows(r->s_start, r->Hp) : rows_from(Y, microbatch->N);
}

static inline struct rows recurrent_start_dh(
    const struct recurrent *r, const struct microbatch *microbatch, struct rows dY)
{
    return r->kind->mixing ? as_rows(r->ds, r->Hp) : rows_from(dY, microbatch->N);
}

/* The memory before the first step of each row of the microbatch, and the gradient by it: [B][Hp]. */
static inline float *recurrent_start_c(const struct recurrent *r)
{
    return r->c_start;
}

/* The states after the last step of the microbatch, of the rows that it has, once forward is done: also where
 * it is another direction's turn at the reserve. */
static inline struct rows recurrent_last(
    const struct recurrent *r, const struct microbatch *microbatch, const struct frames *frames, float *ends)
{
    size_t last = microbatch->T - 1;
    return r->segment ? as_rows(ends + last / r->segment * microbatch->B * r->Hp, r->Hp)
                      : frames_at(frames, microbatch->first[last]);
}

static inline struct rows recurrent_last_c(const struct recurrent *r, const struct microbatch *microbatch)
{
    return recurrent_last(r, microbatch, &r->c, r->c_ends);
}

static inline struct rows recurrent_last_h(
    const struct recurrent *r, const struct microbatch *microbatch, struct rows Y)
{
    return r->kind->mixing ? recurrent_last(r, microbatch, &r->s, r->s_ends)
                           : rows_from(Y, microbatch->first[microbatch->T - 1]);
}

static inline const float *recurrent_start_dc(const struct recurrent *r)
{
    return r->dc;
}

#endif
