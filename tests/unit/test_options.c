#include "bench/options.h"
#include "predict/options.h"
#include "run/options.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS = 32 };

/* A command line that getopt_long may reorder. */
struct line {
    int n;
    char *word[WORDS];
    char room[2000];
};

/* Cut at blanks; '' is an empty word. */
static void split(struct line *line, const char *text)
{
    line->n = 0;
    snprintf(line->room, sizeof line->room, "%s", text);
    for (char *word = strtok(line->room, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(line->n, WORDS - 1);
        line->word[line->n++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    line->word[line->n] = NULL;
}

static struct line line; /* options point into it */

static void train_good(const char *text, struct train_options *options)
{
    struct error error = {0};
    split(&line, text);
    if (train_options_parse(options, line.n, line.word, &error) != 0)
        ck_abort_msg("refused: %s", error.text);
}

/* Refused by the program named first, with a line that says a and b; the options stay as they were. */
static void expect_refused(const char *text, const char *a, const char *b)
{
    struct error error = {0};
    struct train_options train;
    struct predict_options predict;
    memset(&train, 0x55, sizeof train);
    memset(&predict, 0x55, sizeof predict);
    split(&line, text);
    int result = strcmp(line.word[0], "rnn-train") == 0
        ? train_options_parse(&train, line.n, line.word, &error)
        : predict_options_parse(&predict, line.n, line.word, &error);
    ck_assert_msg(result == -1, "accepted: %s", text);
    ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
    ck_assert_msg(
        strstr(error.text, a) && strstr(error.text, b), "'%s' does not say '%s' and '%s'", error.text, a, b);
    ck_assert_int_eq(*(unsigned char *)&train, 0x55);
    ck_assert_int_eq(*(unsigned char *)&predict, 0x55);
}

START_TEST(a_bare_command_has_the_defaults)
{
    struct train_options o;
    train_good("rnn-train a.ini", &o);
    ck_assert_str_eq(o.config, "a.ini");
    ck_assert(o.ask == ASK_NOTHING && o.set.count == 0 && !o.run && !o.fresh && !o.init && o.max_time == 0);
    ck_assert(!o.plan && o.plan_ranks == 0 && !o.check && o.verbosity == 0 && o.progress == PROGRESS_AUTO);
    ck_assert_int_eq(o.stop_exit_code, 0);
    train_options_finish(&o);
    ck_assert_ptr_null(o.set.item);
    train_options_finish(&o);
}
END_TEST

START_TEST(every_option_is_taken_in_any_place)
{
    static const char *const lines[] = {
        "rnn-train -s train.lr=1 --set model.layers=3 -o d --init w.h5 --max-time 1-02:03:04 --plan 8 "
        "--check "
        "-vv --progress log --stop-exit-code 75 a.ini",
        "rnn-train a.ini --stop-exit-code=75 --progress=log -v --verbose --check --plan=8 "
        "--max-time=26:03:04 "
        "--init=w.h5 --run=d --set=train.lr=1 -smodel.layers=3",
        "rnn-train --plan --check -o d -v -s train.lr=1 a.ini -s model.layers=3 --init w.h5 --max-time "
        "26:03:04 "
        "--progress log --stop-exit-code 75 -v --plan 8",
    };
    for (size_t i = 0; i < 3; i++) {
        struct train_options o;
        train_good(lines[i], &o);
        ck_assert_str_eq(o.config, "a.ini");
        ck_assert_uint_eq(o.set.count, 2);
        ck_assert_str_eq(o.set.item[0], "train.lr=1");
        ck_assert_str_eq(o.set.item[1], "model.layers=3");
        ck_assert_str_eq(o.run, "d");
        ck_assert_str_eq(o.init, "w.h5");
        ck_assert_int_eq(o.max_time, ((24 + 2) * 60 + 3) * 60 + 4);
        ck_assert(o.plan && o.plan_ranks == 8 && o.check && o.verbosity == 2 && o.progress == PROGRESS_LOG);
        ck_assert_int_eq(o.stop_exit_code, 75);
        train_options_finish(&o);
    }
    struct train_options o;
    train_good("rnn-train --fresh -q --quiet --progress line -- -odd.ini", &o);
    ck_assert(o.fresh && o.verbosity == -2 && o.progress == PROGRESS_LINE);
    ck_assert_str_eq(o.config, "-odd.ini");
    train_options_finish(&o);
}
END_TEST

START_TEST(verify_takes_a_file_and_no_configuration)
{
    struct train_options o;
    train_good("rnn-train --verify runs/a", &o);
    ck_assert_str_eq(o.verify, "runs/a");
    ck_assert_ptr_null(o.config);
    train_options_finish(&o);
    train_good("rnn-train a.ini", &o);
    ck_assert_ptr_null(o.verify);
    train_options_finish(&o);
    expect_refused("rnn-train --verify a.h5 a.ini", "--verify", "no configuration");
    expect_refused("rnn-train --verify a.h5 --fresh", "--verify", "--fresh");
    expect_refused("rnn-train --verify ''", "--verify", "a path");
    expect_refused("rnn-train --verify", "--verify", "needs a value");
}
END_TEST

START_TEST(plan_takes_a_number_but_no_file)
{
    struct train_options o;
    train_good("rnn-train --plan a.ini", &o);
    ck_assert(o.plan && o.plan_ranks == 0);
    ck_assert_str_eq(o.config, "a.ini");
    train_options_finish(&o);
    train_good("rnn-train a.ini --plan", &o);
    ck_assert(o.plan && o.plan_ranks == 0);
    train_options_finish(&o);
    train_good("rnn-train a.ini --plan 64", &o);
    ck_assert(o.plan && o.plan_ranks == 64);
    train_options_finish(&o);
    train_good("rnn-train --plan 64 --ranks-per-node 8 a.ini", &o);
    ck_assert(o.plan_ranks == 64 && o.ranks_per_node == 8);
    train_options_finish(&o);
    expect_refused("rnn-train --ranks-per-node 8 a.ini", "--ranks-per-node", "--plan");
    expect_refused("rnn-train --plan 0 a.ini", "--plan 0", "a whole number from 1");
    expect_refused("rnn-train --plan=many a.ini", "--plan many", "a whole number from 1");
    expect_refused("rnn-train --plan 99999999999999999999 a.ini", "--plan 9999", "a whole number from 1");
}
END_TEST

START_TEST(times_are_days_hours_minutes_seconds)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"00:00:01", 1}, {"01:30:00", 5400}, {"2-12:00:00", 216000}, {"100:00:00", 360000},
        {"1-0:00:00", 86400}, {"0-00:01:00", 60}};
    static const char *const bad[] = {"10", "10:00", "00:00:00", "1:60:00", "1:00:60", "1-24:00:00",
        "-1:00:00", "1:0:00", "1:00:00x", "x", "''", "1--1:00:00", "99999999999999999999:00:00",
        "1-2-01:00:00", "1:00:00:00", "a-01:00:00", "-01:00:00", "1.5:00:00"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[100];
        struct train_options o;
        snprintf(text, sizeof text, "rnn-train --max-time %s a.ini", good[i].text);
        train_good(text, &o);
        ck_assert_int_eq(o.max_time, good[i].seconds);
        train_options_finish(&o);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[100];
        snprintf(text, sizeof text, "rnn-train --max-time %s a.ini", bad[i]);
        expect_refused(text, "--max-time", "[DD-]HH:MM:SS");
    }
}
END_TEST

