/* The optimizers as torch.optim documents them (PyTorch 1.13), on one flat vector in double precision. */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reference_optimizer_init(
    struct reference_optimizer *optimizer, const struct optim_config *config, size_t P)
{
    *optimizer = (struct reference_optimizer){.config = *config,
        .P = P,
        .velocity = reference_numbers(P),
        .mean = reference_numbers(P),
        .square = reference_numbers(P)};
}

void reference_optimizer_finish(struct reference_optimizer *optimizer)
{
    free(optimizer->velocity);
    free(optimizer->mean);
    free(optimizer->square);
    memset(optimizer, 0, sizeof *optimizer);
}

static double clip_factor(const double *gradient, size_t P, double clip)
{
    double squares = 0;
    for (size_t p = 0; p < P; p++)
        squares += gradient[p] * gradient[p];
    double norm = sqrt(squares);
    return clip > 0 && norm > clip ? clip / norm : 1;
}

/* torch.optim.Adam and AdamW: moments, their bias corrected, step. */
static double adam_step(struct reference_optimizer *optimizer, size_t p, double g)
{
    const struct optim_config *config = &optimizer->config;
    double t = (double)optimizer->step;
    optimizer->mean[p] = config->beta1 * optimizer->mean[p] + (1 - config->beta1) * g;
    optimizer->square[p] = config->beta2 * optimizer->square[p] + (1 - config->beta2) * g * g;
    double mean = optimizer->mean[p] / (1 - pow(config->beta1, t));
    double square = optimizer->square[p] / (1 - pow(config->beta2, t));
    return config->lr * mean / (sqrt(square) + config->epsilon);
}

void reference_optimizer_update(
    struct reference_optimizer *optimizer, const double *gradient, double *weights)
{
    const struct optim_config *config = &optimizer->config;
    double factor = clip_factor(gradient, optimizer->P, config->clip);
    optimizer->step++;
    for (size_t p = 0; p < optimizer->P; p++) {
        double g = factor * gradient[p];
        if (config->optimizer == OPTIMIZER_ADAMW)
            weights[p] -= config->lr * config->weight_decay * weights[p];
        else
            g += config->weight_decay * weights[p];
        double *v = &optimizer->velocity[p], *s = &optimizer->square[p];
        switch (config->optimizer) {
        case OPTIMIZER_SGD:
            weights[p] -= config->lr * g;
            break;
        case OPTIMIZER_MOMENTUM:
            *v = config->momentum * *v + g;
            weights[p] -= config->lr * *v;
            break;
        case OPTIMIZER_NESTEROV:
            *v = config->momentum * *v + g;
            weights[p] -= config->lr * (g + config->momentum * *v);
            break;
        case OPTIMIZER_RMSPROP: /* alpha is beta2 */
            *s = config->beta2 * *s + (1 - config->beta2) * g * g;
            weights[p] -= config->lr * g / (sqrt(*s) + config->epsilon);
            break;
        case OPTIMIZER_ADAM:
        case OPTIMIZER_ADAMW:
            weights[p] -= adam_step(optimizer, p, g);
            break;
        }
    }
}
