/* rnn-predict from outside: what it prints, the file it writes, and how it fails. */
#define _GNU_SOURCE /* prlimit */

#include "base/clock.h"
#include "base/hash.h"
#include "base/mathematics.h"
#include "base/memory.h"
#include "ckpt/rundir.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *program;

/* ---- jobs of rnn-predict ---- */

enum { MOST_WORDS = 24 };

/* Words that name files are given as job_path makes them; ranks 0: without mpirun. The words end with NULL.
 */
static void start(struct command_process *process, int ranks, va_list words)
{
    const char *argv[MOST_WORDS + 6], *mpirun = getenv("MPIRUN");
    char count[16];
    int n = 0;
    snprintf(count, sizeof count, "%d", ranks);
    if (ranks) {
        argv[n++] = mpirun ? mpirun : "mpirun";
        argv[n++] = "-np";
        argv[n++] = count;
    }
    argv[n++] = program;
    do
        argv[n] = va_arg(words, const char *);
    while (argv[n++] && n < MOST_WORDS + 5);
    argv[n] = NULL;
    command_start(&(struct command){.argv = argv, .seconds = JOB_SECONDS}, process);
}

static void predict_start(struct command_process *process, int ranks, ...)
{
    va_list words;
    va_start(words, ranks);
    start(process, ranks, words);
    va_end(words);
}

static void predict(struct command_result *result, int ranks, ...)
{
    struct command_process process;
    va_list words;
    va_start(words, ranks);
    start(&process, ranks, words);
    va_end(words);
    command_wait(&process, result);
}

/* It fails with this code and one line of its own that holds the text. */
static void expect_failure(struct command_result *result, int code, const char *text)
{
    job_expect(result, code);
    int lines = job_count_lines(result->errors, "rnn-predict: ");
    ck_assert_msg(lines == 1, "%d lines, not one: %s", lines, result->errors);
    char *line = job_line(result->errors, "rnn-predict: ", 1);
    ck_assert_msg(strstr(line, text) != NULL, "wanted '%s' in: %s", text, line);
    ck_assert_msg(strstr(result->output, "sequences=") == NULL, "%s", result->output);
    free(line);
    command_result_finish(result);
}

#define EXPECT_FAILURE(code, text, ranks, ...)                                                               \
    do {                                                                                                     \
        struct command_result failed_;                                                                       \
        predict(&failed_, ranks, __VA_ARGS__, (char *)NULL);                                                 \
        expect_failure(&failed_, code, text);                                                                \
    } while (0)

/* What it prints on standard output, which is one line (free), behind those of progress where the machine is
 * slow. */
static char *expect_line(struct command_result *result)
{
    static const char progress[] = " left\n";
    job_expect(result, 0);
    ck_assert_str_eq(result->errors, "");
    const char *rest = result->output;
    for (const char *at = rest; (at = strstr(at, progress)) != NULL;)
        rest = at += strlen(progress);
    char *line = job_line(rest, "sequences=", 1);
    ck_assert_msg(line && strlen(line) + 1 == strlen(rest), "not one line: %s", result->output);
    command_result_finish(result);
    return line;
}

/* Files in the folder whose names begin so, the hidden ones of a file being written among them. */
static int count_files(const char *name)
{
    char hidden[128];
    snprintf(hidden, sizeof hidden, ".%s", name);
    return job_count(".", name) + job_count(".", hidden);
}

/* ---- networks ---- */

struct kind {
    const char *name;
    struct sample_shape shape;
    const char *model; /* lines of [model] */
    const char *data;  /* lines of [data] */
};

static const struct kind kinds[] = {
    {"frames",
        {.sequences = 45,
            .shortest = 1,
            .longest = 30,
            .features = 5,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4,
            .names = 1},
        "output = frame\nloss = softmax\n", "standardize = yes\n"},
    {"sequences",
        {.sequences = 45,
            .shortest = 1,
            .longest = 30,
            .symbols = 7,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 3},
        "output = sequence\nloss = softmax\ncell = gru\nembedding = 6\n", ""},
    {"values",
        {.sequences = 45,
            .shortest = 1,
            .longest = 30,
            .features = 2,
            .kind = SAMPLE_PER_FRAME_OFFSETS,
            .values = 3,
            .names = 1},
        "output = frame\nloss = mse\nlayers = 1\n", ""},
    {"sigmoid",
        {.sequences = 45,
            .shortest = 1,
            .longest = 30,
            .symbols = 7,
            .kind = SAMPLE_PER_SEQUENCE,
            .values = 3,
            .shares = 1},
        "output = sequence\nloss = sigmoid\ncell = rnn\nbidirectional = no\n", "standardize = yes\n"},
};
enum { KINDS = 4 };

/* An error of real values there is not, and its field is left out: "none". */
static void take_error(const char *text, const char *beginning, const char *name, char error[64])
{
    snprintf(error, 64, "none");
    if (job_has_field(text, beginning, name))
        job_field(text, beginning, name, error);
}

/* Two epochs into the run directory NAME, on NAME-train.h5, validated on NAME-valid.h5. The path of the last
 * checkpoint, and what validation came to, into the arrays. */
static void train(const struct kind *kind, char checkpoint[512], char loss[64], char error[64])
{
    char train[64], valid[64], config[64], text[1024];
    struct sample_shape shape = kind->shape;
    struct command_result result;
    snprintf(train, sizeof train, "%s-train.h5", kind->name);
    snprintf(valid, sizeof valid, "%s-valid.h5", kind->name);
    snprintf(config, sizeof config, "%s.ini", kind->name);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s\nvalid = %s\n%s[model]\nhidden = 33\n%s[train]\nbatch = 20\nmicrobatch = 4\n"
        "epochs = 2\nlr = 0.01\n",
        train, valid, kind->data, kind->model);
    job_write_sample(train, &shape, 1);
    shape.sequences = 37;
    job_write_sample(valid, &shape, 2);
    job_write_text(config, text);
    job_run(&result, 0, config, kind->name, "--fresh", NULL);
    job_expect(&result, 0);
    char *line = job_line(result.output, "finished: ", 1);
    job_field(result.output, "epoch=2 ", "valid_loss", loss);
    take_error(result.output, "epoch=2 ", "valid_error", error);
    snprintf(checkpoint, 512, "%s", strstr(line, " checkpoint=") + strlen(" checkpoint="));
    free(line);
    command_result_finish(&result);
}

static const char *path_of(const struct kind *kind, const char *rest)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", kind->name, rest);
    return job_path(name);
}

/* ---- what it says and writes ---- */

