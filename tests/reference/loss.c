/* Softmax: w_k times the cross entropy against q = (1 - e) onehot(k) + e / C,
 *
 *     w_k sum over o of q_o (ln sum exp a - a_o),  by a_o:  w_k (p_o - q_o),  since the q sum to 1. */
#include "loss.h"

#include "reference.h"

#include <math.h>

/* log of the sum of exp(a), without overflow */
static double log_sum(const double *a, size_t n)
{
    double most = a[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = a[i] > most ? a[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += exp(a[i] - most);
    return most + log(sum);
}

void reference_row_outputs(const struct net_config *config, const double *a, double *outputs)
{
    size_t O = reference_outputs(config);
    double normal = log_sum(a, O);
    for (size_t o = 0; o < O; o++)
        outputs[o] = config->loss == LOSS_SOFTMAX ? exp(a[o] - normal)
            : config->loss == LOSS_SIGMOID        ? 1 / (1 + exp(-a[o]))
                                                  : a[o];
}

/* q_o for label k */
static double wanted(const struct net_config *config, size_t o, size_t k)
{
    double e = config->label_smoothing;
    return (o == k ? 1 - e : 0) + e / (double)config->outputs;
}

static double weight_of(const struct net_config *config, size_t k)
{
    return config->class_weights ? config->class_weight[k] : 1;
}

static double softmax_loss(const struct net_config *config, const double *a, size_t k)
{
    double normal = log_sum(a, config->outputs), sum = 0;
    for (size_t o = 0; o < config->outputs; o++)
        sum += wanted(config, o, k) * (normal - a[o]);
    return weight_of(config, k) * sum;
}

/* log of cosh d, without overflow */
static double log_cosh(double d)
{
    return fabs(d) + log1p(exp(-2 * fabs(d))) - log(2);
}

static double huber(double d, double delta)
{
    return fabs(d) <= delta ? d * d / 2 : delta * (fabs(d) - delta / 2);
}

static double sign(double d)
{
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

/* Of target value o, which is v. */
static double value_loss(const struct net_config *config, const double *a, size_t o, double v)
{
    size_t Q = config->quantiles, O = config->outputs;
    double d = a[o] - v, sum = 0;
    switch (config->loss) {
    case LOSS_SIGMOID: /* -v log s(a) - (1 - v) log(1 - s(a)) */
        return v * log1p(exp(-a[o])) + (1 - v) * log1p(exp(a[o]));
    case LOSS_HUBER:
        return huber(d, config->huber_delta);
    case LOSS_LOGCOSH:
        return log_cosh(d);
    case LOSS_MAE:
        return fabs(d);
    case LOSS_QUANTILE:
        for (size_t q = 0; q < Q; q++) {
            double below = v - a[o * Q + q], t = config->quantile[q];
            sum += fmax(t * below, (t - 1) * below) / (double)Q;
        }
        return sum;
    case LOSS_GAUSSIAN: /* -log of the density */
        return -log(exp(-d * d / (2 * exp(a[O + o]))) / sqrt(2 * acos(-1) * exp(a[O + o])));
    default:
        return d * d;
    }
}

/* Adds to da the derivative of that, times `share`. */
static void value_slope(
    const struct net_config *config, const double *a, size_t o, double v, double share, double *da)
{
    size_t Q = config->quantiles, O = config->outputs;
    double d = a[o] - v, delta = config->huber_delta;
    switch (config->loss) {
    case LOSS_SIGMOID:
        da[o] += share * (1 / (1 + exp(-a[o])) - v);
        break;
    case LOSS_HUBER:
        da[o] += share * (fabs(d) <= delta ? d : delta * sign(d));
        break;
    case LOSS_LOGCOSH:
        da[o] += share * tanh(d);
        break;
    case LOSS_MAE:
        da[o] += share * sign(d);
        break;
    case LOSS_QUANTILE:
        for (size_t q = 0; q < Q; q++)
            da[o * Q + q] += share / (double)Q * ((a[o * Q + q] > v) - config->quantile[q]);
        break;
    case LOSS_GAUSSIAN:
        da[o] += share * d / exp(a[O + o]);
        da[O + o] += share * (1 - d * d / exp(a[O + o])) / 2;
        break;
    default:
        da[o] += share * 2 * d;
    }
}

/* What each target value of a row counts in its loss: all but sigmoid take the mean. */
static double share_of_value(const struct net_config *config)
{
    return config->loss == LOSS_SIGMOID ? 1 : 1 / (double)config->outputs;
}

double reference_row_loss(
    const struct net_config *config, const double *a, const int32_t *label, const double *target)
{
    if (config->loss == LOSS_SOFTMAX)
        return softmax_loss(config, a, (size_t)*label);
    double sum = 0;
    for (size_t o = 0; o < config->outputs; o++)
        if (!isnan(target[o]))
            sum += share_of_value(config) * value_loss(config, a, o, target[o]);
    return sum;
}

void reference_row_slope(
    const struct net_config *config, const double *a, const int32_t *label, const double *target, double *da)
{
    size_t heads = reference_outputs(config);
    reference_row_outputs(config, a, da);
    for (size_t o = 0; o < heads; o++)
        da[o] = config->loss == LOSS_SOFTMAX
            ? weight_of(config, (size_t)*label) * (da[o] - wanted(config, o, (size_t)*label))
            : 0;
    for (size_t o = 0; o < config->outputs && config->loss != LOSS_SOFTMAX; o++)
        if (!isnan(target[o]))
            value_slope(config, a, o, target[o], share_of_value(config), da);
}

int reference_row_is_wrong(const struct net_config *config, const double *a, int32_t label)
{
    size_t likeliest = 0;
    for (size_t o = 1; o < config->outputs; o++)
        if (a[o] > a[likeliest])
            likeliest = o;
    return likeliest != (size_t)label;
}
