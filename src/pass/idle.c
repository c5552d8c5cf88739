#include "pass/idle.h"

#include <inttypes.h>
#include <stdio.h>

int64_t idle_describe(
    int64_t sequences, int64_t batch, int64_t microbatch, int64_t ranks, char *text, size_t size)
{
    int64_t largest = batch < sequences ? batch : sequences,
            microbatches = (largest + microbatch - 1) / microbatch;
    if (microbatches >= ranks)
        return 0;
    char advice[80];
    if (ranks <= sequences / microbatch)
        snprintf(advice, sizeof advice, "train.batch = %" PRId64 " would employ all", microbatch * ranks);
    else
        snprintf(advice, sizeof advice, "start fewer ranks%s",
            microbatch > 1 ? ", or set train.microbatch lower" : "");
    snprintf(text, size,
        "%" PRId64 " of %" PRId64 " ranks have nothing to do: the %" PRId64
        " sequences of a step make %" PRId64 " microbatches (train.microbatch = %" PRId64 "): %s",
        ranks - microbatches, ranks, largest, microbatches, microbatch, advice);
    return ranks - microbatches;
}
