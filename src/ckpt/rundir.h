/* The run directory: checkpoint files by step, the best one, status; and with their headers metrics.csv and
 * the lock. One rank calls these functions alone, which is rank 0 in a run.
 */
#ifndef CKPT_RUNDIR_H
#define CKPT_RUNDIR_H

#include "base/error.h"
#include "ckpt/checkpoint.h"
#include "ckpt/lock.h"
#include "ckpt/metrics.h"
#include "ckpt/own.h"

#include <stddef.h>
#include <stdint.h>

/* Writes a file of the directory whole or not at all (file_replace of base/file.h). */
int rundir_write_file(
    const char *directory, const char *name, const void *bytes, size_t size, struct error *error);

/* Creates the directory (and its parents) where it is missing, and makes sure files can be created in it. */
int rundir_create(const char *directory, struct error *error);

/* Is it the name of a temporary file of one that a run writes? */
int rundir_is_temporary(const char *name);

/* Is there a best.h5? */
int rundir_has_best(const char *directory);

/* Removes what a run left (checkpoints, best.h5, metrics.csv, status, config.ini, temporary files of ours),
 * but not the lock, and nothing else. --fresh asks for it. */
int rundir_clear(const char *directory, struct error *error);

/* Refuses a directory with a checkpoint, or best.h5, of a newer program, before --fresh would remove it:
 * whoever has it may not know that this program is the older one. */
int rundir_refuse_newer(const char *directory, struct error *error);

/* Writes checkpoint-<step>.h5, then removes all of the run's own but the newest `keep` and that of
 * progress.anchor, and temporary files left by a crash. */
int rundir_save(struct own *own, const struct checkpoint *checkpoint, int64_t keep, struct error *error);

/* Writes the same bytes as best.h5. */
int rundir_save_best(struct own *own, const struct checkpoint *checkpoint, struct error *error);

/* Reads the newest valid checkpoint, of the run own->run where that is known; else the run is that of the
 * checkpoint. Returns 1 with *checkpoint filled, 0 where there is none at all, and -1 and an error where
 * there are some but none is valid, or the newest is of a newer program. Each that is passed over on the way
 * is a warning of `own`. */
int rundir_load_newest(struct own *own, struct checkpoint *checkpoint, struct error *error);

/* Reads the checkpoint of this step. Returns 1, 0 where there is no such file, or -1 and an error. */
int rundir_load_step(const struct own *own, int64_t step, struct checkpoint *checkpoint, struct error *error);

/* Removes the run's own checkpoints of later steps than this, for good when it returns, so that a run that
 * went back is not continued from them. Returns 0, or -1 and an error. */
int rundir_forget_later(struct own *own, int64_t step, struct error *error);

#endif
