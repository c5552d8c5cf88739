/* The learning rate is a function of the configuration, the updates made and the epoch, but for the plateau
 * schedule, which keeps what it has decided in the state. It takes additions, multiplications, divisions and
 * math_cos alone, so that a rate has the same bits on every machine. */
#include "base/mathematics.h"
#include "optim/optim.h"

/* factor^((epoch - 1) / decay_every), whole numbers */
static double step_decay(const struct optim_config *config, int64_t epoch)
{
    double product = 1;
    for (int64_t e = config->decay_every; e < epoch && product > 0; e += config->decay_every)
        product *= config->decay_factor;
    return product;
}

/* Half a cosine from lr, for the first update after the warmup, to lr_min, where total_steps updates are made
 * (Loshchilov and Hutter 2017, equation 5, without restarts). */
static double cosine_rate(const struct optim_config *config, int64_t made)
{
    if (made >= config->total_steps)
        return config->lr_min;
    if (made <= config->warmup)
        return config->lr;
    double progress = (double)(made - config->warmup) / (double)(config->total_steps - config->warmup);
    return config->lr_min + (config->lr - config->lr_min) * (1 + math_cos(MATH_PI * progress)) / 2;
}

const char *optim_find_decay(const struct optim_config *config, int64_t *epochs)
{
    switch (config->schedule) {
    case SCHEDULE_STEP:
        *epochs = config->decay_every;
        return "decay_every";
    case SCHEDULE_PLATEAU:
        *epochs = config->plateau_epochs;
        return "plateau_epochs";
    case SCHEDULE_CONSTANT:
    case SCHEDULE_COSINE:
        break;
    }
    return NULL;
}

static double schedule_rate(const struct optim_config *config, const struct optim_state *state, int64_t epoch)
{
    switch (config->schedule) {
    case SCHEDULE_CONSTANT:
        return config->lr;
    case SCHEDULE_STEP:
        return config->lr * step_decay(config, epoch);
    case SCHEDULE_COSINE:
        return cosine_rate(config, state->step);
    case SCHEDULE_PLATEAU:
        return config->lr * state->plateau_factor;
    }
    return config->lr;
}

/* lr_min bounds the schedule, not the way up to it, nor what a divergence has made of it. */
double optim_rate(const struct optim_config *config, const struct optim_state *state, int64_t epoch)
{
    double rate = schedule_rate(config, state, epoch);
    rate = rate > config->lr_min ? rate : config->lr_min;
    int64_t step = state->step + 1;
    if (step < config->warmup)
        rate *= (double)step / (double)config->warmup;
    return rate * state->reduction;
}

/* Any improvement counts (PyTorch asks for 1e-4 of the best). A loss that is not a number is none. */
void optim_epoch_end(const struct optim_config *config, struct optim_state *state, double loss)
{
    if (config->schedule != SCHEDULE_PLATEAU)
        return;
    if (loss < state->plateau_best) {
        state->plateau_best = loss;
        state->plateau_wait = 0;
    } else if (++state->plateau_wait >= config->plateau_epochs) {
        state->plateau_factor *= config->decay_factor;
        state->plateau_wait = 0;
    }
}
