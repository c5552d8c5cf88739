#include "decoder_problem.h"

#include "base/random.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The counter's high word says what a number is for. */
enum purpose { FOR_WEIGHTS = 1, FOR_OUTPUTS = 1000, FOR_TARGETS = 2000 };

static double draw(uint64_t seed, uint64_t purpose, uint64_t index)
{
    return (float)(2 * random_uniform(seed, RANDOM_TEST, purpose, index) - 1);
}

static void draw_targets(
    const struct decoder_problem *problem, size_t s, struct reference_targets *targets, uint64_t seed)
{
    const struct net_config *c = &problem->config;
    size_t n = targets->T * problem->decoder.D * problem->decoder.H, V = targets->U * c->outputs;
    double *y = reference_numbers(n), *values = reference_numbers(V);
    int32_t *classes = calloc(targets->U + 1, sizeof *classes);
    if (!classes)
        abort();
    for (size_t i = 0; i < n; i++)
        y[i] = draw(seed, FOR_OUTPUTS + s, i);
    for (size_t u = 0; u < targets->U; u++)
        classes[u] = (int32_t)random_below(c->outputs, seed, RANDOM_TEST, FOR_TARGETS + s, u);
    for (size_t i = 0; i < V; i++) {
        double value = draw(seed, FOR_TARGETS + s, i);
        values[i] = c->loss == LOSS_SIGMOID ? fabs(value) : 2 * value;
    }
    targets->y = y;
    targets->classes = classes;
    targets->values = values;
}

void decoder_problem_init(struct decoder_problem *problem, const struct net_config *config, size_t sequences,
    const int32_t *length, const int32_t *target_length, uint64_t seed)
{
    struct error error = {0};
    *problem = (struct decoder_problem){
        .config = *config, .net = net_create(config, &error), .sequences = sequences};
    if (!problem->net) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    problem->P = net_count_parameters(problem->net);
    struct reference_decoder *decoder = &problem->decoder;
    decoder->config = &problem->config;
    decoder->list = net_get_parameters(problem->net, &decoder->tensors);
    decoder->D = config->bidirectional[config->layers - 1] ? 2 : 1;
    decoder->H = config->hidden[config->layers - 1];
    problem->weights = reference_numbers(problem->P);
    for (size_t k = 0; k < decoder->tensors; k++) {
        const struct parameter *p = &decoder->list[k];
        double scale = p->size[1] > 4 ? 1.4 / sqrt((double)p->size[1]) : 0.7;
        for (size_t i = p->offset; i < p->offset + p->count; i++)
            problem->weights[i] = (float)(scale * draw(seed, FOR_WEIGHTS, i));
    }
    problem->targets = calloc(sequences, sizeof *problem->targets);
    if (!problem->targets)
        abort();
    for (size_t s = 0; s < sequences; s++) {
        problem->targets[s].T = (size_t)length[s];
        problem->targets[s].U = (size_t)target_length[s];
        draw_targets(problem, s, &problem->targets[s], seed);
    }
}

void decoder_problem_finish(struct decoder_problem *problem)
{
    for (size_t s = 0; s < problem->sequences; s++) {
        free((double *)problem->targets[s].y);
        free((int32_t *)problem->targets[s].classes);
        free((double *)problem->targets[s].values);
    }
    free(problem->targets);
    free(problem->weights);
    net_destroy(problem->net);
}

static int is_compared(const char *name)
{
    static const char *const begin[] = {"decoder.", "attention.", "output.", "head."};
    for (int i = 0; i < 4; i++)
        if (!strncmp(name, begin[i], strlen(begin[i])))
            return 1;
    return 0;
}

double decoder_problem_compare(const struct decoder_problem *problem, const double *got, const double *want,
    double floor, const char **worst)
{
    double most = 0;
    *worst = "";
    for (size_t k = 0; k < problem->decoder.tensors; k++) {
        const struct parameter *p = &problem->decoder.list[k];
        double scale = 0, difference = 0;
        for (size_t i = p->offset; i < p->offset + p->count && is_compared(p->name); i++) {
            scale = fmax(scale, fabs(want[i]));
            difference = isfinite(got[i]) ? fmax(difference, fabs(got[i] - want[i])) : INFINITY;
        }
        if (difference / (scale + floor) > most) {
            most = difference / (scale + floor);
            *worst = p->name;
        }
    }
    return most;
}
