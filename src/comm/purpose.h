/* What the processes of a job were started for, which is to be the same: a launcher starts one program beside
 * another, or the same with other options, as readily as it starts ranks of one. */
#ifndef COMM_PURPOSE_H
#define COMM_PURPOSE_H

#include "base/error.h"
#include "comm/rank.h"

/* All is kept by reference, until comm_start has returned. */
struct comm_purpose {
    const char *program;
    const char *options; /* what ranks must have in common, line by line (options_describe); NULL: nothing */
    double limit;        /* seconds that the start may take on all ranks together; 0: any time */
    const char *advice;  /* what to do where it takes longer */
};

/* ---- within this folder ---- */

/* Every rank calls, and it is the first that they do together. Compares program, version and options with
 * those of rank 0: 0, or -1 and EXIT_CODE_USAGE on every rank, for the lowest that differs. */
int purpose_agree(const struct comm *comm, const struct comm_purpose *purpose, struct error *error);

/* The time that a start may take. Until start_watch_end the process ends with EXIT_CODE_STUCK once `limit` is
 * over, and says so; others than the first of those started together wait a quarter longer, so that one of
 * them speaks. (start_watch.c) */
struct start_watch;
struct start_watch *start_watch_begin(const struct comm_purpose *purpose);
void start_watch_end(struct start_watch *watch); /* takes NULL */

#endif