START_TEST(evaluation_is_what_validation_said)
{
    const struct kind *kind = &kinds[_i];
    char checkpoint[512], loss[64], error[64], found[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    predict(&result, 2, checkpoint, path_of(kind, "-valid.h5"), NULL);
    job_field(result.output, "sequences=", "loss", found);
    ck_assert_str_eq(found, loss);
    take_error(result.output, "sequences=", "error", found);
    ck_assert_str_eq(found, error);
    ck_assert_int_eq(job_count_lines(result.output, "sequences=37 frames="), 1);
    free(expect_line(&result));
}
END_TEST

/* How many ranks, and further options. The 37 sequences are 10 microbatches of 4, and one of 1000: it is
 * computed by a team of all ranks that find units to share, 3 in each direction. */
static const struct {
    int ranks;
    const char *option, *value;
} ways[] = {{1, NULL, NULL}, {2, NULL, NULL}, {3, NULL, NULL}, {7, NULL, NULL}, {0, "--batch", "1"},
    {2, "--batch", "5"}, {2, "--batch", "1000"}, {3, "--batch", "1000"}, {4, "--batch", "1000"},
    {8, "--batch", "1000"}, {8, "--batch", "10"}, {0, "--cache", "0"}, {3, "--cache", "0"}};

START_TEST(ranks_batch_and_cache_change_no_bit)
{
    const struct kind *kind = &kinds[_i];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-first.h5"), NULL);
    char *first = expect_line(&result);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char one[64], other[64];
        snprintf(one, sizeof one, "%s-first.h5", kind->name);
        snprintf(other, sizeof other, "%s-other.h5", kind->name);
        predict(&result, ways[i].ranks, checkpoint, path_of(kind, "-valid.h5"), "-o", job_path(other),
            ways[i].option, ways[i].value, NULL);
        char *line = expect_line(&result);
        ck_assert_str_eq(line, first);
        ck_assert_msg(job_same_file(one, other), "%d ranks, %s %s: another file", ways[i].ranks,
            ways[i].option ? ways[i].option : "", ways[i].value ? ways[i].value : "");
        ck_assert_int_eq(count_files(other), 1);
        free(line);
    }
    free(first);
}
END_TEST

/* Each cell, with what a layer can have besides, on a team and on the ranks of two nodes, one of which has a
 * team. */
static const char *const teamed[] = {
    "output = frame\ncell = lstm\npeepholes = yes\nresidual = yes\n",
    "output = frame\ncell = gru\nbidirectional = no\nnormalize = yes\n",
    "output = frame\ncell = rnn\ntransition_layers = 1\noutput_layers = 20\n",
    "output = frame\ncell = rnn-relu\ninput_layers = 20\ninitial_state = learned\n",
};
enum { TEAMED = sizeof teamed / sizeof *teamed };

