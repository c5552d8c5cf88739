/* make_seeds FOLDER: small good files for the fuzzers to begin with. What makes them belongs to tests and
 * must run in one. */
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "ckpt/seal.h"
#include "support/checkpoints.h"
#include "support/sample.h"
#include "support/suite.h"

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

static void write_dataset(const char *path, const struct sample_shape *shape)
{
    struct sample sample;
    sample_init(&sample, shape, 1);
    sample_write(&sample, path);
    sample_finish(&sample);
}

static void write_checkpoint(const char *path, size_t layers)
{
    struct checkpoint checkpoint;
    struct error error;
    void *bytes;
    size_t size;
    net_destroy(checkpoints_make(&checkpoint, layers, 2, 5));
    FILE *file = fopen(path, "wb");
    if (!file || checkpoint_encode(&checkpoint, &bytes, &size, &error) != 0 ||
        fwrite(bytes, 1, size - SEAL_BYTES, file) != size - SEAL_BYTES || fclose(file) != 0)
        exit(EXIT_FAILURE);
    memory_destroy(bytes);
    checkpoint_finish(&checkpoint);
}

START_TEST(seeds_are_made)
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
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        write_dataset(in_folder(samples[i].name), &samples[i].shape);
    write_checkpoint(in_folder("one.h5"), 1);
    write_checkpoint(in_folder("two.h5"), 2);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("seeds");
    TCase *tests = tcase_create("seeds");
    if (argc != 2)
        return EXIT_FAILURE;
    folder = argv[1];
    tcase_add_test(tests, seeds_are_made);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
