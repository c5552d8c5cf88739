/* With the outputs of softmax or logistic function, the gradient of the cross entropy by the sums is p -
 * target; of the mean over outputs of q(y - target) it is q'(y - target) / O. (Bishop 2006, section 5.2.)
 *
 * Label smoothing: Szegedy et al. 2016; the Huber loss: Huber 1964. */
#include "net/loss.h"

#include "base/mathematics.h"

#include <math.h>
#include <string.h>

static double class_weight(const struct net_config *config, int32_t k)
{
    return (size_t)k < config->class_weights ? config->class_weight[k] : 1;
}

/* With m the largest sum, -ln p_c = L + m - y_c, L = ln sum_c exp(y_c - m); so the cross entropy against
 * (1 - e) onehot(k) + e / O is L + (1 - e) (m - y_k) + e / O sum_c (m - y_c). */
static struct net_score softmax_row(
    const struct net_config *config, const struct kernel *kernel, size_t O, float *y, int32_t k)
{
    float at_target = k < 0 ? 0 : y[k], largest;
    double smoothing = config->label_smoothing, sum_of_sums = 0;
    for (size_t o = 0; o < O && smoothing > 0; o++)
        sum_of_sums += (double)y[o];
    float sum = kernel->softmax(O, y, &largest);
    if (k < 0)
        return (struct net_score){0};
    size_t most = 0;
    for (size_t o = 1; o < O; o++)
        most = y[o] > y[most] ? o : most;
    double loss = (double)largest - (double)at_target;
    if (smoothing > 0)
        loss = (1 - smoothing) * loss + smoothing * ((double)largest - sum_of_sums / (double)O);
    return (struct net_score){.loss = class_weight(config, k) * (math_log(sum) + loss),
        .errors = most != (size_t)k,
        .counted = 1,
        .labels = 1};
}

/* sum over o of max(y, 0) - y target + ln(1 + exp(-|y|)); the last term is -ln s(|y|), and the product of
 * many s(|y|), each at least 1/2, takes one logarithm. */
static struct net_score sigmoid_row(const struct kernel *kernel, size_t O, float *y, const float *target)
{
    enum { FACTORS = 512 };
    double loss = 0, product = 1;
    for (size_t o = 0; o < O && target; o++)
        loss += ((double)(y[o] > 0 ? y[o] : 0)) - (double)y[o] * (double)target[o];
    size_t bad = 0;
    for (size_t o = 0; o < O; o++)
        bad += !isfinite(y[o]);
    kernel->sigmoid_array(O, y);
    if (!target)
        return (struct net_score){0};
    for (size_t o = 0; o < O; o++) {
        product *= (double)(y[o] > 0.5f ? y[o] : 1 - y[o]);
        if (o % FACTORS == FACTORS - 1 || o == O - 1) {
            loss -= math_log(product);
            product = 1;
        }
    }
    return (struct net_score){.loss = bad ? NAN : loss, .errors = NAN, .counted = 1, .labels = 1};
}

/* q(d) of a difference d = y - target. */
static double distance(const struct net_config *config, double d)
{
    double a = config->huber_delta;
    if (config->loss == LOSS_MSE)
        return d * d;
    if (config->loss == LOSS_HUBER && !(fabs(d) > a))
        return d * d / 2;
    return config->loss == LOSS_HUBER ? a * (fabs(d) - a / 2) : fabs(d);
}

static struct net_score distance_row(
    const struct net_config *config, size_t O, const float *y, const float *target)
{
    double sum = 0;
    if (!target)
        return (struct net_score){0};
    for (size_t o = 0; o < O; o++)
        sum += distance(config, (double)y[o] - (double)target[o]);
    return (struct net_score){.loss = sum / (double)O, .errors = NAN, .counted = 1, .labels = 1};
}

void loss_forward(const struct net_config *config, const struct kernel *kernel, size_t R, size_t O,
    float *outputs, size_t stride, struct targets targets, struct net_score *score)
{
    for (size_t r = 0; r < R; r++) {
        float *y = outputs + r * stride;
        const float *value = score && targets.values ? targets.values + r * targets.values_stride : NULL;
        struct net_score of_row = {0};
        switch (config->loss) {
        case LOSS_SOFTMAX:
            of_row = softmax_row(config, kernel, O, y, score ? targets.classes[r] : -1);
            break;
        case LOSS_SIGMOID:
            of_row = sigmoid_row(kernel, O, y, value);
            break;
        case LOSS_MSE:
        case LOSS_HUBER:
        case LOSS_MAE:
            of_row = distance_row(config, O, y, value);
            break;
        }
        if (score)
            score[r] = of_row;
    }
}

static void softmax_backward(const struct net_config *config, size_t O, float *y, int32_t k)
{
    if (k < 0) {
        memset(y, 0, O * sizeof *y);
        return;
    }
    double smoothing = config->label_smoothing;
    float weight = (float)class_weight(config, k), spread = (float)(smoothing / (double)O);
    if (smoothing > 0)
        for (size_t o = 0; o < O; o++)
            y[o] -= spread;
    y[k] -= (float)(1 - smoothing);
    for (size_t o = 0; o < O && config->class_weights > 0; o++)
        y[o] *= weight;
}

/* q'(d) / O. What is not a number stays so. */
static void distance_backward(const struct net_config *config, size_t O, float *y, const float *target)
{
    float square = (float)(2 / (double)O), one = (float)(1 / (double)O), a = (float)config->huber_delta;
    for (size_t o = 0; o < O; o++) {
        float d = y[o] - target[o];
        if (config->loss == LOSS_MSE)
            y[o] = square * d;
        else if (config->loss == LOSS_HUBER)
            y[o] = one * (d > a ? a : d < -a ? -a : d);
        else
            y[o] = d > 0 ? one : d < 0 ? -one : d;
    }
}

void loss_backward(const struct net_config *config, size_t R, size_t O, float *outputs, size_t stride,
    struct targets targets)
{
    for (size_t r = 0; r < R; r++) {
        float *y = outputs + r * stride;
        const float *target = targets.values ? targets.values + r * targets.values_stride : NULL;
        if (config->loss == LOSS_SOFTMAX)
            softmax_backward(config, O, y, targets.classes[r]);
        else if (config->loss == LOSS_SIGMOID)
            for (size_t o = 0; o < O; o++)
                y[o] = y[o] - target[o];
        else
            distance_backward(config, O, y, target);
        for (size_t o = O; o < stride; o++)
            y[o] = 0;
    }
}