/* The same curves as the run that wrote the checkpoint measured, on any number of ranks. */
START_TEST(gradient_flow_is_what_the_run_said)
{
    const struct kind *kind = &kinds[_i];
    char checkpoint[512], loss[64], error[64], config[64], want[64], got[64], run[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    snprintf(config, sizeof config, "%s.ini", kind->name);
    snprintf(run, sizeof run, "%s-flow", kind->name);
    job_run(&result, 2, config, run, "-s", "report.gradient_flow=2", NULL);
    job_expect(&result, 0);
    job_field(result.output, "epoch=2 ", "gradient_reach", want);
    command_result_finish(&result);
    strcat(run, "/gradient_flow.csv");
    for (int ranks = 0; ranks < 6; ranks += 5) {
        predict(&result, ranks, "--gradient-flow", "-o", job_path("flow.csv"), checkpoint,
            path_of(kind, "-valid.h5"), NULL);
        job_expect(&result, 0);
        job_field(result.output, "sequences=4 ", "gradient_reach", got);
        got[strcspn(got, "\n")] = 0;
        ck_assert_str_eq(got, want);
        ck_assert(job_same_file("flow.csv", run));
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(teams_and_nodes_change_no_bit_whatever_the_cell)
{
    struct kind kind = kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    kind.model = teamed[_i];
    train(&kind, checkpoint, loss, error);
    predict(&result, 0, checkpoint, path_of(&kind, "-valid.h5"), "-o", job_path("alone.h5"), NULL);
    char *alone = expect_line(&result);
    for (int nodes = 1; nodes <= 2; nodes++) {
        if (nodes == 2)
            setenv("RNN_RANKS_PER_NODE", "3", 1);
        predict(&result, 2 + nodes, checkpoint, path_of(&kind, "-valid.h5"), "-o", job_path("teamed.h5"),
            "--batch", "20", NULL);
        char *line = expect_line(&result);
        ck_assert_str_eq(line, alone);
        ck_assert(job_same_file("alone.h5", "teamed.h5"));
        free(line);
    }
    free(alone);
}
END_TEST

/* Outputs and targets of the validation set, [rows][O]. */
struct judged {
    int64_t rows, sequences;
    size_t O;
    float *outputs, *values;
    int32_t *labels, *classes;
};

static void read_judged(const struct kind *kind, struct judged *judged)
{
    struct error error = {0};
    struct h5_shape shape;
    struct h5_file *file = h5_open(path_of(kind, "-out.h5"), 0, &error);
    struct h5_file *data = h5_open(path_of(kind, "-valid.h5"), 0, &error);
    ck_assert_msg(file && data, "%s", error.text);
    ck_assert_int_eq(h5_look(file, "outputs", &shape, &error), 0);
    ck_assert_int_eq(shape.dimensions, 2);
    *judged = (struct judged){.rows = shape.size[0], .O = (size_t)shape.size[1]};
    size_t n = (size_t)judged->rows;
    judged->outputs = memory_create(n * judged->O, sizeof(float), &error);
    ck_assert_int_eq(h5_read_floats(file, "outputs", 0, judged->rows, judged->outputs, &error), 0);
    ck_assert_int_eq(h5_has(file, "labels"), strstr(kind->model, "softmax") != NULL);
    if (kind->shape.classes) {
        judged->labels = memory_create(n, sizeof(int32_t), &error);
        judged->classes = memory_create(n, sizeof(int32_t), &error);
        ck_assert_int_eq(h5_read_int32(file, "labels", 0, judged->rows, judged->labels, &error), 0);
        ck_assert_int_eq(h5_read_int32(data, "targets", 0, judged->rows, judged->classes, &error), 0);
    } else {
        judged->values = memory_create(n * judged->O, sizeof(float), &error);
        ck_assert_int_eq(h5_read_floats(data, "targets", 0, judged->rows, judged->values, &error), 0);
    }
    ck_assert_int_eq(h5_look(data, "targets", &shape, &error), 0);
    ck_assert_int_eq(shape.size[0], judged->rows);
    h5_close(file);
    h5_close(data);
}

static void finish_judged(struct judged *judged)
{
    memory_destroy(judged->outputs);
    memory_destroy(judged->values);
    memory_destroy(judged->labels);
    memory_destroy(judged->classes);
}

/* Loss of row r, from what was written. */
static double judge_row(const struct kind *kind, const struct judged *judged, int64_t r)
{
    const float *y = judged->outputs + (size_t)r * judged->O;
    double loss = 0;
    if (judged->classes)
        return -math_log(y[judged->classes[r]]);
    for (size_t o = 0; o < judged->O; o++) {
        double target = judged->values[(size_t)r * judged->O + o];
        if (strcmp(kind->name, "values") == 0)
            loss += (y[o] - target) * (y[o] - target) / (double)judged->O;
        else
            loss -= target * math_log(y[o]) + (1 - target) * math_log(1 - (double)y[o]);
    }
    return loss;
}

START_TEST(outputs_stand_with_their_targets)
{
    const struct kind *kind = &kinds[_i];
    char checkpoint[512], loss[64], error[64], found[64];
    struct command_result result;
    struct judged judged;
    train(kind, checkpoint, loss, error);
    predict(&result, 3, checkpoint, path_of(kind, "-valid.h5"), "--batch", "2", "-o",
        path_of(kind, "-out.h5"), NULL);
    job_field(result.output, "sequences=", "loss", found);
    take_error(result.output, "sequences=", "error", error);
    free(expect_line(&result));
    read_judged(kind, &judged);
    double sum = 0, wrong = 0;
    for (int64_t r = 0; r < judged.rows; r++) {
        sum += judge_row(kind, &judged, r);
        wrong += judged.classes && judged.labels[r] != judged.classes[r];
    }
    ck_assert_double_eq_tol(sum / (double)judged.rows / atof(found), 1, 1e-5);
    if (judged.classes)
        ck_assert_double_eq_tol(wrong / (double)judged.rows, atof(error), 1e-8);
    else
        ck_assert_str_eq(error, "none");
    finish_judged(&judged);
}
END_TEST

/* The most probable class is the largest of its row. */
START_TEST(labels_name_the_largest_output)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    struct judged judged;
    train(kind, checkpoint, loss, error);
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-out.h5"), NULL);
    free(expect_line(&result));
    read_judged(kind, &judged);
    int wrong = 0;
    for (int64_t r = 0; r < judged.rows; r++) {
        const float *y = judged.outputs + (size_t)r * judged.O;
        double sum = 0;
        for (size_t o = 0; o < judged.O; o++) {
            sum += y[o];
            wrong += y[o] > y[judged.labels[r]];
        }
        wrong += fabs(sum - 1) > 1e-5;
    }
    ck_assert_int_eq(wrong, 0);
    finish_judged(&judged);
}
END_TEST

START_TEST(confusion_counts_what_classes_were_taken_for)
{
    const struct kind *kind = &kinds[_i];
    char checkpoint[512], loss[64], error_rate[64];
    struct error error = {0};
    struct command_result result;
    struct judged judged;
    int64_t found[16], expected[16] = {0}, C = kind->shape.classes;
    train(kind, checkpoint, loss, error_rate);
    predict(&result, 3, checkpoint, path_of(kind, "-valid.h5"), "--batch", "2", "-o",
        path_of(kind, "-out.h5"), NULL);
    free(expect_line(&result));
    read_judged(kind, &judged);
    for (int64_t r = 0; r < judged.rows; r++)
        expected[judged.classes[r] * C + judged.labels[r]]++;
    struct h5_file *file = h5_open(path_of(kind, "-out.h5"), 0, &error);
    ck_assert_msg(h5_read_integers(file, "confusion", 0, C, found, &error) == 0, "%s", error.text);
    ck_assert_mem_eq(found, expected, (size_t)(C * C) * sizeof *found);
    h5_close(file);
    finish_judged(&judged);
}
END_TEST

/* ---- ctc and decoder ---- */

static const struct kind transcriptions[] = {
    {"ctc", {.sequences = 45, .shortest = 6, .longest = 30, .features = 5, .kind = SAMPLE_ANY, .classes = 4},
        "output = ctc\nlayers = 1\n", ""},
    {"decoder",
        {.sequences = 45, .shortest = 1, .longest = 30, .symbols = 7, .kind = SAMPLE_ANY, .classes = 4},
        "output = decoder\nlayers = 1\ncell = gru\n", ""},
};

/* Sequences whose labels in NAME-out.h5 are not all right. */
static int count_wrong(const struct kind *kind, int64_t sequences)
{
    struct error error = {0};
    struct h5_file *data = h5_open(path_of(kind, "-valid.h5"), 0, &error);
    struct h5_file *out = h5_open(path_of(kind, "-out.h5"), 0, &error);
    int64_t begin[64], found[64], wrong = 0;
    ck_assert_int_eq(h5_read_integers(data, "target_offsets", 0, sequences + 1, begin, &error), 0);
    ck_assert_int_eq(h5_read_integers(out, "label_offsets", 0, sequences + 1, found, &error), 0);
    int64_t *right = calloc((size_t)begin[sequences] + 1, sizeof *right);
    int64_t *labels = calloc((size_t)found[sequences] + 1, sizeof *labels);
    ck_assert_int_eq(h5_read_integers(data, "targets", 0, begin[sequences], right, &error), 0);
    if (found[sequences])
        ck_assert_int_eq(h5_read_integers(out, "labels", 0, found[sequences], labels, &error), 0);
    for (int64_t s = 0; s < sequences; s++) {
        int64_t n = begin[s + 1] - begin[s];
        wrong += n != found[s + 1] - found[s] ||
            memcmp(right + begin[s], labels + found[s], (size_t)n * sizeof *right) != 0;
    }
    free(right);
    free(labels);
    h5_close(data);
    h5_close(out);
    return (int)wrong;
}

START_TEST(labels_are_written_as_they_were_judged)
{
    const struct kind *kind = &transcriptions[_i];
    char checkpoint[512], loss[64], error[64], found[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-out.h5"), NULL);
    take_error(result.output, "sequences=", "error", found);
    ck_assert_str_eq(found, error);
    job_field(result.output, "sequences=", "loss", found);
    ck_assert_str_eq(found, loss);
    job_field(result.output, "sequences=", "sequence_error", found);
    free(expect_line(&result));
    ck_assert_double_eq_tol(count_wrong(kind, 37) / 37.0, atof(found), 1e-8);
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-one.h5"), "--beam", "1",
        NULL);
    free(expect_line(&result));
    ck_assert_msg(job_same_file(path_of(kind, "-one.h5"), path_of(kind, "-out.h5")), "a beam of 1 is greedy");
    for (int beam = 0; beam < 2;
         beam++) { /* the same on ranks and in small microbatches, also by searching */
        predict(&result, 3, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-few.h5"), "--batch",
            "2", beam ? "--beam" : NULL, "3", NULL);
        free(expect_line(&result));
        predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-out.h5"), "--batch",
            "40", beam ? "--beam" : NULL, "3", NULL);
        job_field(result.output, "sequences=", "sequence_error", found);
        free(expect_line(&result));
        ck_assert_double_eq_tol(count_wrong(kind, 37) / 37.0, atof(found), 1e-8);
        ck_assert(job_same_file(path_of(kind, "-few.h5"), path_of(kind, "-out.h5")));
        for (int ranks = 2; ranks <= 4; ranks += 2) { /* a team */
            predict(&result, ranks, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-few.h5"),
                "--batch", "40", beam ? "--beam" : NULL, "3", NULL);
            free(expect_line(&result));
            ck_assert(job_same_file(path_of(kind, "-few.h5"), path_of(kind, "-out.h5")));
        }
    }
}
END_TEST

static void check_text(struct h5_file *file, const char *set, int64_t row, const char *expected)
{
    struct error error = {0};
    char **texts;
    ck_assert_msg(h5_read_texts(file, set, row, 1, &texts, &error) == 0, "%s", error.text);
    ck_assert_str_eq(texts[0], expected);
    memory_destroy(texts);
}

/* Names of classes are the network's, which has none here. */
START_TEST(offsets_and_names_of_sequences_are_the_datasets)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error_rate[64], *format;
    static const char *const class_names[] = {"a", "bb", "\xc3\xa7", "d"};
    struct error error = {0};
    struct sample sample;
    struct command_result result;
    train(kind, checkpoint, loss, error_rate);
    sample_init(&sample, &kind->shape, 3);
    struct h5_image *image = sample_image(&sample, NULL);
    h5_image_texts(image, "class_names", 4, class_names);
    sample_save(image, job_path("named.h5"));
    predict(&result, 2, checkpoint, job_path("named.h5"), "-o", job_path("named-out.h5"), NULL);
    job_expect(&result, 0);
    ck_assert_ptr_nonnull(strstr(result.errors, "named.h5: class_names cannot be compared"));
    command_result_finish(&result);
    struct h5_file *file = h5_open(job_path("named-out.h5"), 0, &error);
    int64_t offsets[64], version, sequences = sample.shape.sequences;
    ck_assert_int_eq(h5_read_integers(file, "output_offsets", 0, sequences + 1, offsets, &error), 0);
    ck_assert_int_eq(memcmp(offsets, sample.input_offsets, (size_t)(sequences + 1) * sizeof *offsets), 0);
    check_text(file, "names", 44, "sequence 44");
    ck_assert_int_eq(h5_has(file, "class_names"), 0);
    ck_assert_int_eq(h5_attribute_text(file, "/", "format", &format, &error), 1);
    ck_assert_str_eq(format, "rnn-train predictions");
    ck_assert_int_eq(h5_attribute_integer(file, "/", "format_version", &version, &error), 1);
    ck_assert_int_eq(version, 1);
    memory_destroy(format);
    h5_close(file);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_row_per_sequence_has_offsets_that_count)
{
    const struct kind *kind = &kinds[1];
    char checkpoint[512], loss[64], error_rate[64];
    struct error error = {0};
    struct command_result result;
    int64_t offsets[38];
    train(kind, checkpoint, loss, error_rate);
    predict(&result, 2, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-out.h5"), NULL);
    free(expect_line(&result));
    struct h5_file *file = h5_open(path_of(kind, "-out.h5"), 0, &error);
    ck_assert_int_eq(h5_read_integers(file, "output_offsets", 0, 38, offsets, &error), 0);
    for (int s = 0; s <= 37; s++)
        ck_assert_int_eq(offsets[s], s);
    ck_assert_int_eq(h5_has(file, "names"), 0);
    h5_close(file);
}
END_TEST

/* Of rows of O classes each. */
static void check_same_outputs(const char *one, const char *other, int64_t rows, int64_t O)
{
    struct error error = {0};
    const char *const names[] = {one, other};
    float *outputs[2];
    int32_t *labels[2];
    for (int i = 0; i < 2; i++) {
        struct h5_file *file = h5_open(job_path(names[i]), 0, &error);
        ck_assert_msg(file != NULL, "%s", error.text);
        outputs[i] = calloc((size_t)(rows * O), sizeof(float));
        labels[i] = calloc((size_t)rows, sizeof(int32_t));
        ck_assert_int_eq(h5_read_floats(file, "outputs", 0, rows, outputs[i], &error), 0);
        ck_assert_int_eq(h5_read_int32(file, "labels", 0, rows, labels[i], &error), 0);
        ck_assert_int_eq(h5_has(file, "confusion"), i == 0);
        h5_close(file);
    }
    ck_assert_mem_eq(outputs[0], outputs[1], (size_t)(rows * O) * sizeof(float));
    ck_assert_mem_eq(labels[0], labels[1], (size_t)rows * sizeof(int32_t));
    for (int i = 0; i < 2; i++) {
        free(outputs[i]);
        free(labels[i]);
    }
}

START_TEST(without_targets_the_outputs_are_the_same)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct sample sample;
    struct command_result result;
    train(kind, checkpoint, loss, error);
    sample_init(&sample, &kind->shape, 5);
    sample_write(&sample, job_path("with.h5"));
    int64_t *target_offsets = sample.target_offsets;
    sample.target_offsets = NULL;
    sample_save(sample_image(&sample, "targets"), job_path("without.h5"));
    sample.target_offsets = target_offsets;
    predict(&result, 2, checkpoint, job_path("with.h5"), "-o", job_path("with-out.h5"), NULL);
    free(expect_line(&result));
    predict(&result, 2, checkpoint, job_path("without.h5"), "-o", job_path("without-out.h5"), NULL);
    char *line = expect_line(&result), expected[96];
    snprintf(expected, sizeof expected, "sequences=45 frames=%lld", (long long)sample.frames);
    ck_assert_str_eq(line, expected);
    check_same_outputs("with-out.h5", "without-out.h5", sample.frames, kind->shape.classes);
    free(line);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_run_directory_stands_for_its_best_checkpoint)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    predict(&result, 0, path_of(kind, "/best.h5"), path_of(kind, "-valid.h5"), NULL);
    char *best = expect_line(&result);
    predict(&result, 2, path_of(kind, ""), path_of(kind, "-valid.h5"), NULL);
    char *folder = expect_line(&result);
    ck_assert_str_eq(folder, best);
    free(folder);
    predict(&result, 2, path_of(kind, "//"), path_of(kind, "-valid.h5"), NULL);
    folder = expect_line(&result);
    ck_assert_str_eq(folder, best);
    free(folder);
    free(best);
    job_remove("frames/best.h5");
    EXPECT_FAILURE(74, "no best.h5", 2, path_of(kind, ""), path_of(kind, "-valid.h5"));
}
END_TEST

