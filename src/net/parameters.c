/* The table of parameters, and their starting values. */
#include "net/parameters.h"

#include "base/memory.h"
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void parameters_finish(struct parameters *parameters)
{
    memory_destroy(parameters->list);
    memory_destroy(parameters->starting);
    *parameters = (struct parameters){0};
}

/* Makes room for one more. */
static int grow(struct parameters *parameters)
{
    if (parameters->n < parameters->room)
        return 0;
    size_t n = parameters->n, room = n > 0 ? 2 * n : 16;
    struct parameters larger = {.n = n, .room = room, .count = parameters->count};
    larger.list = memory_create(room, sizeof *larger.list, NULL);
    larger.starting = memory_create(room, sizeof *larger.starting, NULL);
    if (!larger.list || !larger.starting) {
        parameters_finish(&larger);
        return -1;
    }
    if (n > 0) {
        memcpy(larger.list, parameters->list, n * sizeof *larger.list);
        memcpy(larger.starting, parameters->starting, n * sizeof *larger.starting);
    }
    parameters_finish(parameters);
    *parameters = larger;
    return 0;
}

size_t parameters_declare(struct parameters *parameters, size_t rows, size_t columns,
    struct starting starting, const char *format, ...)
{
    parameters->failed = parameters->failed || grow(parameters);
    if (parameters->failed)
        return 0;
    struct parameter *p = &parameters->list[parameters->n];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->name, sizeof p->name, format, arguments);
    va_end(arguments);
    p->dimensions = columns ? 2 : 1;
    p->size[0] = rows;
    p->size[1] = columns ? columns : 1;
    p->offset = parameters->count;
    p->count = p->size[0] * p->size[1];
    parameters->starting[parameters->n++] = starting;
    parameters->count += p->count;
    return p->offset;
}

struct starting starting_uniform(size_t inputs)
{
    return (struct starting){.rule = STARTS_UNIFORM, .number = 1 / sqrt((double)inputs)};
}

/* Puts the k-th reflection before Q [n][n]: Q becomes H_k Q. v and w [n] are scratch; v is drawn. */
static void reflect(size_t n, size_t k, const double *v, double *w, double *Q)
{
    double squares = 0;
    for (size_t i = k; i < n; i++)
        squares += v[i] * v[i];
    memset(w + k, 0, (n - k) * sizeof *w);
    for (size_t i = k; i < n; i++)
        for (size_t j = k; j < n; j++)
            w[j] += v[i] * Q[i * n + j];
    for (size_t i = k; i < n; i++) {
        double factor = 2 * v[i] / squares;
        for (size_t j = k; j < n; j++)
            Q[i * n + j] -= factor * w[j];
    }
}

/* Q = H_1 H_2 ... H_n of n reflections H_k = 1 - 2 v v^T / v^T v, v random in its last n - k + 1 places
 * (Stewart 1980 draws v normal; uniform v gives a matrix as orthogonal). Rows and columns below k do not meet
 * H_k, so building from the last reflection on touches only the corner that is not yet the identity. */
static int init_orthogonal(uint64_t seed, size_t index, size_t gate, size_t n, float *out)
{
    double *Q = memory_create(n * n, sizeof *Q, NULL);
    double *v = memory_create(n, sizeof *v, NULL), *w = memory_create(n, sizeof *w, NULL);
    int failed = !Q || !v || !w;
    for (size_t i = 0; i < n && !failed; i++)
        Q[i * n + i] = 1;
    for (size_t k = n; k-- > 0 && !failed;) {
        for (size_t i = k; i < n; i++)
            v[i] = 2 * random_uniform(seed, RANDOM_WEIGHTS, index, (gate * n + k) * n + i) - 1;
        reflect(n, k, v, w, Q);
    }
    for (size_t i = 0; i < n * n && !failed; i++)
        out[i] = (float)Q[i];
    memory_destroy(Q);
    memory_destroy(v);
    memory_destroy(w);
    return failed ? -1 : 0;
}

static int init_parameter(
    uint64_t seed, size_t index, const struct parameter *p, const struct starting *starting, float *out)
{
    int failed = 0;
    switch (starting->rule) {
    case STARTS_UNIFORM:
        for (size_t k = 0; k < p->count; k++)
            out[k] = (float)(starting->number * (2 * random_uniform(seed, RANDOM_WEIGHTS, index, k) - 1));
        break;
    case STARTS_NORMAL:
        for (size_t k = 0; k < p->count; k++)
            out[k] = (float)random_normal(seed, RANDOM_WEIGHTS, index, k);
        break;
    case STARTS_ORTHOGONAL:
        for (size_t g = 0, n = p->size[1]; g < starting->blocks && !failed; g++)
            failed = init_orthogonal(seed, index, g, n, out + g * n * n);
        break;
    case STARTS_CONSTANT:
        for (size_t k = 0; k < p->count; k++)
            out[k] = (float)starting->number;
        break;
    }
    if (starting->adjust) {
        assert(starting->blocks > 0);
        starting->adjust(p->count / starting->blocks, out);
    }
    return failed;
}

int parameters_start(const struct parameters *parameters, uint64_t seed, float *weights, struct error *error)
{
    for (size_t i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->list[i];
        if (init_parameter(seed, i, p, &parameters->starting[i], weights + p->offset))
            return error_set(error, EXIT_CODE_INTERNAL, "out of memory for starting weights");
    }
    return 0;
}
