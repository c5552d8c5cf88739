/* How fast messages are, for predictions. */
#ifndef COMM_SPEED_H
#define COMM_SPEED_H

#include "comm/rank.h"

#include <stddef.h>

/* Every rank calls. Ranks with a partner (itself: none) and these exchange `bytes` at `buffer`, which is
 * read, for so many times, to `into`, at once both ways. Returns the seconds of one exchange, of the slowest
 * rank, on every rank. */
struct speed_exchange {
    int partner;
    const void *buffer;
    void *into;
    int bytes, times;
};
double speed_of_exchange(const struct comm *comm, const struct speed_exchange *exchange);

#endif
