/* The same bits on any number of ranks, nodes and members of teams, for every output and cell, with dropout,
 * with memory as it likes and with little, also where the run ends at a step and goes on elsewhere, and where
 * targets are missing or weighed.
 *
 *     test_matrix          combinations of up to 8 ranks in which every pair of values appears, and two of 64
 *     test_matrix large    the same with 64 ranks as one of the values */
#include "base/memory.h"
#include "combinations.h"
#include "net/types.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a network is trained on; behind the outputs, which are combined, sets whose targets do not all count
 * alike. */
static const struct {
    const char *name, *model;
    struct sample_shape shape;
} sets[] = {
    {"frame", "output = frame",
        {.shortest = 1, .longest = 150, .features = 5, .kind = SAMPLE_PER_FRAME, .classes = 4}},
    {"sequence", "output = sequence",
        {.shortest = 1, .longest = 150, .symbols = 7, .kind = SAMPLE_PER_SEQUENCE, .classes = 3}},
    {"ctc", "output = ctc", {.shortest = 6, .longest = 150, .features = 5, .kind = SAMPLE_ANY, .classes = 4}},
    {"decoder", "output = decoder",
        {.shortest = 1, .longest = 150, .symbols = 7, .kind = SAMPLE_ANY, .classes = 4}},
    {"holes", "output = frame\nloss = gaussian",
        {.shortest = 1, .longest = 150, .features = 5, .kind = SAMPLE_PER_FRAME, .values = 3, .version = 2}},
    {"weights", "output = sequence",
        {.shortest = 1,
            .longest = 150,
            .features = 5,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 4,
            .version = 2}},
};
enum { HOLES = 4, WEIGHTS, SETS = sizeof sets / sizeof *sets, OUTPUTS = HOLES };

/* Three epochs of two steps, the second of them smaller; the run ends at the first of the second epoch. */
static const char end_at[] = "checkpoint-0000000003.h5", last[] = "checkpoint-0000000006.h5";
static const int signals[] = {SIGKILL, SIGUSR1};

static const int few_ranks[] = {1, 2, 3, 5, 8, 0}, few_microbatches[] = {1, 2, 3, 5, 6, 8, 12, 24, 0};
static const int many_ranks[] = {1, 2, 3, 5, 8, 64, 0};
static const int many_microbatches[] = {1, 2, 3, 4, 8, 13, 16, 22, 32, 64, 0};
static struct choices small = {
    .outputs = OUTPUTS, .ranks = few_ranks, .microbatches = few_microbatches, .batch = 24};
static struct choices large = {
    .outputs = OUTPUTS, .ranks = many_ranks, .microbatches = many_microbatches, .batch = 64};

/* In many_ranks 64 is number 5. 64 ranks have 24 microbatches a step: teams of 2 and 3. */
static const struct combination of_64[] = {
    {{[OUTPUT] = 0, [CELL] = 0, [ENDED] = 0, [BEFORE_RANKS] = 5, [BEFORE_NODES] = 2, [AFTER_RANKS] = 4}, 1},
    {{[OUTPUT] = 3, [CELL] = 1, [ENDED] = 1, [BEFORE_RANKS] = 2, [BEFORE_NODES] = 1, [AFTER_RANKS] = 5}, 2},
};
enum { OF_64 = 2 };

/* Teams of 4 and then 2 members, of 1 and then 3, of 3 and then 3 on other nodes, of 1 and then 4. */
static const struct combination of_targets[] = {
    {{[OUTPUT] = HOLES, [CELL] = CELL_LSTM, [ENDED] = 0, [MEMORY] = 1, [BEFORE_RANKS] = 4, [AFTER_RANKS] = 2},
        12},
    {{[OUTPUT] = WEIGHTS, [CELL] = CELL_GRU, [ENDED] = 1, [BEFORE_RANKS] = 0, [AFTER_RANKS] = 4}, 8},
    {{[OUTPUT] = HOLES,
         [CELL] = CELL_LRU,
         [DIRECTIONS] = 1,
         [ENDED] = 1,
         [BEFORE_RANKS] = 3,
         [AFTER_RANKS] = 4,
         [AFTER_NODES] = 1},
        12},
    {{[OUTPUT] = WEIGHTS, [CELL] = CELL_MINGRU, [ENDED] = 0, [BEFORE_RANKS] = 1, [AFTER_RANKS] = 4}, 12},
};
enum { OF_TARGETS = sizeof of_targets / sizeof *of_targets };

static struct choices *choices = &small;
static struct combination chosen[MOST_COMBINATIONS];
static size_t count;

/* As the jobs that follow count it (comm/node.h). */
static void take_nodes(int ranks, int nodes)
{
    char text[16];
    snprintf(text, sizeof text, "%d", ranks_of_node(ranks, nodes));
    setenv("RNN_RANKS_PER_NODE", text, 1);
}