START_TEST(more_ranks_than_sequences_finish)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct sample_shape shape = kind->shape;
    struct command_result result;
    train(kind, checkpoint, loss, error);
    shape.sequences = 5;
    job_write_sample("few.h5", &shape, 8);
    predict(&result, 0, checkpoint, job_path("few.h5"), "-o", job_path("few-0.h5"), NULL);
    char *one = expect_line(&result);
    predict(&result, 12, checkpoint, job_path("few.h5"), "-o", job_path("few-12.h5"), "--batch", "1", NULL);
    char *many = expect_line(&result);
    ck_assert_str_eq(many, one);
    ck_assert(job_same_file("few-0.h5", "few-12.h5"));
    free(one);
    free(many);
}
END_TEST

START_TEST(an_output_is_replaced_whole)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    train(kind, checkpoint, loss, error);
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", job_path("new.h5"), NULL);
    free(expect_line(&result));
    job_write_text("old.h5", "something else");
    predict(&result, 0, checkpoint, path_of(kind, "-valid.h5"), "-o", job_path("old.h5"), NULL);
    free(expect_line(&result));
    ck_assert(job_same_file("old.h5", "new.h5"));
}
END_TEST

START_TEST(help_and_version_come_once)
{
    static const char *const options[] = {"--help", "--version"};
    for (int i = 0; i < 2; i++)
        for (int ranks = 0; ranks <= 3; ranks += 3) {
            struct command_result result;
            predict(&result, ranks, options[i], NULL);
            job_expect(&result, 0);
            ck_assert_int_eq(job_count_lines(result.output, i ? "rnn-predict " : "usage: rnn-predict"), 1);
            ck_assert_str_eq(result.errors, "");
            command_result_finish(&result);
        }
}
END_TEST

