/* rnn-train --try: two real steps on real data, of which nothing is kept, and what they tell of the run. All
 * ranks call. */
#ifndef PLAN_TRIAL_H
#define PLAN_TRIAL_H

#include "base/machine.h"
#include "plan/memory.h"
#include "run/run.h"

enum { TRIAL_STEPS = 2 };

/* What a step came to, and what it had to do. */
struct trial_step {
    struct outcome outcome;
    int64_t epoch, index; /* index: in its epoch */
    int64_t longest;      /* frames of its longest sequence, or piece */
    int64_t working;      /* ranks that had work */
};

struct trial {
    struct run *run;
    struct memory_need need; /* rank 0 */
    struct planned_ranks ranks;
    int64_t steps_of_epoch; /* of the epoch that was tried */
    int64_t before;         /* the step of the run after which it was tried; 0: from its start */
    int made;               /* steps that were made, or diverged, which the last one then is */
    struct trial_step step[TRIAL_STEPS];
    int diverged; /* 1: the last of them */
    int64_t seen; /* bytes that the largest rank took in its steps; 0: not known */
    double guess; /* loss of who does not look at the inputs; NaN: none is known */
};

/* Makes two steps of a run that run_train could be called for, with options->trial, or one where it has no
 * more, and prints what they tell. Returns the exit code. run_close is due. */
int trial_make(struct run *run);

/* Computes trial->guess: the loss in the steps that were made of a network whose head makes no use of what it
 * sees, the outputs of which are all classes alike or the mean of the targets. The weights are lost. Fails
 * where data cannot be read and where there is no memory. (trial_guess.c) */
int trial_guess(struct trial *trial, struct error *error);

/* Rank 0 calls. Is more planned for the ranks of this machine than it has? *memory is what it has, of which
 * `bytes` is 0 where that is not known. */
int trial_lacks_memory(const struct trial *trial, struct machine_memory *memory);
#define TRIAL_MEMORY_ADVICE "use fewer ranks of it, or see by --plan what takes most"

/* Rank 0 calls. Prints it. (trial_lines.c) */
void trial_print(const struct trial *trial);

#endif
