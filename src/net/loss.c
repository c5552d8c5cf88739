/* With the outputs of softmax or logistic function, the gradient of the cross entropy by the sums is p -
 * target; of the mean over outputs of (y - target)^2 it is 2 (y - target) / O. (Bishop 2006, section 5.2.) */
#include "net/loss.h"

#include "base/mathematics.h"

#include <math.h>

/* -ln p[k] = ln sum_c exp(y_c - m) + m - y_k */
static struct net_score softmax_row(const struct kernel *kernel, size_t O, float *y, const int32_t *k)
{
    float at_target = k ? y[*k] : 0, largest;
    float sum = kernel->softmax(O, y, &largest);
    if (!k)
        return (struct net_score){0};
    size_t most = 0;
    for (size_t o = 1; o < O; o++)
        most = y[o] > y[most] ? o : most;
    return (struct net_score){.loss = math_log(sum) + ((double)largest - (double)at_target),
        .errors = most != (size_t)*k,
        .counted = 1};
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
    return (struct net_score){.loss = bad ? NAN : loss, .errors = NAN, .counted = 1};
}

static struct net_score mse_row(size_t O, const float *y, const float *target)
{
    double sum = 0;
    for (size_t o = 0; o < O; o++) {
        double difference = (double)y[o] - (double)target[o];
        sum += difference * difference;
    }
    return (struct net_score){.loss = sum / (double)O, .errors = NAN, .counted = 1};
}

void loss_forward(enum loss loss, const struct kernel *kernel, size_t R, size_t O, float *outputs,
    size_t stride, const struct grain *grain, struct net_score *score)
{
    for (size_t r = 0; r < R; r++) {
        float *y = outputs + r * stride;
        const float *value = score && grain->values ? grain->values + r * grain->values_stride : NULL;
        struct net_score of_row = {0};
        switch (loss) {
        case LOSS_SOFTMAX:
            of_row = softmax_row(kernel, O, y, score ? grain->classes + r : NULL);
            break;
        case LOSS_SIGMOID:
            of_row = sigmoid_row(kernel, O, y, value);
            break;
        case LOSS_MSE:
        case LOSS_HUBER:
        case LOSS_MAE:
            if (value)
                of_row = mse_row(O, y, value);
            break;
        }
        if (score)
            score[r] = of_row;
    }
}

void loss_backward(
    enum loss loss, size_t R, size_t O, float *outputs, size_t stride, const struct grain *grain)
{
    float scale = loss == LOSS_MSE ? (float)(2 / (double)O) : 1;
    for (size_t r = 0; r < R; r++) {
        float *y = outputs + r * stride;
        if (loss == LOSS_SOFTMAX)
            y[grain->classes[r]] -= 1;
        else
            for (size_t o = 0; o < O; o++)
                y[o] = scale * (y[o] - grain->values[r * grain->values_stride + o]);
        for (size_t o = O; o < stride; o++)
            y[o] = 0;
    }
}
