/* The file `status` of a run directory: what has become of the run, for people and scripts. */
#ifndef CKPT_STATUS_H
#define CKPT_STATUS_H

#include "base/error.h"
#include "ckpt/own.h"

#include <stdint.h>

/* Four lines: "state=...", "step=...", "reason=...", "run=...". */
struct run_status {
    char state[32]; /* running, finished, stopped, diverged or failed */
    int64_t step;
    char reason[1024];
    char run[OWN_RUN]; /* "" where it began before runs had identifiers */
};

/* Writes it whole or not at all. */
int status_write(const char *directory, const struct run_status *status, struct error *error);

/* Returns 1 with *status filled, 0 where there is no such file, and -1 and an error where it cannot be read
 * (EXIT_CODE_IO) or is no status of a run (EXIT_CODE_DATA). */
int status_read(const char *directory, struct run_status *status, struct error *error);

/* Fills own->run and own->known with what status and metrics.csv say of the run, if anything. A status that
 * cannot be read tells nothing. */
void status_find_run(struct own *own);

#endif
