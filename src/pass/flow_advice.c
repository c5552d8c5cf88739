/* What a user wants to hear of gradient flow: whether it is his case that learning stops at some distance,
 * and which keys are there for it. */
#include "net/cells/cell.h"
#include "pass/flow.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHORT 0.1 /* of the median length */
#define LARGE 100 /* a norm */

static void append(char *text, size_t size, const char *more)
{
    size_t n = strlen(text);
    if (n < size)
        snprintf(text + n, size - n, "%s", more);
}

/* Lists the other cells whose units meet their own states alone, so that nothing mixes these from step to
 * step; `stable`: but those whose states may grow. */
static void append_cells(const struct net_config *config, int stable, char *text, size_t size)
{
    const char *before = "model.cell = ";
    for (size_t cell = 0; cell_names[cell]; cell++) {
        const struct cell_kind *kind = cell_kinds[cell];
        if (kind == cell_of(config) || kind->has_product || (stable && kind->unit_weights_are_bounded))
            continue;
        append(text, size, before);
        append(text, size, cell_names[cell]);
        before = " or ";
    }
}

/* What lets gradients reach further with this network. */
static void append_remedies(const struct net_config *config, int32_t median, char *text, size_t size)
{
    const struct cell_kind *kind = cell_of(config);
    int by_time = kind->takes_timescale && config->timescale < median;
    int by_bias = kind->keeps.sign != 0 && config->timescale <= 0;
    char key[64];
    snprintf(key, sizeof key, "model.timescale = %" PRId32 ", ", median);
    append(text, size, by_time ? key : "");
    append(text, size, by_bias ? "a larger model.forget_bias, " : "");
    append(text, size, by_time || by_bias ? "or " : "");
    append_cells(config, 0, text, size);
    append(text, size, " may help, in a run that starts anew");
}

int flow_describe_short(const struct net_config *config, const struct flow_curves *curves, int32_t median,
    char *text, size_t size)
{
    struct flow_reach reach = flow_find_least_reach(curves);
    if (isnan(reach.distance) || reach.is_open || !(reach.distance < SHORT * median))
        return 0;
    struct flow_direction direction = flow_find_direction(config, reach.direction);
    snprintf(text, size,
        "gradients of layer %zu (%s) reach %.3g frames back, and half of the sequences have %" PRId32
        " or more: what lies further back is hardly learned from: ",
        direction.layer, flow_name_direction(direction), reach.distance, median);
    append_remedies(config, median, text, size);
    return 1;
}

int flow_describe_growth(
    const struct net_config *config, const struct flow_curves *curves, char *text, size_t size)
{
    struct flow_peak peak = flow_find_peak(curves);
    if (!(peak.norm > LARGE))
        return 0;
    struct flow_direction direction = flow_find_direction(config, peak.direction);
    snprintf(text, size,
        "gradients of layer %zu (%s) grow to %.3g times over %" PRId64
        " frames: train.clip keeps steps small, a smaller train.lr lets them grow less, and ",
        direction.layer, flow_name_direction(direction), peak.norm, peak.distance);
    if (cell_of(config)->unit_weights_are_bounded) {
        append(text, size, "model.recurrent_max bounds the weights that they grow by");
        return 1;
    }
    append_cells(config, 1, text, size);
    append(text, size, " has states that cannot grow");
    return 1;
}
