/* Curves of gradient flow (docs/network.md): how much of a gradient is left so many steps back, made of the
 * norms of several sequences. */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "base/error.h"
#include "net/types.h"

#include <stddef.h>
#include <stdint.h>

enum { FLOW_MOST_DISTANCES = 31 }; /* powers of two that lengths of sequences leave room for */

/* The directions of the recurrent layers are counted through, forward before reverse of each layer. */
size_t flow_count_directions(const struct net_config *config);

/* What direction n is called. */
struct flow_direction {
    size_t layer; /* from 0, as in the names of tensors */
    int reverse;
};
struct flow_direction flow_find_direction(const struct net_config *config, size_t n);
const char *flow_name_direction(struct flow_direction direction); /* "forward" or "reverse" */

/* How many of the distances 1, 2, 4, ... lie within a sequence of so many steps. */
size_t flow_count_distances(int32_t length);

/* One curve for each direction. Of zeroes: there is none. */
struct flow_curves {
    size_t directions, distances;
    double *norm; /* [directions][distances], at distance 2^k; NaN: there is none; memory_destroy */
};
int flow_curves_init(struct flow_curves *curves, size_t directions, size_t distances, struct error *error);
void flow_curves_finish(struct flow_curves *curves); /* takes zeroes */
int flow_curves_copy(struct flow_curves *to, const struct flow_curves *from, struct error *error);

/* Returns the geometric mean of n norms, those that are NaN left out. */
double flow_mean(const double *norms, size_t n);

/* Where a hundredth is left of a gradient. */
struct flow_reach {
    double distance;  /* between two distances of the curve by their logarithms; NaN: there is no curve */
    int is_open;      /* more is left at `distance`, the last of the curve */
    size_t direction; /* of which that is */
};
struct flow_reach flow_find_reach(const struct flow_curves *curves, size_t direction);

/* The least of all directions, the first of several. */
struct flow_reach flow_find_least_reach(const struct flow_curves *curves);

/* Writes ">1024", or the number alone. */
void flow_write_reach(struct flow_reach reach, char *text, size_t size);

/* The largest norm of all, and where it is. */
struct flow_peak {
    double norm; /* 0: there is none */
    int64_t distance;
    size_t direction;
};
struct flow_peak flow_find_peak(const struct flow_curves *curves);

#endif
