/* Runs of a small network on a small dataset, in this process, in folders of their own below one of the
 * suite. All ranks call these functions, and a test fails on all of them where one fails. */
#ifndef TESTS_MPI_TRIAL_H
#define TESTS_MPI_TRIAL_H

#include "run/run.h"
#include "support/mpi_suite.h"
#include "support/sample.h"

#include <check.h>

enum { TRIAL_PATH = 1024 };

struct trial {
    struct train_options options;
    struct config config;
    struct run run;
    char directory[TRIAL_PATH];
};

/* Make and remove the folder of the suite, with the datasets train.h5 and valid.h5 and the configuration
 * run.ini. */
void trial_make_folder(void);
void trial_remove_folder(void);

/* The path of `name` in the folder; valid until the next call. */
const char *trial_path(const char *name);
int trial_exists(const char *name);

/* Rank 0 writes a dataset, with its values times `factor`, and the others wait for it. */
void trial_write_sample(const char *name, const struct sample_shape *shape, uint64_t seed, float factor);

/* Sets up a run of run.ini with these overrides (ended by NULL) in the folder `name`; the second opens it
 * too, and it must have something left to do. trial_close is due. */
void trial_begin(struct trial *trial, const char *name, const char *const *set);
void trial_open(struct trial *trial, const char *name, const char *const *set);
void trial_close(struct trial *trial);

/* Trains a run that was begun to its end, and closes it; returns the exit code. The second begins it too. */
int trial_end(struct trial *trial);
int trial_make(const char *name, const char *const *set);

/* Removes the folder of a run. */
void trial_remove(const char *name);

#endif
