/* A feed gives the same steps whether a thread of its own plans them or the rank does, and planning by a
 * thread takes nothing of the rank's time. */
#include "base/random.h"
#include "pass/feed.h"
#include "support/suite.h"

#include <check.h>
#include <dirent.h>
#include <time.h>

enum { RANKS = 3, MOST = 40000 };

static int32_t length[MOST], symbols[4 * MOST];
static int64_t offsets[MOST + 1];

static int64_t draw(int64_t below, uint64_t world, uint64_t what)
{
    return (int64_t)random_below((uint64_t)below, 11, RANDOM_TEST, world, what);
}

/* A set in memory, of sequences of 1 to 4 symbols, each the number of its sequence. */
static struct dataset make_set(uint64_t world, int64_t sequences)
{
    for (int64_t s = 0; s < sequences; s++) {
        length[s] = (int32_t)(1 + draw(4, world, 100 + (uint64_t)s));
        offsets[s + 1] = offsets[s] + length[s];
        for (int64_t row = offsets[s]; row < offsets[s + 1]; row++)
            symbols[row] = (int32_t)s;
    }
    return (struct dataset){.name = "memory",
        .sequences = sequences,
        .frames = offsets[sequences],
        .longest = 4,
        .symbols = MOST,
        .input_offsets = offsets,
        .kept_symbols = symbols};
}

static struct plan_order make_order(uint64_t world)
{
    struct plan_order order = {.keeps_order = draw(4, world, 1) == 0};
    order.windows =
        (struct window_rule){.bytes = draw(2, world, 2) ? (size_t)(20 + draw(40000, world, 3)) : 0,
            .input_row = sizeof(float),
            .input_offsets = offsets,
            .target_offsets = offsets};
    return order;
}

static struct feed_config make_config(uint64_t world, struct dataset *set)
{
    struct feed_config config = {.dataset = set,
        .batch = 1 + draw(set->sequences, world, 4),
        .microbatch = 1 + draw(40, world, 5),
        .seed = world,
        .order = make_order(world),
        .epoch = draw(4, world, 6)};
    config.last_epoch = config.epoch ? config.epoch + draw(3, world, 7) : 0;
    config.index = draw(plan_count_batches(set->sequences, config.batch), world, 8);
    return config;
}

/* The plan and the step of a feed's that are made at once. */
static void init_plan(struct plan *plan, const struct feed_config *config)
{
    const struct dataset *set = config->dataset;
    ck_assert_int_eq(
        plan_init(plan, set->sequences, length, config->batch, config->microbatch, config->seed, NULL), 0);
    ck_assert_int_eq(plan_set_order(plan, &config->order, NULL), 0);
}

static void assert_same_step(const struct feed_step *step, const struct plan_step *expected)
{
    const struct plan_step *plan = &step->plan;
    size_t ranges[RANKS + 1];
    plan_cut(expected, RANKS, ranges);
    ck_assert_uint_eq(plan->sequences, expected->sequences);
    ck_assert_uint_eq(plan->leaves, expected->leaves);
    ck_assert_mem_eq(plan->start, expected->start, (plan->leaves + 1) * sizeof *plan->start);
    ck_assert_mem_eq(plan->sequence, expected->sequence, plan->sequences * sizeof *plan->sequence);
    ck_assert_mem_eq(plan->frames, expected->frames, plan->leaves * sizeof *plan->frames);
    ck_assert_mem_eq(plan->cost, expected->cost, plan->leaves * sizeof *plan->cost);
    ck_assert_mem_eq(step->ranges, ranges, sizeof ranges);
}

/* Takes the microbatches that the feed has asked for, all of them unless that is to be left undone. */
static void take_microbatches(struct feed *feed, int rank, int all)
{
    const struct feed_step *step = &feed->now;
    for (size_t leaf = step->ranges[rank]; leaf < step->ranges[rank + 1] && all; leaf++) {
        const struct microbatch *microbatch = reader_next(feed->reader, NULL, NULL);
        size_t B = step->plan.start[leaf + 1] - step->plan.start[leaf];
        ck_assert_uint_eq(microbatch->B, B);
        for (size_t b = 0; b < B; b++)
            ck_assert_int_eq(microbatch->symbols[b], step->plan.sequence[step->plan.start[leaf] + b]);
    }
}

static int count_threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n;
}

