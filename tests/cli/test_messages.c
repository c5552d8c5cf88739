/* What ranks hand to MPI in a step, counted by a preloaded library (count_messages.c): the difference of a
 * run of six steps and one of three, of sequences of one length, so that all steps are alike. */
#include "ckpt/checkpoint.h"
#include "comm/reduce.h"
#include "data/plan.h"
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 3, LENGTH = 7, MOST_RANKS = 8, MOST_KINDS = 200 };

/* Ranks on nodes of so many; sequences of a step, and of a microbatch; one layer, or two, whose gradients
 * travel one after the other. */
struct setting {
    int ranks, of_node;
    int64_t batch, microbatch;
    int two_layers;
};

/* What all ranks together handed to MPI, by kind and bytes of a call. */
struct counts {
    size_t n;
    struct {
        char kind[20];
        long long bytes, calls;
    } of[MOST_KINDS];
};

static void add(struct counts *counts, const char *kind, long long bytes, long long calls)
{
    size_t i = 0;
    while (i < counts->n && (strcmp(counts->of[i].kind, kind) != 0 || counts->of[i].bytes != bytes))
        i++;
    ck_assert_uint_lt(i, MOST_KINDS);
    counts->n += i == counts->n;
    snprintf(counts->of[i].kind, sizeof counts->of[i].kind, "%s", kind);
    counts->of[i].bytes = bytes;
    counts->of[i].calls += calls;
}

static void add_rank(struct counts *counts, int rank, int sign)
{
    char name[40], kind[20];
    long long bytes, calls;
    snprintf(name, sizeof name, "counts.%d", rank);
    char *text = job_read(name, NULL);
    int used = 0, n;
    for (; sscanf(text + used, "%19s %lld %lld%n", kind, &bytes, &calls, &n) == 3; used += n)
        add(counts, kind, bytes, sign * calls);
    ck_assert_int_gt(used, 0);
    free(text);
    job_remove(name);
}

/* Adds `sign` times what a run of so many steps hands to MPI. */
static void add_run(const struct setting *setting, int64_t steps, int sign, struct counts *counts)
{
    struct command_result result;
    struct sample_shape shape = {.sequences = steps * setting->batch,
        .shortest = LENGTH,
        .longest = LENGTH,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 4};
    char batch[60], microbatch[60], of_node[20];
    job_write_sample("train.h5", &shape, 1);
    snprintf(batch, sizeof batch, "train.batch=%lld", (long long)setting->batch);
    snprintf(microbatch, sizeof microbatch, "train.microbatch=%lld", (long long)setting->microbatch);
    snprintf(of_node, sizeof of_node, "%d", setting->of_node);
    setenv("RNN_RANKS_PER_NODE", of_node, 1);
    setenv("COUNT_MESSAGES", job_path("counts"), 1);
    setenv("LD_PRELOAD", getenv("COUNT_LIBRARY"), 1);
    job_run(&result, setting->ranks, "run.ini", "run", "-s", batch, "-s", microbatch, "--fresh", NULL);
    unsetenv("LD_PRELOAD");
    unsetenv("RNN_RANKS_PER_NODE");
    job_expect(&result, 0);
    command_result_finish(&result);
    for (int rank = 0; rank < setting->ranks; rank++)
        add_rank(counts, rank, sign);
}

/* What STEPS steps hand to MPI. */
static void count_steps(const struct setting *setting, struct counts *counts)
{
    *counts = (struct counts){.n = 0};
    char text[200];
    snprintf(text, sizeof text,
        "[data]\ntrain = train.h5\n"
        "[model]\nhidden = 40\nlayers = %d\n"
        "[train]\nepochs = 1\nwatchdog = 0\n[report]\nevery = 1000 seconds\n",
        1 + setting->two_layers);
    job_write_text("run.ini", text);
    add_run(setting, 2 * STEPS, 1, counts);
    add_run(setting, STEPS, -1, counts);
    for (size_t i = 0; i < counts->n; i++) {
        if (counts->of[i].calls)
            printf("%d ranks, nodes of %d, batch %lld: %s %lld bytes, %lld calls\n", setting->ranks,
                setting->of_node, (long long)setting->batch, counts->of[i].kind, counts->of[i].bytes,
                counts->of[i].calls);
        ck_assert_int_ge(counts->of[i].calls, 0);
        ck_assert_int_eq(counts->of[i].calls % STEPS, 0);
    }
}

/* Bytes of a step of the calls of a kind (NULL: of all). */
static long long sum_bytes(const struct counts *counts, const char *kind)
{
    long long sum = 0;
    for (size_t i = 0; i < counts->n; i++)
        if (!kind || strcmp(counts->of[i].kind, kind) == 0)
            sum += counts->of[i].bytes * counts->of[i].calls / STEPS;
    return sum;
}

static long long find_calls(const struct counts *counts, const char *kind, long long bytes)
{
    for (size_t i = 0; i < counts->n; i++)
        if (strcmp(counts->of[i].kind, kind) == 0 && counts->of[i].bytes == bytes)
            return counts->of[i].calls;
    return 0;
}

/* The most bytes of a call that is made in each step, of what is sent or of all else. */
static long long find_largest(const struct counts *counts, int sent)
{
    long long largest = 0;
    for (size_t i = 0; i < counts->n; i++)
        if ((strcmp(counts->of[i].kind, "outside") == 0) == sent && counts->of[i].calls > 0 &&
            counts->of[i].bytes > largest)
            largest = counts->of[i].bytes;
    return largest;
}

