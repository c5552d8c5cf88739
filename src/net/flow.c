/* A curve is known at powers of two alone, as whoever reads the rows of it knows it: what is between is taken
 * by logarithms of both, and before the first distance, where the norm is 1, by those of norms alone. */
#include "net/flow.h"

#include "base/mathematics.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEFT 0.01 /* of a gradient where it is said to reach no further */

size_t flow_count_directions(const struct net_config *config)
{
    size_t n = 0;
    for (size_t l = 0; l < config->layers; l++)
        n += config->bidirectional[l] ? 2 : 1;
    return n;
}

struct flow_direction flow_find_direction(const struct net_config *config, size_t n)
{
    struct flow_direction direction = {0};
    for (; n >= (config->bidirectional[direction.layer] ? 2U : 1U); direction.layer++)
        n -= config->bidirectional[direction.layer] ? 2 : 1;
    direction.reverse = n == 1;
    return direction;
}

const char *flow_name_direction(struct flow_direction direction)
{
    return direction.reverse ? "reverse" : "forward";
}

size_t flow_count_distances(int32_t length)
{
    size_t n = 0;
    while (n < FLOW_MOST_DISTANCES && (int64_t)1 << n < length)
        n++;
    return n;
}

int flow_curves_init(struct flow_curves *curves, size_t directions, size_t distances, struct error *error)
{
    *curves = (struct flow_curves){.directions = directions,
        .distances = distances,
        .norm = memory_create(directions * distances, sizeof *curves->norm, error)};
    if (curves->norm)
        return 0;
    *curves = (struct flow_curves){0};
    return -1;
}

void flow_curves_finish(struct flow_curves *curves)
{
    memory_destroy(curves->norm);
    *curves = (struct flow_curves){0};
}

int flow_curves_copy(struct flow_curves *to, const struct flow_curves *from, struct error *error)
{
    if (flow_curves_init(to, from->directions, from->distances, error))
        return -1;
    if (from->norm)
        memcpy(to->norm, from->norm, from->directions * from->distances * sizeof *to->norm);
    return 0;
}

double flow_mean(const double *norms, size_t n)
{
    double sum = 0;
    size_t counted = 0, nothing = 0, infinite = 0;
    for (size_t i = 0; i < n; i++) {
        nothing += norms[i] <= 0;
        infinite += isinf(norms[i]) != 0;
        counted += !isnan(norms[i]);
        if (norms[i] > 0 && isfinite(norms[i]))
            sum += math_log(norms[i]);
    }
    if (counted == 0)
        return (double)NAN;
    if (infinite)
        return (double)INFINITY;
    return nothing ? 0 : math_exp(sum / (double)counted);
}

/* Where between two distances `LEFT` is, from 0 to 1: the norm falls from `before` to `after`. */
static double find_between(double before, double after)
{
    if (isinf(before))
        return 1;
    return after > 0 ? (math_log(before) - math_log(LEFT)) / (math_log(before) - math_log(after)) : 0;
}

struct flow_reach flow_find_reach(const struct flow_curves *curves, size_t direction)
{
    const double *norm = curves->norm + direction * curves->distances;
    struct flow_reach reach = {.distance = (double)NAN, .direction = direction};
    double before = 1;
    for (size_t k = 0; k < curves->distances; k++) {
        if (isnan(norm[k]))
            return reach;
        if (norm[k] <= LEFT) {
            double between = find_between(before, norm[k]);
            double back = k > 0 ? ldexp(1, (int)k - 1) : between;
            reach.distance = k > 0 ? back * math_exp(between * math_log(2)) : back;
            reach.is_open = 0;
            return reach;
        }
        before = norm[k];
        reach.distance = ldexp(1, (int)k);
        reach.is_open = 1;
    }
    return reach;
}

struct flow_reach flow_find_least_reach(const struct flow_curves *curves)
{
    struct flow_reach least = {.distance = (double)NAN};
    for (size_t n = 0; n < curves->directions; n++) {
        struct flow_reach reach = flow_find_reach(curves, n);
        int better = isnan(least.distance) || (least.is_open && !reach.is_open) ||
            (least.is_open == reach.is_open && reach.distance < least.distance);
        if (!isnan(reach.distance) && better)
            least = reach;
    }
    return least;
}

void flow_write_reach(struct flow_reach reach, char *text, size_t size)
{
    snprintf(text, size, "%s%.9g", reach.is_open ? ">" : "", reach.distance);
}

struct flow_peak flow_find_peak(const struct flow_curves *curves)
{
    struct flow_peak peak = {0};
    for (size_t n = 0; n < curves->directions; n++)
        for (size_t k = 0; k < curves->distances; k++)
            if (curves->norm[n * curves->distances + k] > peak.norm)
                peak = (struct flow_peak){curves->norm[n * curves->distances + k], (int64_t)1 << k, n};
    return peak;
}
