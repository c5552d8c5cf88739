/* Every type of network, with all the options it can have, from outside: the same bits at any number of
 * ranks, after a stop in the middle of an epoch, and of what rnn-predict says and writes; and what a type
 * cannot have. */
#include "net/net.h"
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 45 sequences are 3 steps an epoch, the last of 13 sequences in 7 microbatches. */
enum { STEPS = 3, EPOCHS = 2, EVERY = 2 };

/* What nets of several layers can have, whatever they put out. */
#define DEEP                                                                                                 \
    "layers = 3\nresidual = yes\nnormalize = yes\ntransition_layers = 1\ninput_layers = 5, 4\n"              \
    "output_layers = 7\ninitial_state = learned\nrecurrent_dropout = 0.2\n"
#define TWO "layers = 2\nrecurrent_dropout = 0.3\n"
#define NOISE "weight_noise = 0.02\n"
#define SMOOTH "label_smoothing = 0.1\n"

/* Only two sequences have classes, at every second frame: of three batches one at least has none, and most
 * microbatches. */
static void leave_two(struct sample *sample)
{
    for (int64_t s = 0; s < sample->shape.sequences; s++) {
        int64_t first = sample->target_offsets ? sample->target_offsets[s] : sample->input_offsets[s];
        int64_t end = sample->target_offsets ? sample->target_offsets[s + 1] : sample->input_offsets[s + 1];
        for (int64_t t = first; t < end; t++)
            if ((s != 7 && s != 11) || (t - first) % 2)
                sample->classes[t] = -1;
    }
}

/* Of five sequences two have no target, two have one and the fifth has all others: up to 13. */
static void crowd(struct sample *sample)
{
    for (int64_t s = 0; s + 5 <= sample->shape.sequences; s += 5) {
        int64_t *begin = sample->target_offsets + s, end = begin[5];
        for (int i = 1; i < 5; i++)
            begin[i] = begin[0] + (i < 3 ? 0 : i - 2) < end ? begin[0] + (i < 3 ? 0 : i - 2) : end;
    }
}

enum { SEARCHES = 1, FEW = 2, CROWDED = 4 }; /* may be given a beam; sets as the functions above make them */

