/* The same bits at any number of ranks, seen from outside: what rnn-train prints, its metrics and
 * checkpoints.
 *
 *     test_ranks           on small datasets of its own
 *     test_ranks digits    on digits from RNN_TEST_DATA; exit code 77, "skipped", without */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int rank_counts[] = {1, 2, 3, 5, 8};
enum { RANK_COUNTS = 5 };

/* Ragged, and no multiple of batch or microbatch: 3 steps an epoch, the last of 22 sequences in 3
 * microbatches. */
static const char base[] = "[data]\ntrain = base-train.h5\nvalid = base-valid.h5\n"
                           "[model]\nhidden = 12\n"
                           "[train]\nbatch = 64\nmicrobatch = 8\nepochs = 2\nlr = 0.01\n";

/* What must be equal: lines of epochs, the last line but its path, and metrics but for times. */
struct account {
    char *epochs[2], *finished, *metrics;
};

static char *cut_line(const char *text, const char *beginning, const char *before)
{
    char *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no line '%s...' in:\n%s", beginning, text);
    char *end = before ? strstr(line, before) : NULL;
    if (end)
        *end = 0;
    return line;
}

/* The columns of metrics.csv up to the first of the times, row by row. */
static char *steady_metrics(const char *run)
{
    char name[128];
    snprintf(name, sizeof name, "%s/metrics.csv", run);
    char *text = job_read(name, NULL), *out = text;
    for (char *row = text; *row;) {
        int commas = 0;
        for (; *row != '\n'; row++)
            if ((commas += *row == ',') < 9)
                *out++ = *row;
        *out++ = *row++;
    }
    *out = 0;
    return text;
}

static void give_account(struct account *account, const struct command_result *result, const char *run)
{
    account->epochs[0] = cut_line(result->output, "epoch=1 ", " slowest=");
    account->epochs[1] = cut_line(result->output, "epoch=2 ", " slowest=");
    account->finished = cut_line(result->output, "finished: ", " seconds=");
    account->metrics = steady_metrics(run);
}

static void compare_accounts(const struct account *one, const struct account *other)
{
    ck_assert_str_eq(one->epochs[0], other->epochs[0]);
    ck_assert_str_eq(one->epochs[1], other->epochs[1]);
    ck_assert_str_eq(one->finished, other->finished);
    ck_assert_str_eq(one->metrics, other->metrics);
}

static void finish_account(struct account *account)
{
    free(account->epochs[0]);
    free(account->epochs[1]);
    free(account->finished);
    free(account->metrics);
}

/* Up to three overrides; the first NULL ends them. */
struct overrides {
    const char *set[3];
};

/* Two epochs on so many ranks. */
static void train(
    struct account *account, int ranks, const char *config, const char *run, struct overrides overrides)
{
    struct command_result result;
    const char *const *set = overrides.set;
    job_run(&result, ranks, config, run, "--fresh", set[0] ? "-s" : NULL, set[0], set[1] ? "-s" : NULL,
        set[1], set[2] ? "-s" : NULL, set[2], NULL);
    job_expect(&result, 0);
    give_account(account, &result, run);
    command_result_finish(&result);
}

static void write_data(const char *name, const struct sample_shape *shape, uint64_t seed)
{
    char file[64];
    struct sample_shape valid = *shape;
    snprintf(file, sizeof file, "%s-train.h5", name);
    job_write_sample(file, shape, seed);
    valid.sequences = 37;
    snprintf(file, sizeof file, "%s-valid.h5", name);
    job_write_sample(file, &valid, seed + 1);
}

static void compare_rank_counts(const char *config)
{
    struct account first, other;
    char run[32];
    train(&first, rank_counts[0], config, "ranks-1", (struct overrides){0});
    ck_assert_str_ne(first.epochs[0] + strlen("epoch=1 "), first.epochs[1] + strlen("epoch=1 "));
    for (int i = 1; i < RANK_COUNTS; i++) {
        snprintf(run, sizeof run, "ranks-%d", rank_counts[i]);
        train(&other, rank_counts[i], config, run, (struct overrides){0});
        compare_accounts(&first, &other);
        finish_account(&other);
    }
    finish_account(&first);
}

