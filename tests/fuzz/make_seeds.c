/* make_seeds FOLDER: small good files for the fuzzers to begin with. What makes them belongs to tests and
 * must run in one. */
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "ckpt/seal.h"
#include "support/checkpoints.h"
#include "support/sample.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static const char *in_folder(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* What is of format_version 2 lacks values, where it has such, and has a weight for each target. */
static void write_dataset(const char *path, const struct sample_shape *shape)
{
    static const float weights[] = {1, 0.5F, 0};
    struct sample sample;
    sample_init(&sample, shape, 1);
    if (shape->version > 1)
        sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    for (int64_t r = 0; sample.weights && r < sample.targets; r++)
        sample.weights[r] = weights[r % 3];
    for (size_t i = 0; sample.weights && i < (size_t)sample.targets * shape->values; i += 2)
        sample.values[i] = NAN;
    sample_write(&sample, path);
    sample_finish(&sample);
}

static void write_checkpoint(const char *path, const struct net_config *config)
{
    struct checkpoint checkpoint;
    struct error error;
    void *bytes;
    size_t size;
    net_destroy(checkpoints_make_of(&checkpoint, config, 5));
    FILE *file = fopen(path, "wb");
    if (!file || checkpoint_encode(&checkpoint, &bytes, &size, &error) != 0 ||
        fwrite(bytes, 1, size - SEAL_BYTES, file) != size - SEAL_BYTES || fclose(file) != 0)
        exit(EXIT_FAILURE);
    memory_destroy(bytes);
    checkpoint_finish(&checkpoint);
}

START_TEST(seeds_of_datasets_are_made)
{
    static const struct {
        const char *name;
        struct sample_shape shape;
    } samples[] = {
        {"classes.h5",
            {.sequences = 3,
                .shortest = 1,
                .longest = 4,
                .features = 2,
                .kind = SAMPLE_PER_SEQUENCE,
                .classes = 3,
                .names = 1}},
        {"values.h5",
            {.sequences = 2,
                .shortest = 2,
                .longest = 3,
                .features = 1,
                .kind = SAMPLE_PER_FRAME,
                .values = 2}},
        {"symbols.h5",
            {.sequences = 4, .shortest = 1, .longest = 5, .symbols = 7, .kind = SAMPLE_ANY, .classes = 2}},
        {"inputs.h5",
            {.sequences = 1, .shortest = 3, .longest = 3, .features = 3, .kind = SAMPLE_NO_TARGETS}},
        {"holes.h5",
            {.sequences = 3,
                .shortest = 1,
                .longest = 3,
                .features = 1,
                .kind = SAMPLE_PER_FRAME,
                .values = 2,
                .shares = 1,
                .version = 2}},
        {"weights.h5",
            {.sequences = 4,
                .shortest = 1,
                .longest = 2,
                .features = 1,
                .kind = SAMPLE_PER_SEQUENCE,
                .classes = 2,
                .version = 2}},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        write_dataset(in_folder(samples[i].name), &samples[i].shape);
}
END_TEST

START_TEST(seeds_of_checkpoints_are_made)
{
    const struct net_config lstm = checkpoints_config(1, 2), two = checkpoints_config(2, 2);
    struct net_config lru = lstm, indrnn = lstm, mingru = lstm;
    lru.cell = CELL_LRU;
    lru.loss = LOSS_GAUSSIAN;
    lru.timescale = 100;
    indrnn.cell = CELL_INDRNN;
    indrnn.loss = LOSS_QUANTILE;
    indrnn.recurrent_max = 0.9;
    mingru.cell = CELL_MINGRU;
    mingru.loss = LOSS_LOGCOSH;
    mingru.forget_bias = (struct net_choice){.given = 1, .number = 2};
    write_checkpoint(in_folder("one.h5"), &lstm);
    write_checkpoint(in_folder("two.h5"), &two);
    write_checkpoint(in_folder("lru.h5"), &lru);
    write_checkpoint(in_folder("indrnn.h5"), &indrnn);
    write_checkpoint(in_folder("mingru.h5"), &mingru);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("seeds");
    TCase *tests = tcase_create("seeds");
    if (argc != 2)
        return EXIT_FAILURE;
    folder = argv[1];
    tcase_add_test(tests, seeds_of_datasets_are_made);
    tcase_add_test(tests, seeds_of_checkpoints_are_made);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