static const struct type {
    const char *name;
    struct sample_shape shape;
    const char *model, *train; /* lines of these sections, and of [data] */
    const char *data;
    int what; /* of the above */
} types[] = {
    {"one-to-one", {.shortest = 1, .longest = 1, .features = 4, .kind = SAMPLE_PER_FRAME, .classes = 3},
        "output = frame\nlayers = 0\ninput_layers = 6\noutput_layers = 5\n",
        NOISE SMOOTH "input_noise = 0.3\nclass_weights = 1, 0.5, 2\n", "standardize = yes\n", 0},
    {"one-to-many", {.shortest = 1, .longest = 1, .symbols = 9, .kind = SAMPLE_ANY, .classes = 4},
        "output = decoder\nattention = none\ncell = gru\nembedding = 5\n" TWO, NOISE SMOOTH, "", SEARCHES},
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
        "output = ctc\npeepholes = yes\n" DEEP, NOISE "input_noise = 0.2\n", "standardize = yes\n", SEARCHES},
    {"ctc-symbols", {.shortest = 5, .longest = 14, .symbols = 8, .kind = SAMPLE_THREE, .classes = 4},
        "output = ctc\ncell = gru\n" TWO, NOISE, "", SEARCHES},
    {"decoder-additive", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_ANY, .classes = 3},
        "output = decoder\npeepholes = yes\ndecoder_layers = 2\ndecoder_hidden = 5\ndecoder_embedding = 3\n"
        "attention_size = 7\n" DEEP,
        NOISE SMOOTH "input_noise = 0.2\nclass_weights = 1, 0.5, 2\n", "standardize = yes\n", SEARCHES},
    {"decoder-dot", {.shortest = 1, .longest = 14, .symbols = 7, .kind = SAMPLE_ANY, .classes = 5},
        "output = decoder\nattention = dot\ncell = gru\nbidirectional = no\n" TWO, NOISE SMOOTH, "",
        SEARCHES},
    {"decoder-none", {.shortest = 1, .longest = 14, .features = 3, .kind = SAMPLE_ANY, .classes = 3},
        "output = decoder\nattention = none\ncell = rnn-relu\ndecoder_layers = 2\n" TWO, NOISE SMOOTH, "",
        SEARCHES},
    {"decoder-values-additive",
        {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_THREE, .values = 2},
        "output = decoder\nloss = mae\n" TWO, NOISE "input_noise = 0.2\n", "standardize = yes\n", 0},
    {"decoder-values-dot",
        {.shortest = 1, .longest = 14, .symbols = 7, .kind = SAMPLE_THREE, .values = 2, .shares = 1},
        "output = decoder\nattention = dot\nloss = sigmoid\ncell = gru\nembedding = 4\n" DEEP, NOISE, "", 0},
    {"frames-few", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_PER_FRAME, .classes = 3},
        "output = frame\n" TWO, NOISE SMOOTH "class_weights = 1, 0.5, 2\n", "", FEW},
    {"sequence-few", {.shortest = 1, .longest = 14, .features = 4, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
        "output = sequence\ncell = gru\n" TWO, NOISE SMOOTH, "", FEW},
    {"ctc-crowded", {.shortest = 27, .longest = 40, .features = 4, .kind = SAMPLE_ANY, .classes = 5},
        "output = ctc\ncell = gru\n" TWO, NOISE, "", SEARCHES | CROWDED},
    {"decoder-crowded", {.shortest = 1, .longest = 4, .features = 4, .kind = SAMPLE_ANY, .classes = 5},
        "output = decoder\ncell = gru\n" TWO, NOISE SMOOTH, "", SEARCHES | CROWDED},
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

static void write_set(const struct type *type, const char *rest, int64_t sequences, uint64_t seed)
{
    struct sample_shape shape = type->shape;
    struct sample sample;
    shape.sequences = sequences;
    sample_init(&sample, &shape, seed);
    if (type->what & FEW)
        leave_two(&sample);
    if (type->what & CROWDED)
        crowd(&sample);
    sample_write(&sample, job_path(name_of(type, rest)));
    sample_finish(&sample);
}

static void write_type(const struct type *type)
{
    char text[1024];
    write_set(type, "-train.h5", 45, 1);
    write_set(type, "-valid.h5", 13, 2);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n%s[model]\nhidden = 6\ndropout = 0.2\n%s"
        "[train]\nbatch = 16\nmicrobatch = 2\nepochs = 2\nlr = 0.01\n%s[checkpoint]\nevery = 2 steps\nkeep = "
        "9\n",
        type->name, type->name, type->data, type->model, type->train);
    job_write_text(name_of(type, ".ini"), text);
}

/* ---- training ---- */

/* Adds the line up to where what is the machine's or the run's begins. */
static void add_line(char account[1024], const char *text, const char *beginning, const char *before)
{
    char *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no line '%s...' in:\n%s", beginning, text);
    char *end = strstr(line, before);
    size_t n = strlen(account);
    snprintf(account + n, 1024 - n, "%.*s\n", end ? (int)(end - line) : (int)strlen(line), line);
    free(line);
}

/* Jobs go side by side, since most of their time is the start of MPI: each with a folder of its own for what
 * Open MPI makes and removes. */
static void take_place(int number)
{
    char name[32];
    snprintf(name, sizeof name, "place-%d", number);
    mkdir(job_path(name), 0700);
    setenv("OMPI_MCA_orte_tmpdir_base", job_path(name), 1);
    setenv("PRTE_MCA_prte_tmpdir_base", job_path(name), 1);
}

struct training {
    struct command_process process;
    char run[80];
};

