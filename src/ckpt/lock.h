/* The lock of a run directory. */
#ifndef CKPT_LOCK_H
#define CKPT_LOCK_H

#include "base/error.h"
#include "ckpt/process.h"

#include <stddef.h>

/* The file `lock` names host, process and job, and holds a heartbeat. One job at a time has it. A lock is
 * dead where its process is gone from this host (or another program has its number), and, on another host,
 * where its heartbeat is older than LOCK_STALE_SECONDS. */
enum { LOCK_STALE_SECONDS = 120, LOCK_BEAT_SECONDS = 20 };
struct lock;

/* Takes the lock for this process, which ends it with lock_release; `job` is the SLURM job that it belongs
 * to, empty outside of one. A dead lock is taken over, and its story told in `warning`, which is empty
 * otherwise. NULL and an error where the lock lives (EXIT_CODE_DATA, naming host, process and job). */
struct lock *lock_take(
    const char *directory, const char *job, char *warning, size_t size, struct error *error);

/* Whose lock is there, without touching it? Returns 0 where there is none, 1 where a job runs and 2 where it
 * is dead, both told in `story`; -1 and an error where the file cannot be read or is no lock. */
int lock_look(const char *directory, char *story, size_t size, struct error *error);

/* Who holds this lock, and is the lock that is there in the directory held by that process? */
void lock_holder(const struct lock *lock, struct process *holder);
int lock_held_by(const char *directory, const struct process *holder);

/* Renews the heartbeat where LOCK_BEAT_SECONDS have passed, and is cheap otherwise. Returns -1 once the lock
 * is no longer ours: this job was taken for dead (it slept, or its clock jumped), and another goes on in its
 * place.
 */
int lock_beat(struct lock *lock);

/* Removes the file if it is still ours. `lock` may be NULL. */
void lock_release(struct lock *lock);

#endif