START_TEST(each_epoch_has_the_same_bits_at_1_2_3_5_and_8_ranks)
{
    struct command_result result;
    compare_rank_counts("base.ini");
    for (int i = 1; i < RANK_COUNTS; i++) {
        static const char *const files[] = {
            "checkpoint-0000000003.h5", "checkpoint-0000000006.h5", "best.h5"};
        for (size_t f = 0; f < 3; f++) {
            char one[64], other[64];
            snprintf(one, sizeof one, "ranks-1/%s", files[f]);
            snprintf(other, sizeof other, "ranks-%d/%s", rank_counts[i], files[f]);
            command_call(&result, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance", job_path(one),
                job_path(other), NULL);
            ck_assert_msg(result.status == 0 && !*result.output && !*result.errors, "h5diff of %s: %d\n%s%s",
                other, result.status, result.output, result.errors);
            command_result_finish(&result);
            command_call(&result, JOB_SECONDS, "h5diff", job_path(one), job_path(other), NULL);
            ck_assert_msg(result.status == 1 && strstr(result.output, "</provenance>"),
                "h5diff does not see the provenance: %d\n%s%s", result.status, result.output, result.errors);
            command_result_finish(&result);
        }
    }
}
END_TEST

/* Cells, losses, inputs, optimizers, schedules: 1 rank (without mpirun) and 7, which is no power of two and
 * at the epoch's last step more than there are microbatches. */
