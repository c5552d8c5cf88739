/* Records are what rank 0 keeps and prints of a run: the lock of its directory, config.ini, metrics.csv and
 * status in it, and the lines on the console. Checkpoints are written by run_save, which has all that belongs
 * into them. Nothing here is collective, but for what says so; on other ranks the functions do nothing. */
#ifndef RUN_RECORDS_H
#define RUN_RECORDS_H

#include "ckpt/flow_file.h"
#include "ckpt/rundir.h"
#include "comm/comm.h"
#include "config/config.h"
#include "pass/report.h"
#include "run/learner.h"
#include "run/options.h"

enum { RECORDS_HOST = 64 }; /* bytes for the name of a host, its end included */

struct records {
    const struct comm *comm;
    const char *directory; /* the caller's */
    struct own own;        /* which files of the directory are the run's */
    char *hosts;           /* rank 0: [ranks][RECORDS_HOST] where each rank runs; NULL elsewhere */
    struct lock *lock;
    struct metrics *metrics;
    struct flow_file *flow_file;
    struct flow_record flow; /* the newest measurement, on rank 0 also that of the checkpoint gone on from */
    const struct config *config; /* of records_begin */
    struct process holder;       /* of the lock: rank 0, on all ranks once the run has begun */
    int begun;                   /* the status says that the run goes on */
    struct epoch_ends ends;      /* with train.truncate */
    size_t ends_room;
    struct report report;
    int terse; /* 1: the lines of epochs are left out, as with -qq */

    /* Of the epoch at hand: who the ranks wait for. */
    double *busy;         /* [ranks] seconds of computing, filled in at its end */
    double waited;        /* seconds of waits for others, summed over ranks, known one step later */
    double epoch_seconds; /* of steps */
};

/* Refuses a folder that holds something else than a run, --init where there is a run, and a configuration
 * that the run would write over. One process calls; nothing is changed. */
int records_check_place(const char *directory, const struct train_options *options, struct error *error);

/* Creates the directory where it is missing, and takes its lock, neither with --try; the run is that of the
 * file status, if there is one. What records_check_place refuses is an error. Ended by records_close, also
 * after a failure; starts from zeroes. */
int records_open(struct records *records, const struct comm *comm, const char *directory,
    const struct train_options *options, struct error *error);
void records_close(struct records *records);

/* Takes the newest measurement of gradient flow as a checkpoint has it, which is copied. The error is lack of
 * memory. */
int records_take_flow(struct records *records, const struct flow_record *flow, struct error *error);

/* Writes down what the run is about to do, and opens metrics.csv and gradient_flow.csv. With `fresh` what an
 * old run left in the directory goes first. The configuration is kept by reference. */
int records_begin(struct records *records, const struct config *config, const struct progress *progress,
    int fresh, struct error *error);

/* Rank 0 calls. Makes the rows of both files durable, and sets progress->metrics_rows. */
int records_sync(struct records *records, struct progress *progress, struct error *error);

/* Forgets what was recorded after `progress`, to which the run has gone back. */
int records_go_back(struct records *records, const struct progress *progress, struct error *error);

/* Renews the lock's heartbeat; ends all ranks where another job has taken the run over, whose files must not
 * be touched. Cheap. */
void records_keep_lock(const struct records *records, int64_t step);

/* Any rank calls, just before it ends the job by force: the status says so, unless another job has the run.
 */
void records_tell_end(const struct records *records, int64_t step, int code, const char *text);

/* Writes the file status; a failure is logged. */
void records_write_status(const struct records *records, const char *state, int64_t step, const char *reason);

/* Take a row into metrics.csv: of a step, with what its counted ballot tells, and the line about progress
 * where one is due; of a validation. Where the row cannot be written all ranks end. */
void records_add_step(struct records *records, const struct progress *progress, const struct outcome *outcome,
    const struct ballot *ballot);
void records_add_validation(
    struct records *records, const struct progress *progress, const struct outcome *outcome);

/* Adds the rows of the newest measurement of gradient flow. Where they cannot be written all ranks end. */
void records_add_flow(struct records *records, const struct progress *progress);

/* Take note of the end of an epoch, where epochs may differ in their steps, and of those that a checkpoint
 * knows; where there is no memory for it all ranks end. */
void records_note_end(struct records *records, const struct progress *progress);
int records_take_ends(struct records *records, const struct epoch_ends *ends, struct error *error);

/* All ranks call. Rank 0 learns how long each computed in the epoch. */
void records_gather_busy(struct records *records, double busy);

/* All ranks call. Rank 0 learns where each runs; the only error is lack of memory. */
int records_gather_hosts(struct records *records, struct error *error);

/* Print the line of an epoch that has just ended, before the next begins, or the line that is the last one of
 * a run. (lines.c) */
void records_print_epoch(struct records *records, const struct progress *progress,
    const struct outcome *validation, const struct learner *learner);
void records_print_finished(
    struct records *records, const struct progress *progress, const struct learner *learner);
void records_print_stopped(struct records *records, const struct progress *progress,
    const struct learner *learner, const char *reason);

#endif
