#include "pass/truncation.h"

#include "net/outputs/output.h"

#include <inttypes.h>
#include <stdio.h>

int truncation_describe(const struct config *config, int32_t longest, char *text, size_t size)
{
    int64_t most = config->train.truncate;
    if (most == 0)
        return 0;
    if (most >= longest) {
        snprintf(text, size,
            "train.truncate = %" PRId64 ", but the longest sequence has %" PRId32
            " frames, so that none is cut: lower it, or leave it out",
            most, longest);
        return 1;
    }
    if (output_of(&config->model)->targets != PER_SEQUENCE)
        return 0;
    snprintf(text, size,
        "train.truncate = %" PRId64 ": the target of a sequence reaches the last %" PRId64
        " frames of it at most, of up to %" PRId32 " frames: what is before these is never learned from: set "
        "train.truncate = 0, or model.output = frame",
        most, most, longest);
    return 1;
}
