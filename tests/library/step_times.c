/* Microseconds for a step of a stream of librnn, a frame at a time: LSTMs of two layers of 64 and of 256
 * units in one direction, 64 features, 61 classes, random weights. Usage: step_times [STEPS]. Each figure is
 * the median of ROUNDS rounds of so many steps (10000), after one that is not counted. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "ckpt/layout.h"
#include "model/rnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 11, FEATURES = 64, CLASSES = 61, FRAMES = 200 };

static int fail(const char *what)
{
    fprintf(stderr, "step_times: %s\n", what);
    return -1;
}

/* Fills in weights alone, of a net that is to be described by them. */
static int fill(struct checkpoint *checkpoint, const struct net *net, struct error *error)
{
    size_t n;
    const struct parameter *parameter = net_get_parameters(net, &n);
    checkpoint->version = CHECKPOINT_VERSION;
    checkpoint->weights_alone = 1;
    checkpoint->model = *net_get_config(net);
    checkpoint->classes = CLASSES;
    checkpoint->parameters = n;
    checkpoint->count = net_count_parameters(net);
    checkpoint->parameter = memory_create(n, sizeof *parameter, error);
    checkpoint->weights = memory_create(checkpoint->count, sizeof(float), error);
    if (!checkpoint->parameter || !checkpoint->weights)
        return -1;
    memcpy(checkpoint->parameter, parameter, n * sizeof *parameter);
    if (net_init_weights(net, 1, checkpoint->weights, error))
        return -1;
    checkpoint->weights_hash = hash_bytes(checkpoint->weights, checkpoint->count * sizeof(float));
    char **texts[] = {&checkpoint->config, &checkpoint->provenance.version, &checkpoint->provenance.command,
        &checkpoint->provenance.hosts, &checkpoint->provenance.libraries, &checkpoint->provenance.job,
        &checkpoint->provenance.time, &checkpoint->provenance.files[DATA_TRAIN],
        &checkpoint->provenance.files[DATA_VALID]};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = memory_create(1, 1, error);
    strcpy(checkpoint->provenance.run = memory_create(17, 1, error), "0000000000000001");
    return 0;
}

/* Writes a checkpoint of such a network. */
static int write_checkpoint(const char *path, size_t hidden)
{
    const struct net_config config = {.cell = CELL_LSTM,
        .output = OUTPUT_FRAME,
        .loss = LOSS_SOFTMAX,
        .layers = 2,
        .hidden = {hidden, hidden},
        .inputs = FEATURES,
        .outputs = CLASSES,
        .huber_delta = 1,
        .quantiles = 3,
        .quantile = {0.1, 0.5, 0.9},
        .decoder_layers = 1};
    struct checkpoint checkpoint;
    struct error error = {0};
    void *bytes = NULL;
    size_t size = 0;
    checkpoint_init(&checkpoint);
    struct net *net = net_create(&config, &error);
    int failed =
        !net || fill(&checkpoint, net, &error) || checkpoint_encode(&checkpoint, &bytes, &size, &error);
    FILE *file = failed ? NULL : fopen(path, "wb");
    failed = !file || fwrite(bytes, 1, size, file) != size;
    if (file && fclose(file) != 0)
        failed = 1;
    memory_destroy(bytes);
    checkpoint_finish(&checkpoint);
    net_destroy(net);
    return failed ? fail(error.text[0] ? error.text : path) : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Returns microseconds a step, or -1. */
static double time_steps(struct rnn_stream *stream, const float *x, size_t steps)
{
    double seconds[ROUNDS];
    struct rnn_rows rows;
    for (int round = -1; round < ROUNDS; round++) {
        double start = clock_now();
        for (size_t i = 0; i < steps; i++)
            if (rnn_stream_features(stream, 1, x + i % FRAMES * FEATURES, &rows, NULL) != RNN_OK)
                return -1;
        if (round >= 0)
            seconds[round] = clock_now() - start;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, compare);
    return seconds[ROUNDS / 2] / (double)steps * 1e6;
}

static int measure(const char *path, size_t hidden, size_t steps)
{
    struct rnn_model *model;
    struct rnn_stream *stream = NULL;
    struct rnn_error error = {0};
    static float x[FRAMES * FEATURES];
    for (size_t i = 0; i < FRAMES * FEATURES; i++)
        x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    if (write_checkpoint(path, hidden))
        return -1;
    if (rnn_open(path, &model, &error) != RNN_OK)
        return fail(error.text);
    double microseconds = -1;
    if (rnn_stream_open(model, 0, 0, &stream, &error) == RNN_OK)
        microseconds = time_steps(stream, x, steps);
    if (microseconds >= 0)
        printf("cell=lstm layers=2 hidden=%zu microseconds_per_step=%.3f\n", hidden, microseconds);
    rnn_stream_close(stream);
    rnn_close(model);
    return microseconds < 0 ? fail(error.text) : 0;
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/rnn-step-times-XXXXXX";
    long steps = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    int file = mkstemp(path);
    if (steps < 1 || file < 0)
        return fail("Usage: step_times [STEPS]; /tmp takes a file"), 2;
    close(file);
    int failed = measure(path, 64, (size_t)steps) || measure(path, 256, (size_t)steps);
    unlink(path);
    return failed ? 1 : 0;
}
