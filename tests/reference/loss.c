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

double reference_row_loss(
    const struct net_config *config, const double *a, const int32_t *label, const double *target)
{
    if (config->loss == LOSS_SOFTMAX)
        return softmax_loss(config, a, (size_t)*label);
    double sum = 0, O = (double)config->outputs;
    for (size_t o = 0; o < config->outputs; o++) {
        double d = a[o] - target[o];
        if (config->loss == LOSS_SIGMOID) /* -v log s(a) - (1 - v) log(1 - s(a)) */
            sum += target[o] * log1p(exp(-a[o])) + (1 - target[o]) * log1p(exp(a[o]));
        else if (config->loss == LOSS_MSE)
            sum += d * d / O;
        else if (config->loss == LOSS_HUBER)
            sum += huber(d, config->huber_delta) / O;
        else if (config->loss == LOSS_LOGCOSH)
            sum += log_cosh(d) / O;
        else
            sum += fabs(d) / O;
    }
    return sum;
}

static double sign(double d)
{
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

void reference_row_slope(
    const struct net_config *config, const double *a, const int32_t *label, const double *target, double *da)
{
    double O = (double)config->outputs;
    reference_row_outputs(config, a, da);
    for (size_t o = 0; o < config->outputs; o++) {
        if (config->loss == LOSS_SOFTMAX) {
            da[o] = weight_of(config, (size_t)*label) * (da[o] - wanted(config, o, (size_t)*label));
            continue;
        }
        double d = da[o] - target[o];
        if (config->loss == LOSS_SIGMOID)
            da[o] = d;
        else if (config->loss == LOSS_MSE)
            da[o] = 2 * d / O;
        else if (config->loss == LOSS_HUBER)
            da[o] = (fabs(d) <= config->huber_delta ? d : config->huber_delta * sign(d)) / O;
        else if (config->loss == LOSS_LOGCOSH)
            da[o] = tanh(d) / O;
        else
            da[o] = sign(d) / O;
    }
}

int reference_row_is_wrong(const struct net_config *config, const double *a, int32_t label)
{
    size_t likeliest = 0;
    for (size_t o = 1; o < config->outputs; o++)
        if (a[o] > a[likeliest])
            likeliest = o;
    return likeliest != (size_t)label;
}
