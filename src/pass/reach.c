#include "pass/reach.h"

#include <inttypes.h>
#include <stdio.h>

int reach_describe(const struct config *config, int64_t steps, char *text, size_t size)
{
    const struct optim_config *optim = &config->train.optim;
    int64_t epochs = config->train.epochs, first = 0;
    const char *key = optim_find_decay(optim, &first);
    if (optim->warmup > steps) {
        snprintf(text, size,
            "train.warmup = %" PRId64 ", but the run has %" PRId64 " steps in %" PRId64
            " epoch%s: the rate comes to %.3g times train.lr and no further: lower train.warmup, or raise "
            "train.epochs",
            optim->warmup, steps, epochs, epochs == 1 ? "" : "s", (double)steps / (double)optim->warmup);
        return 1;
    }
    if (!key || first < epochs)
        return 0;
    snprintf(text, size,
        "train.%s = %" PRId64 ", but the run has %" PRId64
        " epoch%s: the rate is never lowered: lower train.%s, or raise train.epochs",
        key, first, epochs, epochs == 1 ? "" : "s", key);
    return 1;
}
