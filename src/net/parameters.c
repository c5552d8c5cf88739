/* The table of parameters, and their starting values. */
#include "net/parameters.h"

#include "base/mathematics.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/orthogonal.h"

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

enum {
    DRAWN_AT_ONCE = 1 << 10,  /* doubles that stay in the first cache */
    DRAWN_AT_A_TIME = 1 << 18 /* how often life is shown while numbers are drawn: about each millisecond */
};

static void show_life(const struct net_life *life, size_t drawn)
{
    if (life->show && drawn % DRAWN_AT_A_TIME == 0)
        life->show(life->context);
}

/* What is made of one number drawn. */
static double from_drawn(const struct starting *starting, double drawn)
{
    if (starting->rule == STARTS_MADE)
        return starting->make(drawn, starting->timescale);
    return starting->number * (starting->rule == STARTS_POSITIVE ? drawn : 2 * drawn - 1);
}

/* Numbers within (-number, number), within (0, number), or made. */
static void start_uniform(const struct kernel *kernel, const struct random_key *key,
    const struct starting *starting, size_t n, const struct net_life *life, float *out)
{
    double drawn[DRAWN_AT_ONCE];
    for (size_t first = 0; first < n; first += DRAWN_AT_ONCE) {
        size_t count = n - first < DRAWN_AT_ONCE ? n - first : DRAWN_AT_ONCE;
        show_life(life, first);
        kernel->uniforms(key, first, count, drawn);
        for (size_t i = 0; i < count; i++)
            out[first + i] = (float)from_drawn(starting, drawn[i]);
    }
}

/* The units' k are uniform between 1 and timescale - 1 (Tallec and Ollivier 2018, section 3): a gate of s(ln
 * k) keeps about k steps. */
static void start_gate(
    const struct starting *starting, struct starting_gate gate, size_t units, uint64_t seed, float *bias)
{
    float *out = bias + gate.gate * units;
    for (size_t u = 0; u < units; u++) {
        double drawn = random_uniform(seed, RANDOM_TIMESCALE, starting->timescale_key, u);
        double k = 1 + (starting->timescale - 2) * drawn;
        out[u] = (float)(gate.start.number * (starting->timescale > 0 ? math_log(k) : 1));
    }
}

/* Writes what a rule other than that of orthogonal matrices gives. */
static void start_numbers(const struct kernel *kernel, const struct random_key *key,
    const struct starting *starting, size_t n, const struct net_life *life, float *out)
{
    int uniform = starting->rule == STARTS_UNIFORM || starting->rule == STARTS_POSITIVE ||
        starting->rule == STARTS_MADE;
    if (uniform)
        start_uniform(kernel, key, starting, n, life, out);
    for (size_t k = 0; k < n && !uniform; k++) {
        show_life(life, k);
        double drawn =
            starting->rule == STARTS_NORMAL ? random_normal(key->seed, key->stream, key->high, k) : 1;
        out[k] = (float)(starting->number * drawn);
    }
    for (size_t i = 0; i < 2; i++)
        if (starting->gate[i].start.given)
            start_gate(starting, starting->gate[i], n / starting->gates, key->seed, out);
}

/* Orthogonal matrices are started one by one, other tensors whole. */
static size_t count_pieces(const struct starting *starting)
{
    return starting->rule == STARTS_ORTHOGONAL ? starting->blocks : 1;
}

/* Drawing a number takes some five times as long as writing one, and of a matrix n numbers for each place are
 * met by a few fast operations. */
static double estimate(const struct starting *starting, const struct parameter *p)
{
    if (starting->rule == STARTS_ORTHOGONAL) {
        double n = (double)p->size[1];
        return n * n * (0.5 + n / 65);
    }
    return (double)p->count * (starting->rule == STARTS_CONSTANT ? 0.2 : 1);
}

int parameters_get_piece(const struct parameters *parameters, size_t i, struct net_piece *piece)
{
    size_t tensor = 0, before = 0;
    while (tensor < parameters->n && i - before >= count_pieces(&parameters->starting[tensor]))
        before += count_pieces(&parameters->starting[tensor++]);
    if (tensor == parameters->n)
        return 0;
    const struct parameter *p = &parameters->list[tensor];
    size_t count = p->count / count_pieces(&parameters->starting[tensor]);
    *piece = (struct net_piece){.tensor = tensor,
        .block = i - before,
        .offset = p->offset + (i - before) * count,
        .count = count,
        .work = estimate(&parameters->starting[tensor], p)};
    return 1;
}

int parameters_start(const struct parameters *parameters, const struct kernel *kernel,
    const struct net_piece *piece, uint64_t seed, const struct net_life *life, float *weights,
    struct error *error)
{
    const struct starting *starting = &parameters->starting[piece->tensor];
    float *out = weights + piece->offset;
    if (starting->rule != STARTS_ORTHOGONAL) {
        const struct random_key key = {seed, RANDOM_WEIGHTS, piece->tensor - starting->shares};
        start_numbers(kernel, &key, starting, piece->count, life, out);
        return 0;
    }
    const struct orthogonal_key key = {.seed = seed, .parameter = piece->tensor, .block = piece->block};
    size_t n = parameters->list[piece->tensor].size[1];
    if (orthogonal_start(kernel, &key, n, life, out, error))
        return error_explain_memory(error, "starting weights", "a smaller model.hidden takes");
    return 0;
}

void parameters_bound(const struct parameters *parameters, size_t from, size_t to, float *weights)
{
    for (size_t k = 0; k < parameters->n; k++) {
        const struct parameter *p = &parameters->list[k];
        float bound = (float)parameters->starting[k].bound;
        size_t first = p->offset > from ? p->offset : from, end = p->offset + p->count;
        for (size_t i = first; i < end && i < to && bound > 0; i++) {
            float *w = &weights[i - from];
            *w = *w > bound ? bound : *w < -bound ? -bound : *w; /* NaN stays */
        }
    }
}
