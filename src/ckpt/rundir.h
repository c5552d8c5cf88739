/* The run directory: checkpoint files by step, the best one, status, metrics.csv, the lock. Rank 0's
 * business. */
#ifndef CKPT_RUNDIR_H
#define CKPT_RUNDIR_H

#include "base/error.h"
#include "ckpt/checkpoint.h"

#include <stddef.h>
#include <stdint.h>

/* Writes a file of the directory whole or not at all (file_replace of base/file.h). */
int rundir_write_file(
    const char *directory, const char *name, const void *bytes, size_t size, struct error *error);

/* Creates the directory (and its parents) where it is missing, and makes sure files can be created in it. */
int rundir_create(const char *directory, struct error *error);

/* Does it hold a run: a config.ini, a checkpoint or metrics? */
int rundir_holds_run(const char *directory);

/* Removes what a run left (checkpoints, best.h5, metrics.csv, status, config.ini, temporary files of ours),
 * not the lock and nothing else. For --fresh. */
int rundir_clear(const char *directory, struct error *error);

/* "DIRECTORY/checkpoint-NNNNNNNNNN.h5" */
void rundir_checkpoint_path(const char *directory, int64_t step, char *path, size_t size);

/* Writes checkpoint-<step>.h5, then removes all but the newest `keep` and that of progress.anchor, and
 * temporary files left by a crash. */
int rundir_save(
    const char *directory, const struct checkpoint *checkpoint, int64_t keep, struct error *error);

/* Writes the same bytes as best.h5. */
int rundir_save_best(const char *directory, const struct checkpoint *checkpoint, struct error *error);

/* The newest valid checkpoint: 1 and *checkpoint filled, 0 where there is none at all, -1 where there are
 * some but none is valid. Each damaged one on the way is handed to `skipped`. */
int rundir_load_newest(const char *directory, struct checkpoint *checkpoint,
    void (*skipped)(void *context, const char *text), void *context, struct error *error);

/* The checkpoint of step `step` if it is there and valid: 1, 0 or -1 as above (0: no such file). */
int rundir_load_step(const char *directory, int64_t step, struct checkpoint *checkpoint, struct error *error);

/* Removes the checkpoints of later steps than this, for good when it returns, so that a run that went back is
 * not continued from them. 0, or -1 and an error. */
int rundir_forget_later(const char *directory, int64_t step, struct error *error);

/* status: three lines "state=..." "step=..." "reason=...". */
int rundir_write_status(
    const char *directory, const char *state, int64_t step, const char *reason, struct error *error);

/* metrics.csv: opened for adding behind the first `rows` rows (0: new, with its header line); what lies
 * behind them is cut off. Rows become durable with metrics_sync, which a checkpoint must follow. */
struct metrics_row {
    int64_t step, epoch;
    const char *split; /* "train" or "valid" */
    int64_t sequences, frames;
    double loss, error, learning_rate, gradient_norm, seconds, frames_per_second, data_wait, comm_wait;
};
struct metrics;
struct metrics *metrics_open(const char *directory, int64_t rows, struct error *error);
int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error);
int metrics_sync(struct metrics *metrics, int64_t *rows, struct error *error);
void metrics_close(struct metrics *metrics); /* takes NULL */

/* lock: host, process, job, heartbeat. Taken by one job at a time; a live one is refused (EXIT_CODE_DATA,
 * naming host, process and job), a dead one's is taken over, with its story in `warning` (empty: none). Dead:
 * on this host the process is gone (or another program has its number); on another host the heartbeat is
 * older than LOCK_STALE_SECONDS. */
enum { LOCK_STALE_SECONDS = 120, LOCK_BEAT_SECONDS = 20 };
struct lock;
/* `job`: the SLURM job that this process belongs to, empty outside of one. */
struct lock *lock_take(
    const char *directory, const char *job, char *warning, size_t size, struct error *error);
/* Whose lock is there, without touching it: 0 none, 1 a job's that runs, 2 a dead one's; both put into
 * `story`. -1: cannot be read, or is none. */
int lock_look(const char *directory, char *story, size_t size, struct error *error);
/* Renews the heartbeat when LOCK_BEAT_SECONDS have passed; cheap otherwise. -1 once the lock is no longer
 * ours: this job was taken for dead (it slept, or its clock jumped), and another goes on in its place. */
int lock_beat(struct lock *lock);
void lock_release(struct lock *lock); /* takes NULL; removes the file if it is still ours */

#endif
