/* The watch over ranks that stop answering. */
#ifndef COMM_WATCH_H
#define COMM_WATCH_H

#include "comm/rank.h"

#include <stdint.h>

/* Every rank calls. From now on a rank that gives no sign of life for `limit` seconds (rank 0's; 0: for ever)
 * ends the job with EXIT_CODE_STUCK and a line that names it, its host, and the step last told to
 * comm_set_step, and ends with `advice`, what to do then (the caller's, as long as ranks are watched). Signs
 * of life are given in the functions of this folder that wait, and by comm_show_life, which costs a look at
 * the clock: to be called between pieces of work that take less than the limit each. Ranks that do not even
 * come here within this rank's own `limit` end it likewise. */
void comm_watch(struct comm *comm, double limit, const char *advice);

/* Every rank calls, with the same limit. Where ranks are watched it is this from now on. */
void comm_set_limit(const struct comm *comm, double limit);
void comm_set_step(const struct comm *comm, int64_t step);
void comm_show_life(const struct comm *comm);
void comm_show_life_of(const void *comm); /* the same, for whoever is handed what to call, and a context */

/* Once a second in a long wait of this rank, and in comm_show_life, `idle` is called, which must not
 * communicate (NULL: no more). There must be a watch. */
void comm_watch_idle(const struct comm *comm, void (*idle)(void *context), void *context);

/* ---- within this folder ---- */

/* The watch's share of a wait; `now` is clock_now(). Signs of life are given and taken, and a rank that has
 * given none for too long ends the job. */
void watch_look(struct watch *watch, const struct comm *comm, double now);

/* Is a sign of life due? The question costs next to nothing. */
int watch_is_due(const struct watch *watch, double now);

/* Are signs of life given and asked for? They are not where there is no watch, no limit or no other rank. */
int watch_is_kept(const struct comm *comm);

/* Every rank calls, behind a barrier where the watch is kept: it ends, with every sign of life received. */
void watch_close(struct comm *comm);

#endif