START_TEST(h5py_reads_the_outputs)
{
    static const char script[] = "import sys, h5py\n"
                                 "f = h5py.File(sys.argv[1], 'r')\n"
                                 "o = f['output_offsets'][()]\n"
                                 "assert o[0] == 0 and o[-1] == len(f['outputs']) == len(f['labels'])\n"
                                 "assert (f['outputs'][()].argmax(1) == f['labels'][()]).all()\n"
                                 "assert f['names'].asstr()[3] == 'sequence 3', f['names'][3]\n"
                                 "print(f.attrs['format'].decode(), f['outputs'].dtype)\n";
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct command_result result;
    command_call(&result, JOB_SECONDS, "/usr/bin/python3", "-c", "import h5py", NULL);
    int missing = result.status != 0;
    command_result_finish(&result);
    if (missing)
        return;
    train(kind, checkpoint, loss, error);
    predict(&result, 2, checkpoint, path_of(kind, "-valid.h5"), "-o", path_of(kind, "-out.h5"), NULL);
    free(expect_line(&result));
    command_call(&result, JOB_SECONDS, "/usr/bin/python3", "-c", script, path_of(kind, "-out.h5"), NULL);
    job_expect(&result, 0);
    ck_assert_str_eq(result.output, "rnn-train predictions float32\n");
    command_result_finish(&result);
}
END_TEST

/* ---- how it fails ---- */

START_TEST(a_wrong_command_line_is_refused)
{
    EXPECT_FAILURE(2, "two are needed", 0, "one.h5");
    EXPECT_FAILURE(2, "unknown option", job_most_tellers(2), "--nonsense", "one.h5", "two.h5");
    EXPECT_FAILURE(2, "--beam 0", 0, "--beam", "0", "one.h5", "two.h5");
    EXPECT_FAILURE(2, "--watchdog 3", 0, "--watchdog", "3", "one.h5", "two.h5");
    EXPECT_FAILURE(2, "--batch 0", 0, "--batch", "0", "one.h5", "two.h5");
}
END_TEST

START_TEST(what_is_no_checkpoint_is_refused)
{
    const struct kind *kind = &kinds[0];
    const char *data;
    char checkpoint[512], loss[64], error[64];
    train(kind, checkpoint, loss, error);
    data = path_of(kind, "-valid.h5");
    EXPECT_FAILURE(74, "nowhere.h5", 2, job_path("nowhere.h5"), data);
    EXPECT_FAILURE(65, "-train.h5", 2, path_of(kind, "-train.h5"), data);
    EXPECT_FAILURE(65, "frames.ini", 2, path_of(kind, ".ini"), data);
    job_copy("frames", "damaged");
    for (size_t at = 3000; at < 9000; at += 1999) {
        job_flip("damaged/best.h5", at);
        EXPECT_FAILURE(65, "best.h5", 0, job_path("damaged"), data);
        job_flip("damaged/best.h5", at);
    }
}
END_TEST

START_TEST(what_the_network_cannot_read_is_refused)
{
    const struct kind *kind = &kinds[0];
    struct sample_shape shape;
    char checkpoint[512], loss[64], error[64];
    train(kind, checkpoint, loss, error);
    EXPECT_FAILURE(74, "nowhere.h5", 2, checkpoint, job_path("nowhere.h5"));
    EXPECT_FAILURE(2, "--beam 4", 2, "--beam", "4", checkpoint, path_of(kind, "-valid.h5"));
    EXPECT_FAILURE(65, "frames.ini", 2, checkpoint, path_of(kind, ".ini"));
    EXPECT_FAILURE(65, "best.h5", 2, checkpoint, path_of(kind, "/best.h5"));
    shape = kind->shape;
    shape.features = 6;
    job_write_sample("wider.h5", &shape, 1);
    EXPECT_FAILURE(65, "wider.h5: /inputs: 6 features", 2, checkpoint, job_path("wider.h5"));
    shape = kind->shape;
    shape.classes = 5;
    job_write_sample("classes.h5", &shape, 1);
    EXPECT_FAILURE(65, "classes.h5: /targets: 5 classes", 2, checkpoint, job_path("classes.h5"));
    shape = kind->shape;
    shape.kind = SAMPLE_PER_SEQUENCE;
    job_write_sample("single.h5", &shape, 1);
    EXPECT_FAILURE(65, "single.h5: /targets", 2, checkpoint, job_path("single.h5"));
    shape = kind->shape;
    shape.features = 0;
    shape.symbols = 5;
    job_write_sample("symbols.h5", &shape, 1);
    EXPECT_FAILURE(65, "symbols.h5: /inputs: 5 symbols", 2, checkpoint, job_path("symbols.h5"));
}
END_TEST

START_TEST(targets_that_the_loss_does_not_take_are_refused)
{
    const struct kind *kind = &kinds[3];
    char checkpoint[512], loss[64], error[64];
    struct sample sample;
    train(kind, checkpoint, loss, error);
    sample_init(&sample, &kind->shape, 3);
    sample.values[3 * 30 + 1] = 255;
    sample_write(&sample, job_path("mask.h5"));
    sample_finish(&sample);
    EXPECT_FAILURE(65,
        "mask.h5: targets: row 30 (sequence 30, its row 0): column 1 is 255: loss = sigmoid takes targets "
        "from 0 to 1 only",
        2, checkpoint, job_path("mask.h5"));
    EXPECT_FAILURE(65, "mask.h5: targets: row 30 ", 2, checkpoint, job_path("mask.h5"), "--cache", "0", "-o",
        job_path("out.h5"));
    ck_assert_int_eq(count_files("out.h5"), 0);
}
END_TEST

