/* A new head on another network's weights, seen from outside: the body begins with that one's bits and the
 * head with those of a start without it, for every output and on any number of ranks; and what is said where
 * the body does not fit. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char config[] = "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n"
                             "[model]\nhidden = 11\nlayers = 2\n%s"
                             "[train]\nbatch = 9\nmicrobatch = 3\nepochs = 2\nlr = 0.01\nseed = %d\n"
                             "[checkpoint]\nevery = 1 step\nkeep = 20\n";

/* All have 4 features or 6 symbols. */
static const struct sample_shape frames = {.sequences = 31,
                                     .shortest = 2,
                                     .longest = 30,
                                     .features = 4,
                                     .kind = SAMPLE_PER_FRAME,
                                     .classes = 5},
                                 words = {.sequences = 31,
                                     .shortest = 7,
                                     .longest = 20,
                                     .symbols = 6,
                                     .kind = SAMPLE_THREE,
                                     .classes = 5};

static void write_set(const char *name, struct sample_shape shape, uint64_t seed)
{
    char file[64];
    snprintf(file, sizeof file, "%s-train.h5", name);
    job_write_sample(file, &shape, seed);
    shape.sequences = 10;
    snprintf(file, sizeof file, "%s-valid.h5", name);
    job_write_sample(file, &shape, seed + 1);
}

/* Writes NAME.ini for a set. */
static void write_config(const char *name, const char *set, const char *model, int seed)
{
    char text[1000], file[64];
    snprintf(text, sizeof text, config, set, set, model, seed);
    snprintf(file, sizeof file, "%s.ini", name);
    job_write_text(file, text);
}

static void write_sets(void)
{
    struct sample_shape shape = frames;
    write_set("five", shape, 1);
    shape.classes = 3;
    write_set("three", shape, 3);
    shape.kind = SAMPLE_PER_SEQUENCE;
    write_set("one", shape, 5);
    shape.classes = 0;
    shape.values = 2;
    shape.shares = 1;
    write_set("values", shape, 7);
    shape = words;
    write_set("words-five", shape, 9);
    shape.classes = 3;
    write_set("words-three", shape, 11);
    shape.classes = 0;
    shape.values = 2;
    write_set("words-two-values", shape, 13);
    shape.values = 4;
    write_set("words-four-values", shape, 15);
}

/* What is learned first and then, and tensors of the network in the end: those of its body, and those that
 * begin afresh. */
