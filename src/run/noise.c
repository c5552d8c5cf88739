/* Noise on the weights while the gradient of a step is computed (Graves 2011, Practical variational inference
 * for neural networks; a Gaussian of one fixed deviation): w + sigma n. A normal number costs more than a
 * multiplication, so each rank draws those of its slices, and all gather the whole; a number depends on seed,
 * step and weight alone. What is frozen has none. */
#include "base/clock.h"
#include "base/random.h"
#include "run/learner.h"

double learner_add_noise(struct learner *learner, int64_t step)
{
    const struct config *config = learner->config;
    struct learner_stretch stretch = {0};
    while (learner_take_stretch(learner, &stretch))
        for (size_t i = stretch.from; i < stretch.to; i++) {
            learner->noisy[i] = learner->weights[i];
            if (stretch.factor == 0)
                continue;
            double n = random_normal(config->train.seed, RANDOM_WEIGHT_NOISE, (uint64_t)step, i);
            learner->noisy[i] = (float)((double)learner->weights[i] + config->train.weight_noise * n);
        }
    double before = clock_now();
    reduce_gather(learner->reduce, learner->noisy);
    double wait = clock_now() - before;
    learner_pack(learner, learner->noisy);
    return wait;
}
