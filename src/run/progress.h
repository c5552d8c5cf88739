/* How far a run has come: what changes of struct progress, which checkpoints keep, and when a run is over.
 * Nothing here is collective; all ranks count alike. */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include "ckpt/checkpoint.h"
#include "config/config.h"
#include "net/net.h"

/* Begins with the progress of a run before its first step. */
void progress_init(struct progress *progress);

/* Counts a step whose sequences had scores that sum up to `sum`: zeroes where the step was skipped. */
void progress_count_step(struct progress *progress, struct net_score sum);

/* Notes loss and error of the epoch's training steps, and those of the validation after it (of the training
 * where there is no validation). Returns 1 where this epoch is the best so far by checkpoint.best. */
void progress_note_training(struct progress *progress);
int progress_note_epoch(struct progress *progress, const struct config *config, double loss, double error);

/* Goes to the first step of the next epoch. */
void progress_begin_epoch(struct progress *progress);

/* Has the run made its last epoch, or waited long enough for a better one? */
int progress_is_over(const struct progress *progress, const struct config *config);

/* What may help against most divergences. */
#define PROGRESS_ADVICE "a smaller train.lr or train.clip may help"

/* Fails with EXIT_CODE_DIVERGED where `value`, the `what` of step `step`, is not finite: that step must not
 * be saved. The text ends with what may help. */
int progress_check_finite(const struct progress *progress, int64_t step, const char *what, double value,
    const char *advice, struct error *error);

#endif
