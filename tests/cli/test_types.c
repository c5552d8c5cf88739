/* Every type of network, with all the options it can have, from outside: the same bits at any number of
 * ranks, after a stop in the middle of an epoch, and of what rnn-predict says and writes. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 45 sequences are 3 steps an epoch, the last of 13 sequences in 7 grains. */
enum { STEPS = 3, EPOCHS = 2 };

/* What nets of several layers can have, whatever they put out. */
#define DEEP                                                                                                 \
    "layers = 3\nresidual = yes\nnormalize = yes\ntransition_layers = 1\ninput_layers = 5, 4\n"              \
    "output_layers = 7\ninitial_state = learned\nrecurrent_dropout = 0.2\n"
#define TWO "layers = 2\nrecurrent_dropout = 0.3\n"
#define NOISE "weight_noise = 0.02\n"
#define SMOOTH "label_smoothing = 0.1\n"

static const struct type {
    const char *name;
    struct sample_shape shape;
    const char *model, *train; /* lines of these sections, and of [data] */
    const char *data;
    int searches; /* 1: rnn-predict may be given a beam */
} types[] = {
    {"one-to-one", {.shortest = 1, .longest = 1, .features = 4, .kind = SAMPLE_PER_FRAME, .classes = 3},
        "output = frame\nlayers = 0\ninput_layers = 6\noutput_layers = 5\n",
        NOISE SMOOTH "input_noise = 0.3\nclass_weights = 1, 0.5, 2\n", "standardize = yes\n", 0},
    {"one-to-many", {.shortest = 1, .longest = 1, .symbols = 9, .kind = SAMPLE_ANY, .classes = 4},
        "output = decoder\nattention = none\ncell = gru\nembedding = 5\n" TWO, NOISE SMOOTH, "", 1},
    {"one-to-many-values", {.shortest = 1, .longest = 1, .features = 3, .kind = SAMPLE_THREE, .values = 2},
        "output = decoder\nattention = none\nloss = mse\ncell = rnn\n" TWO, NOISE "input_noise = 0.1\n", "",
        0},
    {"many-to-one", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
        "output = sequence\npeepholes = yes\n" DEEP, NOISE SMOOTH "input_noise = 0.2\n",
        "standardize = yes\n", 0},
    {"frames", {.shortest = 1, .longest = 14, .symbols = 7, .kind = SAMPLE_PER_FRAME_OFFSETS, .classes = 3},
        "output = frame\ncell = gru\nembedding = 5\n" DEEP, NOISE SMOOTH "class_weights = 0.5, 1, 3\n", "",
        0},
    {"frames-values", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_PER_FRAME, .values = 3},
        "output = frame\nloss = huber\ncell = rnn-relu\nbidirectional = no\n" TWO,
        NOISE "input_noise = 0.1\nhuber_delta = 0.5\n", "standardize = yes\n", 0},
    {"ctc", {.shortest = 5, .longest = 14, .features = 4, .kind = SAMPLE_ANY, .classes = 3},
        "output = ctc\npeepholes = yes\n" DEEP, NOISE "input_noise = 0.2\n", "standardize = yes\n", 1},
    {"ctc-symbols", {.shortest = 5, .longest = 14, .symbols = 8, .kind = SAMPLE_THREE, .classes = 4},
        "output = ctc\ncell = gru\n" TWO, NOISE, "", 1},
    {"decoder-additive", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_ANY, .classes = 3},
        "output = decoder\npeepholes = yes\ndecoder_layers = 2\ndecoder_hidden = 5\ndecoder_embedding = 3\n"
        "attention_size = 7\n" DEEP,
        NOISE SMOOTH "input_noise = 0.2\nclass_weights = 1, 0.5, 2\n", "standardize = yes\n", 1},
    {"decoder-dot", {.shortest = 1, .longest = 14, .symbols = 7, .kind = SAMPLE_ANY, .classes = 5},
        "output = decoder\nattention = dot\ncell = gru\nbidirectional = no\n" TWO, NOISE SMOOTH, "", 1},
    {"decoder-none", {.shortest = 1, .longest = 14, .features = 3, .kind = SAMPLE_ANY, .classes = 3},
        "output = decoder\nattention = none\ncell = rnn-relu\ndecoder_layers = 2\n" TWO, NOISE SMOOTH, "", 1},
    {"decoder-values-additive",
        {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_THREE, .values = 2},
        "output = decoder\nloss = mae\n" TWO, NOISE "input_noise = 0.2\n", "standardize = yes\n", 0},
    {"decoder-values-dot", {.shortest = 1, .longest = 14, .symbols = 7, .kind = SAMPLE_THREE, .values = 2},
        "output = decoder\nattention = dot\nloss = sigmoid\ncell = gru\nembedding = 4\n" DEEP, NOISE, "", 0},
};
enum { TYPES = sizeof types / sizeof *types };

static const char *name_of(const struct type *type, const char *rest)
{
    static char room[16][128];
    static unsigned next;
    char *name = room[next++ % 16];
    snprintf(name, sizeof room[0], "%s%s", type->name, rest);
    return name;
}

static void write_type(const struct type *type)
{
    char text[1024];
    struct sample_shape shape = type->shape;
    shape.sequences = 45;
    job_write_sample(name_of(type, "-train.h5"), &shape, 1);
    shape.sequences = 13;
    job_write_sample(name_of(type, "-valid.h5"), &shape, 2);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n%s[model]\nhidden = 6\ndropout = 0.2\n%s"
        "[train]\nbatch = 16\ngrain = 2\nepochs = 2\nlr = 0.01\n%s[checkpoint]\nevery = 2 steps\nkeep = 9\n",
        type->name, type->name, type->data, type->model, type->train);
    job_write_text(name_of(type, ".ini"), text);
}