/* With --cache 0 it is one rank alone that meets it, in the middle. */
START_TEST(a_value_that_is_no_number_ends_it_without_a_file)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct sample sample;
    train(kind, checkpoint, loss, error);
    sample_init(&sample, &kind->shape, 3);
    sample.inputs[sample.input_offsets[40] * 5 + 2] = NAN;
    sample_write(&sample, job_path("nan.h5"));
    sample_finish(&sample);
    EXPECT_FAILURE(
        65, "nan.h5: inputs: row 572", 3, checkpoint, job_path("nan.h5"), "-o", job_path("out.h5"));
    EXPECT_FAILURE(65, "nan.h5: inputs: row 572", 3, checkpoint, job_path("nan.h5"), "-o", job_path("out.h5"),
        "--cache", "0", "--batch", "2");
    ck_assert_int_eq(count_files("out.h5"), 0);
}
END_TEST

/* Saves NAME/best.h5 anew, with all its hashes, after something in it was changed. */
static void change_best(const struct kind *kind, void (*change)(struct checkpoint *))
{
    struct error error = {0};
    struct checkpoint checkpoint;
    struct own own = {.directory = path_of(kind, ""), .best_is_ours = 1};
    checkpoint_init(&checkpoint);
    if (checkpoint_read(path_of(kind, "/best.h5"), CHECKPOINT_ANY, &checkpoint, &error))
        ck_abort_msg("%s", error.text);
    change(&checkpoint);
    checkpoint.weights_hash = hash_bytes(checkpoint.weights, checkpoint.count * sizeof(float));
    if (rundir_save_best(&own, &checkpoint, &error))
        ck_abort_msg("%s", error.text);
    checkpoint_finish(&checkpoint);
}

static void make_deviations_small(struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->features; i++)
        checkpoint->deviation[i] = 1e-3;
}

/* A set may use a large number for "missing", which a small deviation makes infinite; here without targets
 * too, where no loss tells. */
START_TEST(outputs_that_are_not_finite_end_it_without_a_file)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    struct sample sample;
    train(kind, checkpoint, loss, error);
    change_best(kind, make_deviations_small);
    sample_init(&sample, &kind->shape, 3);
    for (int i = 0; i < 5; i++)
        sample.inputs[sample.input_offsets[40] * 5 + i] = 9.96921e36F;
    sample_write(&sample, job_path("huge.h5"));
    int64_t *target_offsets = sample.target_offsets;
    sample.target_offsets = NULL;
    sample_save(sample_image(&sample, "targets"), job_path("huge-alone.h5"));
    sample.target_offsets = target_offsets;
    sample_finish(&sample);
    EXPECT_FAILURE(65, "huge.h5: sequence 40: ", 3, path_of(kind, ""), job_path("huge.h5"));
    EXPECT_FAILURE(65, "huge-alone.h5: sequence 40: ", 3, path_of(kind, ""), job_path("huge-alone.h5"), "-o",
        job_path("out.h5"));
    ck_assert_int_eq(count_files("out.h5"), 0);
}
END_TEST

static void make_weight_nan(struct checkpoint *checkpoint)
{
    checkpoint->weights[7] = NAN;
}

/* Its hashes are right: such a file has been made, not damaged. */
START_TEST(weights_that_are_no_numbers_are_refused)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    train(kind, checkpoint, loss, error);
    change_best(kind, make_weight_nan);
    EXPECT_FAILURE(65, "number 7 of the weights of rnn.weight_ih_l0 is not finite", 2, path_of(kind, ""),
        path_of(kind, "-valid.h5"));
    EXPECT_FAILURE(65, "number 7 of the weights of rnn.weight_ih_l0 is not finite", 0, "--generate", "5",
        "-o", job_path("out.h5"), path_of(kind, ""));
}
END_TEST

START_TEST(an_output_that_cannot_be_written_is_refused_at_once)
{
    const struct kind *kind = &kinds[0];
    const char *data;
    char checkpoint[512], loss[64], error[64];
    size_t size;
    train(kind, checkpoint, loss, error);
    data = path_of(kind, "-valid.h5");
    EXPECT_FAILURE(74, "/out.h5", 2, checkpoint, data, "-o", job_path("nowhere/out.h5"));
    EXPECT_FAILURE(74, "folder", 2, checkpoint, data, "-o", path_of(kind, ""));
    EXPECT_FAILURE(74, "/dev/null", 0, checkpoint, data, "-o", "/dev/null");
    char *before = job_read("frames-valid.h5", &size), *after;
    EXPECT_FAILURE(2, "is read", 2, checkpoint, data, "-o", data);
    EXPECT_FAILURE(2, "is read", 2, checkpoint, data, "-o", checkpoint);
    after = job_read("frames-valid.h5", &size);
    ck_assert_int_eq(memcmp(before, after, size), 0);
    free(before);
    free(after);
}
END_TEST

/* Rank 1 has another file, or is given no -o. */
START_TEST(ranks_that_differ_are_refused)
{
    const struct kind *kind = &kinds[0];
    char checkpoint[512], loss[64], error[64];
    const char *mpirun = getenv("MPIRUN"), *data;
    struct sample_shape shape = kind->shape;
    struct command_result result;
    train(kind, checkpoint, loss, error);
    shape.sequences = 36;
    job_write_sample("another.h5", &shape, 4);
    data = path_of(kind, "-valid.h5");
    mpirun = mpirun ? mpirun : "mpirun";
    command_call(&result, JOB_SECONDS, mpirun, "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0 "; then exec \"$1\" \"$2\" \"$3\"; else exec \"$1\" \"$2\" \"$4\"; fi", "sh",
        program, checkpoint, data, job_path("another.h5"), NULL);
    expect_failure(&result, 65, "another.h5: is not the file that rank 0 has");
    command_call(&result, JOB_SECONDS, mpirun, "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0 "; then set -- \"$@\" -o out.h5; fi; cd \"$0\" && exec \"$@\"", job_path(""),
        program, checkpoint, data, NULL);
    expect_failure(&result, 2, "the options differ: rank 1 on ");
    ck_assert_int_eq(count_files("out.h5"), 0);
    command_call(&result, JOB_SECONDS, mpirun, "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0 "; then exec \"$0\" \"$1\" \"$2\"; else exec $RNN_TRAIN \"$1\"; fi", program,
        checkpoint, data, NULL);
    expect_failure(&result, 2, "is rnn-train, rank 0 is rnn-predict: start one program on all ranks");
}
END_TEST

/* ---- more than fits ---- */

enum { WIDE_CLASSES = 1000, WIDE_SEQUENCES = 500, WIDE_LENGTH = 200 };

