/* Noise on the weights while the gradient of a step is computed (Graves 2011, Practical variational inference
 * for neural networks; a Gaussian of one fixed deviation): w + sigma n. A normal number costs more than a
 * multiplication, so each rank draws those of its slice, and all gather the whole; a number depends on seed,
 * step and weight alone. */
#include "base/clock.h"
#include "base/random.h"
#include "run/run.h"

double run_add_noise(struct run *run)
{
    const struct config *config = run->config;
    uint64_t step = (uint64_t)run->progress.step + 1;
    for (size_t i = run->slice_first; i < run->slice_first + run->slice_count; i++) {
        double n = random_normal(config->train.seed, RANDOM_WEIGHT_NOISE, step, i);
        run->noisy[i] = (float)((double)run->weights[i] + config->train.weight_noise * n);
    }
    double before = clock_now();
    reduce_gather(run->reduce, run->noisy);
    double wait = clock_now() - before;
    net_pack(run->net, run->noisy);
    return wait;
}
