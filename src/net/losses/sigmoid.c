/* Cross entropy of outputs that are each the probability of a yes: sum over o of max(y, 0) - y target +
 * ln(1 + exp(-|y|)). The last term is -ln s(|y|), s the logistic function, and the product of many s(|y|),
 * each at least 1/2, takes one logarithm. The gradient by the sums is s(y) less the target (Bishop 2006,
 * section 5.2). */
#include "net/losses/loss.h"

#include "base/mathematics.h"

#include <math.h>

/* As many factors as a product of halves has before it leaves the range of double. */
enum { FACTORS = 512 };

static struct net_score forward(const struct loss_row *row)
{
    size_t O = row->O, bad = 0;
    float *y = row->y;
    const float *target = row->value;
    double loss = 0, product = 1;
    for (size_t o = 0; o < O && target; o++)
        if (loss_has_value(row, o)) {
            loss += ((double)(y[o] > 0 ? y[o] : 0)) - (double)y[o] * (double)target[o];
            bad += !isfinite(y[o]);
        }
    row->kernel->sigmoid_array(O, y);
    for (size_t o = 0; o < O && target; o++) {
        if (loss_has_value(row, o))
            product *= (double)(y[o] > 0.5f ? y[o] : 1 - y[o]);
        if (o % FACTORS == FACTORS - 1 || o == O - 1) {
            loss -= math_log(product);
            product = 1;
        }
    }
    return loss_score_values(row, bad ? NAN : loss, O);
}

static void backward(const struct loss_row *row)
{
    for (size_t o = 0; o < row->O; o++)
        row->y[o] = loss_has_value(row, o) ? row->y[o] - row->value[o] : 0;
}

/* The mean of targets from 0 to 1 as a probability, of which its sum is the logarithm of the odds. */
static void guess(size_t V, const double *mean, const double *variance, float *y)
{
    const double least = 1e-6;
    for (size_t v = 0; v < V; v++) {
        double p = fmin(fmax(mean[v], least), 1 - least);
        y[v] = (float)(math_log(p) - math_log(1 - p));
    }
}

static const char plain_c[] = "for (size_t o = 0; o < n; o++)\n"
                              "    shown[o] = rnn_logistic(y[o]);\n";

const struct loss_kind loss_sigmoid = {.name = "sigmoid",
    .gives_probabilities = 1,
    .most_target = 1,
    .onnx = "outputs = Sigmoid (sums)\n",
    .plain_c = plain_c,
    .forward = forward,
    .backward = backward,
    .guess = guess};