/* A network with many classes, and a set without targets that it makes 400 MB of outputs of. */
static void make_wide(char checkpoint[512])
{
    static const struct kind wide = {"wide",
        {.sequences = 20,
            .shortest = 20,
            .longest = 20,
            .symbols = 9,
            .kind = SAMPLE_PER_FRAME,
            .classes = WIDE_CLASSES},
        "output = frame\nlayers = 1\nbidirectional = no\n", ""};
    struct sample_shape shape = {.sequences = WIDE_SEQUENCES,
        .shortest = WIDE_LENGTH,
        .longest = WIDE_LENGTH,
        .symbols = 9,
        .kind = SAMPLE_NO_TARGETS};
    char loss[64], error[64];
    train(&wide, checkpoint, loss, error);
    job_write_sample("wide.h5", &shape, 1);
}

START_TEST(outputs_may_be_larger_than_memory)
{
    char checkpoint[512];
    struct command_result result;
    struct rusage usage;
    struct stat status;
    make_wide(checkpoint);
    predict(&result, 0, checkpoint, job_path("wide.h5"), "-o", job_path("wide-out.h5"), NULL);
    char *line = expect_line(&result);
    ck_assert_str_eq(line, "sequences=500 frames=100000");
    free(line);
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
    ck_assert_int_lt(usage.ru_maxrss, 150 << 10); /* KiB */
    ck_assert_int_eq(stat(job_path("wide-out.h5"), &status), 0);
    ck_assert_int_gt(status.st_size, 400000000);
    job_remove("wide-out.h5");
}
END_TEST

/* Known before any of it is computed. (Open MPI needs files of a few MiB for itself.) */
START_TEST(an_output_without_room_leaves_what_was_there)
{
    static const char script[] = "ulimit -f 40000 && exec \"$0\" \"$@\"";
    char checkpoint[512];
    struct command_result result;
    make_wide(checkpoint);
    job_write_text("full.h5", "what was there before");
    command_call(&result, JOB_SECONDS, "sh", "-c", script, program, checkpoint, job_path("wide.h5"), "-o",
        job_path("full.h5"), NULL);
    expect_failure(&result, 74, "full.h5: cannot be written: File too large: make room");
    char *text = job_read("full.h5", NULL);
    ck_assert_str_eq(text, "what was there before");
    free(text);
    ck_assert_int_eq(count_files("full.h5"), 1);
}
END_TEST

/* Rank 0 meets the limit in the middle of its work. */
START_TEST(room_that_is_gone_while_it_is_written_ends_all_ranks)
{
    char checkpoint[512];
    struct command_process process;
    struct command_result result;
    pid_t pids[16];
    make_wide(checkpoint);
    predict_start(&process, 2, checkpoint, job_path("wide.h5"), "-o", job_path("filled.h5"), NULL);
    job_await_writing(&process, "filled.h5");
    int n = command_processes(&process, pids, 16);
    ck_assert_int_ge(n, 3);
    for (int i = 0; i < n && i < 16; i++)
        if (pids[i] != process.pid)
            prlimit(pids[i], RLIMIT_FSIZE, &(struct rlimit){20 << 20, RLIM_INFINITY}, NULL);
    command_wait(&process, &result);
    expect_failure(&result, 74, "filled.h5: cannot be written: File too large: make room");
    ck_assert_int_eq(count_files("filled.h5"), 0);
}
END_TEST

START_TEST(a_stopped_rank_ends_it_with_its_name)
{
    char checkpoint[512], line[32], output[32];
    struct command_process process;
    struct command_result result;
    snprintf(output, sizeof output, "silent-%d.h5", _i);
    make_wide(checkpoint);
    predict_start(&process, 3, "--watchdog", "2 seconds", checkpoint, job_path("wide.h5"), "-o",
        job_path(output), NULL);
    job_await_writing(&process, output);
    pid_t pid = command_find_rank(&process, _i);
    ck_assert(command_signal_one(&process, pid, SIGSTOP));
    command_wait(&process, &result);
    job_expect(&result, 124);
    snprintf(line, sizeof line, "] rank %d on ", _i);
    ck_assert_msg(strstr(result.errors, line) && strstr(result.errors, "has not answered for") &&
            strstr(result.errors, "(--watchdog sets the limit)"),
        "%s", result.errors);
    ck_assert_int_eq(count_files(output) == 0, job_has_unnamed_files());
    ck_assert(!job_exists(output));
    command_result_finish(&result);
}
END_TEST

/* No handler runs. */
START_TEST(a_killed_rank_leaves_no_file)
{
    char checkpoint[512];
    struct command_process process;
    struct command_result result;
    make_wide(checkpoint);
    predict_start(&process, 0, checkpoint, job_path("wide.h5"), "-o", job_path("killed.h5"), NULL);
    job_await_writing(&process, "killed.h5");
    command_kill(&process);
    command_wait(&process, &result);
    command_result_finish(&result);
    ck_assert_int_eq(count_files("killed.h5") == 0, job_has_unnamed_files());
    predict(&result, 0, checkpoint, job_path("wide.h5"), "-o", job_path("killed.h5"), NULL);
    free(expect_line(&result));
    ck_assert_int_eq(count_files("killed.h5"), 1);
}
END_TEST

START_TEST(asked_to_stop_it_leaves_no_file)
{
    char checkpoint[512];
    struct command_process process;
    struct command_result result;
    make_wide(checkpoint);
    predict_start(&process, 0, checkpoint, job_path("wide.h5"), "-o", job_path("stopped.h5"), NULL);
    job_await_writing(&process, "stopped.h5");
    command_signal(&process, SIGTERM);
    command_wait(&process, &result);
    expect_failure(&result, 74, "stopped by SIGTERM");
    ck_assert_int_eq(count_files("stopped.h5"), 0);
}
END_TEST

static double get_processor_seconds(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
}

