/* Cross entropy of classes. With m the largest sum, -ln p_c = L + m - y_c, L = ln sum_c exp(y_c - m); so the
 * cross entropy against (1 - e) onehot(k) + e / O is L + (1 - e) (m - y_k) + e / O sum_c (m - y_c). Its
 * gradient by the sums is p less the target (Bishop 2006, section 5.2). Label smoothing e: Szegedy et al.
 * 2016. */
#include "net/losses/loss.h"

#include "base/mathematics.h"

#include <string.h>

static double class_weight(const struct net_config *config, int32_t k)
{
    return (size_t)k < config->class_weights ? config->class_weight[k] : 1;
}

static struct net_score forward(const struct loss_row *row)
{
    size_t O = row->O, most = 0;
    int32_t k = row->class;
    float *y = row->y, at_target = k < 0 ? 0 : y[k], largest;
    double smoothing = row->config->label_smoothing, sum_of_sums = 0;
    for (size_t o = 0; o < O && smoothing > 0; o++)
        sum_of_sums += (double)y[o];
    float sum = row->kernel->softmax(O, y, &largest);
    if (k < 0)
        return (struct net_score){0};
    for (size_t o = 1; o < O; o++)
        most = y[o] > y[most] ? o : most;
    double loss = (double)largest - (double)at_target;
    if (smoothing > 0)
        loss = (1 - smoothing) * loss + smoothing * ((double)largest - sum_of_sums / (double)O);
    return (struct net_score){.loss = class_weight(row->config, k) * (math_log(sum) + loss),
        .errors = most != (size_t)k,
        .counted = 1,
        .labels = 1};
}

static void backward(const struct loss_row *row)
{
    size_t O = row->O;
    int32_t k = row->class;
    float *y = row->y;
    if (k < 0) {
        memset(y, 0, O * sizeof *y);
        return;
    }
    double smoothing = row->config->label_smoothing;
    float weight = (float)class_weight(row->config, k), spread = (float)(smoothing / (double)O);
    if (smoothing > 0)
        for (size_t o = 0; o < O; o++)
            y[o] -= spread;
    y[k] -= (float)(1 - smoothing);
    for (size_t o = 0; o < O && row->config->class_weights > 0; o++)
        y[o] *= weight;
}

static const char plain_c[] = "float most = y[0], sum = 0;\n"
                              "for (size_t o = 1; o < n; o++)\n"
                              "    most = fmaxf(most, y[o]);\n"
                              "for (size_t o = 0; o < n; o++)\n"
                              "    sum += shown[o] = expf(y[o] - most);\n"
                              "for (size_t o = 0; o < n; o++)\n"
                              "    shown[o] /= sum;\n";

const struct loss_kind loss_softmax = {.name = "softmax",
    .takes_classes = 1,
    .has_errors = 1,
    .gives_probabilities = 1,
    .onnx = "outputs = Softmax <axis = -1> (sums)\n",
    .plain_c = plain_c,
    .forward = forward,
    .backward = backward};
