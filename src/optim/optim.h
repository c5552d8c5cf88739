/* Optimizers, clipping and learning-rate schedules on flat vectors. They work element by element, with
 * additions, multiplications, divisions and square roots alone, so the bits do not depend on how a vector is
 * cut into slices. Formulas are as PyTorch documents them; optim.c names the paper of each. */
#ifndef OPTIM_OPTIM_H
#define OPTIM_OPTIM_H

#include <stddef.h>
#include <stdint.h>

enum optimizer {
    OPTIMIZER_SGD,
    OPTIMIZER_MOMENTUM,
    OPTIMIZER_NESTEROV,
    OPTIMIZER_RMSPROP,
    OPTIMIZER_ADAM,
    OPTIMIZER_ADAMW
};
/* The enumerators as configurations and checkpoints write them; ends with NULL. */
extern const char *const optimizer_names[];

enum schedule { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_PLATEAU };

enum { OPTIM_MOST_MOMENTS = 2 };

struct optim_config {
    enum optimizer optimizer;
    double lr, momentum, beta1, beta2, epsilon, weight_decay;
    double clip; /* largest global norm; 0: never clipped */
    enum schedule schedule;
    int64_t warmup; /* steps over which the rate rises linearly to lr: step s (from 1) has s / warmup of it */
    int64_t decay_every;    /* epochs, SCHEDULE_STEP */
    double decay_factor;    /* SCHEDULE_STEP and SCHEDULE_PLATEAU */
    int64_t plateau_epochs; /* epochs without improvement before the rate is multiplied by decay_factor */
    double lr_min;
    int64_t total_steps; /* of the whole run: SCHEDULE_COSINE ends there at lr_min */
};

/* What a run must remember: all of it is in the checkpoint. */
struct optim_state {
    int64_t step;          /* updates made */
    double power1, power2; /* running products beta1^step, beta2^step */
    double plateau_factor; /* product of the reductions so far */
    double plateau_best;   /* lowest validation loss so far; +infinity at the start */
    int64_t plateau_wait;  /* epochs since */
    double reduction;      /* of every rate: below 1 in a run that went back after a divergence */
};

void optim_state_init(struct optim_state *state);

/* Moments of an optimizer: how many vectors, and the name of each ("momentum", "exp_avg", "exp_avg_sq"). */
size_t optim_count_moments(enum optimizer optimizer);
const char *optim_moment_name(enum optimizer optimizer, size_t moment);

/* The learning rate of the update to come (state->step updates made), in epoch `epoch` (from 1): that of the
 * schedule, at least lr_min, times step / warmup during the warmup, times state->reduction. The cosine begins
 * after the warmup with lr; lr_min is what it would give for the update after the last. */
double optim_rate(const struct optim_config *config, const struct optim_state *state, int64_t epoch);

/* Returns the member that says after how many epochs the schedule first lowers the rate, at the earliest, and
 * those in *epochs; NULL where the schedule does not go by epochs. */
const char *optim_find_decay(const struct optim_config *config, int64_t *epochs);

/* The factor that brings a gradient of this norm down to the largest allowed, exactly: clip / norm where the
 * norm is above, 1 where it is not, or where clip is 0. (PyTorch divides by the norm and 1e-6.) */
double optim_clip_factor(double norm, double clip);

/* Counts the step and multiplies the powers: to be called once before the slices of an update, and after
 * optim_rate, with the same state on every rank. */
void optim_advance(const struct optim_config *config, struct optim_state *state);

/* A slice of n weights with its gradient and its moments, [n] each, none overlapping; the moments are those
 * that the optimizer has, and zero at the start. */
struct optim_slice {
    size_t n;
    const float *gradient;
    float *moments[OPTIM_MOST_MOMENTS];
    float *weights;
    double rate_factor; /* what the rate of these weights is multiplied by */
};

/* Updates a slice, with the gradient times `factor`. The decay of adamw, which is apart from the gradient,
 * goes by the rate itself, and not by slice->rate_factor. */
void optim_update(const struct optim_config *config, const struct optim_state *state, double rate,
    double factor, const struct optim_slice *slice);

/* Tells the plateau schedule that an epoch has ended with this validation loss, or the training loss where
 * there is no validation. */
void optim_epoch_end(const struct optim_config *config, struct optim_state *state, double loss);

#endif
