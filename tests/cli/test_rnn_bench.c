/* rnn-bench from outside: what it prints, and that the figures agree with one another. Not how fast it is. */
#include "support/command.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 60 };

static const char *program(void)
{
    const char *path = getenv("RNN_BENCH");
    ck_assert_ptr_nonnull(path);
    return path;
}

static double number(const char *line, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, " %s=", key);
    const char *at = strstr(line, name);
    ck_assert_msg(at != NULL, "no %s in: %s", key, line);
    return strtod(at + strlen(name), NULL);
}

static void expect_clean(const struct command_result *result, int code)
{
    ck_assert_msg(result->status == code, "exit code %d, not %d: %s", result->status, code, result->errors);
    ck_assert(!result->timed_out);
    ck_assert_int_eq(result->left_behind, 0);
}

/* Multiply-adds of a frame of an LSTM of one layer: 3 for the state before it, 2 for the inputs below which
 * no gradient goes, 3 for the classes. */
static void expect_figures(const char *line, double ranks, double frames, double sequences)
{
    double H = 16, inputs = 8, classes = 5, gates = 4 * H;
    double step =
        2 * (3 * gates * H * (frames - sequences) + 2 * gates * inputs * frames + 3 * classes * H * frames);
    double gflops = number(line, "frames_per_second") / frames * step * 1e-9;
    ck_assert_double_lt(fabs(number(line, "gflops") / gflops - 1), 1e-3);
    ck_assert_double_eq(number(line, "ranks"), ranks);
    ck_assert_double_gt(number(line, "peak_gflops"), 0);
    ck_assert_double_gt(number(line, "fraction_of_peak"), 0);
    ck_assert_double_eq(number(line, "scan_share"), 0);
    static const char *const parts[] = {"forward_share", "backward_share", "weight_gradient_share",
        "reduce_share", "optimizer_share", "data_wait_share", "activation_share"};
    double sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        double share = number(line, parts[i]);
        ck_assert_double_ge(share, 0);
        ck_assert_double_le(share, 1);
        sum += strcmp(parts[i], "activation_share") == 0 ? 0 : share;
    }
    ck_assert_double_le(sum, 1.2); /* medians of different rounds need not add up to a whole */
    ck_assert_double_gt(number(line, "forward_share"), 0);
}

START_TEST(figures_agree_with_one_another)
{
    struct command_result result;
    command_call(&result, SECONDS, program(), "--hidden", "16", "--inputs", "8", "--classes", "5", "--layers",
        "1", "--directions", "1", "--frames", "20", "--shortest", "10", "--batch", "11", "--rounds", "3",
        NULL);
    expect_clean(&result, 0);
    ck_assert_str_eq(strchr(result.output, '\n'), "\n");
    ck_assert(strncmp(result.output, "cell=lstm hidden=16 layers=1 directions=1 ", 42) == 0);
    expect_figures(result.output, 1, 11 * 15, 11); /* lengths 10, 11, .. 20 */
    command_result_finish(&result);
}
END_TEST

START_TEST(two_ranks_print_one_line)
{
    struct command_result result;
    command_call(&result, SECONDS, getenv("MPIRUN"), "-np", "2", program(), "--hidden", "16", "--inputs", "8",
        "--classes", "5", "--layers", "1", "--directions", "1", "--frames", "20", "--batch", "16", "--rounds",
        "3", NULL);
    expect_clean(&result, 0);
    ck_assert_str_eq(strchr(result.output, '\n'), "\n");
    expect_figures(result.output, 2, 16 * 20, 16);
    command_result_finish(&result);
}
END_TEST

/* _i: ranks - 1 */
START_TEST(constants_of_the_machine_are_written)
{
    static const char *const numbers[] = {"\npeak_alone = ", "\npeak_all = ", "\nmemory_alone = ",
        "\nmemory_all = ", "\nlstm_64 = ", "\ngru_512 = ", "\nrnn_32 = "};
    struct command_result result;
    char path[] = "/tmp/rnn-bench-XXXXXX", text[8192] = "";
    int file = mkstemp(path);
    const char *mpirun = getenv("MPIRUN");
    ck_assert(file >= 0);
    if (_i)
        command_call(
            &result, SECONDS, mpirun ? mpirun : "mpirun", "-np", "2", program(), "--machine", path, NULL);
    else
        command_call(&result, SECONDS, program(), "--machine", path, NULL);
    close(file);
    file = open(path, O_RDONLY); /* the one that was written anew under the name */
    unlink(path);
    ck_assert(file >= 0 && read(file, text, sizeof text - 1) > 0);
    close(file);
    expect_clean(&result, 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *at = strstr(text, numbers[i]);
        ck_assert_msg(at && strtod(at + strlen(numbers[i]), NULL) > 0, "%s%s", numbers[i], text);
    }
    ck_assert_msg(strstr(text, _i ? "\nranks = 2\n" : "\nranks = 1\n") != NULL, "%s", text);
    const char *meeting = strstr(text, "\nmeeting = ");
    ck_assert(meeting && (strtod(meeting + strlen("\nmeeting = "), NULL) > 0) == (_i > 0));
    command_result_finish(&result);
}
END_TEST

