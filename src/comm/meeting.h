/* Processes that share memory meet: nobody leaves before all have come. Between two meetings each may read
 * what the others wrote before the first, and none may write what another reads. A meeting of processes that
 * run costs about as much as a line of memory takes from core to core.
 *
 * Who is asked to stop does not come any more, but tells the others, so that nobody waits for a member that
 * left. */
#ifndef COMM_MEETING_H
#define COMM_MEETING_H

#include "comm/rank.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

/* In shared memory; all zero at the start. Members come in turns of one line each, and wait for another line:
 * those who wait do not disturb those who come. */
struct meeting {
    _Alignas(64) _Atomic uint32_t come; /* of the turn at hand */
    _Alignas(64) _Atomic uint32_t turn; /* meetings that are over */
    _Alignas(64) _Atomic uint32_t left; /* 1: a member does not come any more */
    _Atomic uint32_t crowded;           /* 1: who waits has a core that another member may need */
};

/* Each of `members` processes calls, as often as the others, with the same numbers. Returns 0 when all have
 * come, or -1 where a member has left: this one, where *stop is not 0 (NULL: never), or another. From then on
 * it returns -1 to all, until meeting_reset. It gives signs of life while it waits (comm/watch.h). */
int meeting_come(
    const struct comm *comm, struct meeting *meeting, unsigned members, const volatile sig_atomic_t *stop);

/* One process calls, before the first meeting. Where there are more processes than cores, nobody spins. */
void meeting_init(struct meeting *meeting, int crowded);

/* One process calls, which comes no more: as if it came with a *stop that is not 0. */
void meeting_leave(struct meeting *meeting);

/* One process calls, while it is certain that no other is in meeting_come or comes before another kind of
 * meeting tells it that this is done. */
void meeting_reset(struct meeting *meeting);

#endif
