/* Planning costs each rank about a thousand instructions for each sequence of a step, whatever the number of
 * ranks, and two hundred for each sequence of the set at the start of an epoch. A thread of its own makes the
 * next step, and then the order of the next epoch, while the rank computes; whoever makes an order looks now
 * and then whether a step is wanted. What is little is planned by the rank itself: to wake a thread and to
 * change to it and back costs more, above all where ranks are more than cores. */
#include "pass/feed.h"

#include "base/memory.h"
#include "base/thread.h"
#include "data/fingerprint.h"

#include <assert.h>
#include <string.h>

/* From how many sequences on a step, or the order of an epoch, is work for a thread: a tenth of a millisecond
 * and one. */
enum { STEP_FOR_THREAD = 256, ORDER_FOR_THREAD = 1 << 14 };

/* ---- a step ---- */

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
    step->steps = feed->plan.steps;
    deal(feed);
    int leads = !feed->node || step->team.first == feed->node->place;
    reader_cut(feed->reader, plan->excerpt);
    reader_note(feed->reader, leads && step->epoch == feed->noted_epoch ? feed->sums : NULL);
    for (size_t leaf = step->ranges[step->team.first]; leaf < step->ranges[step->team.first + 1]; leaf++) {
        size_t B = plan->start[leaf + 1] - plan->start[leaf];
        if (reader_ask(feed->reader, B, plan->sequence + plan->start[leaf], error))
            return -1;
    }
    return 0;
}

/* ---- the thread ---- */

/* Plans the step that is wanted. The lock is held, and let go meanwhile. */
static void plan_wanted(struct feed *feed)
{
    struct feed_thread *thread = &feed->thread;
    pthread_mutex_unlock(&thread->lock);
    thread->error.code = EXIT_CODE_OK;
    plan_ahead(feed, &thread->error);
    pthread_mutex_lock(&thread->lock);
    thread->wanted = 0;
    pthread_cond_broadcast(&thread->changed);
}

/* Called between pieces of an order that is being made (struct plan_pause). */
static int look_aside(void *context)
{
    struct feed *feed = context;
    struct feed_thread *thread = &feed->thread;
    pthread_mutex_lock(&thread->lock);
    if (!thread->stop && thread->wanted && feed->ahead.epoch == feed->plan.epoch)
        plan_wanted(feed);
    int stop = thread->stop;
    pthread_mutex_unlock(&thread->lock);
    return stop;
}

/* Returns the epoch whose order is to be made: that of a step that is wanted, or else the next one; 0 where
 * it is made, or there is none. */
static int64_t find_epoch(const struct feed *feed)
{
    const struct plan *plan = &feed->plan;
    int64_t epoch = feed->thread.wanted ? feed->ahead.epoch : plan->epoch + 1;
    int is_made = epoch == plan->epoch || epoch == plan->next_epoch;
    return feed->started && plan->next && !is_made && epoch <= feed->last_epoch ? epoch : 0;
}

static void *plan_aside(void *context)
{
    struct feed *feed = context;
    struct feed_thread *thread = &feed->thread;
    const struct plan_pause pause = {look_aside, feed};
    pthread_mutex_lock(&thread->lock);
    while (!thread->stop) {
        int64_t epoch = find_epoch(feed);
        if (epoch) {
            pthread_mutex_unlock(&thread->lock);
            plan_prepare_epoch(&feed->plan, epoch, &pause); /* given up only for a stop */
            pthread_mutex_lock(&thread->lock);
        } else if (thread->wanted) {
            plan_wanted(feed);
        } else {
            pthread_cond_wait(&thread->changed, &thread->lock);
        }
    }
    pthread_mutex_unlock(&thread->lock);
    return NULL;
}

static int start_thread(struct feed *feed, struct error *error)
{
    struct feed_thread *thread = &feed->thread;
    pthread_mutex_init(&thread->lock, NULL);
    thread_init_condition(&thread->changed);
    int failed = thread_start(&thread->thread, plan_aside, feed);
    thread->runs = !failed;
    if (!failed)
        return 0;
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->lock);
    return error_set(error, EXIT_CODE_INTERNAL, "no thread for planning ahead: %s", strerror(failed));
}

static void stop_thread(struct feed *feed)
{
    struct feed_thread *thread = &feed->thread;
    if (!thread->runs)
        return;
    pthread_mutex_lock(&thread->lock);
    thread->stop = 1;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->lock);
}

/* ---- beginning and end ---- */

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

/* Is there enough to plan for a thread? `has_orders`: there are further epochs, in other orders. */
static int is_for_thread(int64_t sequences, int64_t batch, int has_orders)
{
    int64_t step = sequences < batch ? sequences : batch;
    return step >= STEP_FOR_THREAD || (has_orders && sequences >= ORDER_FOR_THREAD);
}

static int start_planning(struct feed *feed, int has_orders, struct error *error)
{
    if (!is_for_thread(feed->plan.sequences, feed->plan.batch, has_orders))
        return 0;
    if (has_orders && plan_reserve_next(&feed->plan, error))
        return -1;
    return start_thread(feed, error);
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
    if (start_reader(feed, config, error))
        return -1;
    int has_orders = !config->order.keeps_order && config->last_epoch > config->epoch;
    return start_planning(feed, has_orders, error);
}

size_t feed_count_bytes(const struct plan_order *order, int64_t sequences, int64_t batch, size_t ranks)
{
    const struct feed *feed = NULL;
    size_t S = (size_t)sequences, B = (size_t)(batch < sequences ? batch : sequences);
    size_t step = plan_count_step_bytes(B) + (ranks + 1) * sizeof *feed->now.ranges;
    size_t asked = B / ranks * sizeof *feed->plan.order;
    int makes_next = !order->keeps_order && is_for_thread(sequences, batch, 1);
    size_t next = makes_next ? S * sizeof *feed->plan.next : 0;
    return S * sizeof *feed->length + plan_count_order_bytes(order, sequences, batch) + next + 2 * step +
        asked;
}

void feed_finish(struct feed *feed)
{
    stop_thread(feed);
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

/* ---- going on ---- */

/* Has `ahead` planned, or begins with it. */
static int want_ahead(struct feed *feed, struct error *error)
{
    struct feed_thread *thread = &feed->thread;
    if (!thread->runs) {
        feed->started = 1;
        return plan_ahead(feed, error);
    }
    pthread_mutex_lock(&thread->lock);
    feed->started = 1;
    thread->wanted = 1;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    return 0;
}

/* Waits until `ahead` is planned. */
static int await_ahead(struct feed *feed, struct error *error)
{
    struct feed_thread *thread = &feed->thread;
    if (!thread->runs)
        return 0;
    pthread_mutex_lock(&thread->lock);
    while (thread->wanted)
        pthread_cond_wait(&thread->changed, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
    if (thread->error.code == EXIT_CODE_OK)
        return 0;
    return error_set(error, (enum exit_code)thread->error.code, "%s", thread->error.text);
}

int feed_next(struct feed *feed, struct error *error)
{
    assert(feed->ahead.epoch <= feed->last_epoch);
    if ((!feed->started && want_ahead(feed, error)) || await_ahead(feed, error))
        return -1;
    struct feed_step done = feed->now;
    feed->now = feed->ahead;
    feed->ahead = done;
    feed->ahead.epoch = feed->now.epoch;
    feed->ahead.index = feed->now.index + 1;
    if (feed->ahead.index == feed->now.steps) {
        feed->ahead.epoch++;
        feed->ahead.index = 0;
    }
    return feed->ahead.epoch <= feed->last_epoch ? want_ahead(feed, error) : 0;
}
