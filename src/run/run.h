/* One training run on one rank. It is five things that know little of each other, and the order in which they
 * do their work: the sets it learns from, the learner, the records that it leaves, the limits that end it
 * early, and its progress. Functions here are called by all ranks unless they say otherwise, and their
 * outcome is the same on every rank. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "run/learner.h"
#include "run/limits.h"
#include "run/options.h"
#include "run/progress.h"
#include "run/records.h"
#include "run/sets.h"

struct run {
    /* Set by the caller, who keeps it all; the rest starts as zeroes. */
    const struct comm *comm;
    struct config *config; /* takes what a run that goes on has of it (config_inherit) */
    const struct train_options *options;
    const char *directory; /* where the run lives */
    const char *command;   /* the command line as one text */
    double start;          /* clock_now() at the start of the program */

    struct sets sets;
    struct learner learner;
    struct records records;
    struct limits limits;
    struct progress progress;
    int steps_made;   /* 1: all steps of the epoch at hand are made, so that its end is next */
    int saved;        /* 1: the newest checkpoint is of what learner and progress are now */
    struct feed feed; /* of the training set */

    int went_back;        /* 1: this job went back after a divergence, the last time to where */
    int64_t updates_back; /* so many updates had been made */
};

/* Trains: this is the whole life of a run but for run_close. Returns the exit code. (train.c) */
int run_train(struct run *run);

/* Opens everything and starts the run or continues it from its newest checkpoint; where there is nothing left
 * to do progress.finished is 1. With --try nothing is written, and there are neither records nor limits. On
 * failure *error is set. In any case run_close is due. (open.c) */
int run_open(struct run *run, struct error *error);
void run_close(struct run *run);

/* Each rank calls this for itself, before it ends the job by force (comm_before_end): status says so.
 * (open.c) */
void run_tell_end(void *run, int64_t step, int code, const char *text);

/* Each rank calls this for itself. Starts the feed from where `progress` is. An error also where the states
 * of a checkpoint are not those of the sequences that go on there. (feeding.c) */
int run_start_feed(struct run *run, struct error *error);

/* All ranks call, before the first step. Finds how many steps the run has, optim.total_steps of the learner:
 * where epochs differ about so many, unless the schedule goes by it. (feeding.c) */
int run_count_steps(struct run *run, struct error *error);

/* Finds as many as all epochs would have if they were as the first; one process alone may call it.
 * (feeding.c) */
int run_guess_steps(
    const struct config *config, const struct dataset *dataset, int64_t *steps, struct error *error);

/* Looks on rank 0 for the checkpoint to start from, and tells all ranks what it is: the run's own, which
 * rank 0 then has, that of --init, or none. Needs nothing but the records. Where the run goes on, its values
 * of keys that were not given become those of run->config. An error where it was begun with another
 * configuration, or with steps that are cut otherwise. (resume.c, as what follows) */
enum start { START_NEW, START_CONTINUED, START_FROM_WEIGHTS };
int run_find_checkpoint(
    struct run *run, struct checkpoint *checkpoint, enum start *start, struct error *error);

/* Reads the checkpoint of --init on rank 0, and holds the checkpoint to data and network, of which `head`
 * marks the tensors that are not taken from it (NULL: all are). An error where the run was begun with other
 * data, or where it does not fit the network. */
int run_check_checkpoint(struct run *run, struct checkpoint *checkpoint, enum start start,
    const unsigned char *head, struct error *error);

/* Brings learner and progress to where rank 0's checkpoint is, which is not looked at elsewhere. */
int run_restore(struct run *run, const struct checkpoint *checkpoint, struct error *error);

/* Makes one training step, and writes its rows and lines; one that is left undone (run/learner.h) leaves
 * none. Fails as learner_update does; the learner's ballot tells what any rank asks for. (train.c) */
int run_step(struct run *run, struct outcome *outcome, struct error *error);

/* Computes loss and error over the validation set. EXIT_CODE_DIVERGED: the loss is not finite. *stop says why
 * it was broken off, without an outcome then, and is STOP_NOT otherwise. (validate.c) */
int run_validate(struct run *run, struct outcome *outcome, enum stop_reason *stop, struct error *error);

/* Is gradient flow to be measured at the end of the epoch at hand? */
int run_is_flow_due(const struct run *run);

/* For the chunks of a set that is opened for the four sequences alone. */
enum { RUN_FLOW_CACHE = 16 << 20 }; /* bytes */

/* Measures it, writes it down on rank 0, and warns of it. *stop says why it was broken off, and then nothing
 * has changed; it stays as it was otherwise. (flow.c) */
int run_measure_flow(struct run *run, enum stop_reason *stop, struct error *error);

/* Writes the newest state as a checkpoint, as best.h5, or both. `due`: it is one that the configuration asks
 * for at this step, and so one to go back to. (save.c) */
int run_save(struct run *run, int newest, int best, int due, struct error *error);

/* Returns what saving takes of memory on rank 0 for a while: moments that are collected, and the file, with
 * so many bytes of states that are carried on. The second returns how much of it rank 0 first gives back of
 * the memory of activations, as far as there is so much: nobody needs them meanwhile. (save.c) */
size_t run_count_saving(const struct net *net, enum optimizer optimizer, size_t carried);
size_t run_count_lent(size_t saving);

/* Goes back after a divergence (*why): restores weights, moments and progress of the last checkpoint that was
 * due, lowers the rate from there on, and puts the feed and metrics.csv in their place. Fails with *why where
 * train.on_divergence asks for no such thing, and where the run has gone back too often or there is no such
 * checkpoint, or where nothing was updated since it last did, which *why then says too. (back.c) */
enum { RUN_MOST_BACKS = 5 };
int run_go_back(struct run *run, struct error *why);

#endif
