/* rnn-predict -o - and --format from outside: the same bytes everywhere, pipes that end early, and what is
 * refused. What is in the bytes is held to the HDF5 file by predictions.py. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"csv", "text", "hdf5"};
enum { FORMATS = 3 };

/* Networks: those that give rows, and one that finds labels. */
static const struct {
    const char *name, *model;
    struct sample_shape shape;
} kinds[] = {
    {"frames", "output = frame\n",
        {.sequences = 50,
            .shortest = 1,
            .longest = 30,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4,
            .names = 1}},
    {"values", "output = sequence\nloss = mse\n",
        {.sequences = 50,
            .shortest = 1,
            .longest = 30,
            .symbols = 5,
            .kind = SAMPLE_PER_SEQUENCE,
            .values = 2}},
    {"labels", "output = ctc\n",
        {.sequences = 50, .shortest = 8, .longest = 30, .features = 3, .kind = SAMPLE_ANY, .classes = 4}},
};
enum { KINDS = 3 };

static void train(int kind)
{
    char data[64], config[64], text[512];
    struct command_result result;
    snprintf(data, sizeof data, "%s.h5", kinds[kind].name);
    snprintf(config, sizeof config, "%s.ini", kinds[kind].name);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s\n[model]\nhidden = 9\nlayers = 1\n%s[train]\nmicrobatch = 4\nepochs = 20\nlr = "
        "0.05\n",
        data, kinds[kind].model);
    job_write_sample(data, &kinds[kind].shape, 1);
    job_write_text(config, text);
    job_run(&result, 0, config, kinds[kind].name, "--fresh", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}

/* Does the launcher mix standard output and standard error (comm/launcher.h)? */
static int mixes(int ranks)
{
    static int is_known, does;
    struct command_result result;
    if (ranks && !is_known) {
        command_call(&result, JOB_SECONDS, getenv("MPIRUN"), "-np", "1", "env", NULL);
        does = job_count_lines(result.output, "PRTE_LAUNCHED=") > 0;
        is_known = 1;
        command_result_finish(&result);
    }
    return ranks && does;
}

/* Runs a script of bash in the folder of the jobs, in which $P is the program, and $M mpirun for so many
 * ranks, or nothing; `figures LINE` looks whether "said" has the line of figures where it has to. */
static void script(struct command_result *result, int ranks, const char *text)
{
    char whole[1400];
    const char *argv[] = {"bash", "-c", whole, NULL}, *mpirun = getenv("MPIRUN");
    char start[256] = "";
    if (ranks)
        snprintf(start, sizeof start, "%s -np %d", mpirun ? mpirun : "mpirun", ranks);
    snprintf(whole, sizeof whole, "P=$RNN_PREDICT M='%s'\nfigures() { grep -q -x \"%s\" said; }\n%s", start,
        mixes(ranks) ? ".* the line of figures is left out .*" : "$1", text);
    command_run(&(struct command){.argv = argv, .directory = job_path(""), .seconds = JOB_SECONDS}, result);
}

static void run_script(int ranks, const char *text)
{
    struct command_result result;
    script(&result, ranks, text);
    job_expect(&result, 0);
    command_result_finish(&result);
}

START_TEST(bytes_depend_neither_on_ranks_nor_on_where_they_go)
{
    char text[512];
    train(_i);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text,
            "set -e; for way in '' '--batch 1' '--batch 1000'; do\n"
            "$M $P $way -o - --format %s %s %s.h5 </dev/null >piped 2>said\n"
            "[ -f first.%d%d ] || $P -o first.%d%d --format %s %s %s.h5 >said\n"
            "figures 'sequences=50 frames=.* loss=.*'; cmp piped first.%d%d; done",
            formats[f], kinds[_i].name, kinds[_i].name, _i, f, _i, f, formats[f], kinds[_i].name,
            kinds[_i].name, _i, f);
        run_script(0, text);
        run_script(1, text);
        run_script(3, text);
    }
    ck_assert(!job_same_file("first.00", "first.01") || _i);
}
END_TEST

