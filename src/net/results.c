#include "net/results.h"

#include "net/outputs/output.h"

#include <math.h>
#include <string.h>

size_t results_count_rows(const struct net_config *config, size_t frames)
{
    enum per per = output_of(config)->rows;
    if (per == PER_TARGET)
        return output_makes_labels(config) ? 0 : config->target_length;
    return per == PER_FRAME ? frames : 1;
}

size_t results_find_row(
    const struct net_config *config, const struct microbatch *microbatch, size_t b, size_t i)
{
    enum per per = output_of(config)->rows;
    return per == PER_FRAME   ? microbatch_frame(microbatch, b, i)
        : per == PER_SEQUENCE ? b
                              : b * config->target_length + i;
}

void results_present(const struct net_config *config, const float *y, float *shown)
{
    const struct loss_kind *loss = loss_of(config);
    if (loss->present)
        loss->present(config, y, shown);
    else
        memcpy(shown, y, net_count_head(config) * sizeof *y);
}

int results_have_classes(const struct net_config *config)
{
    return loss_of(config)->takes_classes && !output_makes_labels(config);
}

size_t results_most_probable(const float *values, size_t O)
{
    size_t most = 0;
    for (size_t o = 1; o < O; o++)
        most = values[o] > values[most] ? o : most;
    return most;
}

/* Finds the sequence of the microbatch that a row of outputs belongs to. */
static size_t find_sequence(const struct net_config *config, const struct microbatch *microbatch, size_t row)
{
    enum per per = output_of(config)->rows;
    size_t t = 0;
    if (per != PER_FRAME)
        return per == PER_SEQUENCE ? row : row / config->target_length;
    while (microbatch->first[t + 1] <= row)
        t++;
    return row - microbatch->first[t];
}

size_t results_find_infinite(
    const struct net_config *config, const struct microbatch *microbatch, const struct net_outputs *outputs)
{
    size_t O = net_count_head(config);
    for (size_t r = 0; r < outputs->rows; r++)
        for (size_t o = 0; o < O; o++)
            if (!isfinite(outputs->values[r * outputs->stride + o]))
                return find_sequence(config, microbatch, r);
    return microbatch->B;
}
