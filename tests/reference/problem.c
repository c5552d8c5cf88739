#include "problem.h"

#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The counter's high word says what a number is for. */
enum purpose {
    FOR_WEIGHTS = 1,
    FOR_LENGTHS = 2,
    FOR_INPUTS = 1000,
    FOR_TARGETS = 2000,
    FOR_DROPPING = 3000,
    FOR_WEIGHING = 4000
};

static double draw(uint64_t seed, uint64_t purpose, uint64_t index)
{
    return (float)(2 * random_uniform(seed, RANDOM_TEST, purpose, index) - 1);
}

/* Within 1.2 / sqrt(H) for recurrent tensors, so that the past is felt many steps on, 1.4 / sqrt(columns) for
 * the other wide ones, 0.7 for the rest. Weights of a normalization lie about 1. */
static double weight_scale(const struct parameter *tensor)
{
    double columns = (double)tensor->size[1];
    if (strstr(tensor->name, "weight_hh"))
        return 1.2 / sqrt(columns);
    return columns > 4 ? 1.4 / sqrt(columns) : 0.7;
}

static double weight_center(const struct parameter *tensor)
{
    return strncmp(tensor->name, "norm.", 5) == 0 && strstr(tensor->name, "weight") ? 1 : 0;
}

static void draw_weights(struct problem *problem, uint64_t seed)
{
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t tensors = reference_list_parameters(&problem->config, list);
    problem->P = reference_count_weights(&problem->config);
    problem->weights = reference_numbers(problem->P);
    for (size_t k = 0; k < tensors; k++)
        for (size_t p = list[k].offset; p < list[k].offset + list[k].count; p++)
            problem->weights[p] =
                (float)(weight_center(&list[k]) + weight_scale(&list[k]) * draw(seed, FOR_WEIGHTS, p));
}

static void draw_inputs(
    const struct net_config *config, struct reference_sequence *sequence, uint64_t seed, uint64_t purpose)
{
    size_t n = config->symbols ? sequence->T : sequence->T * config->inputs;
    if (config->symbols) {
        int32_t *symbols = calloc(n, sizeof *symbols);
        for (size_t i = 0; symbols && i < n; i++)
            symbols[i] = (int32_t)random_below(config->inputs, seed, RANDOM_TEST, purpose, i);
        sequence->symbols = symbols;
    } else {
        double *inputs = reference_numbers(n);
        for (size_t i = 0; i < n; i++)
            inputs[i] = draw(seed, purpose, i);
        sequence->inputs = inputs;
    }
}

/* U of them, drawn as many as there may be, or as fit. */
static void draw_labels(
    const struct net_config *config, struct reference_sequence *sequence, uint64_t seed, uint64_t purpose)
{
    size_t T = sequence->T, frames = 0;
    size_t most = (size_t)random_below(T + 1, seed, RANDOM_TEST, purpose, T);
    int32_t *labels = calloc(T, sizeof *labels);
    if (!labels)
        abort();
    for (size_t u = 0; u < most; u++) {
        labels[u] = (int32_t)random_below(config->outputs, seed, RANDOM_TEST, purpose, u);
        frames += u > 0 && labels[u] == labels[u - 1] ? 2 : 1;
        if (frames > T)
            break;
        sequence->U = u + 1;
    }
    sequence->classes = labels;
}

static void draw_targets(
    const struct net_config *config, struct reference_sequence *sequence, uint64_t seed, uint64_t purpose)
{
    size_t R = reference_rows(config, sequence->T), O = config->outputs;
    if (config->output == OUTPUT_CTC) {
        draw_labels(config, sequence, seed, purpose);
        return;
    }
    if (config->loss == LOSS_SOFTMAX) {
        int32_t *classes = calloc(R, sizeof *classes);
        for (size_t r = 0; classes && r < R; r++)
            classes[r] = (int32_t)random_below(O, seed, RANDOM_TEST, purpose, r);
        sequence->classes = classes;
        return;
    }
    double *values = reference_numbers(R * O);
    for (size_t i = 0; i < R * O; i++) {
        values[i] = draw(seed, purpose, i);
        if (config->loss == LOSS_SIGMOID) {
            double v = 1.25 * values[i] * values[i] - 0.125;
            values[i] = v < 0 ? 0 : v > 1 ? 1 : (float)v;
        }
    }
    sequence->values = values;
}

