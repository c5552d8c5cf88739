/* The lock of a run directory. */
#ifndef CKPT_LOCK_H
#define CKPT_LOCK_H

#include "base/error.h"

#include <stddef.h>

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
