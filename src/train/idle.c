#include "train/idle.h"

#include <inttypes.h>
#include <stdio.h>

int64_t idle_describe(int64_t sequences, int64_t batch, int64_t grain, int64_t ranks, char *text, size_t size)
{
    int64_t largest = batch < sequences ? batch : sequences, grains = (largest + grain - 1) / grain;
    if (grains >= ranks)
        return 0;
    int used = snprintf(text, size,
        "%" PRId64 " of %" PRId64 " ranks have nothing to do: a step has %" PRId64 " grains of %" PRId64
        " sequences: ",
        ranks - grains, ranks, grains, grain);
    if (used > 0 && (size_t)used < size) {
        if (ranks > sequences / grain)
            snprintf(text + used, size - (size_t)used, "start fewer ranks, or set train.grain lower");
        else
            snprintf(text + used, size - (size_t)used, "train.batch = %" PRId64 " would employ all",
                grain * ranks);
    }
    return ranks - grains;
}