void problem_init(struct problem *problem, const struct net_config *config, size_t sequences,
    const int32_t *length, uint64_t seed)
{
    *problem = (struct problem){.config = *config, .sequences = sequences};
    problem->sequence = calloc(sequences, sizeof *problem->sequence);
    if (!problem->sequence)
        abort();
    for (size_t s = 0; s < sequences; s++) {
        problem->sequence[s].T = (size_t)length[s];
        draw_inputs(config, &problem->sequence[s], seed, FOR_INPUTS + 4096 * s);
        draw_targets(config, &problem->sequence[s], seed, FOR_TARGETS + 4096 * s);
    }
    draw_weights(problem, seed);
}

void problem_drop_targets(struct problem *problem, uint64_t seed)
{
    for (size_t s = 0; s < problem->sequences; s++) {
        struct reference_sequence *sequence = &problem->sequence[s];
        int32_t *classes = (int32_t *)sequence->classes;
        double *values = (double *)sequence->values;
        size_t R = reference_rows(&problem->config, sequence->T), O = problem->config.outputs;
        for (size_t r = 0; classes && r < R; r++)
            if (s + 2 == problem->sequences || random_below(3, seed, RANDOM_TEST, FOR_DROPPING + s, r) == 0)
                classes[r] = -1;
        for (size_t i = 0; values && i < R * O; i++)
            if (s + 2 == problem->sequences || random_below(3, seed, RANDOM_TEST, FOR_DROPPING + s, i) == 0)
                values[i] = NAN;
    }
}

void problem_weigh_targets(struct problem *problem, uint64_t seed)
{
    for (size_t s = 0; s < problem->sequences; s++) {
        size_t R = reference_rows(&problem->config, problem->sequence[s].T);
        double *weights = reference_numbers(R);
        for (size_t r = 0; r < R; r++)
            weights[r] = (double)random_below(4, seed, RANDOM_TEST, FOR_WEIGHING + s, r) / 2;
        problem->sequence[s].weights = weights;
    }
}

void problem_finish(struct problem *problem)
{
    for (size_t s = 0; s < problem->sequences; s++) {
        free((void *)problem->sequence[s].inputs);
        free((void *)problem->sequence[s].symbols);
        free((void *)problem->sequence[s].classes);
        free((void *)problem->sequence[s].values);
        free((void *)problem->sequence[s].weights);
    }
    free(problem->sequence);
    free(problem->weights);
    memset(problem, 0, sizeof *problem);
}

static int falling(const void *a, const void *b)
{
    return *(const int32_t *)b - *(const int32_t *)a;
}

void problem_draw_lengths(size_t n, int32_t most, uint64_t seed, int32_t *length)
{
    for (size_t i = 0; i < n; i++)
        length[i] = 1 + (int32_t)random_below((uint64_t)most, seed, RANDOM_TEST, FOR_LENGTHS, i);
    length[0] = most;
    if (n > 1)
        length[1] = 1;
    qsort(length, n, sizeof *length, falling);
}

struct microbatch_format problem_format(const struct problem *problem)
{
    const struct net_config *config = &problem->config;
    int classes = config->loss == LOSS_SOFTMAX;
    return (struct microbatch_format){.inputs = config->symbols ? 0 : config->inputs,
        .has_classes = classes,
        .values = classes ? 0 : config->outputs,
        .target_per_frame = config->output == OUTPUT_FRAME,
        .target_any = config->output == OUTPUT_CTC,
        .has_weights = problem->sequence[0].weights != NULL};
}

static void fill_frame(const struct net_config *config, const struct reference_sequence *from, size_t t,
    size_t n, struct microbatch *to)
{
    if (config->symbols)
        to->symbols[n] = from->symbols[t];
    for (size_t i = 0; i < config->inputs && !config->symbols; i++)
        to->inputs[n * to->inputs_stride + i] = (float)from->inputs[t * config->inputs + i];
}

static void fill_target(const struct net_config *config, const struct reference_sequence *from, size_t r,
    size_t n, struct microbatch *to)
{
    if (from->weights)
        to->weights[n] = (float)from->weights[r];
    if (config->loss == LOSS_SOFTMAX)
        to->classes[n] = from->classes[r];
    for (size_t o = 0; o < config->outputs && config->loss != LOSS_SOFTMAX; o++)
        to->values[n * to->values_stride + o] = (float)from->values[r * config->outputs + o];
}