/* lengthy.h5, all of which is one microbatch, some seconds of work, and a network for it. */
static void make_lengthy(char checkpoint[512])
{
    struct sample_shape shape = {
        .sequences = 2, .shortest = 5, .longest = 5, .features = 8, .kind = SAMPLE_PER_FRAME, .classes = 3};
    struct command_result result;
    snprintf(checkpoint, 512, "%s", job_path("broad"));
    job_write_sample("broad.h5", &shape, 1);
    job_write_text("broad.ini",
        "[data]\ntrain = broad.h5\n[model]\noutput = frame\nhidden = 256\n[train]\nbatch = 2\nepochs = 1\n");
    job_run(&result, 0, "broad.ini", "broad", "--fresh", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    shape.sequences = 8;
    shape.shortest = shape.longest = 3000;
    job_write_sample("lengthy.h5", &shape, 1);
}

/* Nearly all of the work is left undone. Work is counted, not time, so that it does not matter who else has
 * the processor. */
START_TEST(asked_to_stop_it_leaves_its_step_undone)
{
    char checkpoint[512];
    struct command_process process;
    struct command_result result;
    make_lengthy(checkpoint);
    double start = get_processor_seconds();
    predict(&result, 0, "-q", "--batch", "8", checkpoint, job_path("lengthy.h5"), NULL);
    free(expect_line(&result));
    double whole = get_processor_seconds() - start;
    predict_start(
        &process, 0, "--batch", "8", checkpoint, job_path("lengthy.h5"), "-o", job_path("undone.h5"), NULL);
    job_await_writing(&process, "undone.h5");
    command_signal(&process, SIGTERM);
    command_wait(&process, &result);
    double part = get_processor_seconds() - start - whole;
    expect_failure(&result, 74, "stopped by SIGTERM: nothing is written");
    ck_assert_int_eq(count_files("undone.h5"), 0);
    ck_assert_msg(part < whole / 2, "%g of %g seconds", part, whole);
}
END_TEST

/* One member of a team of four is asked to stop; it is stopped; it is killed. Members meet in halves, and all
 * together, and nobody waits for one that has left. */
START_TEST(a_member_of_a_team_that_stops_ends_it)
{
    static const int signals[] = {SIGTERM, SIGSTOP, SIGKILL};
    char checkpoint[512], line[32];
    struct command_process process;
    struct command_result result;
    int rank = 1 + _i;
    make_lengthy(checkpoint);
    predict_start(&process, 4, "--batch", "8", "--watchdog", "2 seconds", checkpoint, job_path("lengthy.h5"),
        "-o", job_path("teamless.h5"), NULL);
    job_await_writing(&process, "teamless.h5");
    pid_t pid = command_find_rank(&process, rank);
    ck_assert(command_signal_one(&process, pid, signals[_i]));
    process.deadline = clock_now() + 30;
    command_wait(&process, &result);
    ck_assert_msg(!result.timed_out && !result.left_behind, "it did not end: %s", result.errors);
    snprintf(line, sizeof line, "] rank %d on ", rank);
    if (signals[_i] == SIGTERM)
        ck_assert_msg(result.status == 74 && strstr(result.errors, "stopped by SIGTERM"), "%d: %s",
            result.status, result.errors);
    else if (signals[_i] == SIGSTOP)
        ck_assert_msg(
            result.status == 124 && strstr(result.errors, line), "%d: %s", result.status, result.errors);
    else
        ck_assert_int_ne(result.status, 0);
    ck_assert(!job_exists("teamless.h5"));
    command_result_finish(&result);
}
END_TEST

/* Writing takes longer than the time between two lines. */
START_TEST(progress_comes_in_lines_before_the_result)
{
    char checkpoint[512];
    struct command_result result;
    make_wide(checkpoint);
    predict(&result, 0, "--progress", "line", "--batch", "1", checkpoint, job_path("wide.h5"), "-o",
        job_path("watched.h5"), NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "frames/s") && strstr(result.output, "left"), "%s", result.output);
    char *end = strstr(result.output, "sequences=500 frames=100000\n");
    ck_assert_msg(end && end[-1] == '\r' && end[strlen(end) - 1] == '\n', "%s", result.output);
    command_result_finish(&result);
    job_remove("watched.h5");
    predict(&result, 0, "--progress", "line", "-q", checkpoint, job_path("wide.h5"), NULL);
    free(expect_line(&result));
}
END_TEST

int main(void)
{
    program = getenv("RNN_PREDICT");
    if (!program) {
        fputs("RNN_PREDICT does not say where rnn-predict is\n", stderr);
        return EXIT_FAILURE;
    }
    job_open();
    Suite *suite = suite_create("rnn-predict");
    TCase *results = tcase_create("results"), *failures = tcase_create("failures");
    TCase *large = tcase_create("large"), *flow = tcase_create("flow");
    tcase_set_timeout(flow, 200);
    tcase_set_timeout(results, 200);
    tcase_set_timeout(failures, 200);
    tcase_set_timeout(large, 200);
    tcase_add_loop_test(results, evaluation_is_what_validation_said, 0, KINDS);
    tcase_add_loop_test(results, ranks_batch_and_cache_change_no_bit, 0, KINDS);
    tcase_add_loop_test(flow, gradient_flow_is_what_the_run_said, 0, KINDS);
    tcase_add_loop_test(results, teams_and_nodes_change_no_bit_whatever_the_cell, 0, TEAMED);
    tcase_add_loop_test(results, outputs_stand_with_their_targets, 0, KINDS);
    tcase_add_test(results, labels_name_the_largest_output);
    tcase_add_loop_test(results, labels_are_written_as_they_were_judged, 0, 2);
    tcase_add_loop_test(results, confusion_counts_what_classes_were_taken_for, 0, 2);
    tcase_add_test(results, offsets_and_names_of_sequences_are_the_datasets);
    tcase_add_test(results, a_row_per_sequence_has_offsets_that_count);
    tcase_add_test(results, without_targets_the_outputs_are_the_same);
    tcase_add_test(results, a_run_directory_stands_for_its_best_checkpoint);
    tcase_add_test(results, more_ranks_than_sequences_finish);
    tcase_add_test(results, an_output_is_replaced_whole);
    tcase_add_test(results, help_and_version_come_once);
    tcase_add_test(results, h5py_reads_the_outputs);
    tcase_add_test(failures, a_wrong_command_line_is_refused);
    tcase_add_test(failures, what_is_no_checkpoint_is_refused);
    tcase_add_test(failures, what_the_network_cannot_read_is_refused);
    tcase_add_test(failures, targets_that_the_loss_does_not_take_are_refused);
    tcase_add_test(failures, a_value_that_is_no_number_ends_it_without_a_file);
    tcase_add_test(failures, outputs_that_are_not_finite_end_it_without_a_file);
    tcase_add_test(failures, weights_that_are_no_numbers_are_refused);
    tcase_add_test(failures, an_output_that_cannot_be_written_is_refused_at_once);
    tcase_add_test(failures, ranks_that_differ_are_refused);
    tcase_add_test(large, outputs_may_be_larger_than_memory);
    tcase_add_test(large, an_output_without_room_leaves_what_was_there);
    tcase_add_test(large, room_that_is_gone_while_it_is_written_ends_all_ranks);
    tcase_add_loop_test(large, a_stopped_rank_ends_it_with_its_name, 0, 2);
    tcase_add_test(large, asked_to_stop_it_leaves_no_file);
    tcase_add_test(large, asked_to_stop_it_leaves_its_step_undone);
    tcase_add_loop_test(large, a_member_of_a_team_that_stops_ends_it, 0, 3);
    tcase_add_test(large, a_killed_rank_leaves_no_file);
    tcase_add_test(large, progress_comes_in_lines_before_the_result);
    suite_add_tcase(suite, results);
    suite_add_tcase(suite, flow);
    suite_add_tcase(suite, failures);
    suite_add_tcase(suite, large);
    int status = suite_run(suite);
    job_close();
    return status;
}
