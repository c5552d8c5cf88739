#include "problem_file.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of `width` numbers of every sequence, end to end. */
struct row_list {
    size_t n, width;
    double *numbers;
};

static void add_rows(struct row_list *rows, size_t n, const double *numbers, const int32_t *integers)
{
    for (size_t i = 0; i < n * rows->width; i++)
        rows->numbers[rows->n * rows->width + i] = numbers ? numbers[i] : integers[i];
    rows->n += n;
}

/* As int32 [n] with the number of different ones as attribute, or as float [n][width]. */
static void write_rows(struct h5_image *image, const char *name, const struct row_list *rows,
    const char *attribute, size_t different)
{
    size_t n = rows->n * rows->width;
    int64_t size[2] = {(int64_t)rows->n, (int64_t)rows->width};
    int32_t *integers = calloc(n, sizeof *integers);
    float *floats = calloc(n, sizeof *floats);
    if (!integers || !floats)
        abort();
    for (size_t i = 0; i < n; i++) {
        integers[i] = attribute ? (int32_t)rows->numbers[i] : 0;
        floats[i] = (float)rows->numbers[i];
    }
    if (attribute) {
        h5_image_int32(image, name, 1, size, integers);
        h5_image_attribute_int32(image, name, attribute, (int32_t)different);
    } else {
        h5_image_floats(image, name, 2, size, floats);
    }
    free(integers);
    free(floats);
}

static void write_weights(struct h5_image *image, const struct problem *problem, size_t rows)
{
    int64_t size = (int64_t)rows;
    size_t n = 0;
    float *weights = calloc(rows, sizeof *weights);
    if (!weights)
        abort();
    for (size_t s = 0; s < problem->sequences; s++)
        for (size_t r = 0; r < reference_rows(&problem->config, problem->sequence[s].T); r++)
            weights[n++] = (float)problem->sequence[s].weights[r];
    h5_image_floats(image, "target_weights", 1, &size, weights);
    free(weights);
}

void problem_add_dataset(struct h5_image *image, const struct problem *problem)
{
    const struct net_config *config = &problem->config;
    int has_classes = config->loss == LOSS_SOFTMAX;
    struct row_list inputs = {.width = config->symbols ? 1 : config->inputs};
    struct row_list targets = {.width = has_classes ? 1 : config->outputs};
    size_t S = problem->sequences, frames = 0;
    int64_t *offsets[2] = {calloc(S + 1, sizeof(int64_t)), calloc(S + 1, sizeof(int64_t))};
    if (!offsets[0] || !offsets[1])
        abort();
    for (size_t s = 0; s < S; s++)
        frames += problem->sequence[s].T;
    inputs.numbers = reference_numbers(frames * inputs.width);
    targets.numbers = reference_numbers(frames * targets.width);
    for (size_t s = 0; s < S; s++) {
        const struct reference_sequence *from = &problem->sequence[s];
        offsets[0][s] = (int64_t)inputs.n;
        offsets[1][s] = (int64_t)targets.n;
        add_rows(&inputs, from->T, from->inputs, from->symbols);
        add_rows(&targets, config->output == OUTPUT_CTC ? from->U : reference_rows(config, from->T),
            from->values, from->classes);
    }
    offsets[0][S] = (int64_t)inputs.n;
    offsets[1][S] = (int64_t)targets.n;
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    h5_image_attribute_int32(image, "/", "format_version", 1);
    write_rows(image, "inputs", &inputs, config->symbols ? "n_symbols" : NULL, config->inputs);
    write_rows(image, "targets", &targets, has_classes ? "n_classes" : NULL, config->outputs);
    h5_image_int64(image, "input_offsets", 1, (int64_t[]){(int64_t)S + 1}, offsets[0]);
    h5_image_int64(image, "target_offsets", 1, (int64_t[]){(int64_t)S + 1}, offsets[1]);
    if (problem->sequence[0].weights)
        write_weights(image, problem, targets.n);
    free(offsets[0]);
    free(offsets[1]);
    free(inputs.numbers);
    free(targets.numbers);
}

void problem_save_image(struct h5_image *image, const char *path)
{
    struct error error = {0};
    void *bytes = NULL;
    size_t size = 0;
    if (h5_image_finish(image, &bytes, &size, &error)) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        abort();
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
        perror(path);
        abort();
    }
    memory_destroy(bytes);
}