static const struct {
    const char *set, *model, *then_set, *then_model;
    const char *body[4], *head[4];
} variants[] = {
    {"five", "output = frame\nnormalize = yes\n", "three", "output = frame\nnormalize = yes\n",
        {"rnn.weight_ih_l0", "rnn.weight_hh_l1_reverse", "norm.1.weight", "rnn.bias_hh_l1"},
        {"head.weight", "head.bias"}},
    {"five", "output = frame\noutput_layers = 7\n", "one", "output = sequence\noutput_layers = 7\n",
        {"rnn.weight_ih_l0", "rnn.weight_hh_l1_reverse", "output.0.weight", "output.0.bias"},
        {"head.weight", "head.bias"}},
    {"one", "output = sequence\ncell = gru\n", "values", "output = sequence\ncell = gru\nloss = gaussian\n",
        {"rnn.weight_ih_l0", "rnn.bias_ih_l1_reverse"}, {"head.weight", "head.bias"}},
    {"three", "output = frame\ncell = lru\n[train]\nclass_weights = 1 2 3\n", "five",
        "output = frame\ncell = lru\n[train]\nclass_weights = 1 2 3 4 5\n",
        {"rnn.nu_l0", "rnn.B_re_l1", "rnn.C_im_l1"}, {"head.weight", "head.bias"}},
    {"words-five", "output = ctc\nembedding = 5\n", "words-three", "output = ctc\nembedding = 5\n",
        {"embedding.weight", "rnn.weight_ih_l0", "rnn.bias_hh_l1_reverse"}, {"head.weight", "head.bias"}},
    {"words-five", "output = decoder\nembedding = 5\ndecoder_layers = 2\n", "words-three",
        "output = decoder\nembedding = 5\ndecoder_layers = 2\n",
        {"decoder.rnn.weight_ih_l0", "attention.key.weight", "decoder.rnn.weight_hh_l1", "rnn.weight_ih_l1"},
        {"decoder.embedding.weight", "head.weight", "head.bias"}},
    {"words-two-values", "output = decoder\nloss = mse\n", "words-four-values",
        "output = decoder\nloss = mse\n",
        {"decoder.rnn.weight_hh_l0", "decoder.start.0.weight", "decoder.rnn.bias_ih_l0", "rnn.weight_ih_l1"},
        {"decoder.rnn.weight_ih_l0", "head.weight", "head.bias"}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void name_run(char name[static 32], const char *what, int v)
{
    snprintf(name, 32, "%s-%d", what, v);
}

/* Runs to begin with, "begun-N", with another seed than "then-N.ini" has. */
static void begin_all(void)
{
    char hash[17], name[32], run[32], file[40];
    write_sets();
    for (int v = 0; v < VARIANTS; v++) {
        name_run(name, "first", v);
        name_run(run, "begun", v);
        snprintf(file, sizeof file, "%s.ini", name);
        write_config(name, variants[v].set, variants[v].model, 2);
        job_finish(hash, 0, file, run, NULL);
        name_run(name, "then", v);
        write_config(name, variants[v].then_set, variants[v].then_model, 1);
    }
}

/* The values of a parameter in a checkpoint, *count of them; free. */
static float *read_values(const char *checkpoint, const char *name, size_t *count)
{
    struct error error;
    struct h5_shape shape;
    char set[100];
    snprintf(set, sizeof set, "/model/%s", name);
    struct h5_file *file = h5_open(job_path(checkpoint), 0, &error);
    ck_assert_msg(file && h5_look(file, set, &shape, &error) == 0, "%s", error.text);
    *count = (size_t)(shape.size[0] * (shape.dimensions == 2 ? shape.size[1] : 1));
    float *values = malloc(*count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert_msg(h5_read_floats(file, set, 0, shape.size[0], values, &error) == 0, "%s", error.text);
    h5_close(file);
    return values;
}

/* Has the parameter the same bits in both checkpoints? Its place in the vector of all may differ. */
static int is_same(const char *one, const char *other, const char *name)
{
    size_t n, m;
    float *a = read_values(one, name, &n), *b = read_values(other, name, &m);
    int same = n == m && memcmp(a, b, n * sizeof *a) == 0;
    free(a);
    free(b);
    return same;
}

/* A run with a new head, of one variant. */
static void renew(char hash[static 17], int ranks, const char *run, int v, const char *set)
{
    char file[40], begun[48], name[32];
    name_run(name, "then", v);
    snprintf(file, sizeof file, "%s.ini", name);
    name_run(name, "begun", v);
    snprintf(begun, sizeof begun, "%s/best.h5", name);
    job_finish(hash, ranks, file, run, "--fresh", "--init", job_path(begun), "--new-head", set ? "-s" : NULL,
        set, NULL);
}

#define FIRST "/checkpoint-0000000000.h5"

START_TEST(the_body_begins_with_the_bits_of_the_other_and_the_head_with_those_of_the_seed)
{
    char hash[17], run[32], plain[32], begun[48], first[64], usual[64], file[40];
    name_run(run, "renewed", _i);
    name_run(plain, "then", _i);
    snprintf(file, sizeof file, "%s.ini", plain);
    name_run(plain, "plain", _i);
    renew(hash, 2, run, _i, NULL);
    /* A run that may go back has a checkpoint from the start. */
    job_finish(hash, 0, file, plain, "-s", "train.on_divergence=back", "-s", "train.epochs=1", NULL);
    snprintf(begun, sizeof begun, "begun-%d/best.h5", _i);
    snprintf(first, sizeof first, "%s" FIRST, run);
    snprintf(usual, sizeof usual, "%s" FIRST, plain);
    for (int i = 0; i < 4 && variants[_i].body[i]; i++) {
        ck_assert_msg(is_same(begun, first, variants[_i].body[i]), "%s differs", variants[_i].body[i]);
        ck_assert_msg(!is_same(usual, first, variants[_i].body[i]), "%s is drawn", variants[_i].body[i]);
    }
    for (int i = 0; i < 4 && variants[_i].head[i]; i++)
        ck_assert_msg(is_same(usual, first, variants[_i].head[i]), "%s is not drawn", variants[_i].head[i]);
}
END_TEST

START_TEST(a_new_head_has_the_same_bits_on_any_number_of_ranks)
{
    static const int ranks[] = {2, 3};
    char one[17], other[17];
    renew(one, 0, "on-one", _i, NULL);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        renew(other, ranks[i], "on-several", _i, NULL);
        ck_assert_str_eq(other, one);
    }
}
END_TEST

START_TEST(a_frozen_body_keeps_its_bits_while_the_new_head_learns)
{
    static const struct {
        int variant;
        const char *freeze;
    } cases[] = {{0, "train.freeze=[!h]*"}, {5, "train.freeze=embedding.* rnn.* attention.* decoder.[!e]*"}};
    int v = cases[_i].variant;
    char hash[17], begun[48];
    renew(hash, 2, "frozen", v, cases[_i].freeze);
    snprintf(begun, sizeof begun, "begun-%d/best.h5", v);
    for (int i = 0; i < 4 && variants[v].body[i]; i++)
        ck_assert_msg(
            is_same(begun, "frozen/best.h5", variants[v].body[i]), "%s has changed", variants[v].body[i]);
    for (int i = 0; i < 4 && variants[v].head[i]; i++)
        ck_assert_msg(!is_same("frozen" FIRST, "frozen/best.h5", variants[v].head[i]), "%s has not changed",
            variants[v].head[i]);
}
END_TEST

/* Neither option is given again. */
START_TEST(killed_a_run_goes_on_with_its_new_head)
{
    char whole[17], hash[17];
    struct command_process process;
    struct command_result result;
    renew(whole, 0, "whole", 0, NULL);
    job_start(&process, 2, "then-0.ini", "killed", "--init", job_path("begun-0/best.h5"), "--new-head", NULL);
    while (job_metrics_rows("killed") < 2 && command_processes(&process, NULL, 0))
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    command_kill(&process);
    command_wait(&process, &result);
    command_result_finish(&result);
    job_finish(hash, 3, "then-0.ini", "killed", NULL);
    ck_assert_str_eq(hash, whole);
}
END_TEST

static void expect_in(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

START_TEST(what_begins_afresh_is_told)
{
    struct command_result result;
    char begun[1000];
    snprintf(begun, sizeof begun, "%s", job_path("begun-5/best.h5"));
    job_run(&result, 2, "then-5.ini", "told", "-v", "--init", begun, "--new-head", NULL);
    job_expect(&result, 0);
    expect_in(result.errors,
        "begun-5/best.h5: all weights are taken from it but decoder.embedding.weight, "
        "head.weight, head.bias, which begin afresh");
    command_result_finish(&result);
    job_run(&result, 0, "then-5.ini", "told", "--plan", "-v", "--init", begun, "--new-head", "-s",
        "train.freeze=decoder.*", NULL);
    job_expect(&result, 0);
    expect_in(result.output,
        "with --new-head these begin afresh: decoder.embedding.weight, head.weight, head.bias\n");
    expect_in(result.output, " [4], afresh\n");
    expect_in(result.output,
        "warning: train.freeze: decoder.embedding.weight: begins afresh with --new-head and "
        "is never learned: leave it out");
    command_result_finish(&result);
    job_run(&result, 2, "then-5.ini", "told-try", "--try", "-v", "--init", begun, "--new-head", NULL);
    job_expect(&result, 0);
    expect_in(result.errors, "which begin afresh");
    ck_assert(!job_exists("told-try"));
    command_result_finish(&result);
}
END_TEST

START_TEST(frozen_and_fresh_is_warned_of)
{
    static const char *const ways[] = {"--check", "--try", "-q"};
    struct command_result result;
    job_run(&result, _i, "then-0.ini", "frozen-fresh", ways[_i], "--init", job_path("begun-0/best.h5"),
        "--new-head", "-s", "train.freeze=head.*", NULL);
    job_expect(&result, 0);
    expect_in(result.errors,
        "warning: train.freeze: head.weight, head.bias: begin afresh with --new-head and "
        "are never learned: leave them out");
    command_result_finish(&result);
}
END_TEST

/* What does not fit is refused by the run, by --check and by --plan, with a line that names it. */
START_TEST(a_body_that_does_not_fit_is_refused)
{
    static const char all_but[] = "all but the head has to fit: give the data and the keys";
    static const struct {
        const char *begun, *then, *set, *part, *more;
    } cases[] = {
        {"begun-0", "then-0", "model.hidden=12", "rnn.weight_ih_l0 is [44, 4] where the model has [48, 4]",
            all_but},
        {"begun-0", "then-0", "model.cell=gru", "has model.cell = lstm where the configuration has gru",
            "set model.cell = lstm"},
        {"begun-0", "then-0", "model.residual=yes", "has model.residual = no where the configuration has yes",
            "set model.residual = no"},
        {"begun-0", "then-0", "model.layers=3",
            "has no more parameters but the head where the model has norm.2.weight", all_but},
        {"begun-0", "then-0", "model.normalize=no", "has norm.1.weight where the model has ", all_but},
        {"begun-0", "then-0", "model.bidirectional=no", "has rnn.weight_ih_l0_reverse where the model has ",
            all_but},
        {"begun-0", "then-4", "model.embedding=0", "takes features where the training set has symbols",
            "give data of the inputs"},
        {"begun-1", "then-1", "model.output_layers=8",
            "output.0.weight is [7, 22] where the model has [8, 22]", all_but},
        {"begun-4", "then-5", "model.decoder_layers=1",
            "has no more parameters but the head where the model has "
            "decoder.start.0.weight",
            all_but},
        {"begun-5", "then-4", "train.lr=0.1", "has decoder.start.0.weight where the model has no more",
            all_but},
        {"begun-5", "then-5", "model.attention=dot", "has attention.query.weight where the model has ",
            all_but},
    };
    static const char *const ways[] = {"-q", "--check", "--plan"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_result result;
        char file[40], begun[48];
        snprintf(file, sizeof file, "%s.ini", cases[i].then);
        snprintf(begun, sizeof begun, "%s/best.h5", cases[i].begun);
        job_run(&result, i % 4 == 0 ? 2 : 0, file, "refused", ways[_i], "-s", cases[i].set, "--init",
            job_path(begun), "--new-head", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, begun, cases[i].part, cases[i].more, NULL);
        command_result_finish(&result);
        ck_assert_int_eq(job_count("refused", "checkpoint-"), 0);
    }
}
END_TEST

/* Names and shapes of parameters are the same, what the network computes with them is not. */
START_TEST(shapes_that_fit_are_not_enough)
{
    static const char *const ways[] = {"-q", "--check", "--plan"};
    static const struct {
        const char *file, *first, *then[3], *part, *more;
    } cases[] = {
        {"first-0.ini", "model.cell=rnn", {"model.cell=rnn-relu"},
            "has model.cell = rnn where the configuration has rnn-relu", "set model.cell = rnn"},
        {"first-0.ini", "model.residual=yes", {"model.residual=no"},
            "has model.residual = yes where the configuration has no", "set model.residual = yes"},
        {"first-5.ini", "model.embedding=0",
            {"model.embedding=0", "data.train=six-train.h5", "data.valid=six-valid.h5"},
            "takes symbols where the training set has features", "give data of the inputs"},
    };
    struct sample_shape six = words;
    struct command_result result;
    char hash[17];
    six.features = six.symbols;
    six.symbols = 0;
    write_set("six", six, 21);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        job_finish(hash, 0, cases[i].file, "shapes-begun", "--fresh", "-s", cases[i].first, NULL);
        const char *const *then = cases[i].then, *more = then[1] ? "-s" : NULL;
        job_run(&result, 0, cases[i].file, "shapes-then", ways[_i], "--init",
            job_path("shapes-begun/best.h5"), "-s", then[0], more, then[1], more, then[2], NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "shapes-begun/best.h5", cases[i].part, cases[i].more, NULL);
        command_result_finish(&result);
        ck_assert_int_eq(job_count("shapes-then", "checkpoint-"), 0);
    }
}
END_TEST

START_TEST(without_the_option_it_is_named_where_it_would_help)
{
    static const char *const ways[] = {"-q", "--check", "--plan"};
    struct command_result result;
    job_run(&result, 0, "then-0.ini", "hint", ways[_i], "--init", job_path("begun-0/best.h5"), NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "head.weight is [5, 22] where the model has [3, 22]", "another model",
        "all but the head fits: give --new-head too", NULL);
    command_result_finish(&result);
    job_run(&result, 0, "then-0.ini", "hint", ways[_i], "--init", job_path("begun-0/best.h5"), "-s",
        "model.hidden=9", NULL);
    job_expect(&result, 65);
    ck_assert_ptr_null(strstr(result.errors, "--new-head"));
    command_result_finish(&result);
}
END_TEST

START_TEST(the_option_alone_is_a_usage_error)
{
    static const char *const ways[] = {"--fresh", "--check", "--plan", "--try"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct command_result result;
        job_run(
            &result, i == 0 ? job_most_tellers(2) : 0, "then-0.ini", "alone", ways[i], "--new-head", NULL);
        job_expect(&result, 2);
        job_complains(&result, 1, "--new-head without --init", NULL);
        command_result_finish(&result);
    }
    ck_assert(!job_exists("alone"));
}
END_TEST

START_TEST(ranks_that_differ_in_the_option_are_refused)
{
    struct command_result result;
    const char *mpirun = getenv("MPIRUN");
    command_call(&result, JOB_SECONDS, mpirun ? mpirun : "mpirun", "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0
        "; then exec $RNN_TRAIN -o $0-run --init $1 $0; else exec $RNN_TRAIN -o $0-run --init $1 --new-head "
        "$0; fi",
        job_path("then-0.ini"), job_path("begun-0/best.h5"), NULL);
    job_expect(&result, 2);
    job_complains(
        &result, 1, "the options differ: rank 1 on ", " has --new-head yes, rank 0 has --new-head no", NULL);
    command_result_finish(&result);
}
END_TEST

/* ---- names ---- */

static void write_named(const char *name, const struct sample_shape *shape, const char *const *feature_names,
    const char *const *class_names)
{
    struct sample sample;
    sample_init(&sample, shape, 1);
    struct h5_image *image = sample_image(&sample, NULL);
    h5_image_texts(image, "feature_names", 4, feature_names);
    h5_image_texts(image, "class_names", (size_t)shape->classes, class_names);
    sample_save(image, job_path(name));
    sample_finish(&sample);
}

/* The network's new classes are called as the new data has them. */
START_TEST(names_of_inputs_are_compared_and_those_of_classes_come_from_the_new_data)
{
    static const char *const features[] = {"w", "x", "y", "z"}, *const turned[] = {"z", "y", "x", "w"},
                             *const five[] = {"a", "b", "c", "d", "e"}, *const three[] = {"l", "m", "n"};
    struct sample_shape shape = frames;
    struct command_result result;
    char hash[17], begun[1000];
    write_named("named-train.h5", &shape, features, five);
    write_named("named-valid.h5", &shape, features, five);
    write_config("named", "named", "output = frame\n", 1);
    job_finish(hash, 0, "named.ini", "named", NULL);
    snprintf(begun, sizeof begun, "%s", job_path("named/best.h5"));
    shape.classes = 3;
    write_named("renamed-train.h5", &shape, features, three);
    write_named("renamed-valid.h5", &shape, features, three);
    write_named("turned-train.h5", &shape, turned, three);
    write_config("renamed", "renamed", "output = frame\n", 1);
    for (int checks = 1; checks >= 0; checks--) {
        job_run(&result, 2, "renamed.ini", "renamed", checks ? "--check" : "-q", "--init", begun,
            "--new-head", NULL);
        job_expect(&result, 0);
        ck_assert_msg(strstr(result.errors, "names") == NULL, "%s", result.errors);
        command_result_finish(&result);
        job_run(&result, 0, "renamed.ini", "turned", checks ? "--check" : "-q", "--init", begun, "--new-head",
            "-s", "data.train=turned-train.h5", "-s", "data.valid=", NULL);
        job_expect(&result, 0);
        expect_in(result.errors, "warning: ");
        expect_in(result.errors, "best.h5: was trained on other names: ");
        expect_in(
            result.errors, "/turned-train.h5: feature_names: row 0 is \"z\" where the network has \"w\"");
        command_result_finish(&result);
    }
    command_call(
        &result, JOB_SECONDS, "h5dump", "-d", "/data/class_names", job_path("renamed/best.h5"), NULL);
    expect_in(result.output, "\"l\", \"m\", \"n\"");
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("new-head");
    TCase *cases = tcase_create("new-head");
    tcase_add_unchecked_fixture(cases, begin_all, NULL);
    tcase_set_timeout(cases, 150);
    tcase_add_loop_test(
        cases, the_body_begins_with_the_bits_of_the_other_and_the_head_with_those_of_the_seed, 0, VARIANTS);
    tcase_add_loop_test(cases, a_new_head_has_the_same_bits_on_any_number_of_ranks, 0, VARIANTS);
    tcase_add_loop_test(cases, a_frozen_body_keeps_its_bits_while_the_new_head_learns, 0, 2);
    tcase_add_test(cases, killed_a_run_goes_on_with_its_new_head);
    tcase_add_test(cases, what_begins_afresh_is_told);
    tcase_add_loop_test(cases, frozen_and_fresh_is_warned_of, 0, 3);
    tcase_add_loop_test(cases, a_body_that_does_not_fit_is_refused, 0, 3);
    tcase_add_loop_test(cases, shapes_that_fit_are_not_enough, 0, 3);
    tcase_add_loop_test(cases, without_the_option_it_is_named_where_it_would_help, 0, 3);
    tcase_add_test(cases, the_option_alone_is_a_usage_error);
    tcase_add_test(cases, ranks_that_differ_in_the_option_are_refused);
    tcase_add_test(cases, names_of_inputs_are_compared_and_those_of_classes_come_from_the_new_data);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
