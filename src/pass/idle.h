/* Ranks that a step has no microbatch for, and what would employ them. */
#ifndef PASS_IDLE_H
#define PASS_IDLE_H

#include <stddef.h>
#include <stdint.h>

/* How many of `ranks` have nothing to do in the largest step of an epoch; where there are any, `text` says so
 * and what to change. */
int64_t idle_describe(
    int64_t sequences, int64_t batch, int64_t microbatch, int64_t ranks, char *text, size_t size);

#endif
