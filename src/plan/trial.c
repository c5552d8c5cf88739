/* The memory is planned before the run is opened, as it is for --plan, so that what the process takes by
 * itself can be told from what the run does. Then the run begins as it would, or goes on from its newest
 * checkpoint, but for what it writes. */
#include "plan/trial.h"

#include "base/log.h"
#include "base/machine.h"
#include "plan/preview.h"

#include <math.h>
#include <string.h>

/* Returns how many ranks the host of rank 0 has. */
static size_t count_neighbours(const struct comm *comm)
{
    char host[sizeof comm->host];
    memcpy(host, comm->host, sizeof host);
    comm_broadcast(comm, host, sizeof host, 0);
    uint64_t same = strcmp(host, comm->host) == 0;
    comm_sum_uint64(comm, &same, 1);
    return (size_t)same;
}

int trial_lacks_memory(const struct trial *trial, struct machine_memory *memory)
{
    *memory = (struct machine_memory){.bytes = 0};
    return machine_find_memory("", memory) == 0 && trial->need.node > (double)memory->bytes;
}

/* Whoever has too little may see no more than this: the system ends programs that take too much. */
static void warn_memory(const struct trial *trial)
{
    struct machine_memory memory;
    char need[MEMORY_WRITTEN], there[MEMORY_WRITTEN];
    if (trial_lacks_memory(trial, &memory))
        log_line(LOG_WARNING, "the ranks of this machine need %s of memory, but there are %s (the %s): %s",
            memory_write(trial->need.node, need), memory_write((double)memory.bytes, there), memory.limit,
            TRIAL_MEMORY_ADVICE);
}

/* Rank 0 calls, before the run looks for what it has of the configuration. The copy shares the paths. */
static int count_memory(struct trial *trial, struct error *error)
{
    struct config config = *trial->run->config;
    preview_take_run(trial->run->directory, &config);
    return preview_memory(&config, &trial->ranks, &trial->need, error);
}

/* *shared is what this process has of memory in common with others before the run is opened. */
static int plan_memory(struct trial *trial, size_t *shared, struct error *error)
{
    const struct run *run = trial->run;
    struct machine_use use = {0};
    trial->ranks =
        (struct planned_ranks){.all = (size_t)run->comm->ranks, .node = count_neighbours(run->comm)};
    machine_read_use(&use);
    *shared = use.shared;
    *error = (struct error){0};
    if (run->comm->rank == 0)
        count_memory(trial, error);
    if (comm_agree(run->comm, error))
        return -1;
    if (run->comm->rank == 0)
        warn_memory(trial);
    return 0;
}

/* Is there another step behind that at hand, or behind the checkpoint? An epoch whose steps are made has none
 * of its own any more. */
static int has_step(const struct run *run)
{
    return !run->progress.finished && (!run->steps_made || run->progress.epoch < run->config->train.epochs);
}

/* Has this rank something to compute in the step at hand? Of a team that is too large some have not. */
static int has_work(const struct run *run)
{
    const struct feed_step *step = &run->feed.now;
    const size_t *range = step->ranges + step->team.first;
    int member = run->learner.node.place - step->team.first;
    return range[0] < range[1] && (size_t)member < net_count_employed(run->learner.net);
}

static void describe_step(const struct run *run, struct trial_step *made)
{
    const struct feed_step *step = &run->feed.now;
    double working = has_work(run);
    made->epoch = step->epoch;
    made->index = step->index;
    made->longest = 0;
    for (size_t s = 0; s < step->plan.sequences; s++) {
        int64_t length = excerpt_length(step->plan.excerpt, run->feed.length[step->plan.sequence[s]]);
        made->longest = length > made->longest ? length : made->longest;
    }
    comm_sum(run->comm, &working, 1);
    made->working = (int64_t)working;
}

/* Makes a step as run_step does. Where it diverges there are figures of it all the same. */
static int make_step(struct trial *trial, struct error *error)
{
    struct run *run = trial->run;
    struct trial_step *made = &trial->step[trial->made];
    struct outcome *outcome = &made->outcome;
    if (run->steps_made)
        progress_begin_epoch(&run->progress);
    learner_compute(&run->learner, &run->feed, &run->progress, outcome, error);
    run->learner.ballot.failed = sets_look(&run->sets, run->learner.ballot.failed, error) != 0;
    int failed = learner_update(&run->learner, &run->feed, &run->progress, outcome, error);
    if (failed && error->code != EXIT_CODE_DIVERGED)
        return -1;
    trial->made++;
    trial->diverged = failed || outcome->skipped.code;
    trial->steps_of_epoch = run->feed.now.steps;
    run->steps_made = run->feed.now.index + 1 == run->feed.now.steps;
    describe_step(run, made);
    if (run->comm->rank == 0 && outcome->skipped.code)
        log_line(LOG_WARNING, "%s", outcome->skipped.text);
    return failed;
}

/* The largest that a rank has taken: its own pages, and of those in common what was there before the run, as
 * the plan counts them. */
static void note_memory(struct trial *trial, size_t shared)
{
    struct machine_use use;
    int64_t seen = machine_read_use(&use) ? 0 : (int64_t)(use.own + shared);
    comm_max_int64(trial->run->comm, &seen, 1);
    trial->seen = seen;
}

static int make_steps(struct trial *trial, size_t shared, struct error *error)
{
    int failed = 0;
    while (!failed && trial->made < TRIAL_STEPS && has_step(trial->run))
        failed = make_step(trial, error);
    note_memory(trial, shared);
    return failed;
}

/* Where a step diverged, what is known is told, and then why. */
static int try_run(struct trial *trial, struct error *error)
{
    size_t shared;
    struct error why;
    if (plan_memory(trial, &shared, error) || run_open(trial->run, error))
        return -1;
    trial->before = trial->run->progress.step;
    int failed = make_steps(trial, shared, error);
    if (failed && error->code != EXIT_CODE_DIVERGED)
        return -1;
    if (trial->made && trial_guess(trial, &why)) {
        *error = failed ? *error : why;
        return -1;
    }
    if (trial->run->comm->rank == 0)
        trial_print(trial);
    return failed;
}

int trial_make(struct run *run)
{
    struct trial trial = {.run = run, .guess = NAN};
    struct error error;
    if (try_run(&trial, &error) == 0)
        return EXIT_CODE_OK;
    if (run->comm->rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    return error.code;
}
