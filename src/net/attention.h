/* Attention of a decoder's states over the outputs of the encoder, and the combination of both
 * (docs/network.md, Decoder; Luong, Pham and Manning 2015, Bahdanau, Cho and Bengio 2015):
 *
 *     a = tanh(W [d; c] + b),  c = sum over t of softmax_t(score(d, y(t))) y(t)
 *
 * Keys, what the score makes of y(t), are computed once for all frames of a microbatch. R queries d, each
 * belonging to one row of the microbatch; its scores run over that sequence's frames alone. Row by row
 * nothing depends on the other queries and sequences.
 *
 * S units of the decoder; K units of keys and queries, which are A of additive attention and else S; F
 * encoder outputs; Sp, Kp, Fp padded. */
#ifndef NET_ATTENTION_H
#define NET_ATTENTION_H

#include "base/memory.h"
#include "net/matrix.h"
#include "net/microbatch.h"
#include "net/pass.h"
#include "net/types.h"

struct attention_layer {
    enum attention kind; /* not ATTENTION_NONE */
    size_t Sp, Kp, Fp;
    size_t S_stride, K_stride, F_stride; /* of rows as wide */
    struct extent units, keyed;          /* of S and K */
    struct matrix key, query;            /* query: additive */
    struct matrix combine[2];            /* of W: the columns that d meets, and those of c */
    size_t key_bias_offset, energy_offset, combine_bias_offset;
    struct tensors tensors;
    float *key_bias, *energy; /* [Kp]; packed with the weights; dot: key_bias is zero */
    float *combine_bias;      /* [Sp] */

    /* Workspace. */
    size_t T_stride;
    float *keys, *dkeys;       /* [N][K_stride] */
    float *queries, *dqueries; /* [R][K_stride] additive */
    float *alpha;              /* [R][T_stride] in the order of queries */
    float *context, *dcontext; /* [R][F_stride] */
    float *dalpha;             /* [U][T_stride] of one sequence */
    float *denergy;            /* [Kp] */
    int32_t *frame;            /* [T] those of one sequence */
    float *dW, *sums, *scratch;
};

/* The queries of a microbatch, which are the states d [R], and the encoder's outputs Y [N] that they look at.
 */
struct attention_queries {
    const struct microbatch *microbatch;
    struct rows Y;
    size_t R;
    const int32_t *row;   /* [R] row of the microbatch that a query belongs to */
    const int32_t *order; /* [R] an order that has those of a sequence together; NULL: they stand in one */
    struct rows d;
};

/* Where its tensors lie; those that the kind does not have are not looked at. */
struct attention_place {
    size_t key, key_bias, query, energy, combine, combine_bias; /* offsets in the flat vector */
    struct tensors tensors;                                     /* all of them */
};

/* Sets up attention of S units, additive attention with A units of its own, over rows of extent `encoder`. */
void attention_init(struct attention_layer *a, enum attention kind, size_t S, size_t A, struct extent encoder,
    struct attention_place place);
void attention_take_panels(struct attention_layer *a, struct arena *arena);
void attention_pack(struct attention_layer *a, const struct packing *packing);

/* Takes the buffers of a pass from the arena, for R queries at a time and at most U queries of a sequence,
 * which matters in training alone. They are valid until backward is done. */
void attention_take_workspace(
    struct attention_layer *a, const struct pass *pass, struct arena *arena, size_t R, size_t U);

/* Computes the keys of Y [N] for the calls of attention_forward that follow. */
void attention_set_keys(struct attention_layer *a, const struct pass *pass, size_t N, struct rows Y);

/* Writes the combination of all queries to out [R][S_stride]. */
void attention_forward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, float *out);

/* Backpropagates the forward just made, which had a query of every sequence. dout [R][S_stride] is destroyed,
 * dd [R] and dY [N], with the strides of d and Y, are overwritten; dY NULL: it is not wanted. */
void attention_backward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const float *out, float *dout, float *dd, float *dY);

#endif
