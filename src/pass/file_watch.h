/* The file that is read is the one that was opened, and the one that the others read. HDF5 notices neither: a
 * file that is written to meanwhile, or cut off, gives it other numbers or zeroes.
 *
 * One rank of all that have opened the same file on the same host looks at it for them. */
#ifndef PASS_FILE_WATCH_H
#define PASS_FILE_WATCH_H

#include "comm/comm.h"
#include "data/fingerprint.h"

struct file_watch {
    struct dataset *dataset; /* NULL: there is none to look at */
    int looks;               /* this rank looks, as the values are still read from the file */
    double next;             /* clock_now() of the next look */
};

/* All ranks call. Compares what each host has in its file, by shapes, offsets and a sample of the values that
 * `seed` chooses, and by all values where they are kept: EXIT_CODE_DATA on all ranks where the file of one is
 * not that of rank 0. Then looks for the first time. *print is the same on all ranks: shape and sample, and
 * all of it where the values are kept. The dataset is kept by reference. */
int file_watch_begin(struct file_watch *watch, const struct comm *comm, struct dataset *dataset,
    uint64_t seed, struct fingerprint *print, struct error *error);

/* One rank calls this, for a file that it alone reads. */
int file_watch_begin_alone(struct file_watch *watch, struct dataset *dataset, struct error *error);

/* Each rank calls this for itself. Looks at the file if a second has passed since the last look and it is
 * this rank that looks. EXIT_CODE_DATA: it is not what it was when it was opened. Cheap. */
int file_watch_look(struct file_watch *watch, struct error *error);

/* Does the same at once. What was read before it, on all ranks, was read from the file as it was opened. */
int file_watch_look_now(struct file_watch *watch, struct error *error);

/* Each rank calls this for itself, where reading has failed: the error becomes what has become of the file,
 * if that is no longer what was opened. Returns -1. */
int file_watch_explain(struct file_watch *watch, struct error *error);

#endif
