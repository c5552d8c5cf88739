#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *room(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size);
    if (!block)
        abort();
    return block;
}

static void end_program(const struct error *error)
{
    fprintf(stderr, "%s\n", error->text);
    abort();
}

void subject_init(struct subject *subject, const struct problem *problem)
{
    struct error error = {0};
    *subject = (struct subject){.problem = problem, .net = net_create(&problem->config, &error)};
    if (!subject->net)
        end_program(&error);
    subject->list = net_get_parameters(subject->net, &subject->tensors);
    subject->P = net_count_parameters(subject->net);
    subject->weights = room(subject->P, sizeof *subject->weights);
    problem_to_floats(
        problem, problem->weights, subject->tensors, subject->list, subject->P, subject->weights);
    /* At once, or as two or three processes would. */
    size_t shares = 1 + subject->P % 3;
    for (size_t share = 0; share < shares; share++)
        net_pack_share(subject->net, subject->weights, share, shares);
}

void subject_finish(struct subject *subject)
{
    net_destroy(subject->net);
    free(subject->weights);
    memset(subject, 0, sizeof *subject);
}

/* The gradient of upper layers as it is when net_backward tells that it is complete. */
struct early {
    size_t from, P, told, looked;
    const float *gradient;
    float *upper;
};

static void tell(void *context)
{
    struct early *early = context;
    early->told++;
    memcpy(early->upper, early->gradient + early->from, (early->P - early->from) * sizeof *early->upper);
}

static void look(void *context)
{
    struct early *early = context;
    early->looked++;
}

/* What was told to be complete stayed as it was, and each step of the first layer had its look. */
static void run_backward(struct subject *subject, const struct net_pass *pass,
    const struct microbatch *microbatch, float *gradient)
{
    size_t from = net_first_layer_end(subject->net), P = subject->P;
    struct early early = {
        .from = from, .P = P, .gradient = gradient, .upper = room(P - from, sizeof *early.upper)};
    struct net_ahead ahead = {tell, look, &early};
    struct net_pass own = *pass;
    own.ahead = &ahead;
    net_backward(subject->net, &own, microbatch, gradient);
    int trained = 0; /* something below */
    for (size_t i = 0; i < from; i++)
        trained |= gradient[i] != 0;
    if (early.told > (from < P) || (from < P && trained && !early.told) ||
        (early.told && memcmp(early.upper, gradient + from, (P - from) * sizeof *gradient) != 0) ||
        (early.told && early.looked < microbatch->T)) {
        fprintf(stderr, "the gradient of upper layers was not told of, or before it was complete\n");
        abort();
    }
    free(early.upper);
}

void subject_run(struct subject *subject, const struct net_pass *pass, const struct microbatch *microbatch,
    struct result *result)
{
    struct net_outputs outputs;
    struct error error = {0};
    *result =
        (struct result){.B = microbatch->B, .O = net_count_head(&subject->problem->config), .P = subject->P};
    result->score = room(microbatch->B, sizeof *result->score);
    if (net_forward(subject->net, pass, microbatch, &outputs, result->score, &error))
        end_program(&error);
    result->rows = outputs.rows;
    result->outputs = room(outputs.rows * result->O, sizeof *result->outputs);
    for (size_t r = 0; r < outputs.rows; r++)
        memcpy(result->outputs + r * result->O, outputs.values + r * outputs.stride,
            result->O * sizeof *result->outputs);
    if (pass->training) {
        result->gradient = room(subject->P, sizeof *result->gradient);
        run_backward(subject, pass, microbatch, result->gradient);
    }
}

void subject_run_chosen(struct subject *subject, const struct net_pass *pass, size_t B, const int64_t *chosen,
    struct result *result)
{
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    problem_fill_microbatch(subject->problem, B, chosen, &microbatch);
    subject_run(subject, pass, &microbatch, result);
    microbatch_finish(&microbatch);
}

const char *result_find_difference(
    const struct subject *subject, const struct result *got, const struct result *want)
{
    if (got->rows != want->rows ||
        memcmp(got->outputs, want->outputs, want->rows * want->O * sizeof(float)) != 0)
        return "outputs";
    for (size_t b = 0; b < want->B; b++)
        if (memcmp(&got->score[b].loss, &want->score[b].loss, sizeof(double)) != 0)
            return "loss";
    for (size_t i = 0; i < subject->tensors && want->gradient; i++) {
        const struct parameter *p = &subject->list[i];
        if (memcmp(got->gradient + p->offset, want->gradient + p->offset, p->count * sizeof(float)) != 0)
            return p->name;
    }
    return NULL;
}

void result_finish(struct result *result)
{
    free(result->outputs);
    free(result->score);
    free(result->gradient);
    memset(result, 0, sizeof *result);
}

size_t subject_row(const struct net_config *config, size_t B, const int32_t *length, size_t b, size_t t)
{
    if (config->output == OUTPUT_SEQUENCE)
        return b;
    size_t row = b;
    for (size_t s = 0; s < t; s++)
        for (size_t k = 0; k < B; k++)
            row += (size_t)length[k] > s;
    return row;
}