/* A thread that was joined may be counted for a moment yet. */
static void await_threads(int n)
{
    for (int tries = 0; count_threads() != n && tries < 5000; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_int_eq(count_threads(), n);
}

/* Follows a feed from where it begins over so many steps at most; returns whether a thread planned them. */
static int follow(const struct feed_config *config, int rank, int64_t most)
{
    const struct comm comm = {.rank = rank, .ranks = RANKS};
    struct plan plan;
    struct plan_step step = {0};
    struct feed feed;
    init_plan(&plan, config);
    ck_assert_int_eq(feed_init(&feed, &comm, config, NULL), 0);
    int64_t epoch = config->epoch, index = config->index;
    for (int64_t k = 0; k < most && epoch <= config->last_epoch; k++) {
        ck_assert_int_eq(feed_next(&feed, NULL), 0);
        if (plan.epoch != epoch)
            plan_set_epoch(&plan, epoch);
        ck_assert_int_eq(plan_make_step(&plan, index, &step, NULL), 0);
        ck_assert_int_eq(feed.now.epoch, epoch);
        ck_assert_int_eq(feed.now.index, index);
        assert_same_step(&feed.now, &step);
        take_microbatches(&feed, rank, k + 1 < most);
        epoch += index + 1 == plan.steps;
        index = (index + 1) % plan.steps;
    }
    int has_thread = feed.thread.runs;
    feed_finish(&feed);
    plan_step_finish(&step);
    plan_finish(&plan);
    return has_thread;
}

START_TEST(steps_are_the_same_whoever_plans_them_wherever_a_pass_begins)
{
    int with_thread = 0, worlds = 60, threads = count_threads();
    for (uint64_t world = 0; world < (uint64_t)worlds; world++) {
        struct dataset set = make_set(world, 1 + draw(world % 10 ? 1500 : MOST, world, 9));
        struct feed_config config = make_config(world, &set);
        if (plan_count_batches(set.sequences, config.batch) > 200)
            config.batch = set.sequences / 200 + 1;
        config.index %= plan_count_batches(set.sequences, config.batch);
        with_thread += follow(&config, (int)draw(RANKS, world, 10), 500);
        await_threads(threads);
    }
    ck_assert_int_gt(with_thread, worlds / 4);
    ck_assert_int_lt(with_thread, worlds * 3 / 4);
}
END_TEST

/* The end may come before the first step, and while a step or the order of an epoch is being made. */
START_TEST(a_feed_ends_at_any_moment_and_its_thread_with_it)
{
    int threads = count_threads();
    for (uint64_t world = 0; world < 40; world++) {
        struct dataset set = make_set(world, MOST / 2);
        const struct feed_config config = {
            .dataset = &set, .batch = 5000, .microbatch = 8, .epoch = 1, .last_epoch = 9};
        ck_assert_int_eq(follow(&config, 0, (int64_t)world % 7), 1);
        await_threads(threads);
    }
}
END_TEST

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* By the processor's time of this thread, which does not count that of others. */
START_TEST(planning_takes_nothing_of_the_time_of_the_rank)
{
    const struct comm comm = {.rank = 0, .ranks = RANKS};
    struct dataset set = make_set(0, MOST);
    const struct feed_config config = {
        .dataset = &set, .batch = 4096, .microbatch = 8, .epoch = 1, .last_epoch = 9};
    struct plan plan;
    struct plan_step step = {0};
    struct feed feed;
    double at_once = 0, aside = 0;
    init_plan(&plan, &config);
    ck_assert_int_eq(feed_init(&feed, &comm, &config, NULL), 0);
    for (int64_t k = 0; k < 4 * plan.steps; k++) {
        double start = now();
        feed_next(&feed, NULL);
        aside += now() - start;
        take_microbatches(&feed, 0, 1);
        start = now();
        if (k % plan.steps == 0)
            plan_set_epoch(&plan, 1 + k / plan.steps);
        plan_make_step(&plan, k % plan.steps, &step, NULL);
        at_once += now() - start;
    }
    ck_assert_double_lt(4 * aside, at_once);
    feed_finish(&feed);
    plan_step_finish(&step);
    plan_finish(&plan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed");
    TCase *cases = tcase_create("feed");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, steps_are_the_same_whoever_plans_them_wherever_a_pass_begins);
    tcase_add_test(cases, a_feed_ends_at_any_moment_and_its_thread_with_it);
    tcase_add_test(cases, planning_takes_nothing_of_the_time_of_the_rank);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
