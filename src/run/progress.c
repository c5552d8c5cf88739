#include "run/progress.h"

#include "data/plan.h"
#include "pass/tally.h"

#include <math.h>

void progress_init(struct progress *progress)
{
    *progress = (struct progress){.epoch = 1,
        .best = INFINITY,
        .loss = NAN,
        .error = NAN,
        .train_loss = NAN,
        .train_error = NAN,
        .plan_version = PLAN_VERSION};
}

void progress_count_step(struct progress *progress, struct net_score sum)
{
    progress->step++;
    progress->position++;
    progress->epoch_loss += sum.loss;
    progress->epoch_errors += sum.errors;
    progress->epoch_counted += sum.counted;
    progress->epoch_labels += sum.labels;
}

void progress_note_training(struct progress *progress)
{
    progress->train_loss = tally_mean(progress->epoch_loss, progress->epoch_counted);
    progress->train_error = tally_mean(progress->epoch_errors, progress->epoch_labels);
}

int progress_note_epoch(struct progress *progress, const struct config *config, double loss, double error)
{
    double value = config->checkpoint.best == BEST_ERROR ? error : loss;
    progress->loss = loss;
    progress->error = error;
    if (!(value < progress->best)) {
        progress->waited++;
        return 0;
    }
    progress->best = value;
    progress->best_step = progress->step;
    progress->best_epoch = progress->epoch;
    progress->waited = 0;
    return 1;
}

void progress_begin_epoch(struct progress *progress)
{
    progress->epoch++;
    progress->position = 0;
    progress->epoch_loss = progress->epoch_errors = 0;
    progress->epoch_counted = progress->epoch_labels = 0;
}

int progress_is_over(const struct progress *progress, const struct config *config)
{
    int64_t patience = config->train.patience;
    return progress->epoch > config->train.epochs ||
        (patience > 0 && progress->position == 0 && progress->waited >= patience);
}

int progress_check_finite(const struct progress *progress, int64_t step, const char *what, double value,
    const char *advice, struct error *error)
{
    if (isfinite(value))
        return 0;
    return error_set(error, EXIT_CODE_DIVERGED,
        "step %lld of epoch %lld: the %s is %s; nothing of this step was saved: %s", (long long)step,
        (long long)progress->epoch, what, isnan(value) ? "not a number" : "infinite", advice);
}
