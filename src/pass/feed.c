#include "pass/feed.h"

#include "base/memory.h"
#include "data/fingerprint.h"

#include <assert.h>

/* Deals feed->ahead to ranks. */
static void deal(struct feed *feed)
{
    struct feed_step *step = &feed->ahead;
    int ranks = feed->comm->ranks, place = feed->node ? feed->node->place : feed->comm->rank;
    step->team = (struct team){.first = place, .members = 1};
    if (!feed->node) {
        plan_cut(&step->plan, (size_t)ranks, step->ranges);
        return;
    }
    plan_deal(&step->plan, (size_t)feed->node->nodes, feed->node->first_place, step->ranges, feed->leader);
    step->team = (struct team){.first = feed->leader[place]};
    for (int other = step->team.first; other < ranks && feed->leader[other] == step->team.first; other++)
        step->team.members++;
}

/* Plans feed->ahead and asks the reader for the microbatches of this rank's team. What is read for a team is
 * noted by its first member alone. */
static int plan_ahead(struct feed *feed, struct error *error)
{
    struct feed_step *step = &feed->ahead;
    const struct plan_step *plan = &step->plan;
    if (feed->plan.epoch != step->epoch)
        plan_set_epoch(&feed->plan, step->epoch);
    if (plan_make_step(&feed->plan, step->index, &step->plan, error))
        return -1;
    deal(feed);
    int leads = !feed->node || step->team.first == feed->node->place;
    reader_note(feed->reader, leads && step->epoch == feed->noted_epoch ? feed->sums : NULL);
    for (size_t leaf = step->ranges[step->team.first]; leaf < step->ranges[step->team.first + 1]; leaf++) {
        size_t B = plan->start[leaf + 1] - plan->start[leaf];
        if (reader_ask(feed->reader, B, plan->sequence + plan->start[leaf], error))
            return -1;
    }
    return 0;
}

static int start_reader(struct feed *feed, const struct feed_config *config, struct error *error)
{
    const struct reader_wait wait = {
        .unwanted = config->stop, .alive = comm_show_life_of, .context = feed->comm};
    feed->reader = reader_create(config->dataset, config->mean, config->deviation, error);
    if (!feed->reader)
        return -1;
    reader_set_wait(feed->reader, &wait);
    return 0;
}

int feed_init(
    struct feed *feed, const struct comm *comm, const struct feed_config *config, struct error *error)
{
    struct dataset *dataset = config->dataset;
    *feed = (struct feed){.comm = comm,
        .node = config->node,
        .last_epoch = config->last_epoch,
        .sums = config->sums,
        .noted_epoch = config->noted_epoch};
    if (config->sums)
        value_sums_clear(config->sums);
    feed->length = memory_create((size_t)dataset->sequences, sizeof *feed->length, error);
    feed->now.ranges = memory_create((size_t)comm->ranks + 1, sizeof *feed->now.ranges, error);
    feed->ahead.ranges = memory_create((size_t)comm->ranks + 1, sizeof *feed->ahead.ranges, error);
    feed->leader = memory_create((size_t)comm->ranks, sizeof *feed->leader, error);
    if (!feed->length || !feed->now.ranges || !feed->ahead.ranges || !feed->leader)
        return -1;
    dataset_write_lengths(dataset, feed->length);
    if (plan_init(&feed->plan, dataset->sequences, feed->length, config->batch, config->microbatch,
            config->seed, error) ||
        plan_set_order(&feed->plan, &config->order, error))
        return -1;
    feed->ahead.epoch = config->epoch;
    feed->ahead.index = config->index;
    return start_reader(feed, config, error);
}

size_t feed_count_bytes(const struct plan_order *order, int64_t sequences, int64_t batch, size_t ranks)
{
    const struct feed *feed = NULL;
    size_t S = (size_t)sequences, B = (size_t)(batch < sequences ? batch : sequences);
    size_t step = plan_count_step_bytes(B) + (ranks + 1) * sizeof *feed->now.ranges;
    size_t asked = B / ranks * sizeof *feed->plan.order;
    return S * sizeof *feed->length + plan_count_order_bytes(order, sequences) + 2 * step + asked;
}

void feed_finish(struct feed *feed)
{
    reader_destroy(feed->reader);
    plan_finish(&feed->plan);
    plan_step_finish(&feed->now.plan);
    plan_step_finish(&feed->ahead.plan);
    memory_destroy(feed->now.ranges);
    memory_destroy(feed->ahead.ranges);
    memory_destroy(feed->length);
    memory_destroy(feed->leader);
    *feed = (struct feed){0};
}

int feed_next(struct feed *feed, struct error *error)
{
    assert(feed->ahead.epoch <= feed->last_epoch);
    if (!feed->started && plan_ahead(feed, error))
        return -1;
    feed->started = 1;
    struct feed_step done = feed->now;
    feed->now = feed->ahead;
    feed->ahead = done;
    feed->ahead.epoch = feed->now.epoch;
    feed->ahead.index = feed->now.index + 1;
    if (feed->ahead.index == feed->plan.steps) {
        feed->ahead.epoch++;
        feed->ahead.index = 0;
    }
    return feed->ahead.epoch <= feed->last_epoch ? plan_ahead(feed, error) : 0;
}
