/* When a run stops or saves for a reason outside of its epochs and steps: a signal, the end of its time, or
 * the minutes since it last saved. Time is rank 0's to judge; each rank has its own signals. Nothing here is
 * collective: a rank puts its wishes on a ballot. */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include "config/config.h"
#include "run/ballot.h"

/* Why a run ends early. */
enum stop_reason { STOP_NOT, STOP_SIGNAL, STOP_TIME };

struct limits {
    /* Seconds. On ranks other than 0 the deadline and the interval are infinite. */
    double deadline;      /* clock_now() at the end of the run's time; +infinity: there is none */
    double save_interval; /* between checkpoints by the clock; +infinity: they are not due by it */
    double saved;         /* clock_now() at the last checkpoint */
    double longest_step;  /* 0 before the first step */
    double longest_batch; /* of a validation */
    double longest_save;
};

/* Begins with the limits that `config` sets on this rank, and no deadline; the first save of `parameters`
 * weights is guessed to take as long as their bytes suggest. */
void limits_init(
    struct limits *limits, const struct config *config, const struct comm *comm, size_t parameters);

/* Rank 0 calls. Finds when the run's time is over: `max_time` seconds after `start` (clock_now()), or, where
 * max_time is 0, at the end of the SLURM job that it is in, if any, which the log then tells. */
void limits_find_deadline(struct limits *limits, int64_t max_time, double start);

/* Take note of how long something took that began at `start` (clock_now()); a save is the last one then. */
void limits_note_step(struct limits *limits, double start);
void limits_note_batch(struct limits *limits, double start);
void limits_note_save(struct limits *limits, double start);

/* Is there no time left for another step, or another batch of validation? */
int limits_are_near(const struct limits *limits);

/* Fills in what this rank wants of the others: members signal, late and save. */
void limits_vote(const struct limits *limits, struct ballot *ballot);

/* Returns whether a counted ballot stops the run, and why. */
enum stop_reason limits_read(const struct ballot *ballot);

/* Returns the end of the SLURM job that this process is in, by the system's clock, or 0 where it is in none
 * or none is known, which the log then tells. (job_end.c) */
double limits_find_job_end(void);

#endif