/* ---- training ---- */

static void add_line(char account[1024], const char *text, const char *beginning)
{
    char *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no line '%s...' in:\n%s", beginning, text);
    char *end = strstr(line, " checkpoint=");
    size_t n = strlen(account);
    snprintf(account + n, 1024 - n, "%.*s\n", end ? (int)(end - line) : (int)strlen(line), line);
    free(line);
}

/* Trains to the end, and copies out what does not depend on where: the lines of the epochs from `first` on,
 * which have the losses of training and validation and the hash of the weights, and the last one. */
static void train(const struct type *type, int ranks, const char *run, int first, char account[1024])
{
    struct command_result result;
    char beginning[32];
    job_run(&result, ranks, name_of(type, ".ini"), run, NULL);
    job_expect(&result, 0);
    ck_assert_msg(!*result.errors, "%s", result.errors);
    *account = 0;
    for (int epoch = first; epoch <= EPOCHS; epoch++) {
        snprintf(beginning, sizeof beginning, "epoch=%d ", epoch);
        add_line(account, result.output, beginning);
    }
    add_line(account, result.output, "finished: ");
    command_result_finish(&result);
    job_check_metrics(run, EPOCHS, STEPS, 1);
}

START_TEST(training_has_the_same_bits_at_1_2_3_and_8_ranks)
{
    static const int ranks[] = {2, 3, 8};
    const struct type *type = &types[_i];
    char alone[1024], account[1024], rest[16];
    write_type(type);
    train(type, 0, name_of(type, "-0"), 1, alone);
    ck_assert_msg(strstr(alone, " valid_loss=") && !strstr(alone, "loss=nan"), "%s", alone);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        snprintf(rest, sizeof rest, "-%d", ranks[i]);
        train(type, ranks[i], name_of(type, rest), 1, account);
        ck_assert_msg(strcmp(account, alone) == 0, "%d ranks: not\n%sbut\n%s", ranks[i], alone, account);
    }
}
END_TEST

/* As all processes were lost some time after the checkpoint of step 2, or 4, where those of later steps never
 * came to be; metrics.csv has rows beyond it. */
START_TEST(a_run_lost_within_an_epoch_ends_with_the_bits_of_no_stop)
{
    static const int ranks[] = {0, 2, 3};
    const struct type *type = &types[_i];
    char whole[1024], account[1024], run[80], file[128];
    write_type(type);
    train(type, 0, name_of(type, "-0"), EPOCHS + 1, whole);
    for (int stop = 2; stop <= 4; stop += 2) {
        snprintf(run, sizeof run, "%s-lost-%d", type->name, stop);
        job_copy(name_of(type, "-0"), run);
        for (int step = stop + 2; step <= STEPS * EPOCHS; step += 2) {
            snprintf(file, sizeof file, "%s/checkpoint-%010d.h5", run, step);
            job_remove(file);
        }
        train(type, ranks[(_i + stop / 2) % 3], run, EPOCHS, account);
        const char *finished = strstr(account, "finished: ");
        ck_assert_msg(strcmp(finished, whole) == 0, "from step %d: not\n%sbut\n%s", stop, whole, finished);
    }
}
END_TEST

/* ---- prediction ---- */

/* The line that it prints (free). */
static char *predict(const struct type *type, int ranks, const char *beam, const char *output)
{
    struct command_result result;
    const char *words[16], *mpirun = getenv("MPIRUN");
    int n = 0;
    if (ranks) {
        words[n++] = mpirun ? mpirun : "mpirun";
        words[n++] = "-np";
        words[n++] = ranks == 3 ? "3" : "1";
    }
    words[n++] = getenv("RNN_PREDICT");
    if (beam) {
        words[n++] = "--beam";
        words[n++] = beam;
    }
    words[n++] = "-o";
    words[n++] = job_path(output);
    words[n++] = job_path(name_of(type, "-0"));
    words[n++] = job_path(name_of(type, "-valid.h5"));
    words[n] = NULL;
    command_run(&(struct command){.argv = words, .seconds = JOB_SECONDS}, &result);
    job_expect(&result, 0);
    ck_assert_msg(!*result.errors, "%s", result.errors);
    char *line = job_line(result.output, "sequences=13 ", 1);
    ck_assert_msg(
        line && strstr(line, " loss=") && strlen(line) + 1 == result.output_size, "%s", result.output);
    command_result_finish(&result);
    return line;
}

static void compare_ranks(const struct type *type, const char *beam)
{
    const char *first = name_of(type, "-out-1.h5"), *second = name_of(type, "-out-3.h5");
    char *one = predict(type, 0, beam, first), *three = predict(type, 3, beam, second);
    ck_assert_str_eq(one, three);
    ck_assert_msg(job_same_file(first, second), "beam %s: other bytes", beam ? beam : "0");
    free(one);
    free(three);
}

START_TEST(predictions_have_the_same_bytes_at_1_and_3_ranks)
{
    const struct type *type = &types[_i];
    char account[1024];
    write_type(type);
    train(type, 0, name_of(type, "-0"), EPOCHS + 1, account);
    compare_ranks(type, NULL);
    if (type->searches)
        compare_ranks(type, "4");
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("types");
    TCase *tests = tcase_create("types");
    tcase_set_timeout(tests, 200);
    tcase_add_loop_test(tests, training_has_the_same_bits_at_1_2_3_and_8_ranks, 0, TYPES);
    tcase_add_loop_test(tests, a_run_lost_within_an_epoch_ends_with_the_bits_of_no_stop, 0, TYPES);
    tcase_add_loop_test(tests, predictions_have_the_same_bytes_at_1_and_3_ranks, 0, TYPES);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
