/* Drawing from the distributions that a network gives. What is drawn is a function of the seed, the sequence
 * and the number of the draw within it alone. */
#ifndef PREDICT_DRAW_H
#define PREDICT_DRAW_H

#include <stddef.h>
#include <stdint.h>

struct draw {
    uint64_t seed;
    double temperature; /* above 0: probability p counts as p^(1/T), in proportion */
    int64_t sequence;
    uint64_t index; /* each draw of the sequence has one of its own */
};

/* Returns one of C classes whose probabilities are p [C]. */
int32_t draw_class(const struct draw *draw, const float *p, size_t C);

/* Returns 1 with probability p, and 0 otherwise. */
int draw_bit(const struct draw *draw, double p);

#endif
