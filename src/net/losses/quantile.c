/* The quantile or pinball loss (Koenker and Bassett 1978): of each target value v an output y of its own for
 * every quantile t, with max(t (v - y), (t - 1) (v - y)), whose mean is least where the share t of all v lies
 * below y. The mean over target values and quantiles; outputs stand target value by target value. */
#include "net/losses/loss.h"

#include <stdio.h>

static size_t count_heads(const struct net_config *config)
{
    return config->quantiles;
}

static struct net_score forward(const struct loss_row *row)
{
    const double *quantile = row->config->quantile;
    size_t Q = row->config->quantiles;
    double sum = 0;
    for (size_t o = 0; o < row->O && row->value; o++) {
        double t = quantile[o % Q], d = (double)row->value[o / Q] - (double)row->y[o];
        if (loss_has_value(row, o / Q))
            sum += d > 0 ? t * d : (t - 1) * d;
    }
    return loss_score_values(row, sum / (double)row->O, row->O / Q);
}

static void backward(const struct loss_row *row)
{
    size_t Q = row->config->quantiles;
    float share = (float)(1 / (double)row->O);
    for (size_t o = 0; o < row->O; o++) {
        float t = (float)row->config->quantile[o % Q], d = row->y[o] - row->value[o / Q];
        row->y[o] = loss_has_value(row, o / Q) ? share * (d > 0 ? 1 - t : d < 0 ? -t : d) : 0;
    }
}

static void name_head(const struct net_config *config, size_t head, char *text, size_t size)
{
    snprintf(text, size, "q%.9g", config->quantile[head]);
}

const struct loss_kind loss_quantile = {.name = "quantile",
    .takes_quantiles = 1,
    .count_heads = count_heads,
    .name_head = name_head,
    .forward = forward,
    .backward = backward};
