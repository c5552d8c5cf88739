#include "train/idle.h"

#include <inttypes.h>
#include <stdio.h>

int64_t idle_describe(int64_t sequences, int64_t batch, int64_t grain, int64_t ranks, char *text, size_t size)
{
    int64_t largest = batch < sequences ? batch : sequences, grains = (largest + grain - 1) / grain;
    if (grains >= ranks)
        return 0;
    char advice[80];
    if (ranks <= sequences / grain)
        snprintf(advice, sizeof advice, "train.batch = %" PRId64 " would employ all", grain * ranks);
    else
        snprintf(advice, sizeof advice, "start fewer ranks%s", grain > 1 ? ", or set train.grain lower" : "");
    snprintf(text, size,
        "%" PRId64 " of %" PRId64 " ranks have nothing to do: the %" PRId64
        " sequences of a step make %" PRId64 " grains (train.grain = %" PRId64 "): %s",
        ranks - grains, ranks, largest, grains, grain, advice);
    return ranks - grains;
}
