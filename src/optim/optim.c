/* There is one loop a formula, over elements that do not know each other: whatever slice a weight lies in,
 * its bits are the same. Scalars that all elements share are computed in double and rounded to float once;
 * elements are float throughout.
 *
 *     w weight, g gradient, lambda weight decay, mu momentum, eta rate, epsilon as in the configuration
 *
 *     all but adamw        g += lambda w
 *     sgd                  w -= eta g                              Robbins and Monro 1951
 *     momentum             b = mu b + g;  w -= eta b               Polyak 1964
 *     nesterov             b = mu b + g;  w -= eta (g + mu b)      Sutskever, Martens, Dahl and Hinton 2013
 *     rmsprop              v = beta2 v + (1 - beta2) g^2
 *                          w -= eta g / (sqrt(v) + epsilon)        Tieleman and Hinton 2012
 *     adam, adamw          m = beta1 m + (1 - beta1) g
 *                          v = beta2 v + (1 - beta2) g^2
 *                          w -= eta (m / (1 - beta1^s)) / (sqrt(v / (1 - beta2^s)) + epsilon)
 *                                                                  Kingma and Ba 2015, algorithm 1
 *     adamw, before that   w -= eta lambda w                       Loshchilov and Hutter 2019, algorithm 2
 *
 * where the eta of a slice with a rate_factor is that many times the rate, but in the line of adamw the rate,
 *
 * as PyTorch documents them (dampening 0; momentum not of Sutskever's form: the rate is outside the buffer).
 * A momentum that starts at zero gives b = g in the first step, as PyTorch has it. The average of squares of
 * rmsprop decays by beta2, PyTorch's alpha, whose default there is 0.99; the key `momentum` is not used by
 * it. */
#include "optim/optim.h"

#include <math.h>

const char *const optimizer_names[] = {[OPTIMIZER_SGD] = "sgd",
    [OPTIMIZER_MOMENTUM] = "momentum",
    [OPTIMIZER_NESTEROV] = "nesterov",
    [OPTIMIZER_RMSPROP] = "rmsprop",
    [OPTIMIZER_ADAM] = "adam",
    [OPTIMIZER_ADAMW] = "adamw",
    NULL};

void optim_state_init(struct optim_state *state)
{
    *state = (struct optim_state){
        .power1 = 1, .power2 = 1, .plateau_factor = 1, .plateau_best = INFINITY, .reduction = 1};
}

size_t optim_count_moments(enum optimizer optimizer)
{
    switch (optimizer) {
    case OPTIMIZER_SGD:
        return 0;
    case OPTIMIZER_MOMENTUM:
    case OPTIMIZER_NESTEROV:
    case OPTIMIZER_RMSPROP:
        return 1;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        return 2;
    }
    return 0;
}

const char *optim_moment_name(enum optimizer optimizer, size_t moment)
{
    switch (optimizer) {
    case OPTIMIZER_MOMENTUM:
    case OPTIMIZER_NESTEROV:
        return "momentum";
    case OPTIMIZER_RMSPROP:
        return "exp_avg_sq";
    default:
        return moment == 0 ? "exp_avg" : "exp_avg_sq";
    }
}

double optim_clip_factor(double norm, double clip)
{
    return clip > 0 && norm > clip ? clip / norm : 1;
}

void optim_advance(const struct optim_config *config, struct optim_state *state)
{
    state->step++;
    state->power1 *= config->beta1;
    state->power2 *= config->beta2;
}

/* What all elements of an update share. */
struct scalars {
    float factor, decay, momentum, rate, epsilon;
    float beta1, rest1, beta2, rest2; /* rest: 1 - beta */
    float step_size;                  /* eta / (1 - beta1^s) */
    float correction;                 /* 1 / sqrt(1 - beta2^s) */
    float shrink;                     /* 1 - eta lambda */
};

static struct scalars round_scalars(const struct optim_config *config, const struct optim_state *state,
    double rate, double factor, double rate_factor)
{
    double eta = rate * rate_factor;
    int decoupled = config->optimizer == OPTIMIZER_ADAMW;
    return (struct scalars){.factor = (float)factor,
        .decay = decoupled ? 0 : (float)config->weight_decay,
        .momentum = (float)config->momentum,
        .rate = (float)eta,
        .epsilon = (float)config->epsilon,
        .beta1 = (float)config->beta1,
        .rest1 = (float)(1 - config->beta1),
        .beta2 = (float)config->beta2,
        .rest2 = (float)(1 - config->beta2),
        .step_size = (float)(eta / (1 - state->power1)),
        .correction = (float)(1 / sqrt(1 - state->power2)),
        .shrink = decoupled ? (float)(1 - rate * config->weight_decay) : 1};
}

static void update_sgd(struct scalars s, size_t n, const float *restrict gradient, float *restrict weights)
{
    for (size_t i = 0; i < n; i++) {
        float w = weights[i], g = s.factor * gradient[i] + s.decay * w;
        weights[i] = w - s.rate * g;
    }
}

static void update_momentum(
    struct scalars s, size_t n, const float *restrict gradient, float *restrict b, float *restrict weights)
{
    for (size_t i = 0; i < n; i++) {
        float w = weights[i], g = s.factor * gradient[i] + s.decay * w;
        b[i] = s.momentum * b[i] + g;
        weights[i] = w - s.rate * b[i];
    }
}

static void update_nesterov(
    struct scalars s, size_t n, const float *restrict gradient, float *restrict b, float *restrict weights)
{
    for (size_t i = 0; i < n; i++) {
        float w = weights[i], g = s.factor * gradient[i] + s.decay * w;
        b[i] = s.momentum * b[i] + g;
        weights[i] = w - s.rate * (g + s.momentum * b[i]);
    }
}

static void update_rmsprop(
    struct scalars s, size_t n, const float *restrict gradient, float *restrict v, float *restrict weights)
{
    for (size_t i = 0; i < n; i++) {
        float w = weights[i], g = s.factor * gradient[i] + s.decay * w;
        v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
        weights[i] = w - s.rate * (g / (sqrtf(v[i]) + s.epsilon));
    }
}

/* Adam has shrink = 1, AdamW decay = 0: one loop for both. */
static void update_adam(struct scalars s, size_t n, const float *restrict gradient, float *restrict m,
    float *restrict v, float *restrict weights)
{
    for (size_t i = 0; i < n; i++) {
        float w = weights[i], g = s.factor * gradient[i] + s.decay * w;
        m[i] = s.beta1 * m[i] + s.rest1 * g;
        v[i] = s.beta2 * v[i] + s.rest2 * (g * g);
        weights[i] = s.shrink * w - s.step_size * (m[i] / (sqrtf(v[i]) * s.correction + s.epsilon));
    }
}

void optim_update(const struct optim_config *config, const struct optim_state *state, double rate,
    double factor, const struct optim_slice *slice)
{
    struct scalars s = round_scalars(config, state, rate, factor, slice->rate_factor);
    size_t n = slice->n;
    const float *gradient = slice->gradient;
    float *weights = slice->weights, *first = slice->moments[0], *second = slice->moments[1];
    switch (config->optimizer) {
    case OPTIMIZER_SGD:
        update_sgd(s, n, gradient, weights);
        break;
    case OPTIMIZER_MOMENTUM:
        update_momentum(s, n, gradient, first, weights);
        break;
    case OPTIMIZER_NESTEROV:
        update_nesterov(s, n, gradient, first, weights);
        break;
    case OPTIMIZER_RMSPROP:
        update_rmsprop(s, n, gradient, first, weights);
        break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        update_adam(s, n, gradient, first, second, weights);
        break;
    }
}