START_TEST(help_and_version_come_before_everything_else)
{
    struct train_options o;
    struct predict_options p;
    struct error error;
    train_good("rnn-train --help", &o);
    ck_assert_int_eq(o.ask, ASK_HELP);
    train_options_finish(&o);
    train_good("rnn-train --completion=zsh", &o);
    ck_assert_int_eq(o.ask, ASK_ZSH);
    train_options_finish(&o);
    train_good("rnn-train a b c --version --nonsense", &o);
    ck_assert_int_eq(o.ask, ASK_VERSION);
    train_options_finish(&o);
    split(&line, "rnn-predict --version");
    ck_assert_int_eq(predict_options_parse(&p, line.n, line.word, &error), 0);
    ck_assert_int_eq(p.ask, ASK_VERSION);
    predict_options_finish(&p);
    split(&line, "rnn-predict x --help");
    ck_assert_int_eq(predict_options_parse(&p, line.n, line.word, &error), 0);
    ck_assert_int_eq(p.ask, ASK_HELP);
    predict_options_finish(&p);
}
END_TEST

START_TEST(usage_errors_name_the_option_and_what_is_allowed)
{
    expect_refused("rnn-train", "0 arguments", "CONFIG");
    expect_refused("rnn-train --completion fish", "--completion fish", "bash or zsh");
    expect_refused("rnn-train --completion", "--completion", "needs a value");
    expect_refused("rnn-train a b", "2 arguments", "CONFIG");
    expect_refused("rnn-train ''", "CONFIG", "a path");
    expect_refused("rnn-train --frosh a", "--frosh", "unknown option");
    expect_refused("rnn-train --p a", "--p", "short for several");
    expect_refused("rnn-train -x a", "-x", "unknown option");
    expect_refused("rnn-train -qx a", "-x", "unknown option");
    expect_refused("rnn-train a -s", "--set", "needs a value");
    expect_refused("rnn-train a --run", "--run", "needs a value");
    expect_refused("rnn-train a --init", "--init", "needs a value");
    expect_refused("rnn-train a -o ''", "--run", "a path");
    expect_refused("rnn-train a --run=~/x", "--run ~/x", "a path without ~");
    expect_refused("rnn-predict a b -o ~", "--output ~", "a path without ~");
    expect_refused("rnn-train --fresh=1 a", "--fresh", "takes no value");
    expect_refused("rnn-train --quiet=1 a", "--quiet", "takes no value");
    expect_refused("rnn-train --fresh --check a", "--fresh", "--check");
    expect_refused("rnn-train --fresh --plan a", "--fresh", "--plan");
    expect_refused("rnn-train --progress bar a", "--progress bar", "auto, line or log");
    expect_refused("rnn-train --stop-exit-code 256 a", "--stop-exit-code 256", "from 0 to 255");
    expect_refused("rnn-train --stop-exit-code -1 a", "--stop-exit-code -1", "from 0 to 255");
    expect_refused("rnn-train --stop-exit-code x a", "--stop-exit-code x", "from 0 to 255");
    expect_refused("rnn-predict a", "1 argument ", "CHECKPOINT DATASET");
    expect_refused("rnn-predict --generate 2 -o x a b", "2 arguments", "-o FILE [OPTION]... CHECKPOINT");
    expect_refused("rnn-predict a ''", "DATASET", "a path");
    expect_refused("rnn-predict a b --batch 0", "--batch 0", "a whole number from 1");
    expect_refused("rnn-predict a b --beam 0", "--beam 0", "a whole number from 1 to 65536");
    expect_refused("rnn-predict a b --beam wide", "--beam wide", "a whole number from 1");
    expect_refused("rnn-predict a b --cache 12", "--cache 12", "KiB, MiB or GiB");
    expect_refused("rnn-predict a b --check", "--check", "unknown option");
    expect_refused("rnn-predict a b -o", "--output", "needs a value");
}
END_TEST

