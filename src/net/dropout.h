/* Dropout (Srivastava et al. 2014): each unit is set to zero with probability `rate`, and what is kept is
 * divided by 1 - rate. A mask is a function of key, sequence, layer, step and unit alone. */
#ifndef NET_DROPOUT_H
#define NET_DROPOUT_H

#include "base/random.h"
#include "net/pass.h"

/* The masks of one layer, for the sequences of a pass. */
struct dropout {
    const struct pass *pass;
    double rate;
    enum random_stream stream;
};

/* Draws the factors of four units of sequence b, each 0 or 1 / (1 - rate). `counter` names them among all
 * that the sequence has in this stream. */
void dropout_draw(const struct dropout *dropout, size_t b, uint64_t counter, float factor[4]);

/* out = mask . in over the first `width` of the rows [N] of a layer; in may be out. */
void dropout_apply(
    const struct pass *pass, double rate, size_t layer, size_t width, struct rows in, struct rows out);

#endif