/* What the microbatch has of its sequence b. The target of one as a whole stands at its end. */
static void fill_row(const struct problem *problem, size_t b, struct microbatch *microbatch)
{
    const struct net_config *config = &problem->config;
    const struct microbatch_format format = problem_format(problem);
    const struct reference_sequence *sequence = &problem->sequence[microbatch->sequence[b]];
    size_t first = (size_t)microbatch->excerpt.first, n = (size_t)microbatch->length[b];
    for (size_t t = 0; t < n; t++) {
        fill_frame(config, sequence, first + t, microbatch_frame(microbatch, b, t), microbatch);
        if (format.target_per_frame)
            fill_target(config, sequence, first + t, microbatch_frame(microbatch, b, t), microbatch);
    }
    for (size_t u = 0; u < sequence->U && format.target_any; u++)
        microbatch->classes[microbatch->target_start[b] + u] = sequence->classes[u];
    if (format.target_per_frame || format.target_any)
        return;
    fill_target(config, sequence, 0, b, microbatch);
    if (first + n == sequence->T)
        return;
    if (format.has_classes)
        microbatch->classes[b] = -1;
    for (size_t o = 0; o < config->outputs && !format.has_classes; o++)
        microbatch->values[b * microbatch->values_stride + o] = NAN;
}

void problem_fill_microbatch(
    const struct problem *problem, size_t B, const int64_t *chosen, struct microbatch *microbatch)
{
    struct microbatch_format format = problem_format(problem);
    int32_t *length = calloc(B, sizeof *length), *labels = calloc(B, sizeof *labels);
    if (!length || !labels)
        abort();
    for (size_t b = 0; b < B; b++) {
        length[b] = excerpt_length(microbatch->excerpt, (int32_t)problem->sequence[chosen[b]].T);
        labels[b] = (int32_t)problem->sequence[chosen[b]].U;
    }
    struct error error;
    if (microbatch_resize(microbatch, &format, B, length, chosen, labels, &error)) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    free(length);
    free(labels);
    for (size_t b = 0; b < B; b++)
        fill_row(problem, b, microbatch);
}

const struct parameter *problem_find(size_t tensors, const struct parameter *list, const char *name)
{
    for (size_t k = 0; k < tensors; k++)
        if (!strcmp(list[k].name, name))
            return &list[k];
    return NULL;
}

static const struct parameter *find_like(
    size_t tensors, const struct parameter *list, const struct parameter *wanted)
{
    const struct parameter *found = problem_find(tensors, list, wanted->name);
    if (!found || found->count != wanted->count) {
        fprintf(stderr, "no tensor %s of %zu weights\n", wanted->name, wanted->count);
        abort();
    }
    return found;
}

void problem_to_floats(const struct problem *problem, const double *vector, size_t tensors,
    const struct parameter *list, size_t P, float *floats)
{
    struct parameter own[REFERENCE_MOST_TENSORS];
    size_t n = reference_list_parameters(&problem->config, own);
    memset(floats, 0, P * sizeof *floats);
    for (size_t k = 0; k < n; k++) {
        const struct parameter *other = find_like(tensors, list, &own[k]);
        for (size_t i = 0; i < own[k].count; i++)
            floats[other->offset + i] = (float)vector[own[k].offset + i];
    }
}

void problem_to_doubles(const struct problem *problem, const float *floats, size_t tensors,
    const struct parameter *list, double *vector)
{
    struct parameter own[REFERENCE_MOST_TENSORS];
    size_t n = reference_list_parameters(&problem->config, own);
    for (size_t k = 0; k < n; k++) {
        const struct parameter *other = find_like(tensors, list, &own[k]);
        for (size_t i = 0; i < own[k].count; i++)
            vector[own[k].offset + i] = floats[other->offset + i];
    }
}

double problem_compare(
    const struct problem *problem, const double *got, const double *want, double floor, char worst[64])
{
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t n = reference_list_parameters(&problem->config, list);
    double most = 0;
    worst[0] = 0;
    for (size_t k = 0; k < n; k++) {
        double scale = 0, difference = 0;
        for (size_t p = list[k].offset; p < list[k].offset + list[k].count; p++) {
            scale = fmax(scale, fabs(want[p]));
            if (!isfinite(got[p])) {
                memcpy(worst, list[k].name, sizeof list[k].name);
                return NAN;
            }
            difference = fmax(difference, fabs(got[p] - want[p]));
        }
        double fraction = difference / (scale + floor);
        if (fraction > most) {
            most = fraction;
            memcpy(worst, list[k].name, sizeof list[k].name);
        }
    }
    return most;
}