static void write_config(const char *name, const struct combination *combination)
{
    char text[1024];
    const char *set = sets[combination->value[OUTPUT]].name;
    snprintf(text, sizeof text,
        "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n"
        "[model]\n%s\ncell = %s\nbidirectional = %s\nlayers = 2\nhidden = 20\ndropout = 0.3\n"
        "[train]\nbatch = %d\nmicrobatch = %d\nepochs = 3\nlr = 0.01\n[checkpoint]\nevery = 1 step\n",
        set, set, sets[combination->value[OUTPUT]].model, cell_names[combination->value[CELL]],
        combination->value[DIRECTIONS] ? "no" : "yes", choices->batch, combination->microbatch);
    job_write_text(name, text);
}

/* The least memory for activations that --plan knows of, with which layers are made again, as an argument of
 * --set; no bound where the combination has none. */
static void find_budget(const struct combination *combination, const char *config, char budget[static 64])
{
    static const char key[] = "train.activation_memory=", again[] = " layers made again, ";
    struct command_result result;
    char *line = NULL, *next;
    snprintf(budget, 64, "%s0", key);
    if (!combination->value[MEMORY])
        return;
    job_run(&result, 0, config, "planned", "--plan=1", NULL);
    job_expect(&result, 0);
    for (int i = 1; (next = job_line(result.output, "  ", i)); i++) {
        int is_less = strstr(next, again) != NULL;
        free(is_less ? line : next);
        line = is_less ? next : line;
    }
    ck_assert_msg(line && sscanf(line, "  %39[0-9] KiB", budget + strlen(key)) == 1, "%s", result.output);
    strcat(budget, " KiB");
    free(line);
    command_result_finish(&result);
}

/* What must be equal, of a run that has finished. */
struct end {
    char hash[64], loss[64], error[64];
};

static void take_end(struct end *end, const struct command_result *result)
{
    job_expect(result, 0);
    job_field(result->output, "finished: ", "weights_hash", end->hash);
    job_field(result->output, "epoch=3 ", "valid_loss", end->loss);
    if (job_has_field(result->output, "epoch=3 ", "valid_error"))
        job_field(result->output, "epoch=3 ", "valid_error", end->error);
}

static int ranks_of(const struct combination *combination, enum factor ranks)
{
    return many_ranks[combination->value[ranks]];
}

/* Begins on the first ranks and nodes, and is ended there as soon as the third step is saved. */
static void begin_and_end(
    const struct combination *combination, const char *config, const char *run, const char *budget)
{
    struct command_result result;
    char number[16], path[64];
    int ranks = ranks_of(combination, BEFORE_RANKS), by = signals[combination->value[ENDED]];
    take_nodes(ranks, combination->value[BEFORE_NODES] + 1);
    snprintf(number, sizeof number, "%d", by);
    setenv("END_SIGNAL", number, 1);
    setenv("END_AT_FILE", end_at, 1);
    setenv("LD_PRELOAD", getenv("END_LIBRARY"), 1);
    job_run(&result, ranks > 1 ? ranks : 0, config, run, "-s", budget, NULL);
    unsetenv("LD_PRELOAD");
    if (by == SIGKILL)
        ck_assert_msg(result.status != 0 && !result.timed_out && !result.left_behind, "it was not killed: %s",
            result.output);
    else
        job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "stopped: "), by != SIGKILL);
    command_result_finish(&result);
    snprintf(path, sizeof path, "%s/%s", run, end_at);
    ck_assert_msg(job_exists(path), "no %s", path);
    snprintf(path, sizeof path, "%s/%s", run, last);
    ck_assert_msg(!job_exists(path), "it has gone on to %s", path);
}

static void expect_the_undisturbed_end(const struct combination *combination, int number)
{
    struct command_result result;
    struct end whole = {0}, end = {0};
    char config[32], run[32], whole_run[32], names[200], budget[64];
    int ranks = ranks_of(combination, AFTER_RANKS);
    const int *value = combination->value;
    snprintf(config, sizeof config, "%d.ini", number);
    snprintf(run, sizeof run, "run-%d", number);
    snprintf(whole_run, sizeof whole_run, "whole-%d", number);
    snprintf(names, sizeof names, "%s of %s, %d ranks on %d nodes, then %d on %d, microbatch %d, %s memory",
        sets[value[OUTPUT]].name, cell_names[value[CELL]], ranks_of(combination, BEFORE_RANKS),
        value[BEFORE_NODES] + 1, ranks, value[AFTER_NODES] + 1, combination->microbatch,
        value[MEMORY] ? "little" : "all");
    write_config(config, combination);
    job_run(&result, 0, config, whole_run, NULL);
    take_end(&whole, &result);
    command_result_finish(&result);
    find_budget(combination, config, budget);
    begin_and_end(combination, config, run, budget);
    take_nodes(ranks, value[AFTER_NODES] + 1);
    job_run(&result, ranks > 1 ? ranks : 0, config, run, "-s", budget, NULL);
    take_end(&end, &result);
    command_result_finish(&result);
    ck_assert_msg(strcmp(end.hash, whole.hash) == 0 && strcmp(end.loss, whole.loss) == 0 &&
            strcmp(end.error, whole.error) == 0,
        "%s: ended with %s %s %s, undisturbed with %s %s %s", names, end.hash, end.loss, end.error,
        whole.hash, whole.loss, whole.error);
}