/* Without a format a file is HDF5, and standard output text. */
START_TEST(the_format_follows_from_where_the_outputs_go)
{
    train(0);
    run_script(0,
        "set -e; $P -o whole.h5 frames frames.h5; $P -o - --format hdf5 frames frames.h5 | cmp - whole.h5\n"
        "$P -o lines --format text frames frames.h5; $P -o - frames frames.h5 | cmp - lines\n"
        "[ $(grep -c $'^sequence [0-9]*\\t' lines) = 50 ]");
}
END_TEST

/* It fails with this code and one line of its own that holds the text. */
static void expect_failure(int ranks, const char *text, int code, const char *why)
{
    struct command_result result;
    script(&result, ranks, text);
    job_expect(&result, code);
    ck_assert_msg(job_count_lines(result.errors, "rnn-predict: ") == 1, "%s: %s", text, result.errors);
    ck_assert_msg(strstr(result.errors, why) != NULL, "wanted '%s' in: %s", why, result.errors);
    command_result_finish(&result);
}

/* Outputs that a pipe has no room for, which are written all the same where somebody reads. */
START_TEST(a_reader_that_leaves_ends_it)
{
    char text[256];
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text,
            "$P -o - --format %s frames large.h5 | head -c 9 >head; exit ${PIPESTATUS[0]}", formats[f]);
        expect_failure(0, text, 74, "standard output: whoever reads it is gone");
        snprintf(text, sizeof text, "$P -o - --format %s frames large.h5 >/dev/full", formats[f]);
        expect_failure(0, text, 74, "standard output: cannot be written: ");
    }
}
END_TEST

/* What mpirun makes of it is its own affair, but it ends, with all ranks. */
START_TEST(a_reader_that_leaves_ends_all_ranks)
{
    struct command_result result;
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    script(&result, 3, "$M $P -o - --format csv frames large.h5 </dev/null | head -n 1");
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.left_behind, 0);
    ck_assert_str_eq(result.output, "name,frame,label,p_0,p_1,p_2,p_3\n");
    command_result_finish(&result);
}
END_TEST

/* A reader that takes longer than ranks may be silent is waited for. */
START_TEST(a_reader_that_takes_his_time_is_waited_for)
{
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    run_script(2,
        "set -eo pipefail; $P -o all --format csv frames large.h5\n"
        "$M $P --watchdog '1 second' -o - --format csv frames large.h5 </dev/null | (sleep 6; cmp - all)");
}
END_TEST

START_TEST(a_stop_while_nobody_reads_ends_it)
{
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    expect_failure(0,
        "mkfifo pipe; exec 3<>pipe; $P -o - --format csv frames large.h5 >pipe & sleep 1\n"
        "kill -TERM $!; wait $!",
        74, "stopped by SIGTERM");
}
END_TEST

START_TEST(an_error_leaves_no_file)
{
    char text[256];
    struct sample_shape shape = kinds[0].shape;
    struct sample sample;
    train(0);
    shape.sequences = 500;
    sample_init(&sample, &shape, 3);
    sample.inputs[(sample.frames - 1) * 3] = __builtin_nanf("");
    sample_write(&sample, job_path("bad.h5"));
    sample_finish(&sample);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text, "$P -o out --format %s --cache 0 --batch 1 frames bad.h5", formats[f]);
        expect_failure(0, text, 65, "bad.h5: inputs: row");
        ck_assert(!job_exists("out") && job_count(".", ".out") == 0);
    }
    expect_failure(
        0, "$P -o - --format hdf5 --cache 0 --batch 1 frames bad.h5 >out", 65, "bad.h5: inputs: row");
    ck_assert(!job_read("out", NULL)[0]);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    train(0);
    expect_failure(0, "$P --format csv frames frames.h5", 2, "--format goes with -o FILE");
    expect_failure(0, "$P -o x --format json frames frames.h5", 2, "allowed is hdf5, csv or text");
    expect_failure(0, "$P -o x --format csv --gradient-flow frames frames.h5", 2, "with --gradient-flow");
    expect_failure(0, "$P -o x --format csv --generate 3 frames", 2, "with --generate");
    expect_failure(0, "$P -o - frames frames.h5 >>frames.h5", 2, "frames.h5: is the file that is read");
    expect_failure(0,
        "script -qec \"$P -o - --format hdf5 frames frames.h5 2>said\" /dev/null >/dev/null\n"
        "code=$?; cat said >&2; exit $code",
        2, "is a terminal");
}
END_TEST

