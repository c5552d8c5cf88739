/* The names in a run directory, and which checkpoints they are of. */
#ifndef CKPT_DIRECTORY_H
#define CKPT_DIRECTORY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { DIRECTORY_PATH = 4352 }; /* bytes for the path of a file in a run directory, its end included */

/* Steps of the checkpoints that are there. */
struct steps {
    int64_t *step;
    size_t count, room;
    int failed; /* 1: there was no memory */
};

/* Returns the step in "checkpoint-NNNNNNNNNN.h5" (more digits where a run is that long), or -1 where it is
 * another name. */
int64_t directory_find_step(const char *name);

/* Writes the name of the checkpoint of a step. */
void directory_name_step(int64_t step, char *name, size_t size);

/* Puts "DIRECTORY/checkpoint-NNNNNNNNNN.h5" into path. */
void directory_step_path(const char *directory, int64_t step, char *path, size_t size);

/* Writes the path of the checkpoint that is meant where a user names one: the file itself, or best.h5 of a
 * run directory. EXIT_CODE_IO: that folder has none, or the path is too long. */
int directory_find_checkpoint(const char *named, char *path, size_t size, struct error *error);

/* Is there a file of the name of a checkpoint? */
int directory_has_step(const char *directory);

/* Calls `each` for every name in the directory. Returns 0, or errno. */
int directory_walk(const char *directory, void (*each)(void *context, const char *name), void *context);

/* Lists the steps of the checkpoints, newest first; steps->step is the caller's (free). A directory that is
 * not there has none. EXIT_CODE_IO where it cannot be read. */
int directory_list_steps(const char *directory, struct steps *steps, struct error *error);

#endif
