/* What a recurrent layer gives whose cell has states h and c that are no outputs (kind->mixing, where the
 * tensors have their names):
 *
 *     y = C_h h + C_c c + D x;   out = y . s(W_g y + b_g)
 *
 * (of the gate, without which a stack of layers with linear states is one linear map, section 4.1 of Dauphin
 * et al. 2017.) No frame takes part in another's, so all of it is computed for as many frames at once as are
 * near.
 *
 * N frames, H units (Hp padded to blocks), I inputs. Of a team each member computes its own columns, from
 * those of all: between two of the functions of a pass it meets the others. Buffers are of the workspace, as
 * in net/recurrent.h; padding stays zero. */
#ifndef NET_MIXING_H
#define NET_MIXING_H

#include "base/memory.h"
#include "net/cells/cell.h"
#include "net/frames.h"
#include "net/matrix.h"
#include "net/parameters.h"
#include "net/pass.h"
#include "net/transition.h"

struct mixing {
    int is_there; /* 0: the rest is zero, and nothing but init, take and pack is to be called */
    size_t H, Hp, stride;
    int one_hot;                  /* inputs are symbols: D x is a row of a table */
    struct matrix from_h, from_c; /* C_h, C_c */
    struct matrix input, gate;    /* D, W_g */
    size_t bias_offset;           /* of b_g in the flat vector */
    float *bias, *zero;           /* [Hp] b_g, packed with the weights; zeroes */

    /* Workspace: rows of as many frames as are there at a time. */
    struct frames y, dy;
    struct frames gates; /* s(W_g y + b_g), then the gradient by what s is taken of */
};

/* Frames first .. end - 1 as the layer has them, whose rows begin with frame `first`, and which columns this
 * member computes. */
struct mixing_frames {
    size_t first, end;
    struct range own;
    struct rows X;    /* inputs; of symbols those of the microbatch */
    struct rows h, c; /* states */
    struct rows out;  /* outputs; in backward the gradient by them */
    struct rows dc;   /* in backward, out: the gradient by c */
};

/* Where the gradients by the weights are summed: dW [mixing_count_weights], sums [2 Hp], scratch of
 * kernel->outer. */
struct mixing_sums {
    float *dW, *sums, *scratch;
};

/* Declares C_h, C_c, D, and weight and bias of the gate, in this order. The start of C_h and C_c is that of
 * section 3.2 of Orvieto et al. 2023. */
void mixing_init(struct mixing *m, const struct cell_mixing *names, const struct recurrent_shape *shape,
    struct parameters *parameters);
void mixing_take_panels(struct mixing *m, struct arena *arena);
void mixing_pack(struct mixing *m, const struct packing *packing);

/* Takes buffers from the arena for N frames at a time: what forward needs, and in training what backward
 * needs too. The second says which frame is the first of these. */
void mixing_take_workspace(struct mixing *m, const struct pass *pass, size_t N, struct arena *arena);
void mixing_move(struct mixing *m, size_t first);
size_t mixing_count_weights(const struct mixing *m);

/* Forward, one after the other: y, then what the gates let through. */
void mixing_sum(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames);
void mixing_open(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames);

/* Backward, one after the other, from the gradient by the outputs in frames->out: the gradients by the gates,
 * by y, and by the states: by h in place of that by the outputs, by c in frames->dc. */
void mixing_gate_backward(
    const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames);
void mixing_sum_backward(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames);
void mixing_state_backward(
    const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames);

/* Adds to rows [first, end) of dX what comes from D. */
void mixing_input_backward(
    const struct mixing *m, const struct pass *pass, size_t first, size_t end, struct rows dX);

/* This member's share of the gradient by the weights is cleared, summed over frames as they come, and added
 * in the end. */
void mixing_clear_sums(const struct mixing *m, struct range own, const struct mixing_sums *sums);
void mixing_sum_gradients(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames,
    const struct mixing_sums *sums);
void mixing_add_gradients(
    const struct mixing *m, const struct pass *pass, struct range own, const struct mixing_sums *sums);

#endif