/* ---- --import ---- */

/* train.csv and bare.csv: sequences with quotes in their names, the second without targets and with its
 * columns in another order; a network `net` that was trained on the first, as train.h5. */
static void train_on_csv(void)
{
    enum { SEQUENCES = 30, ROOM = 64 };
    char *full, *bare;
    size_t sizes[2];
    FILE *files[] = {open_memstream(&full, &sizes[0]), open_memstream(&bare, &sizes[1])};
    unsigned state = 1;
    fputs("id,a,b,what\n", files[0]);
    fputs("b,id,a\n", files[1]);
    for (int s = 0; s < SEQUENCES; s++)
        for (int t = 0; t < 3 + s % 7; t++) {
            char id[ROOM];
            double x[2];
            for (int i = 0; i < 2; i++) {
                state = state * 1103515245 + 12345;
                x[i] = (double)(state >> 16 & 1023) / 1024;
            }
            snprintf(id, sizeof id, "\"no. %d, \"\"%d\"\"\"", s, s);
            fprintf(files[0], "%s,%g,%g,%s\n", id, x[0], x[1], x[0] > x[1] ? "up" : "\"down, or so\"");
            fprintf(files[1], "%g,%s,%g\n", x[1], id, x[0]);
        }
    fclose(files[0]);
    fclose(files[1]);
    job_write_text("train.csv", full);
    job_write_text("bare.csv", bare);
    free(full);
    free(bare);
    job_write_text("csv.ini",
        "[data]\ntrain = train.h5\nstandardize = yes\n[model]\noutput = frame\nlayers = 1\nhidden = 8\n"
        "[train]\nepochs = 5\n");
    run_script(0,
        "set -e; $RNN_DATA import csv train.csv --sequence id --target what --classes -o train.h5 >said\n"
        "$RNN_TRAIN --fresh -o net csv.ini >said; $P net train.h5 -o want --format csv >figures");
}

/* Nothing is left of what was imported, neither beside the output nor in TMPDIR, which is the same folder. */
static void expect_no_import(void)
{
    ck_assert_int_eq(job_count(".", ".rnn-predict"), 0);
    ck_assert_int_eq(job_count(".", ".out"), 0);
}

START_TEST(what_is_imported_gives_the_outputs_of_its_dataset)
{
    setenv("TMPDIR", job_path("."), 1);
    train_on_csv();
    for (int ranks = 0; ranks <= 3; ranks += 3)
        run_script(ranks,
            "set -eo pipefail; I='--import csv --sequence id' O='-o - --format csv'\n"
            "$M $P net $I --target what --classes train.csv $O 2>said </dev/null | cmp - want\n"
            "figures \"$(cat figures)\"\n"
            "$M $P net $I bare.csv $O 2>said </dev/null | cmp - want; figures 'sequences=30 "
            "frames=.*[0-9]'\n"
            "cat bare.csv | $M $P $I net - $O 2>said | cmp - want\n"
            "(head -n 9 bare.csv; sleep 3; tail -n +10 bare.csv) | $M $P net --watchdog '1 second' $I - $O "
            "2>said | "
            "cmp - want\n"
            "$M $P net $I bare.csv -o out.h5 </dev/null >said; $P net train.h5 -o whole.h5 >said\n"
            "h5diff --exclude-path /confusion out.h5 whole.h5\n"
            "$M $P net $I --gradient-flow bare.csv </dev/null >said; $P net --gradient-flow train.h5 | cmp - "
            "said");
    job_remove("out.h5");
    expect_no_import();
}
END_TEST