/* Parameters of the network, with what fills up the last block of what is exchanged. */
static long long count_parameters(void)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    checkpoint_init(&checkpoint);
    ck_assert_msg(checkpoint_read(job_path("run/best.h5"), CHECKPOINT_SEALED, &checkpoint, &error) == 0, "%s",
        error.text);
    long long blocks = ((long long)checkpoint.count + REDUCE_BLOCK - 1) / REDUCE_BLOCK;
    checkpoint_finish(&checkpoint);
    return blocks * REDUCE_BLOCK;
}

/* How many nodes of the tree of a step are split between nodes of ranks, and how many of these there are. */
static size_t count_split(const struct setting *setting, size_t *nodes)
{
    struct plan_step step = {0};
    int first_place[MOST_RANKS + 1], leader[MOST_RANKS];
    size_t ranges[MOST_RANKS + 1];
    int64_t cost[64];
    for (int64_t leaf = 0; leaf < setting->batch / setting->microbatch; leaf++)
        cost[step.leaves++] = LENGTH;
    struct cut *cuts = calloc(1, plan_count_step_bytes(step.leaves));
    step.cost = cost;
    step.cuts = cuts;
    *nodes = 0;
    for (int place = 0; place < setting->ranks; place += setting->of_node)
        first_place[(*nodes)++] = place;
    first_place[*nodes] = setting->ranks;
    plan_deal(&step, *nodes, first_place, ranges, leader);
    free(cuts);
    return plan_count_split(&step, *nodes, first_place, ranges);
}

START_TEST(within_a_node_nothing_travels)
{
    struct counts counts;
    const struct setting one = {.ranks = 4, .of_node = 4, .batch = 16, .microbatch = 1};
    const struct setting teams = {.ranks = 4, .of_node = 4, .batch = 2, .microbatch = 1};
    count_steps(&one, &counts);
    ck_assert_int_eq(sum_bytes(&counts, NULL), 0);
    count_steps(&teams, &counts);
    ck_assert_int_eq(sum_bytes(&counts, NULL), 0);
}
END_TEST

/* Each split node of the tree costs one vector on the network, and the new weights one for each further node.
 */
START_TEST(nodes_send_a_vector_for_each_split_node_of_the_tree_and_one_each_for_the_weights)
{
    static const struct setting settings[] = {{.ranks = 8, .of_node = 2, .batch = 16, .microbatch = 1},
        {.ranks = 7, .of_node = 3, .batch = 16, .microbatch = 1},
        {.ranks = 3, .of_node = 1, .batch = 11, .microbatch = 1},
        {.ranks = 8, .of_node = 2, .batch = 16, .microbatch = 1, .two_layers = 1}};
    struct counts counts;
    size_t nodes, split = count_split(&settings[_i], &nodes);
    count_steps(&settings[_i], &counts);
    long long vector = count_parameters() * (long long)sizeof(float);
    long long sent = sum_bytes(&counts, "outside");
    printf("%zu nodes, %zu split: %lld bytes of at most %lld\n", nodes, split, sent,
        vector * (long long)(split + nodes - 1));
    ck_assert_int_eq(sum_bytes(&counts, "inside"), 0);
    ck_assert_int_gt(sent, 0);
    ck_assert_int_le(sent, vector * (long long)(split + nodes - 1));
    if (_i == 0)
        ck_assert_uint_eq(split, nodes - 1);
}
END_TEST

START_TEST(no_message_grows_with_the_batch)
{
    struct counts small, large;
    const struct setting one = {.ranks = 4, .of_node = 2, .batch = 8, .microbatch = 1};
    const struct setting four = {.ranks = 4, .of_node = 2, .batch = 32, .microbatch = 4};
    const struct setting leaves = {.ranks = 4, .of_node = 2, .batch = 64, .microbatch = 1};
    count_steps(&one, &small);
    count_steps(&four, &large);
    ck_assert_int_gt(sum_bytes(&small, NULL), 0);
    for (size_t i = 0; i < large.n; i++)
        ck_assert_int_eq(large.of[i].calls, find_calls(&small, large.of[i].kind, large.of[i].bytes));
    ck_assert_int_eq(sum_bytes(&large, NULL), sum_bytes(&small, NULL));
    count_steps(&leaves, &large); /* nor with the number of microbatches */
    ck_assert_int_eq(sum_bytes(&large, NULL), sum_bytes(&small, NULL));
}
END_TEST

START_TEST(no_message_grows_with_the_number_of_ranks)
{
    struct counts few, many;
    const struct setting four = {.ranks = 4, .of_node = 2, .batch = 16, .microbatch = 1};
    const struct setting eight = {.ranks = 8, .of_node = 2, .batch = 16, .microbatch = 1};
    count_steps(&four, &few);
    count_steps(&eight, &many);
    ck_assert_int_gt(find_largest(&few, 1), 0);
    ck_assert_int_gt(find_largest(&few, 0), 0);
    ck_assert_int_le(find_largest(&many, 1), find_largest(&few, 1));
    ck_assert_int_le(find_largest(&many, 0), find_largest(&few, 0));
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("messages");
    TCase *tests = tcase_create("messages");
    tcase_set_timeout(tests, 150);
    tcase_add_test(tests, within_a_node_nothing_travels);
    tcase_add_loop_test(
        tests, nodes_send_a_vector_for_each_split_node_of_the_tree_and_one_each_for_the_weights, 0, 4);
    tcase_add_test(tests, no_message_grows_with_the_batch);
    tcase_add_test(tests, no_message_grows_with_the_number_of_ranks);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
