/* Which ranks a step has no microbatch for, and what would give them one. */
#ifndef PASS_IDLE_H
#define PASS_IDLE_H

#include <stddef.h>
#include <stdint.h>

/* Returns how many of `ranks` have nothing to do in the largest step of an epoch, where up to `employed`
 * ranks compute a microbatch together (net_count_employed); where there are any, `text` [size] says so, and
 * what to change. */
int64_t idle_describe(int64_t sequences, int64_t batch, int64_t microbatch, int64_t ranks, int64_t employed,
    char *text, size_t size);

#endif
