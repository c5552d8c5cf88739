/* Where the time of a pass goes, for benchmarks. Private to this folder; see net_set_times. */
#ifndef NET_TIMES_H
#define NET_TIMES_H

#include "base/clock.h"
#include "net/types.h"

/* times: [NET_TIMES] seconds to add to, or NULL: nobody wants to know, and no clock is read. */
static inline double times_start(const double *times)
{
    return times ? clock_now() : 0;
}

static inline void times_add(double *times, enum net_time what, double start)
{
    if (times)
        times[what] += clock_now() - start;
}

#endif