START_TEST(ranks_nodes_teams_and_a_resume_change_no_bit)
{
    expect_the_undisturbed_end(&chosen[_i], _i);
}
END_TEST

START_TEST(sixty_four_ranks_before_and_after_a_resume_change_no_bit)
{
    expect_the_undisturbed_end(&of_64[_i], 1000 + _i);
}
END_TEST

START_TEST(targets_that_do_not_count_alike_keep_their_bits_over_ranks_teams_and_a_resume)
{
    expect_the_undisturbed_end(&of_targets[_i], 2000 + _i);
}
END_TEST

/* The numbers tell that the array is one: no more pairs are left out than ranks, nodes and teams exclude, and
 * an array without its first combination is none. */
START_TEST(every_pair_of_values_appears_that_can)
{
    const int values[] = {
        [OUTPUT] = choices->outputs, [CELL] = choices->cells, [DIRECTIONS] = 2, [ENDED] = 2, [MEMORY] = 2};
    size_t possible, all = 0;
    ck_assert_uint_eq(combinations_count_missing(choices, chosen, count, &possible), 0);
    ck_assert_uint_gt(combinations_count_missing(choices, chosen + 1, count - 1, &all), 0);
    ck_assert_uint_eq(all, possible);
    for (int f = OUTPUT; f <= MEMORY; f++) {
        unsigned char seen[MOST_VALUES][4] = {{0}};
        int with_team = 0;
        for (size_t i = 0; i < count; i++) {
            unsigned char *one = &seen[chosen[i].value[f]][chosen[i].value[BEFORE_TEAM]];
            with_team += !*one;
            *one = 1;
        }
        ck_assert_int_eq(with_team, 4 * values[f]); /* each with each size of team */
    }
    printf("%zu combinations with %zu pairs of values\n", count, possible);
}
END_TEST

/* A value of each third row is missing, and each seventh row; weights go round among some, of which one is 0.
 */
static void disturb_targets(int set, struct sample *sample)
{
    static const float weights[] = {1, 0.25F, 2, 0, 0.1F};
    if (set == WEIGHTS)
        sample->weights = memory_create((size_t)sample->targets, sizeof *sample->weights, NULL);
    for (int64_t r = 0; r < sample->targets && set == WEIGHTS; r++)
        sample->weights[r] = weights[r % 5];
    int64_t values = (int64_t)sample->shape.values;
    for (int64_t i = 0; i < sample->targets * values && set == HOLES; i++)
        if (i / values % 7 == 3 || i % (3 * values) == i / values % values)
            sample->values[i] = NAN;
}

static void write_set(int set, const char *part, int64_t sequences, uint64_t seed)
{
    char name[32];
    struct sample sample;
    struct sample_shape shape = sets[set].shape;
    shape.sequences = sequences;
    snprintf(name, sizeof name, "%s-%s.h5", sets[set].name, part);
    sample_init(&sample, &shape, seed);
    disturb_targets(set, &sample);
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

static void write_data(void)
{
    for (int s = 0; s < SETS; s++) {
        write_set(s, "train", choices->batch * 5 / 3, 1);
        write_set(s, "valid", 10, 2);
    }
}

int main(int argc, char **argv)
{
    int is_large = argc > 1 && strcmp(argv[1], "large") == 0;
    choices = is_large ? &large : &small;
    while (cell_names[choices->cells])
        choices->cells++;
    count = combinations_choose(choices, chosen);
    job_open();
    Suite *suite = suite_create("matrix");
    TCase *jobs = tcase_create("jobs"), *targets = tcase_create("targets");
    tcase_add_unchecked_fixture(jobs, write_data, NULL);
    tcase_add_unchecked_fixture(targets, write_data, NULL);
    tcase_set_timeout(jobs, 3 * JOB_SECONDS);
    tcase_set_timeout(targets, 3 * JOB_SECONDS);
    tcase_add_test(jobs, every_pair_of_values_appears_that_can);
    tcase_add_loop_test(jobs, ranks_nodes_teams_and_a_resume_change_no_bit, 0, (int)count);
    if (!is_large) {
        tcase_add_loop_test(jobs, sixty_four_ranks_before_and_after_a_resume_change_no_bit, 0, OF_64);
        tcase_add_loop_test(targets,
            targets_that_do_not_count_alike_keep_their_bits_over_ranks_teams_and_a_resume, 0, OF_TARGETS);
    }
    suite_add_tcase(suite, jobs);
    suite_add_tcase(suite, targets);
    int status = suite_run(suite);
    job_close();
    return status;
}