static const struct {
    const char *config;
    struct overrides overrides;
} variants[] = {
    {"base.ini", {{"train.optimizer=sgd"}}},
    {"base.ini", {{"train.optimizer=momentum", "train.schedule=step", "train.decay_every=1"}}},
    {"base.ini", {{"train.optimizer=nesterov", "train.warmup=4"}}},
    {"base.ini", {{"train.optimizer=rmsprop", "train.weight_decay=0.01"}}},
    {"base.ini", {{"train.optimizer=adam", "train.schedule=cosine", "train.clip=0.05"}}},
    {"base.ini", {{"train.optimizer=adamw", "train.weight_decay=0.01", "train.schedule=plateau"}}},
    {"base.ini", {{"model.dropout=0.4", "model.bidirectional=yes,no", "model.hidden=5,17"}}},
    {"base.ini", {{"model.cell=gru", "model.bidirectional=no", "train.clip=0"}}},
    {"base.ini", {{"model.cell=rnn", "model.layers=3", "train.microbatch=5"}}},
    {"base.ini", {{"model.cell=rnn-relu", "data.standardize=yes"}}},
    {"base.ini", {{"data.cache=2 KiB", "model.dropout=0.2", "data.standardize=yes"}}},
    {"base.ini", {{"data.shuffle=windows", "data.window=4 KiB", "data.cache=2 KiB"}}},
    {"real.ini", {{"data.shuffle=none"}}},
    {"real.ini", {{NULL}}},
    {"symbols.ini", {{"model.embedding=6", "model.dropout=0.3"}}},
    {"symbols.ini", {{"model.cell=gru", "data.cache=1 KiB"}}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

START_TEST(one_and_seven_ranks_have_the_same_bits_whatever_is_trained)
{
    struct account one, seven;
    train(&one, 0, variants[_i].config, "one", variants[_i].overrides);
    train(&seven, 7, variants[_i].config, "seven", variants[_i].overrides);
    compare_accounts(&one, &seven);
    finish_account(&one);
    finish_account(&seven);
}
END_TEST

START_TEST(a_small_cache_does_not_change_the_bits)
{
    struct account kept, read;
    train(&kept, 3, "base.ini", "kept", (struct overrides){0});
    train(&read, 3, "base.ini", "read", (struct overrides){{"data.cache=4 KiB"}});
    compare_accounts(&kept, &read);
    finish_account(&kept);
    finish_account(&read);
}
END_TEST

/* On sequences of several segments; with 3 ranks the step has 2 microbatches, and teams. _i: ranks; 0:
 * without mpirun. The budget is between the least and what all takes. */
START_TEST(a_budget_does_not_change_the_bits)
{
    static const char *const budgets[] = {
        "train.activation_memory=3600 KiB", "train.activation_memory=2500 KiB"};
    struct account all, some;
    train(&all, 0, "lengthy.ini", "all", (struct overrides){0});
    for (size_t i = 0; i < 2; i++) {
        train(&some, _i ? 3 : 0, "lengthy.ini", "some", (struct overrides){{budgets[i]}});
        compare_accounts(&all, &some);
        finish_account(&some);
    }
    finish_account(&all);
}
END_TEST

START_TEST(twelve_ranks_finish_on_five_sequences_and_say_who_idles)
{
    struct command_result result;
    struct account one, twelve;
    job_run(&result, 12, "five.ini", "twelve", "-s", "train.microbatch=1", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "2 of 12 ranks have nothing to do",
        "the 5 sequences of a step make 5 microbatches", "no more than 2 ranks can compute one", NULL);
    give_account(&twelve, &result, "twelve");
    command_result_finish(&result);
    train(&one, 1, "five.ini", "one", (struct overrides){{"train.microbatch=1"}});
    compare_accounts(&one, &twelve);
    finish_account(&one);
    finish_account(&twelve);
}
END_TEST

/* Of 5 leaves the ranks of the first of two nodes have one each, and those of the second one together. */
START_TEST(a_node_without_teams_beside_one_with_teams_does_not_change_the_bits)
{
    struct account one, six;
    setenv("RNN_RANKS_PER_NODE", "4", 1);
    train(&six, 6, "five.ini", "six", (struct overrides){{"train.microbatch=1"}});
    unsetenv("RNN_RANKS_PER_NODE");
    train(&one, 1, "five.ini", "one", (struct overrides){{"train.microbatch=1"}});
    compare_accounts(&one, &six);
    finish_account(&one);
    finish_account(&six);
}
END_TEST

START_TEST(idle_ranks_are_told_which_batch_would_employ_them)
{
    struct command_result result;
    job_run(&result, 12, "base.ini", "idle", "-s", "train.microbatch=16", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "4 of 12 ranks have nothing to do", "train.batch = 96 would employ all", NULL);
    command_result_finish(&result);
    job_run(&result, 8, "base.ini", "busy", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train:"), 0);
    command_result_finish(&result);
}
END_TEST

/* 64 microbatches a step, 57 in the fifth. */
START_TEST(sixty_four_ranks_have_the_bits_of_one_over_five_steps)
{
    struct command_result result;
    char one[17], many[64];
    job_finish(one, 0, "many.ini", "many-one", NULL);
    job_run(&result, 64, "many.ini", "many", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train:"), 0);
    job_field(result.output, "finished: ", "weights_hash", many);
    ck_assert_str_eq(many, one);
    job_field(result.output, "finished: ", "step", many);
    ck_assert_str_eq(many, "5");
    command_result_finish(&result);
    job_check_metrics("many", 1, 5, 0);
}
END_TEST

/* Whatever this processor would choose, and each set by name, unless it is refused as not for this processor.
 */
START_TEST(every_instruction_set_gives_the_bits_of_the_generic_build)
{
    static const char *const names[] = {"avx2", "avx512"};
    struct account generic, other;
    unsetenv("RNN_ISA");
    train(&other, 2, "base.ini", "chosen", (struct overrides){0});
    setenv("RNN_ISA", "generic", 1);
    train(&generic, 2, "base.ini", "generic", (struct overrides){0});
    compare_accounts(&generic, &other);
    finish_account(&other);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct command_result result;
        setenv("RNN_ISA", names[i], 1);
        job_run(&result, 2, "base.ini", names[i], NULL);
        if (result.status == 2) {
            job_complains(&result, 1, "RNN_ISA=", names[i], "not one this processor can run", NULL);
        } else {
            job_expect(&result, 0);
            give_account(&other, &result, names[i]);
            compare_accounts(&generic, &other);
            finish_account(&other);
        }
        command_result_finish(&result);
    }
    finish_account(&generic);
}
END_TEST

START_TEST(each_epoch_on_digits_has_the_same_bits_at_1_2_3_5_and_8_ranks)
{
    compare_rank_counts("digits.ini");
}
END_TEST

static void write_lengthy(void)
{
    write_data("lengthy",
        &(struct sample_shape){.sequences = 9,
            .shortest = 380,
            .longest = 400,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .classes = 3},
        11);
    job_write_text("lengthy.ini",
        "[data]\ntrain = lengthy-train.h5\nvalid = lengthy-valid.h5\n"
        "[model]\noutput = frame\nhidden = 16\nlayers = 3\n"
        "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n");
}

static void write_all(void)
{
    write_data("base",
        &(struct sample_shape){.sequences = 150,
            .shortest = 1,
            .longest = 40,
            .features = 7,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 6},
        1);
    write_data("real",
        &(struct sample_shape){.sequences = 150,
            .shortest = 1,
            .longest = 20,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .values = 2},
        3);
    write_data("symbols",
        &(struct sample_shape){.sequences = 150,
            .shortest = 1,
            .longest = 30,
            .symbols = 11,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        5);
    write_data("five",
        &(struct sample_shape){.sequences = 5,
            .shortest = 2,
            .longest = 9,
            .features = 4,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 3},
        7);
    write_data("many",
        &(struct sample_shape){.sequences = 2500,
            .shortest = 1,
            .longest = 8,
            .features = 5,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 3},
        9);
    job_write_text("base.ini", base);
    job_write_text("real.ini",
        "[data]\ntrain = real-train.h5\nvalid = real-valid.h5\n"
        "[model]\noutput = frame\nloss = mse\nhidden = 9\n[train]\nepochs = 2\n");
    job_write_text("symbols.ini",
        "[data]\ntrain = symbols-train.h5\nvalid = symbols-valid.h5\n"
        "[model]\noutput = frame\nhidden = 9\n[train]\nepochs = 2\n");
    job_write_text("five.ini",
        "[data]\ntrain = five-train.h5\nvalid = five-valid.h5\n[model]\nhidden = 6\n[train]\nepochs = 2\n");
    job_write_text("many.ini",
        "[data]\ntrain = many-train.h5\n[model]\nhidden = 16\nlayers = 1\n"
        "[train]\nbatch = 512\nmicrobatch = 8\nepochs = 1\n");
}

static void write_digits(void)
{
    const char *folder = getenv("RNN_TEST_DATA");
    char text[2048];
    snprintf(text, sizeof text,
        "[data]\ntrain = %s/digits-train.h5\nvalid = %s/digits-valid.h5\n[model]\nhidden = 12\n"
        "dropout = 0.3\n[train]\nbatch = 64\nmicrobatch = 8\nepochs = 2\nlr = 0.004\n",
        folder, folder);
    job_write_text("digits.ini", text);
}

static int run_digits(void)
{
    const char *folder = getenv("RNN_TEST_DATA");
    if (!folder || !*folder) {
        printf("skipped: RNN_TEST_DATA names no folder with digits-train.h5\n");
        return 77;
    }
    job_open();
    Suite *suite = suite_create("ranks on digits");
    TCase *jobs = tcase_create("digits");
    tcase_add_unchecked_fixture(jobs, write_digits, NULL);
    tcase_set_timeout(jobs, 300);
    tcase_add_test(jobs, each_epoch_on_digits_has_the_same_bits_at_1_2_3_5_and_8_ranks);
    suite_add_tcase(suite, jobs);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "digits") == 0)
        return run_digits();
    job_open();
    Suite *suite = suite_create("ranks");
    TCase *jobs = tcase_create("jobs");
    tcase_add_unchecked_fixture(jobs, write_all, NULL);
    tcase_set_timeout(jobs, 200);
    tcase_add_test(jobs, each_epoch_has_the_same_bits_at_1_2_3_5_and_8_ranks);
    tcase_add_loop_test(jobs, one_and_seven_ranks_have_the_same_bits_whatever_is_trained, 0, VARIANTS);
    tcase_add_test(jobs, a_small_cache_does_not_change_the_bits);
    tcase_add_test(jobs, twelve_ranks_finish_on_five_sequences_and_say_who_idles);
    tcase_add_test(jobs, a_node_without_teams_beside_one_with_teams_does_not_change_the_bits);
    tcase_add_test(jobs, idle_ranks_are_told_which_batch_would_employ_them);
    tcase_add_test(jobs, sixty_four_ranks_have_the_bits_of_one_over_five_steps);
    tcase_add_test(jobs, every_instruction_set_gives_the_bits_of_the_generic_build);
    suite_add_tcase(suite, jobs);
    TCase *budgets = tcase_create("budgets");
    tcase_add_unchecked_fixture(budgets, write_lengthy, NULL);
    tcase_set_timeout(budgets, 200);
    tcase_add_loop_test(budgets, a_budget_does_not_change_the_bits, 0, 2);
    suite_add_tcase(suite, budgets);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
