#include "support/sample.h"

#include "base/memory.h"
#include "base/random.h"
#include "support/folder.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAW_LENGTHS, DRAW_INPUTS, DRAW_COUNTS, DRAW_TARGETS };

static void *create(size_t n, size_t size)
{
    void *block = memory_create(n, size, NULL);
    ck_assert_ptr_nonnull(block);
    return block;
}

static uint64_t draw(uint64_t n, uint64_t seed, uint64_t what, uint64_t index)
{
    return random_below(n, seed, RANDOM_TEST, what, index);
}

static int64_t draw_targets(const struct sample_shape *shape, int64_t length, uint64_t seed, int64_t s)
{
    switch (shape->kind) {
    case SAMPLE_PER_SEQUENCE:
        return 1;
    case SAMPLE_ANY:
        return (int64_t)draw(4, seed, DRAW_COUNTS, (uint64_t)s);
    case SAMPLE_THREE:
        return 3;
    default:
        return length;
    }
}

static void draw_offsets(struct sample *sample, uint64_t seed)
{
    const struct sample_shape *shape = &sample->shape;
    size_t rows = (size_t)shape->sequences + 1;
    sample->input_offsets = create(rows, sizeof(int64_t));
    if (shape->kind >= SAMPLE_PER_FRAME_OFFSETS)
        sample->target_offsets = create(rows, sizeof(int64_t));
    for (int64_t s = 0; s < shape->sequences; s++) {
        uint64_t range = (uint64_t)(shape->longest - shape->shortest) + 1;
        int64_t length = shape->shortest + (int64_t)draw(range, seed, DRAW_LENGTHS, (uint64_t)s);
        sample->input_offsets[s + 1] = sample->input_offsets[s] + length;
        if (sample->target_offsets)
            sample->target_offsets[s + 1] = sample->target_offsets[s] + draw_targets(shape, length, seed, s);
    }
    sample->frames = sample->input_offsets[shape->sequences];
    sample->targets = sample->target_offsets ? sample->target_offsets[shape->sequences] : sample->frames;
    if (shape->kind == SAMPLE_NO_TARGETS)
        sample->targets = 0;
}

/* From -1 to 3, or shares from 0 to 1. */
static float *draw_floats(int64_t rows, size_t columns, int shares, uint64_t seed, uint64_t what)
{
    float *values = create((size_t)rows * columns, sizeof *values);
    for (size_t i = 0; i < (size_t)rows * columns; i++)
        values[i] = (float)random_uniform(seed, RANDOM_TEST, what, i) * (shares ? 1 : 4) - (shares ? 0 : 1);
    return values;
}

static int32_t *draw_integers(int64_t rows, int32_t limit, uint64_t seed, uint64_t what)
{
    int32_t *values = create((size_t)rows, sizeof *values);
    for (size_t i = 0; i < (size_t)rows; i++)
        values[i] = (int32_t)draw((uint64_t)limit, seed, what, i);
    return values;
}

void sample_init(struct sample *sample, const struct sample_shape *shape, uint64_t seed)
{
    *sample = (struct sample){.shape = *shape};
    draw_offsets(sample, seed);
    if (shape->symbols)
        sample->symbols = draw_integers(sample->frames, shape->symbols, seed, DRAW_INPUTS);
    else
        sample->inputs = draw_floats(sample->frames, shape->features, shape->shares, seed, DRAW_INPUTS);
    if (shape->kind == SAMPLE_NO_TARGETS)
        return;
    if (shape->classes)
        sample->classes = draw_integers(sample->targets, shape->classes, seed, DRAW_TARGETS);
    else
        sample->values = draw_floats(sample->targets, shape->values, shape->shares, seed, DRAW_TARGETS);
}

void sample_finish(struct sample *sample)
{
    memory_destroy(sample->input_offsets);
    memory_destroy(sample->target_offsets);
    memory_destroy(sample->inputs);
    memory_destroy(sample->symbols);
    memory_destroy(sample->classes);
    memory_destroy(sample->values);
    memory_destroy(sample->weights);
    *sample = (struct sample){0};
}

/* ---- files ---- */

static int is_wanted(const char *name, const char *without)
{
    return !without || strcmp(name, without) != 0;
}

static void add_inputs(const struct sample *sample, struct h5_image *image)
{
    int64_t size[] = {sample->frames, (int64_t)sample->shape.features};
    if (sample->inputs) {
        h5_image_floats(image, "inputs", 2, size, sample->inputs);
        return;
    }
    h5_image_int32(image, "inputs", 1, size, sample->symbols);
    h5_image_attribute_int32(image, "inputs", "n_symbols", sample->shape.symbols);
}

