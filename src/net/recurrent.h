/* One direction of one recurrent layer: a cell run over the sequences of a grain, forward and backward in
 * time.
 *
 * N frames, H units (Hp padded to blocks), G gates, R rows of a step. Buffers are of the workspace, laid by
 * recurrent_lay before forward and valid until backward is done. Backward adds to parameter gradients. */
#ifndef NET_RECURRENT_H
#define NET_RECURRENT_H

#include "base/grain.h"
#include "base/memory.h"
#include "net/matrix.h"
#include "net/net.h"

struct recurrent {
    enum cell cell;
    int reverse;                 /* 1: from the last frame to the first */
    size_t H, Hp, G;             /* units, padded; gates */
    size_t a_stride;             /* of a and u */
    int one_hot;                 /* inputs are symbols: W_ih x is a row of a table */
    struct side gates;           /* the rows of W_ih and W_hh */
    struct matrix input, hidden; /* W_ih, W_hh */
    size_t bias_ih, bias_hh;     /* offsets in the flat vector */
    float *bias;                 /* [G Hp] what W_ih x starts from; packed with the weights */
    float *bias_recurrent;       /* [G Hp] gru: what W_hh h starts from */
    float *zero;                 /* [Hp] the state before the first frame */

    /* Workspace. */
    float *a;        /* [N][a_stride] sums, then activations, then gradients by the sums */
    float *c, *t;    /* lstm: [N][Hp] cell state and its tanh; gru: t is W_hn h + b_hn */
    float *u;        /* gru: [N][a_stride] W_hh h + b_hh; in backward the gradient by it */
    float *dc;       /* lstm: [B][Hp] */
    float *unused;   /* gru: [Hp] takes the gradient by the state before the first frame */
    float *dW;       /* [both matrices] */
    float *sums;     /* [G Hp] */
    int64_t *before; /* [N] the frame that each frame goes on from, -1: none */
    float *scratch;  /* of kernel->outer */
    double *times;   /* see net/times.h */
};

/* Offsets of weight_ih, weight_hh, bias_ih, bias_hh in the flat vector. `below`: dX will be asked for. */
struct recurrent_place {
    size_t weight_ih, weight_hh, bias_ih, bias_hh;
};
int recurrent_init(struct recurrent *r, enum cell cell, int reverse, size_t H, struct side inputs,
    int one_hot, int below, struct recurrent_place place, struct error *error);
void recurrent_finish(struct recurrent *r);        /* takes zeroes */
size_t recurrent_bytes(const struct recurrent *r); /* of panels */

void recurrent_pack(struct recurrent *r, const struct kernel *kernel, const float *weights);

/* Buffers from the arena: what forward needs, and with `training` what backward needs too. */
void recurrent_lay(
    struct recurrent *r, const struct kernel *kernel, struct arena *arena, size_t B, size_t N, int training);

/* Y[n][0 .. Hp) = h of frame n; Y and X with their strides. X is NULL when inputs are symbols of the grain.
 */
void recurrent_forward(struct recurrent *r, const struct kernel *kernel, const struct grain *grain,
    const float *X, size_t X_stride, float *Y, size_t Y_stride);

/* dY: gradient by Y, destroyed. dX: gradient by X is added to it when add is 1, else put there; NULL: not
 * wanted. */
void recurrent_backward(struct recurrent *r, const struct kernel *kernel, const struct grain *grain,
    const float *X, size_t X_stride, const float *Y, size_t Y_stride, float *dY, float *dX, int add,
    float *gradient);

#endif