/* What is said of the set names its source and not the file between. */
START_TEST(messages_name_what_was_imported)
{
    static const char *const lines[][2] = {{"x.ts -o -", "warning: x.ts: has no feature_names"},
        {"- -o - <x.ts", "warning: standard input: has no feature_names"},
        {"x.ts x.ts -o -", "warning: x.ts and 1 more: has no feature_names"}};
    char text[256];
    setenv("TMPDIR", job_path("."), 1);
    train_on_csv();
    job_write_text("x.ts",
        "@problemName x\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n"
        "@classLabel false\n@data\n0.1,0.2,0.3:0.2,0.3,0.4\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(text, sizeof text,
            "$P net --import ts %s 2>said >figures; code=$?; grep -qF '%s' said || {"
            " cat said >&2; exit 1; }; exit $code",
            lines[i][0], lines[i][1]);
        run_script(0, text);
    }
}
END_TEST

/* The network's means are those of the set that it was trained on. */
START_TEST(missing_values_are_the_means_of_the_network)
{
    setenv("TMPDIR", job_path("."), 1);
    train_on_csv();
    run_script(0,
        "set -eo pipefail; sed 's/^0.1[0-9]*,/,/' bare.csv >holes.csv; I='--sequence id --missing mean'\n"
        "$RNN_DATA import csv holes.csv $I --like train.h5 -o filled.h5 >said\n"
        "$P net filled.h5 -o filled --format csv >said\n"
        "$P net --import csv $I holes.csv -o - --format csv 2>said | cmp - filled; ! cmp -s filled want");
    expect_failure(0, "$P net --import csv --sequence id holes.csv", 65, "feature b has no value here");
    expect_failure(0, "$P net --import csv --sequence id --missing mask holes.csv", 65,
        "net/best.h5 has no column that says so");
}
END_TEST

START_TEST(symbols_are_those_of_the_network)
{
    run_script(0,
        "set -eo pipefail; printf 'abba\\tx\\nbab\\ty\\ncab\\tx\\n' >pairs; $RNN_DATA import text --to label "
        "pairs -o "
        "text.h5 >said\n"
        "printf '[data]\\ntrain = text.h5\\n[model]\\noutput = sequence\\nlayers = 1\\nhidden = 5\\n' "
        ">text.ini\n"
        "$RNN_TRAIN --fresh -o text text.ini >said\n"
        "cut -f 1 pairs | $P text --import text --to none - -o - 2>said >lines\n"
        "$P text text.h5 -o - 2>said | cmp - lines");
    expect_failure(
        0, "echo abd | $P text --import text --to none -", 65, "label d is not known: text/best.h5 does not");
}
END_TEST

static const struct {
    const char *script;
    int code;
    const char *why;
} imports[] = {
    {"sed 1s/^b/c/ bare.csv >x.csv; $P net --import csv --sequence id x.csv", 65,
        "x.csv:1: net/best.h5: there is no column b (did you mean c?)"},
    {"sed s/,up/,off/ train.csv >x.csv; $P net --import csv --sequence id --target what --classes x.csv", 65,
        "label off is not known: net/best.h5 does not have it"},
    {"head -c 500 train.csv >x.csv; $P net --import csv --sequence id --target what --classes x.csv -o out",
        65, "x.csv:"},
    {": >x.csv; $P net --import csv --sequence id x.csv", 65, "x.csv: is empty"},
    {"echo b,id,a | $P net --import csv --sequence id - -o -", 65, "no sequence"},
    {"$P net --import csv - </dev/null", 65, "standard input: is empty"},
    {"$P net --import csv none.csv", 74, "none.csv: cannot be opened"},
    {"$P net --import csv --sequence id bare.csv -o bare.csv", 2, "bare.csv: is the file that is read"},
    {"$P net --import kaldi -", 2, "import kaldi: standard input cannot be read as this kind"},
    {"$P net --import csvv bare.csv", 2, "--import csvv: allowed is csv, "},
    {"$P net --impo csv bare.csv", 2, "write --import in full"},
    {"$P net --import csv --like train.h5 bare.csv", 2, "--like"},
    {"$P net --import csv --classes bare.csv", 2, "--classes: of what?"},
    {"$P net --sequence id bare.csv", 2, "--sequence"},
    {"$P net - <bare.csv", 2, "--import KIND"},
    {"$P --generate 3 -o out --import csv net", 2, "--generate"},
};
enum { IMPORTS = sizeof imports / sizeof *imports };