static void add_targets(const struct sample *sample, struct h5_image *image)
{
    int64_t size[] = {sample->targets, (int64_t)sample->shape.values};
    if (sample->values) {
        h5_image_floats(image, "targets", 2, size, sample->values);
        return;
    }
    h5_image_int32(image, "targets", 1, size, sample->classes);
    h5_image_attribute_int32(image, "targets", "n_classes", sample->shape.classes);
}

static void add_names(const struct sample *sample, struct h5_image *image)
{
    size_t n = (size_t)sample->shape.sequences;
    char **names = create(n, sizeof *names), (*texts)[32] = create(n, sizeof *texts);
    for (size_t s = 0; s < n; s++) {
        snprintf(texts[s], sizeof texts[s], "sequence %zu", s);
        names[s] = texts[s];
    }
    h5_image_texts(image, "names", (int64_t)n, (const char *const *)names);
    memory_destroy(texts);
    memory_destroy(names);
}

struct h5_image *sample_image(const struct sample *sample, const char *without)
{
    struct h5_image *image = h5_image_create(NULL);
    ck_assert_ptr_nonnull(image);
    int64_t offsets = sample->shape.sequences + 1;
    if (is_wanted("format", without))
        h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    if (is_wanted("format_version", without))
        h5_image_attribute_int32(
            image, "/", "format_version", sample->shape.version ? sample->shape.version : 1);
    if (is_wanted("inputs", without))
        add_inputs(sample, image);
    if (is_wanted("input_offsets", without))
        h5_image_int64(image, "input_offsets", 1, &offsets, sample->input_offsets);
    if (sample->shape.kind != SAMPLE_NO_TARGETS && is_wanted("targets", without))
        add_targets(sample, image);
    if (sample->target_offsets && is_wanted("target_offsets", without))
        h5_image_int64(image, "target_offsets", 1, &offsets, sample->target_offsets);
    if (sample->weights && is_wanted("target_weights", without))
        h5_image_floats(image, "target_weights", 1, &sample->targets, sample->weights);
    if (sample->shape.names && is_wanted("names", without))
        add_names(sample, image);
    return image;
}

void sample_save(struct h5_image *image, const char *path)
{
    struct error error = {0};
    void *bytes;
    size_t size;
    int outcome = h5_image_finish(image, &bytes, &size, &error);
    ck_assert_msg(outcome == 0, "%s", error.text);
    write_file(path, bytes, size);
    memory_destroy(bytes);
}

void sample_write(const struct sample *sample, const char *path)
{
    sample_save(sample_image(sample, NULL), path);
}

/* The offsets of sequences first .. end - 1, from 0 on; free. */
static int64_t *cut_offsets(const int64_t *offsets, int64_t first, int64_t end)
{
    int64_t *part = calloc((size_t)(end - first) + 1, sizeof *part);
    ck_assert_ptr_nonnull(part);
    for (int64_t s = first; s <= end; s++)
        part[s - first] = offsets[s] - offsets[first];
    return part;
}

void sample_write_part(const struct sample *sample, int64_t first, int64_t end, const char *path)
{
    struct sample part = *sample;
    const int64_t *targets = sample->target_offsets ? sample->target_offsets : sample->input_offsets;
    int64_t frame = sample->input_offsets[first], target = targets[first];
    size_t I = sample->inputs ? sample->shape.features : 1, O = sample->values ? sample->shape.values : 1;
    part.shape.sequences = end - first;
    part.frames = sample->input_offsets[end] - frame;
    part.targets = sample->shape.kind == SAMPLE_NO_TARGETS ? 0 : targets[end] - target;
    part.input_offsets = cut_offsets(sample->input_offsets, first, end);
    part.target_offsets = sample->target_offsets ? cut_offsets(targets, first, end) : NULL;
    part.inputs += sample->inputs ? (size_t)frame * I : 0;
    part.symbols += sample->symbols ? frame : 0;
    part.classes += sample->classes ? target : 0;
    part.values += sample->values ? (size_t)target * O : 0;
    part.weights += sample->weights ? target : 0;
    sample_write(&part, path);
    free(part.input_offsets);
    free(part.target_offsets);
}

/* ---- folders ---- */

void sample_make_folder(char *folder, size_t size)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, size, "%s/rnn-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
}

void sample_remove_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path); /* which refuses folders */
    }
    if (entries)
        closedir(entries);
    rmdir(folder);
}

int sample_count_files(const char *folder)
{
    int n = -2; /* . and .. */
    DIR *entries = opendir(folder);
    ck_assert_ptr_nonnull(entries);
    while (readdir(entries))
        n++;
    closedir(entries);
    return n;
}

void sample_limit_files(rlim_t bytes)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
}
