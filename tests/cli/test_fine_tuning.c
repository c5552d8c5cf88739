/* Fine-tuning, seen from outside: what is frozen keeps its bits whatever else the run does, with the same
 * bits on any number of ranks and after a kill; and what is said of patterns that do not do what was meant.
 */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char config[] = "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n"
                             "[model]\noutput = %s\nhidden = 11\nlayers = 3\n%s"
                             "[train]\nbatch = 9\nmicrobatch = 3\nepochs = 2\nlr = 0.01\n"
                             "[checkpoint]\nevery = 1 step\nkeep = 2\n";

static void write_set(const char *name, struct sample_shape shape, uint64_t seed)
{
    char file[64];
    snprintf(file, sizeof file, "%s-train.h5", name);
    job_write_sample(file, &shape, seed);
    shape.sequences = 10;
    snprintf(file, sizeof file, "%s-valid.h5", name);
    job_write_sample(file, &shape, seed + 1);
}

static void write_config(const char *file, const char *data, const char *output, const char *more)
{
    char text[1000];
    snprintf(text, sizeof text, config, data, data, output, more);
    job_write_text(file, text);
}

/* "begun-..." are runs of one epoch, whose weights others begin with. */
static void begin(const char *file, const char *run)
{
    struct command_result result;
    job_run(&result, 0, file, run, "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}

static void write_all(void)
{
    struct sample_shape frame = {
        .sequences = 31, .shortest = 1, .longest = 30, .features = 4, .kind = SAMPLE_PER_FRAME, .classes = 4};
    struct sample_shape labels = frame;
    labels.kind = SAMPLE_ANY;
    labels.features = 0;
    labels.symbols = 6;
    write_set("frame", frame, 1);
    write_set("labels", labels, 3);
    write_config("frame.ini", "frame", "frame", "normalize = yes\nresidual = yes\ninput_layers = 7\n");
    write_config("indrnn.ini", "frame", "frame", "cell = indrnn\n");
    write_config("labels.ini", "labels", "decoder", "embedding = 5\n");
    begin("frame.ini", "begun-frame");
    begin("indrnn.ini", "begun-indrnn");
    begin("labels.ini", "begun-labels");
}

/* Is the parameter the same in both checkpoints? */
static int is_same(const char *one, const char *other, const char *name)
{
    struct command_result result;
    char set[100];
    snprintf(set, sizeof set, "/model/%s", name);
    command_call(&result, JOB_SECONDS, "h5diff", job_path(one), job_path(other), set, NULL);
    ck_assert_msg(result.status == 0 || result.status == 1, "%s: %s", set, result.errors);
    int same = result.status == 0;
    command_result_finish(&result);
    return same;
}

/* What could change a frozen weight if it were forgotten: decay, noise, clipping, a bound, another optimizer,
 * pieces, dropout; and a frozen part of a layer beside one that is trained. */
static const struct {
    const char *name, *freeze, *set[4];
    const char *frozen[3], *trained[3];
} variants[] = {
    {"frame", "input.* rnn.*_l0* norm.1.*",
        {"train.optimizer=adamw", "train.weight_decay=0.1", "train.weight_noise=0.02", "train.clip=0.05"},
        {"input.0.weight", "rnn.weight_hh_l0_reverse", "norm.1.bias"},
        {"rnn.weight_ih_l1", "norm.2.weight", "head.bias"}},
    {"frame", "*.weight_hh_*,norm.2.weight",
        {"train.optimizer=momentum", "train.weight_decay=0.1", "train.rate_of=head.* 3 norm.* 0.1",
            "train.activation_memory=2400 KiB"},
        {"rnn.weight_hh_l0", "rnn.weight_hh_l2_reverse", "norm.2.weight"},
        {"rnn.weight_ih_l0", "norm.2.bias", "head.weight"}},
    {"frame", "[!h]*", {"model.dropout=0.3", "model.recurrent_dropout=0.2", "train.optimizer=rmsprop", NULL},
        {"input.0.bias", "rnn.weight_ih_l0", "rnn.bias_hh_l2"}, {"head.weight", "head.bias", NULL}},
    {"indrnn", "rnn.*_l[02]*",
        {"model.recurrent_max=0.2", "train.optimizer=sgd", "train.weight_decay=0.1", NULL},
        {"rnn.u_l0", "rnn.u_l2_reverse", "rnn.weight_ih_l2"},
        {"rnn.u_l1", "rnn.weight_ih_l1", "head.weight"}},
    {"labels", "embedding.* rnn.*", {"train.weight_noise=0.02", "train.optimizer=adamw", NULL, NULL},
        {"embedding.weight", "rnn.weight_ih_l0", "rnn.bias_hh_l2_reverse"},
        {"decoder.embedding.weight", "attention.key.weight", "decoder.start.0.weight"}},
    {"labels", "decoder.* attention.* rnn.*_l0*", {"train.clip=0.01", NULL, NULL, NULL},
        {"decoder.rnn.weight_hh_l0", "attention.energy.weight", "rnn.weight_ih_l0"},
        {"embedding.weight", "rnn.weight_ih_l1", "head.weight"}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void tune(char hash[static 17], int ranks, const char *run, int v)
{
    char file[64], begun[64], freeze[128];
    const char *const *set = variants[v].set;
    snprintf(file, sizeof file, "%s.ini", variants[v].name);
    snprintf(begun, sizeof begun, "begun-%s/best.h5", variants[v].name);
    snprintf(freeze, sizeof freeze, "train.freeze=%s", variants[v].freeze);
    job_finish(hash, ranks, file, run, "--fresh", "--init", job_path(begun), "-s", freeze,
        set[0] ? "-s" : NULL, set[0], set[1] ? "-s" : NULL, set[1], set[2] ? "-s" : NULL, set[2],
        set[3] ? "-s" : NULL, set[3], NULL);
}

START_TEST(what_is_frozen_keeps_its_bits_on_any_number_of_ranks)
{
    static const int ranks[] = {2, 3, 6}; /* of the last there are teams */
    char one[17], other[17], begun[64];
    snprintf(begun, sizeof begun, "begun-%s/best.h5", variants[_i].name);
    tune(one, 0, "tuned", _i);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        tune(other, ranks[i], "tuned-too", _i);
        ck_assert_str_eq(other, one);
    }
    for (size_t i = 0; i < 3; i++) {
        const char *frozen = variants[_i].frozen[i], *trained = variants[_i].trained[i];
        ck_assert_msg(is_same(begun, "tuned/best.h5", frozen), "%s has changed", frozen);
        ck_assert_msg(!trained || !is_same(begun, "tuned/best.h5", trained), "%s has not changed", trained);
    }
}
END_TEST

/* What is frozen is not said again when the run goes on. */
START_TEST(killed_a_run_goes_on_with_what_it_froze)
{
    char whole[17], hash[17];
    tune(whole, 0, "whole", 0);
    for (int life = 0; life < 2; life++) {
        struct command_process process;
        struct command_result result;
        if (life == 0)
            job_start(&process, 2, "frame.ini", "killed", "--init", job_path("begun-frame/best.h5"), "-s",
                "train.freeze=input.* rnn.*_l0* norm.1.*", "-s", "train.optimizer=adamw", "-s",
                "train.weight_decay=0.1", "-s", "train.weight_noise=0.02", "-s", "train.clip=0.05", NULL);
        else
            job_start(&process, 3, "frame.ini", "killed", NULL);
        while (job_metrics_rows("killed") < 2 + 2 * life && command_processes(&process, NULL, 0))
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        command_kill(&process);
        command_wait(&process, &result);
        command_result_finish(&result);
    }
    job_finish(hash, 3, "frame.ini", "killed", NULL);
    ck_assert_str_eq(hash, whole);
}
END_TEST

START_TEST(another_list_is_refused_where_a_run_goes_on)
{
    struct command_result result;
    char hash[17];
    tune(hash, 0, "going", 2);
    job_run(&result, 0, "frame.ini", "going", "-s", "train.freeze=rnn.*", "-s", "train.epochs=3", NULL);
    job_expect(&result, 65);
    job_complains(&result, 2, "train.freeze = rnn.*, but the run was started with [!h]*", "--init", NULL);
    command_result_finish(&result);
}
END_TEST

/* How many parameters are trained is told where some are not. */
START_TEST(what_is_trained_is_counted_in_lines_and_plan)
{
    struct command_result result;
    char trained[64];
    job_run(&result, 0, "frame.ini", "counted", "-s", "train.freeze=[!h]*", "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    job_field(result.output, "epoch=1 ", "trained", trained);
    ck_assert_str_eq(trained, "92"); /* of 2 x 11 inputs and a bias for each of 4 classes */
    command_result_finish(&result);
    job_run(&result, 0, "frame.ini", "planned", "--plan", "-v", "-s", "train.freeze=[!h]*", "-s",
        "train.rate_of=head.bias 0.5", NULL);
    job_expect(&result, 0);
    const char *const parts[] = {
        "of which 92 are trained and ", " [4, 22]\n", " [4], 0.5 times the rate\n", " [44, 7], frozen\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(result.output, parts[i]) != NULL, "no '%s' in %s", parts[i], result.output);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_pattern_that_does_nothing_is_refused_by_start_check_and_plan)
{
    static const struct {
        const char *set, *part;
    } cases[] = {
        {"train.freeze=rnn.wieght_*",
            "train.freeze: no parameter has a name like 'rnn.wieght_*'; the nearest is "
            "rnn.weight_ih_l0: correct it"},
        {"train.freeze=norm.1.weigt", "the nearest is norm.1.weight"},
        {"train.freeze=rnn.*_l7*", "no parameter has a name like 'rnn.*_l7*'"},
        {"train.freeze=RNN.*", "no parameter has a name like 'RNN.*'"},
        {"train.freeze=rnn.[", "no parameter has a name like 'rnn.['"},
        {"train.freeze=a\nb", "no parameter has a name like 'a?b'"},
        {"train.freeze=*", "tensors are frozen, so that there is nothing to train: leave some of them out"},
        {"train.freeze=rnn.* norm.* input.* head.*", "tensors are frozen"},
        {"train.rate_of=had.* 0.1",
            "train.rate_of: no parameter has a name like 'had.*'; the nearest is head."},
        {"train.rate_of=head.bias 0.1 head.* 2",
            "train.rate_of: all that 'head.bias' matches is frozen, or has"},
        {"train.rate_of=head.*", "no number behind the last pattern"},
        {"train.rate_of=head.* 0", "out of range"},
        {"train.rate_of=0.1 head.*", "not a number"},
    };
    static const char *const ways[] = {NULL, "--check", "--plan"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_result result;
        int ranks = i % 5 == 0 ? 2 : 0;
        job_run(&result, ranks, "frame.ini", "refused", "-s", cases[i].set, ways[i % 3], NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, cases[i].part, NULL);
        command_result_finish(&result);
        ck_assert_int_eq(job_count("refused", "checkpoint-"), 0);
    }
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("fine-tuning");
    TCase *cases = tcase_create("fine-tuning");
    tcase_add_unchecked_fixture(cases, write_all, NULL);
    tcase_set_timeout(cases, 150);
    tcase_add_loop_test(cases, what_is_frozen_keeps_its_bits_on_any_number_of_ranks, 0, VARIANTS);
    tcase_add_test(cases, killed_a_run_goes_on_with_what_it_froze);
    tcase_add_test(cases, another_list_is_refused_where_a_run_goes_on);
    tcase_add_test(cases, what_is_trained_is_counted_in_lines_and_plan);
    tcase_add_test(cases, a_pattern_that_does_nothing_is_refused_by_start_check_and_plan);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
