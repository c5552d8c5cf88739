/* Where a run stands in its epoch, and how many steps it has. Where sequences are whole, both follow from
 * counts. In pieces they follow from lengths and the order of the epoch, which is made for that. */
#include "base/memory.h"
#include "run/run.h"

#include <inttypes.h>

/* The plan of the training set, as a feed has it, but for the epoch. */
struct own_plan {
    struct plan plan;
    int32_t *length;
};

static void finish_plan(struct own_plan *own)
{
    plan_finish(&own->plan);
    memory_destroy(own->length);
}

static int make_plan(
    const struct config *config, const struct dataset *dataset, struct own_plan *own, struct error *error)
{
    const struct plan_order order = sets_describe_order(config, dataset);
    *own = (struct own_plan){.length = memory_create((size_t)dataset->sequences, sizeof *own->length, error)};
    if (!own->length)
        return -1;
    dataset_write_lengths(dataset, own->length);
    if (plan_init(&own->plan, dataset->sequences, own->length, config->train.batch, config->train.microbatch,
            config->train.seed, error) == 0 &&
        plan_set_order(&own->plan, &order, error) == 0)
        return 0;
    finish_plan(own);
    return -1;
}

/* The cosine alone needs the number exactly; to find it takes the order of each epoch. */
static void count_steps(const struct run *run, struct plan *plan, uint64_t *steps)
{
    const struct config *config = run->config;
    int exactly = config->train.optim.schedule == SCHEDULE_COSINE;
    int64_t epochs = config->train.epochs, first = run->comm->rank == 0;
    plan_set_epoch(plan, 1);
    *steps = (uint64_t)(first * epochs * plan->steps);
    if (exactly)
        *steps = (uint64_t)plan_count_all_steps(plan, epochs, run->comm->rank, run->comm->ranks);
}

int run_guess_steps(
    const struct config *config, const struct dataset *dataset, int64_t *steps, struct error *error)
{
    struct own_plan own;
    *steps = plan_count_batches(dataset->sequences, config->train.batch) * config->train.epochs;
    if (!config->train.truncate)
        return 0;
    if (make_plan(config, dataset, &own, error))
        return -1;
    plan_set_epoch(&own.plan, 1);
    *steps = own.plan.steps * config->train.epochs;
    finish_plan(&own);
    return 0;
}

int run_count_steps(struct run *run, struct error *error)
{
    struct own_plan own;
    uint64_t steps = 0;
    if (!run->config->train.truncate)
        return 0;
    if (make_plan(run->config, run->sets.train, &own, error) == 0) {
        count_steps(run, &own.plan, &steps);
        finish_plan(&own);
    }
    if (comm_agree(run->comm, error))
        return -1;
    comm_sum_uint64(run->comm, &steps, 1);
    run->learner.optim.total_steps = (int64_t)steps;
    return 0;
}

/* Finds how many steps the epoch at hand has, and whether the sequences that go on there are those of which
 * the run has states. */
static int find_place(struct run *run, int64_t *steps, struct error *error)
{
    const struct progress *progress = &run->progress;
    struct own_plan own;
    *steps = plan_count_batches(run->sets.train->sequences, run->config->train.batch);
    if (!run->config->train.truncate)
        return 0;
    if (make_plan(run->config, run->sets.train, &own, error))
        return -1;
    plan_set_epoch(&own.plan, progress->epoch);
    *steps = own.plan.steps;
    int64_t going = plan_count_going(&own.plan, progress->position);
    finish_plan(&own);
    if (going == (int64_t)run->learner.carried.going)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: the checkpoint of step %" PRId64 " has states of %zu sequences, but %" PRId64
        " go on there: the data are not those that the run was begun with: put them back, or give -o DIR "
        "--init CHECKPOINT to start another run from these weights",
        run->directory, progress->step, run->learner.carried.going, going);
}

int run_start_feed(struct run *run, struct error *error)
{
    const struct progress *progress = &run->progress;
    struct feed_config feed = sets_describe_feed(&run->sets, run->config, run->sets.train);
    int64_t steps;
    if (find_place(run, &steps, error))
        return -1;
    run->steps_made = progress->position == steps;
    if (run->steps_made)
        feed.sums = NULL; /* what an epoch reads is noted from its beginning, or where the program begins */
    feed.noted_epoch = progress->epoch;
    feed.node = &run->learner.node;
    feed.seed = run->config->train.seed;
    feed.epoch = progress->epoch + run->steps_made;
    feed.index = run->steps_made ? 0 : progress->position;
    feed.last_epoch = run->config->train.epochs;
    return feed_init(&run->feed, run->comm, &feed, error);
}