START_TEST(predict_takes_its_options)
{
    struct predict_options p;
    struct error error;
    split(&line, "rnn-predict c.h5 d.h5");
    ck_assert_int_eq(predict_options_parse(&p, line.n, line.word, &error), 0);
    ck_assert_str_eq(p.checkpoint, "c.h5");
    ck_assert_str_eq(p.dataset[0], "d.h5");
    ck_assert(!p.output && p.batch == 0 && p.beam == 0 && p.cache == (size_t)256 << 20 &&
        p.progress == PROGRESS_AUTO);
    predict_options_finish(&p);
    split(&line, "rnn-predict c.h5 -o out.h5 -v --batch 3 d.h5 --beam 8 --cache 1GiB --progress line -qq");
    ck_assert_int_eq(predict_options_parse(&p, line.n, line.word, &error), 0);
    ck_assert_str_eq(p.dataset[0], "d.h5");
    ck_assert_str_eq(p.output, "out.h5");
    ck_assert(p.batch == 3 && p.beam == 8 && p.cache == (size_t)1 << 30 && p.verbosity == -1 &&
        p.progress == PROGRESS_LINE);
    predict_options_finish(&p);
}
END_TEST

static char folder[200];

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.100s/options-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void expect_run(const char *config, const char *run, const char *want)
{
    char path[300];
    struct error error = {0};
    struct train_options o = {.config = config, .run = run};
    ck_assert_int_eq(options_run_directory(&o, path, sizeof path, &error), 0);
    ck_assert_str_eq(path, want);
}

static void put(const char *path, const char *text)
{
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    fclose(stream);
}