static void begin(struct training *training, const struct type *type, int ranks, const char *rest)
{
    static int number;
    take_place(number++);
    snprintf(training->run, sizeof training->run, "%s-%s", type->name, rest);
    job_start(&training->process, ranks, name_of(type, ".ini"), training->run, NULL);
}

/* Copies out what does not depend on where: the lines of the epochs from `first` on, which have the losses of
 * training and validation and the hash of the weights, and the last one. */
static void finish(struct training *training, int first, char account[1024])
{
    struct command_result result;
    char beginning[32];
    command_wait(&training->process, &result);
    job_expect(&result, 0);
    /* A run that other tests have finished says so. */
    const char *end = *result.errors ? strchr(result.errors, '\n') : NULL;
    ck_assert_msg(!*result.errors ||
            (strstr(result.errors, ": this run is finished, and nothing was done: ") && !end[1]),
        "%s", result.errors);
    *account = 0;
    for (int epoch = first; epoch <= EPOCHS; epoch++) {
        snprintf(beginning, sizeof beginning, "epoch=%d ", epoch);
        add_line(account, result.output, beginning, " slowest=");
    }
    add_line(account, result.output, "finished: ", " seconds=");
    command_result_finish(&result);
    job_check_metrics(training->run, EPOCHS, STEPS, 1);
}

static const int rank_counts[] = {0, 2, 3, 8};
enum { RANK_COUNTS = 4 };

START_TEST(training_has_the_same_bits_at_1_2_3_and_8_ranks)
{
    const struct type *type = &types[_i];
    struct training jobs[RANK_COUNTS];
    char alone[1024], account[1024], rest[16];
    write_type(type);
    for (int i = 0; i < RANK_COUNTS; i++) {
        snprintf(rest, sizeof rest, "%d", rank_counts[i]);
        begin(&jobs[i], type, rank_counts[i], rest);
    }
    finish(&jobs[0], 1, alone);
    ck_assert_msg(strstr(alone, " valid_loss=") && !strstr(alone, "loss=nan"), "%s", alone);
    for (int i = 1; i < RANK_COUNTS; i++) {
        finish(&jobs[i], 1, account);
        ck_assert_msg(
            strcmp(account, alone) == 0, "%d ranks: not\n%sbut\n%s", rank_counts[i], alone, account);
    }
}
END_TEST

/* The run on one rank; where there is one already, its last line comes again. */
static void train_alone(const struct type *type, char finished[1024])
{
    struct training job;
    write_type(type);
    begin(&job, type, 0, "0");
    finish(&job, EPOCHS + 1, finished);
}

/* As all processes were lost some time after the checkpoint of this step, where those of later steps never
 * came to be; metrics.csv has rows beyond it. */
static void lose(const struct type *type, const char *rest, int step)
{
    char run[80], file[128];
    snprintf(run, sizeof run, "%s-%s", type->name, rest);
    job_copy(name_of(type, "-0"), run);
    for (int later = step + EVERY; later <= STEPS * EPOCHS; later += EVERY) {
        snprintf(file, sizeof file, "%s/checkpoint-%010d.h5", run, later);
        job_remove(file);
    }
}

/* After steps 2 of 3 in the first epoch, and 1 of 3 in the second. */
START_TEST(a_run_lost_within_an_epoch_ends_with_the_bits_of_no_stop)
{
    const struct type *type = &types[_i];
    struct training jobs[2];
    char whole[1024], account[1024], rest[16];
    train_alone(type, whole);
    for (int i = 0; i < 2; i++) {
        snprintf(rest, sizeof rest, "lost-%d", i);
        lose(type, rest, (i + 1) * EVERY);
        begin(&jobs[i], type, rank_counts[(_i + i) % RANK_COUNTS], rest);
    }
    for (int i = 0; i < 2; i++) {
        finish(&jobs[i], EPOCHS, account);
        const char *finished = strstr(account, "finished: ");
        ck_assert_msg(strcmp(finished, whole) == 0, "step %d: not\n%sbut\n%s", i, whole, finished);
    }
}
END_TEST

