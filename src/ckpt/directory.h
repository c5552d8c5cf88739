/* Which checkpoints are in a run directory. */
#ifndef CKPT_DIRECTORY_H
#define CKPT_DIRECTORY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Steps of the checkpoints that are there. */
struct steps {
    int64_t *step;
    size_t count, room;
    int failed;
};

/* Newest first; steps->step is the caller's (free). A directory that is not there has none. */
int directory_list_steps(const char *directory, struct steps *steps, struct error *error);

#endif
