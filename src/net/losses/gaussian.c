/* Minus the logarithm of the normal density whose mean m and variance exp(r) the network makes of each target
 * value v (Nix and Weigend 1994): (r + (v - m)^2 exp(-r) + ln 2 pi) / 2, the mean over target values. Outputs
 * are first all m, then all r. In double from base/mathematics.h, so that the bits are the same everywhere.
 */
#include "net/losses/loss.h"

#include "base/mathematics.h"

#include <math.h>
#include <stdio.h>

static const double LN_2_PI = 1.8378770664093454836, LEAST_VARIANCE = 1e-12;

static size_t count_heads(const struct net_config *config)
{
    return 2;
}

/* x exp(-r), and 0 where x is, also where the exponential is beyond all doubles. */
static double divide_by_variance(double x, double r)
{
    return x == 0 && !isnan(r) ? 0 : x * math_exp(-r);
}

static struct net_score forward(const struct loss_row *row)
{
    size_t V = row->O / 2;
    double sum = 0;
    for (size_t v = 0; v < V && row->value; v++) {
        double r = (double)row->y[V + v], d = (double)row->value[v] - (double)row->y[v];
        if (loss_has_value(row, v))
            sum += (r + divide_by_variance(d * d, r) + LN_2_PI) / 2;
    }
    return loss_score_values(row, sum / (double)V, V);
}

static void backward(const struct loss_row *row)
{
    size_t V = row->O / 2;
    for (size_t v = 0; v < V; v++) {
        double r = (double)row->y[V + v], d = (double)row->y[v] - (double)row->value[v];
        int counts = loss_has_value(row, v);
        row->y[v] = counts ? (float)(divide_by_variance(d, r) / (double)V) : 0;
        row->y[V + v] = counts ? (float)((1 - divide_by_variance(d * d, r)) / 2 / (double)V) : 0;
    }
}

static void present(const struct net_config *config, const float *y, float *shown)
{
    size_t V = config->outputs;
    for (size_t v = 0; v < V; v++) {
        shown[2 * v] = y[v];
        shown[2 * v + 1] = (float)math_exp((double)y[V + v]);
    }
}

static void name_head(const struct net_config *config, size_t head, char *text, size_t size)
{
    (void)config;
    snprintf(text, size, "%s", head == 0 ? "mean" : "variance");
}

static void guess(size_t V, const double *mean, const double *variance, float *y)
{
    for (size_t v = 0; v < V; v++) {
        y[v] = (float)mean[v];
        y[V + v] = (float)math_log(variance[v] > LEAST_VARIANCE ? variance[v] : LEAST_VARIANCE);
    }
}

static const char plain_c[] = "for (size_t v = 0; v < n / 2; v++) {\n"
                              "    shown[2 * v] = y[v];\n"
                              "    shown[2 * v + 1] = expf(y[n / 2 + v]);\n"
                              "}\n";

static const char onnx[] = "mean, r = Split <axis = -1> (sums)\n"
                           "variance = Exp (r)\n"
                           "end = Constant <value_ints = [-1]> ()\n"
                           "means = Unsqueeze (mean, end)\n"
                           "variances = Unsqueeze (variance, end)\n"
                           "pairs = Concat <axis = -1> (means, variances)\n"
                           "shape = Shape (sums)\n"
                           "outputs = Reshape (pairs, shape)\n";

const struct loss_kind loss_gaussian = {.name = "gaussian",
    .count_heads = count_heads,
    .name_head = name_head,
    .plain_c = plain_c,
    .onnx = onnx,
    .forward = forward,
    .backward = backward,
    .guess = guess,
    .present = present};
