#include "pass/idle.h"

#include "data/plan.h"

#include <inttypes.h>
#include <stdio.h>

int64_t idle_describe(int64_t sequences, int64_t batch, int64_t microbatch, int64_t ranks, int64_t employed,
    char *text, size_t size)
{
    int64_t largest = batch < sequences ? batch : sequences,
            microbatches = (int64_t)plan_count_leaves(largest, microbatch),
            needed = (ranks + employed - 1) / employed;
    if (microbatches >= needed)
        return 0;
    char advice[80];
    if (needed <= sequences / microbatch)
        snprintf(advice, sizeof advice, "train.batch = %" PRId64 " would employ all", microbatch * needed);
    else
        snprintf(advice, sizeof advice, "start fewer ranks%s",
            microbatch > 1 ? ", or set train.microbatch lower" : "");
    snprintf(text, size,
        "%" PRId64 " of %" PRId64 " ranks have nothing to do: the %" PRId64
        " sequences of a step make %" PRId64 " microbatch%s (train.microbatch = %" PRId64
        "), and no more than %" PRId64 " rank%s can compute one: %s",
        ranks - microbatches * employed, ranks, largest, microbatches, microbatches == 1 ? "" : "es",
        microbatch, employed, employed == 1 ? "" : "s", advice);
    return ranks - microbatches * employed;
}