/* ---- prediction ---- */

static void begin_prediction(
    struct command_process *process, const struct type *type, int ranks, const char *beam, const char *output)
{
    const char *words[16], *mpirun = getenv("MPIRUN");
    int n = 0;
    if (ranks) {
        words[n++] = mpirun ? mpirun : "mpirun";
        words[n++] = "-np";
        words[n++] = "3";
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
    command_start(&(struct command){.argv = words, .seconds = JOB_SECONDS}, process);
}

/* The line that it prints (free). */
static char *finish_prediction(struct command_process *process)
{
    struct command_result result;
    command_wait(process, &result);
    job_expect(&result, 0);
    ck_assert_msg(!*result.errors, "%s", result.errors);
    char *line = job_line(result.output, "sequences=13 ", 1);
    ck_assert_msg(
        line && strstr(line, " loss=") && strlen(line) + 1 == result.output_size, "%s", result.output);
    command_result_finish(&result);
    return line;
}

/* Greedy, and with a beam where labels are searched for. */
START_TEST(predictions_have_the_same_bytes_at_1_and_3_ranks)
{
    static const char *const files[4] = {"-1.h5", "-3.h5", "-beam-1.h5", "-beam-3.h5"};
    const struct type *type = &types[_i];
    struct command_process processes[4];
    char finished[1024], *lines[4];
    int n = type->what & SEARCHES ? 4 : 2;
    train_alone(type, finished);
    for (int i = 0; i < n; i++) {
        take_place(i);
        begin_prediction(&processes[i], type, i % 2 ? 3 : 0, i < 2 ? NULL : "4", name_of(type, files[i]));
    }
    for (int i = 0; i < n; i++)
        lines[i] = finish_prediction(&processes[i]);
    for (int i = 0; i < n; i += 2) {
        ck_assert_str_eq(lines[i], lines[i + 1]);
        ck_assert_msg(job_same_file(name_of(type, files[i]), name_of(type, files[i + 1])),
            "%s are other bytes", files[i + 1]);
    }
    for (int i = 0; i < n; i++)
        free(lines[i]);
}
END_TEST

/* ---- what does not count ---- */

/* Leaves sequences 7 and 11 of the set out of all else. */
static void write_counted(const struct type *type)
{
    static const int64_t kept[] = {7, 11};
    struct sample_shape shape = type->shape;
    struct sample sample;
    size_t I = shape.features;
    int64_t frames = 0, targets = 0;
    shape.sequences = 13;
    sample_init(&sample, &shape, 2);
    leave_two(&sample);
    for (int k = 0; k < 2; k++) {
        int64_t first = sample.input_offsets[kept[k]], T = sample.input_offsets[kept[k] + 1] - first;
        int64_t *offsets = sample.target_offsets;
        int64_t target = offsets ? offsets[kept[k]] : first, U = offsets ? 1 : T;
        memmove(sample.inputs + (size_t)frames * I, sample.inputs + (size_t)first * I,
            (size_t)T * I * sizeof *sample.inputs);
        memmove(sample.classes + targets, sample.classes + target, (size_t)U * sizeof *sample.classes);
        sample.input_offsets[k + 1] = frames += T;
        targets += U;
        if (offsets)
            offsets[k + 1] = targets;
    }
    sample.shape.sequences = 2;
    sample.frames = frames;
    sample.targets = targets;
    sample_write(&sample, job_path("counted.h5"));
    sample_finish(&sample);
}

static void predict_scores(const struct type *type, const char *set, const char *beginning, char scores[256])
{
    struct command_result result;
    char loss[64], error[64];
    command_call(&result, JOB_SECONDS, getenv("RNN_PREDICT"), job_path(name_of(type, "-0")), set, NULL);
    job_expect(&result, 0);
    job_field(result.output, beginning, "loss", loss);
    job_field(result.output, beginning, "error", error);
    snprintf(scores, 256, "loss=%s error=%s", loss, error);
    command_result_finish(&result);
}

START_TEST(sequences_without_a_target_change_no_mean)
{
    const struct type *type = &types[_i];
    char finished[1024], all[256], counted[256];
    if (!(type->what & FEW))
        return;
    train_alone(type, finished);
    write_counted(type);
    predict_scores(type, job_path(name_of(type, "-valid.h5")), "sequences=13 ", all);
    predict_scores(type, job_path("counted.h5"), "sequences=2 ", counted);
    ck_assert_str_eq(all, counted);
    ck_assert(!strstr(all, "nan"));
}
END_TEST

/* Rows of metrics.csv tell steps in which nothing counted by having no loss; the weights go on. */
START_TEST(a_batch_in_which_nothing_counts_is_a_step_without_update)
{
    const struct type *type = &types[_i];
    char finished[1024];
    if (!(type->what & FEW))
        return;
    train_alone(type, finished);
    char *metrics = job_read(name_of(type, "-0/metrics.csv"), NULL);
    int idle = 0, busy = 0;
    for (char *line = strtok(metrics, "\n"); line; line = strtok(NULL, "\n")) {
        int train = strstr(line, ",train,") != NULL, nan = strstr(line, ",,,") != NULL;
        idle += train && nan;
        busy += train && !nan;
    }
    free(metrics);
    ck_assert_int_eq(idle + busy, STEPS * EPOCHS);
    ck_assert_int_ge(idle, EPOCHS);
    ck_assert_int_ge(busy, EPOCHS);
}
END_TEST

/* ---- many classes ---- */

/* _i: a thousand, and the most that can be weighed, over two runs of an epoch as over one of two. */
START_TEST(as_many_classes_as_wanted_can_be_weighed)
{
    int classes = _i ? NET_MOST_CLASS_WEIGHTS : 1000;
    struct sample_shape shape = {.sequences = 45,
        .shortest = 1,
        .longest = 9,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = classes};
    static char text[40 * NET_MOST_CLASS_WEIGHTS];
    char whole[17], first[17], second[17];
    struct command_result result;
    job_write_sample("many.h5", &shape, 1);
    strcpy(text, "[data]\ntrain = many.h5\nvalid = many.h5\n[model]\nlayers = 1\nhidden = 5\n[train]\n");
    for (int k = 0, n = (int)strlen(text); k < classes; k++)
        n += sprintf(text + n, k % 5 ? ", %.17g" : "\nclass_weights = %.17g", 1.0 / (k + 3));
    job_write_text("many.ini", strcat(text, "\n"));
    job_finish(whole, 0, "many.ini", "whole", "--fresh", "-s", "train.epochs=2", NULL);
    job_finish(first, 2, "many.ini", "parts", "--fresh", "-s", "train.epochs=1", NULL);
    job_finish(second, 2, "many.ini", "parts", "-s", "train.epochs=2", NULL);
    ck_assert_str_ne(first, second);
    ck_assert_str_eq(whole, second);
    job_run(&result, 0, "many.ini", "parts", "-s", "train.epochs=3", "-s", "train.class_weights=", NULL);
    job_expect(&result, 65);
    job_complains(&result, 2, "train.class_weights = ", "was started with", NULL);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_PREDICT"), job_path("parts"), job_path("many.h5"), NULL);
    job_expect(&result, 0);
    ck_assert(strstr(result.output, "sequences=45 ") && !strstr(result.output, "nan"));
    command_result_finish(&result);
}
END_TEST

/* ---- refused ---- */

/* Sets that differ in one thing each. */
static void write_refused(void)
{
    struct sample_shape shape = {.sequences = 9,
        .shortest = 5,
        .longest = 9,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 4};
    struct sample sample;
    job_write_sample("one.h5", &shape, 1);
    shape.kind = SAMPLE_PER_FRAME;
    job_write_sample("frame.h5", &shape, 1);
    shape.kind = SAMPLE_ANY;
    job_write_sample("any.h5", &shape, 1);
    shape.kind = SAMPLE_THREE;
    shape.names = 1;
    shape.shortest = shape.longest = 4;
    sample_init(&sample, &shape, 1);
    for (int i = 0; i < 27; i++)
        sample.classes[i] = i % 3; /* three frames are enough for these */
    sample.classes[18] = sample.classes[19] = sample.classes[20] = 2;
    sample_write(&sample, job_path("short.h5"));
    for (int i = 18; i < 21; i++)
        sample.classes[i] = i % 3;
    sample_write(&sample, job_path("fits.h5"));
    sample_finish(&sample);
    shape = (struct sample_shape){
        .sequences = 9, .shortest = 5, .longest = 9, .symbols = 3, .kind = SAMPLE_ANY, .values = 2};
    job_write_sample("values.h5", &shape, 1);
    job_write_text("refused.ini",
        "[data]\ntrain = one.h5\n[model]\nhidden = 5\n[train]\nbatch = 4\nmicrobatch = 2\nepochs = 1\n");
}

static const struct {
    const char *set[4], *says[3];
} refused[] = {
    {{"data.train=any.h5", "model.output=ctc", "model.loss=mse"},
        {"--set model.loss=mse: ", "set model.loss = softmax"}},
    {{"data.train=frame.h5", "model.output=decoder"}, {"/frame.h5: /targets", "add target_offsets"}},
    {{"data.train=frame.h5", "model.output=ctc"}, {"/frame.h5: /targets", "set model.output = frame"}},
    {{"data.train=any.h5"}, {"/any.h5: /targets", "set model.output = ctc or decoder"}},
    {{"model.residual=yes", "model.hidden=5,6"},
        {"model.residual=yes: ", "layer 1 has 10 outputs", "equally wide"}},
    {{"train.class_weights=1,2,3"}, {"/one.h5: /targets: 4 classes", "3 numbers", "one for each class"}},
    {{"data.train=any.h5", "model.output=decoder", "train.class_weights=1,1,1,1,1"},
        {"/any.h5: /targets: 4 classes", "5 numbers", "one for each class"}},
    {{"data.train=any.h5", "model.output=ctc", "train.class_weights=1,1,1,1"},
        {"train.class_weights", "leave it empty"}},
    {{"data.train=any.h5", "model.output=ctc", "train.label_smoothing=0.1"},
        {"label_smoothing=0.1", "set it to 0"}},
    {{"data.train=values.h5", "model.output=decoder", "model.loss=mse"},
        {"/values.h5: targets: sequence ", "all need the same number"}},
    {{"data.train=values.h5", "model.output=decoder", "model.loss=mse", "train.input_noise=0.1"},
        {"/values.h5: /inputs: symbols", "set train.input_noise = 0"}},
    {{"data.train=values.h5", "model.output=ctc"},
        {"/values.h5: /targets: real values", "set model.output = decoder"}},
    {{"data.train=short.h5", "model.output=ctc"},
        {"/short.h5: targets: sequence 6 \"sequence 6\"", "need 5 frames for ctc, but it has 4",
            "leave the sequence out"}},
    {{"data.train=fits.h5", "data.valid=short.h5", "model.output=ctc"},
        {"/short.h5: targets: sequence 6", "for ctc"}},
    {{"model.layers=0", "model.recurrent_dropout=0.5"},
        {"recurrent_dropout=0.5", "set model.layers to 1 or more"}},
    {{"data.train=any.h5", "model.output=decoder", "model.layers=0"},
        {"model.layers=0", "set model.layers to 1"}},
    {{"model.cell=gru", "model.peepholes=yes"}, {"peepholes=yes", "set it to no"}},
    {{"data.train=any.h5", "model.output=decoder", "model.loss=mse"},
        {"/any.h5: /targets: classes", "set model.loss = softmax"}},
    {{"data.train=values.h5", "model.output=decoder"},
        {"/values.h5: /targets: real values", "set model.loss = mse, huber, mae, logcosh or sigmoid"}},
    {{"model.attention=dot"}, {"model.attention=dot: ", "set model.output = decoder"}},
    {{"data.train=any.h5", "model.output=ctc", "model.attention_size=3"},
        {"model.attention_size=3: ", "set model.output = decoder"}},
    {{"data.train=any.h5", "model.output=decoder", "model.attention=none", "model.attention_size=3"},
        {"model.attention_size=3: ", "set it to 0"}},
    {{"model.embedding=3"}, {"/one.h5: /inputs: real values", "set model.embedding = 0"}},
    {{"train.label_smoothing=1"}, {"train.label_smoothing=1: ", "from 0 to below 1"}},
    {{"train.label_smoothing=-0.1"}, {"train.label_smoothing=-0.1: ", "from 0 to below 1"}},
    {{"train.class_weights=1,2,3,-4"}, {"train.class_weights=1,2,3,-4: ", "numbers of at least 0"}},
    {{"train.class_weights=0,0,0,0"}, {"train.class_weights=0,0,0,0: ", "make one larger"}},
    {{"model.layers=0", "model.transition_layers=1"},
        {"transition_layers=1: ", "set model.layers to 1 or more"}},
    {{"model.layers=0", "model.initial_state=learned"},
        {"initial_state=learned: ", "set model.layers to 1 or more"}},
    {{"model.layers=0", "model.peepholes=yes"}, {"peepholes=yes: ", "set model.layers to 1 or more"}},
    {{"data.valid=fits.h5", "model.output=sequence"},
        {"/fits.h5: /targets: 27 targets are not one", "set model.output = ctc or decoder"}},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(what_a_type_cannot_have_is_refused_in_one_line)
{
    const char *const *set = refused[_i].set, *const *says = refused[_i].says;
    for (int ranks = 0; ranks <= (_i % 3 ? 0 : 2); ranks += 2) {
        struct command_result result;
        job_run(&result, ranks, "refused.ini", "refused", "-s", set[0], set[1] ? "-s" : NULL, set[1],
            set[2] ? "-s" : NULL, set[2], set[3] ? "-s" : NULL, set[3], NULL);
        job_expect(&result, 65);
        ck_assert_str_eq(result.output, "");
        job_complains(&result, 1, says[0], says[1], says[2], NULL);
        command_result_finish(&result);
        ck_assert(!job_exists("refused") || job_count("refused", "checkpoint-") == 0);
    }
}
END_TEST

int main(void)
{
    job_open();
    /* mpirun waits so long before it is sure that ranks have gone which gave up together */
    setenv("OMPI_MCA_odls_base_sigkill_timeout", "0", 0);
    Suite *suite = suite_create("types");
    TCase *tests = tcase_create("same bits"), *refusals = tcase_create("refused");
    TCase *weights = tcase_create("many classes");
    tcase_set_timeout(weights, 100);
    tcase_set_timeout(tests, 200);
    tcase_set_timeout(refusals, 100);
    tcase_add_unchecked_fixture(refusals, write_refused, NULL);
    tcase_add_loop_test(tests, training_has_the_same_bits_at_1_2_3_and_8_ranks, 0, TYPES);
    tcase_add_loop_test(tests, a_run_lost_within_an_epoch_ends_with_the_bits_of_no_stop, 0, TYPES);
    tcase_add_loop_test(tests, predictions_have_the_same_bytes_at_1_and_3_ranks, 0, TYPES);
    tcase_add_loop_test(tests, sequences_without_a_target_change_no_mean, 0, TYPES);
    tcase_add_loop_test(tests, a_batch_in_which_nothing_counts_is_a_step_without_update, 0, TYPES);
    tcase_add_loop_test(weights, as_many_classes_as_wanted_can_be_weighed, 0, 2);
    tcase_add_loop_test(refusals, what_a_type_cannot_have_is_refused_in_one_line, 0, REFUSED);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, weights);
    suite_add_tcase(suite, refusals);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
