/* What the state of the step before, h', becomes on its way to the recurrent product: m.
 *
 *     m(0) = h', or with dropout q . h' / (1 - rate), q one mask for all steps of a sequence (Gal and
 *     Ghahramani 2016);  m(k+1) = tanh(T_k m(k) + b_k), k = 0 .. K-1 (Pascanu et al. 2014);  m = m(K)
 *
 * N frames, B rows of the microbatch, R rows at a time, H units (Hp padded to blocks), K layers. The m that
 * feeds frame n is a row of a matrix [N][stride]. Buffers are of the workspace, as in net/recurrent.h;
 * padding stays zero. */
#ifndef NET_TRANSITION_H
#define NET_TRANSITION_H

#include "base/memory.h"
#include "net/matrix.h"
#include "net/parameters.h"
#include "net/pass.h"
#include "net/types.h"

/* The state before the first step of a sequence, in the direction's own time. */
enum start {
    START_ZERO,
    START_LEARNED, /* parameters, the same for all sequences */
    START_GIVEN    /* the caller's, see recurrent_forward */
};

/* What a direction of a recurrent layer is made of. Options that are 0 are off. */
struct recurrent_shape {
    const char *prefix, *suffix; /* of its tensors' names, with the layer's number between them */
    size_t layer;                /* that number; also in the key of the masks of dropout */
    enum cell cell;
    int reverse;          /* 1: from the last frame to the first */
    size_t H;             /* units */
    struct extent inputs; /* what it sees: rows of floats, or symbols */
    int one_hot, needs_input_gradient;
    enum start start;
    int peepholes; /* of a cell that has them */
    size_t transition_layers;
    double dropout; /* of h' on its way to the recurrent product */
    struct net_choice forget_bias;
    double timescale, recurrent_max; /* 0: none */
};

struct transition {
    size_t K, H, Hp, stride;
    double dropout;        /* rate */
    uint64_t place;        /* layer and direction, in the key of the mask */
    struct matrix *weight; /* [K] */
    size_t *bias_offset;   /* [K] in the flat vector */
    float *bias;           /* [K][Hp], packed with the weights */

    /* Workspace. */
    int on;      /* 0: m is h' itself in this pass, and nothing but take_workspace and pack is to be called */
    float *m;    /* [K + 1][N][stride] */
    float *mask; /* [B][Hp] 0 or 1 / (1 - rate); NULL: no dropout in this pass */
    float *dm;   /* [B][stride] of the rows of a step */
    float *da;   /* [K][N][stride] gradient by the sums before tanh */
    float *dW, *sums; /* [K][Hp][Hp], [K][Hp] */
    float *scratch;   /* of kernel->outer */
    size_t N, first;  /* m and da have rows for N frames, `first` and those behind it */
};

/* Declares weights [H][H] and biases [H] of the layers that the shape asks for. */
int transition_init(struct transition *t, const struct recurrent_shape *shape, struct parameters *parameters,
    struct error *error);
void transition_finish(struct transition *t); /* takes zeroes */
void transition_take_panels(struct transition *t, struct arena *arena);
void transition_pack(struct transition *t, const struct packing *packing);

/* Takes buffers from the arena for N frames at a time: what forward needs, and in training what backward
 * needs too. */
void transition_take_workspace(struct transition *t, const struct pass *pass, size_t N, struct arena *arena);

/* Draws the masks of a microbatch. */
void transition_begin(struct transition *t, const struct pass *pass);

/* Computes m of frames first .. first + R - 1, rows row .. of the microbatch, from the rows h of their h'
 * [R]. */
void transition_forward(
    const struct transition *t, const struct pass *pass, size_t first, size_t R, size_t row, struct rows h);

/* Returns the m of frame n and those behind it. */
struct rows transition_output(const struct transition *t, size_t n);

/* The same rows backward: adds to the rows dh of the gradient by h' what follows from t->dm, the gradient by
 * their m, which it destroys. */
void transition_backward(
    const struct transition *t, const struct pass *pass, size_t first, size_t R, size_t row, struct rows dh);

/* The gradient by the weights is cleared, summed over frames as they come, first .. end - 1 at a time, and
 * added in the end. */
void transition_clear_sums(const struct transition *t);
void transition_sum(const struct transition *t, const struct pass *pass, size_t first, size_t end);
void transition_add_gradients(const struct transition *t, const struct pass *pass);

#endif