START_TEST(what_cannot_be_imported_is_refused)
{
    setenv("TMPDIR", job_path("."), 1);
    train_on_csv();
    for (int i = 0; i < IMPORTS; i++) {
        expect_failure(0, imports[i].script, imports[i].code, imports[i].why);
        ck_assert(!job_exists("out"));
        expect_no_import();
    }
}
END_TEST

/* While its source is silent nothing but the spool is there, which has no name. */
START_TEST(a_killed_import_leaves_nothing)
{
    char text[256];
    setenv("TMPDIR", job_path("."), 1);
    train_on_csv();
    static const char *const ends[] = {"KILL", "TERM", "INT"};
    static const int codes[] = {137, 143, 130};
    for (int i = 0; i < 3; i++) {
        struct command_result result;
        snprintf(text, sizeof text,
            "[ -p pipe ] || mkfifo pipe; exec 3<>pipe; cat bare.csv >&3; set -m\n"
            "$P net --import csv --sequence id - -o out <pipe & sleep 1; kill -%s $!; wait $!; exit $?",
            ends[i]);
        script(&result, 0, text);
        job_expect(&result, codes[i]);
        command_result_finish(&result);
        ck_assert(!job_exists("out"));
        expect_no_import();
    }
}
END_TEST

/* ---- other things that -o takes ---- */

START_TEST(curves_and_generated_sets_go_into_a_pipe_too)
{
    run_script(0,
        "set -e; $RNN_DATA make reber -o . --sequences 20 >/dev/null\n"
        "printf '[data]\\ntrain = reber-train.h5\\n[model]\\noutput = frame\\nbidirectional = no\\nhidden = "
        "4\\n"
        "[train]\\nepochs = 1\\n' >reber.ini; $RNN_TRAIN -o reber reber.ini >/dev/null\n"
        "$P --gradient-flow -o flow.csv reber reber-test.h5 >lines\n"
        "$P --gradient-flow -o - reber reber-test.h5 2>said | cmp - flow.csv; cmp said lines\n"
        "$P --generate 5 -o set.h5 reber >lines; $P --generate 5 -o - reber 2>said | cmp - set.h5; cmp said "
        "lines");
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("predictions");
    TCase *results = tcase_create("results"), *failures = tcase_create("failures");
    tcase_set_timeout(results, 200);
    tcase_set_timeout(failures, 200);
    tcase_add_loop_test(results, bytes_depend_neither_on_ranks_nor_on_where_they_go, 0, KINDS);
    tcase_add_test(results, the_format_follows_from_where_the_outputs_go);
    tcase_add_test(results, curves_and_generated_sets_go_into_a_pipe_too);
    tcase_add_test(results, a_reader_that_takes_his_time_is_waited_for);
    tcase_add_test(failures, a_reader_that_leaves_ends_it);
    tcase_add_test(failures, a_reader_that_leaves_ends_all_ranks);
    tcase_add_test(failures, a_stop_while_nobody_reads_ends_it);
    tcase_add_test(failures, an_error_leaves_no_file);
    tcase_add_test(failures, what_makes_no_sense_is_refused);
    TCase *imported = tcase_create("imported");
    tcase_set_timeout(imported, 200);
    tcase_add_test(imported, what_is_imported_gives_the_outputs_of_its_dataset);
    tcase_add_test(imported, messages_name_what_was_imported);
    tcase_add_test(imported, missing_values_are_the_means_of_the_network);
    tcase_add_test(imported, symbols_are_those_of_the_network);
    tcase_add_test(imported, what_cannot_be_imported_is_refused);
    tcase_add_test(imported, a_killed_import_leaves_nothing);
    if (getenv("RNN_IMPORTS"))
        suite_add_tcase(suite, imported);
    suite_add_tcase(suite, results);
    suite_add_tcase(suite, failures);
    int status = suite_run(suite);
    job_close();
    return status;
}