START_TEST(the_run_directory_is_named_after_the_configuration)
{
    expect_run("digits.ini", NULL, "runs/digits");
    expect_run("recipes/digits.ini", NULL, "runs/digits");
    expect_run("/abs/a.b.ini", NULL, "runs/a.b");
    expect_run("digits.conf", NULL, "runs/digits.conf");
    expect_run(".ini", NULL, "runs/.ini");
    expect_run("digits.ini", "here", "here");
    expect_run("config.ini", NULL, "runs/config");
    expect_run("x/config.ini", NULL, "runs/config");
}
END_TEST

START_TEST(the_configuration_of_a_run_belongs_to_that_run)
{
    static const char *const marks[] = {"checkpoint-0000000001.h5", "status", "lock"};
    static const char *const texts[] = {"", "state=running\nstep=0\nreason=\n",
        "heartbeat=001000000000\nhost=elsewhere\nprocess=77\njob=\nstart=5\nboot=\nspace=\n"};
    ck_assert_int_eq(mkdir("r", 0777), 0);
    for (size_t i = 0; i < 3; i++) {
        char inside[100], absolute[300];
        snprintf(inside, sizeof inside, "r/%s", marks[i]);
        snprintf(absolute, sizeof absolute, "%s/r/config.ini", folder);
        expect_run("r/config.ini", NULL, "runs/config");
        put(inside, i ? "mine" : "");
        expect_run("r/config.ini", NULL, i ? "runs/config" : "r");
        put(inside, texts[i]);
        expect_run("r/config.ini", NULL, "r");
        expect_run("./r/config.ini", NULL, "./r");
        expect_run("r/other.ini", NULL, "runs/other");
        expect_run("r/config.ini", "q", "q");
        expect_run("config.ini", NULL, "runs/config");
        ck_assert_int_eq(chdir("r"), 0);
        expect_run("config.ini", NULL, ".");
        ck_assert_int_eq(chdir(".."), 0);
        char path[300];
        struct error error = {0};
        struct train_options o = {.config = absolute};
        ck_assert_int_eq(options_run_directory(&o, path, sizeof path, &error), 0);
        absolute[strlen(absolute) - strlen("/config.ini")] = '\0';
        ck_assert_str_eq(path, absolute);
        ck_assert_int_eq(unlink(inside), 0);
    }
    ck_assert_int_eq(rmdir("r"), 0);
}
END_TEST

START_TEST(a_run_directory_stands_for_its_configuration)
{
    static const char *const ways[][2] = {
        {"r", "r/config.ini"}, {"r/", "r/config.ini"}, {".", "./config.ini"}};
    ck_assert_int_eq(mkdir("r", 0777), 0);
    for (size_t i = 0; i < 3; i++) {
        struct train_options o;
        struct error error;
        char *argv[] = {"rnn-train", (char *)ways[i][0], NULL};
        ck_assert_int_eq(train_options_parse(&o, 2, argv, &error), 0);
        ck_assert_str_eq(o.config, ways[i][1]);
        train_options_finish(&o);
    }
    ck_assert_int_eq(rmdir("r"), 0);
}
END_TEST