/* As many steps as there are rounds, with the bits of no budget; one too small is refused. */
START_TEST(a_budget_is_kept_to)
{
    static const char *const budgets[] = {"0", "3 MiB", "1 KiB"};
    struct command_result result[3];
    for (size_t i = 0; i < 3; i++)
        command_call(&result[i], SECONDS, program(), "--hidden", "16", "--frames", "500", "--batch", "4",
            "--microbatch", "2", "--rounds", "1", "--activation-memory", budgets[i], NULL);
    expect_clean(&result[0], 0);
    expect_clean(&result[1], 0);
    expect_clean(&result[2], 65);
    ck_assert_ptr_nonnull(strstr(result[2].errors, "train.activation_memory = 1 KiB is too small"));
    ck_assert_double_eq(number(result[1].output, "activation_memory"), 3 << 20);
    ck_assert_double_gt(number(result[1].output, "resident_mib"), 0);
    const char *hash = strstr(result[0].output, " weights_hash=");
    ck_assert_ptr_nonnull(hash);
    ck_assert_msg(strstr(result[1].output, hash) != NULL, "%s%s", result[0].output, result[1].output);
    for (size_t i = 0; i < 3; i++)
        command_result_finish(&result[i]);
}
END_TEST

START_TEST(every_cell_runs)
{
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", "indrnn", "mingru", "lru"};
    struct command_result result;
    command_call(&result, SECONDS, program(), "--cell", cells[_i], "--hidden", "17", "--frames", "9",
        "--batch", "3", "--microbatch", "2", "--rounds", "1", NULL);
    expect_clean(&result, 0);
    ck_assert_double_gt(number(result.output, "gflops"), 0);
    double scan = number(result.output, "scan_share"), all = number(result.output, "activation_share");
    ck_assert_double_gt(all, 0);
    ck_assert_double_eq(scan, _i < 4 ? 0 : all); /* the first four multiply with a matrix at each step */
    command_result_finish(&result);
}
END_TEST

START_TEST(wrong_options_are_refused_by_name)
{
    static const char *const wrong[][2] = {{"--hidden", "0"}, {"--cell", "lstn"}, {"--directions", "3"},
        {"--shortest", "201"}, {"--rounds", "x"}, {"--output", "sequence"}, {"--labels", "3"},
        {"--set", "model.layerz=3"}, {"--set", "train.batch=7"}, {"--activation-memory", "7 parsecs"},
        {"--set", "model.attention=dot"}};
    struct command_result result;
    command_call(&result, SECONDS, program(), wrong[_i][0], wrong[_i][1], NULL);
    expect_clean(&result, 2);
    ck_assert_ptr_nonnull(strstr(result.errors, wrong[_i][0] + 2));
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
}
END_TEST

START_TEST(help_names_every_option)
{
    static const char *const options[] = {"--cell", "--inputs", "--hidden", "--layers", "--directions",
        "--classes", "--output", "--labels", "--set", "--frames", "--shortest", "--batch", "--microbatch",
        "--activation-memory", "--steps", "--rounds", "--kernel", "--machine", "--help", "--version"};
    struct command_result result;
    command_call(&result, SECONDS, program(), "--help", NULL);
    expect_clean(&result, 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_assert_msg(strstr(result.output, options[i]) != NULL, "%s", options[i]);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rnn-bench");
    TCase *cases = tcase_create("rnn-bench");
    tcase_set_timeout(cases, 2 * SECONDS);
    tcase_add_test(cases, figures_agree_with_one_another);
    tcase_add_test(cases, two_ranks_print_one_line);
    tcase_add_loop_test(cases, constants_of_the_machine_are_written, 0, 2);
    tcase_add_loop_test(cases, every_cell_runs, 0, 7);
    tcase_add_loop_test(cases, wrong_options_are_refused_by_name, 0, 11);
    tcase_add_test(cases, a_budget_is_kept_to);
    tcase_add_test(cases, help_names_every_option);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
