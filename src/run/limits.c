/* A validation can be broken off after each of its batches. Before the first checkpoint the time it takes is
 * guessed by its size, at 50 MB/s. */
#include "run/limits.h"

#include "base/clock.h"
#include "pass/stop.h"

#include <math.h>

void limits_init(
    struct limits *limits, const struct config *config, const struct comm *comm, size_t parameters)
{
    enum { BYTES_OF_PARAMETER = 12 };
    int by_clock = comm->rank == 0 && config->checkpoint.every[INTERVAL_MINUTES] > 0;
    *limits = (struct limits){.deadline = INFINITY,
        .save_interval = by_clock ? 60.0 * (double)config->checkpoint.every[INTERVAL_MINUTES] : INFINITY,
        .saved = clock_now(),
        .longest_save = (double)parameters * BYTES_OF_PARAMETER / 50e6};
}

void limits_find_deadline(struct limits *limits, int64_t max_time, double start)
{
    if (max_time) {
        limits->deadline = start + (double)max_time;
        return;
    }
    double end = limits_find_job_end();
    if (end > 0)
        limits->deadline = clock_now() + end - clock_calendar();
}

static void keep_longest(double *longest, double start)
{
    *longest = fmax(*longest, clock_now() - start);
}

void limits_note_step(struct limits *limits, double start)
{
    keep_longest(&limits->longest_step, start);
}

void limits_note_batch(struct limits *limits, double start)
{
    keep_longest(&limits->longest_batch, start);
}

void limits_note_save(struct limits *limits, double start)
{
    keep_longest(&limits->longest_save, start);
    limits->saved = clock_now();
}

int limits_are_near(const struct limits *limits)
{
    /* What is still to come is a step (or a batch of validation) and a checkpoint that is due, then the last
     * step and its checkpoint; each may take half as long again as the longest so far. */
    double longest = fmax(limits->longest_step, limits->longest_batch);
    double margin = 1 + 1.5 * (2 * longest + 2 * limits->longest_save);
    return clock_now() + margin > limits->deadline;
}

void limits_vote(const struct limits *limits, struct ballot *ballot)
{
    ballot->signal = stop_signal() != 0;
    ballot->late = limits_are_near(limits);
    ballot->save = clock_now() - limits->saved >= limits->save_interval;
}

enum stop_reason limits_read(const struct ballot *ballot)
{
    return ballot->signal ? STOP_SIGNAL : ballot->late ? STOP_TIME : STOP_NOT;
}