START_TEST(a_run_directory_that_has_no_name_or_no_room_is_refused)
{
    char path[8];
    struct error error = {0};
    struct train_options o = {.config = "folder/"};
    ck_assert_int_eq(options_run_directory(&o, path, sizeof path, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
    o.config = "digits.ini";
    ck_assert_int_eq(options_run_directory(&o, path, sizeof path, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "-o"));
}
END_TEST

static void expect_help(const struct option_table *table, const char *const *parts, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    options_write_help(table, stream);
    fclose(stream);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "%s", parts[i]);
    for (const char *row = text; *row; row += strcspn(row, "\n") + 1)
        ck_assert_msg(strcspn(row, "\n") <= 100, "%s", row);
    free(text);
}

START_TEST(a_name_nearly_written_is_suggested)
{
    expect_refused("rnn-train --fesh a", "--fesh: unknown option", "did you mean --fresh?");
    expect_refused("rnn-train --max-tme=1:0:0 a", "--max-tme=1:0:0", "did you mean --max-time?");
    expect_refused("rnn-predict a b --betch 3", "--betch", "did you mean --batch?");
    expect_refused("rnn-predict a b --nonsense", "--nonsense", "or short for several");
}
END_TEST

START_TEST(the_benchmark_takes_a_former_name_with_its_ranges)
{
    struct bench_options b, same;
    struct error error = {0};
    split(&line, "rnn-bench --grain 3 --set model.layers=1 --cell gru");
    ck_assert_int_eq(bench_options_parse(&b, line.n, line.word, &error), 0);
    ck_assert(b.microbatch == 3 && b.batch == 32 && b.cell == CELL_GRU && b.shortest == 200);
    ck_assert_uint_eq(b.set.count, 1);
    bench_options_finish(&b);
    memset(&same, 0x55, sizeof same);
    split(&line, "rnn-bench --grain 0");
    ck_assert_int_eq(bench_options_parse(&same, line.n, line.word, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "--microbatch 0: allowed is a whole number from 1"));
    ck_assert_int_eq(*(unsigned char *)&same, 0x55);
    split(&line, "rnn-bench --cell lstn");
    ck_assert_int_eq(bench_options_parse(&same, line.n, line.word, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "rnn, rnn-relu, lstm, gru"));
}
END_TEST

START_TEST(a_letter_asks_for_help_too)
{
    struct train_options o;
    train_good("rnn-train -vh --nonsense", &o);
    ck_assert_int_eq(o.ask, ASK_HELP);
    train_options_finish(&o);
}
END_TEST

START_TEST(help_names_every_option)
{
    static const char *const train[] = {"-s, --set", "-o, --run", "--fresh", "--init",
        "--max-time [DD-]HH:MM:SS", "--plan [N]", "--ranks-per-node R", "--check", "--progress auto|line|log",
        "--stop-exit-code N", "-q,", "-v,", "--help", "--version"};
    static const char *const predict[] = {"-o, --output FILE", "--format csv|text|hdf5", "--import KIND",
        "--batch", "--beam N", "greedy; ctc takes the best path then", "--cache", "--progress auto|line|log",
        "-q,", "-v,", "--help", "--version"};
    expect_help(&train_option_table, train, sizeof train / sizeof *train);
    expect_help(&predict_option_table, predict, sizeof predict / sizeof *predict);
}
END_TEST

/* What ranks may differ in is left out; all else stands there, be it given or not. */
START_TEST(what_ranks_must_have_in_common_is_described)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"rnn-train a.ini",
            "--run none\n--fresh no\n--init none\n--new-head no\n--accept-changed-data no\n--max-time 0\n"
            "--plan no 0\n--ranks-per-node 0\n--machine none\n--check no\n--try no\n--verify "
            "none\n--stop-exit-code 0\n"},
        {"rnn-train -v -o d --plan 8 --check --max-time 00:01:00 --progress log -s train.lr=1 a.ini",
            "--run d\n--fresh no\n--init none\n--new-head no\n--accept-changed-data no\n--max-time 60\n"
            "--plan yes 8\n--ranks-per-node 0\n--machine none\n--check yes\n--try no\n--verify "
            "none\n--stop-exit-code "
            "0\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct train_options options;
        train_good(cases[i].line, &options);
        char *text = options_describe(&train_option_table, &options);
        ck_assert_str_eq(text, cases[i].text);
        free(text);
        train_options_finish(&options);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *cases = tcase_create("options"), *runs = tcase_create("run directory");
    tcase_add_test(cases, a_bare_command_has_the_defaults);
    tcase_add_test(cases, every_option_is_taken_in_any_place);
    tcase_add_test(cases, verify_takes_a_file_and_no_configuration);
    tcase_add_test(cases, plan_takes_a_number_but_no_file);
    tcase_add_test(cases, times_are_days_hours_minutes_seconds);
    tcase_add_test(cases, help_and_version_come_before_everything_else);
    tcase_add_test(cases, usage_errors_name_the_option_and_what_is_allowed);
    tcase_add_test(cases, predict_takes_its_options);
    tcase_add_test(cases, help_names_every_option);
    tcase_add_test(cases, what_ranks_must_have_in_common_is_described);
    tcase_add_test(cases, a_name_nearly_written_is_suggested);
    tcase_add_test(cases, the_benchmark_takes_a_former_name_with_its_ranges);
    tcase_add_test(cases, a_letter_asks_for_help_too);
    tcase_add_checked_fixture(runs, make_folder, remove_folder);
    tcase_add_test(runs, the_run_directory_is_named_after_the_configuration);
    tcase_add_test(runs, the_configuration_of_a_run_belongs_to_that_run);
    tcase_add_test(runs, a_run_directory_stands_for_its_configuration);
    tcase_add_test(runs, a_run_directory_that_has_no_name_or_no_room_is_refused);
    suite_add_tcase(suite, cases);
    suite_add_tcase(suite, runs);
    return suite_run(suite);
}
