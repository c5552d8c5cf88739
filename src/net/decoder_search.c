/* A decoder runs on its own outputs. Hypotheses, or with values sequences, are the rows of a microbatch of
 * one step, those of a sequence neighbours; each goes on from the states of a row of the step before.
 *
 * Beam search: of all symbols after all hypotheses of a sequence, the `beam` with the largest sums of
 * logarithms stay, among equals those of the earlier hypothesis and symbol. One that ends leaves the beam,
 * which is narrower by one from then on (Sutskever, Vinyals and Le 2014), and is compared with the best ended
 * so far by its sum divided by its number of symbols. A sum only falls and there are at most M symbols, so no
 * hypothesis can come to more than its sum now divided by M: when the best ended has that, the search is
 * over. A beam of one is greedy; with a temperature its symbol is drawn. */
#include "net/decoder.h"

#include "base/mathematics.h"
#include "base/random.h"
#include "net/losses/loss.h"

#include <math.h>
#include <string.h>

/* A symbol that a hypothesis could go on with. */
struct continuation {
    double sum; /* of logarithms, its own among them */
    int32_t parent, symbol;
};

/* The best hypothesis of a sequence that has ended. Its labels are the inputs that led to row `row` of step
 * `step`, but the first, and `last` behind them; -1: nothing is behind them. */
struct finished {
    double score;
    int32_t step, row, last;
    int32_t count; /* hypotheses that have ended */
};

void decoder_search_take_workspace(struct decoder *d, struct arena *arena, const struct decoder_size *size)
{
    struct decoder_search *s = &d->search;
    size_t rows = size->B * size->beam, steps = size->most;
    s->rows = rows;
    s->h = arena_take(arena, d->layers * rows * d->S_stride, sizeof(float));
    s->c = arena_take(arena, d->layers * rows * d->Sp, sizeof(float));
    if (!d->classes) {
        d->values = arena_take(arena, size->B * d->config->target_length * size->head_stride, sizeof(float));
        return;
    }
    s->symbol = arena_take(arena, steps * rows, sizeof *s->symbol);
    s->parent = arena_take(arena, steps * rows, sizeof *s->parent);
    s->row = arena_take(arena, rows, sizeof *s->row);
    s->sum = arena_take(arena, rows, sizeof *s->sum);
    s->next_sum = arena_take(arena, rows, sizeof *s->next_sum);
    s->logits = arena_take(arena, size->head_stride, sizeof(float));
    s->continuations = arena_take(arena, size->beam, sizeof *s->continuations);
    s->finished = arena_take(arena, size->B, sizeof *s->finished);
    d->label_start = arena_take(arena, size->B + 1, sizeof *d->label_start);
    d->labels = arena_take(arena, size->labels, sizeof *d->labels);
}

/* Keeps the states that the starts gave: row b is that of row b of the microbatch. */
static void keep_starts(struct decoder *d, size_t B)
{
    struct decoder_search *s = &d->search;
    for (size_t n = 0; n < d->layers; n++)
        for (size_t b = 0; b < B; b++) {
            const float *begin = d->layer[n].begin + b * d->start_stride;
            memcpy(s->h + (n * s->rows + b) * d->S_stride, begin, d->Sp * sizeof(float));
            if (d->kind->has_memory)
                memcpy(s->c + (n * s->rows + b) * d->Sp, begin + d->Sp, d->Sp * sizeof(float));
        }
}

static struct rows outputs_of(const struct decoder *d, size_t n)
{
    return as_rows(d->layer[n].Y, d->S_stride);
}

/* Computes one step of R rows from the states kept of their parents (NULL: of the same rows), and keeps the
 * states behind it in their place. */
static void run_step(struct decoder *d, const struct pass *pass, struct dense_input in, struct top *top,
    size_t R, const int32_t *parent)
{
    struct decoder_search *s = &d->search;
    size_t first[2] = {0, R};
    int32_t alive = (int32_t)R;
    struct microbatch inner = {.T = 1, .B = R, .N = R, .alive = &alive, .first = first};
    for (size_t n = 0; n < d->layers; n++) {
        struct rows h = recurrent_start_h(&d->layer[n].recurrent, &inner, outputs_of(d, n));
        float *c = d->kind->has_memory ? recurrent_start_c(&d->layer[n].recurrent) : NULL;
        for (size_t i = 0; i < R; i++) {
            size_t from = n * s->rows + (parent ? (size_t)parent[i] : i);
            memcpy(row_at(h, i), s->h + from * d->S_stride, d->Sp * sizeof(float));
            if (c)
                memcpy(c + i * d->Sp, s->c + from * d->Sp, d->Sp * sizeof *c);
        }
    }
    decoder_compute(d, pass, &inner, in, NULL);
    for (size_t n = 0; n < d->layers; n++) {
        const struct recurrent *r = &d->layer[n].recurrent;
        struct rows h = recurrent_states(r, outputs_of(d, n), 0);
        for (size_t i = 0; i < R; i++)
            memcpy(s->h + (n * s->rows + i) * d->S_stride, row_at(h, i), d->Sp * sizeof(float));
        if (d->kind->has_memory)
            memcpy(s->c + n * s->rows * d->Sp, frames_at(&r->c, 0).data, R * d->Sp * sizeof(float));
    }
    top_forward(top, pass, R, (struct dense_input){.X = as_rows(d->out, d->S_stride)});
}

static void run_values(struct decoder *d, const struct pass *pass, struct dense_input in, struct top *top)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t O = d->config->outputs, U = d->config->target_length;
    keep_starts(d, microbatch->B);
    memset(d->X, 0, microbatch->B * d->X_stride * sizeof *d->X);
    for (size_t b = 0; b < microbatch->B; b++)
        d->row[b] = (int32_t)b;
    for (size_t u = 0; u < U && !pass_is_unwanted(pass); u++) {
        run_step(d, pass, in, top, microbatch->B, NULL);
        struct loss_rows made = {.R = microbatch->B, .O = O, .outputs = as_rows(top->outputs, top->stride)};
        loss_forward(d->config, pass->kernel, &made, NULL);
        for (size_t b = 0; b < microbatch->B; b++) {
            const float *y = top->outputs + b * top->stride;
            memcpy(d->values + (b * U + u) * top->stride, y, top->stride * sizeof *y);
            memcpy(d->X + b * d->X_stride, y, O * sizeof *y);
        }
    }
}

/* Puts a continuation in its place among n of at most `beam`, behind its equals; returns how many there are
 * then. */
static size_t add_continuation(
    struct continuation *list, size_t n, size_t beam, struct continuation continuation)
{
    if (n == beam && !(continuation.sum > list[n - 1].sum))
        return n;
    size_t place = n < beam ? n : n - 1;
    for (; place > 0 && continuation.sum > list[place - 1].sum; place--)
        list[place] = list[place - 1];
    list[place] = continuation;
    return n < beam ? n + 1 : n;
}

/* Draws the symbol that row i goes on with in proportion to p^(1 / temperature): there is one continuation.
 */
static size_t draw_symbol(
    struct decoder *d, const struct pass *pass, size_t u, const struct top *top, size_t i)
{
    size_t classes = d->config->outputs + 1, k = 0;
    const float *y = top->outputs + i * top->stride;
    double largest = (double)y[0], sum = 0, below = 0;
    for (size_t c = 1; c < classes; c++)
        largest = (double)y[c] > largest ? (double)y[c] : largest;
    for (size_t c = 0; c < classes; c++)
        sum += math_exp(((double)y[c] - largest) / pass->options.temperature);
    double uniform = sum *
        random_uniform(
            pass->options.seed, RANDOM_GENERATE, (uint64_t)pass->microbatch->sequence[d->row[i]], u);
    for (; k + 1 < classes; k++) {
        below += math_exp(((double)y[k] - largest) / pass->options.temperature);
        if (uniform < below)
            break;
    }
    d->search.continuations[0] =
        (struct continuation){.sum = d->search.sum[i], .parent = (int32_t)i, .symbol = (int32_t)k};
    return 1;
}

/* Adds the symbols that row i could go on with to the n continuations; returns how many there are then. */
static size_t add_row(
    struct decoder *d, const struct pass *pass, const struct top *top, size_t i, size_t n, size_t beam)
{
    struct decoder_search *s = &d->search;
    size_t classes = d->config->outputs + 1;
    const float *y = top->outputs + i * top->stride;
    float largest;
    memcpy(s->logits, y, classes * sizeof *y);
    double sum = math_log((double)pass->kernel->softmax(classes, s->logits, &largest));
    for (size_t k = 0; k < classes; k++) {
        struct continuation continuation = {.sum = s->sum[i] + (((double)y[k] - (double)largest) - sum),
            .parent = (int32_t)i,
            .symbol = (int32_t)k};
        n = add_continuation(s->continuations, n, beam, continuation);
    }
    return n;
}

/* Makes of the n continuations of row b of the microbatch behind step u hypotheses of the next step, whose
 * rows begin at `next`, or ended ones. Returns how many rows the next step has then. */
static size_t advance(struct decoder *d, size_t b, size_t most, size_t u, size_t n, size_t next)
{
    struct decoder_search *s = &d->search;
    struct finished *best = &s->finished[b];
    int32_t end = (int32_t)d->config->outputs;
    size_t first = next;
    for (size_t k = 0; k < n; k++) {
        struct continuation continuation = s->continuations[k];
        double score = continuation.sum / (double)(u + 1);
        int ends = continuation.symbol == end;
        int over = ends || u + 1 == most;
        if (over && score > best->score)
            *best = (struct finished){.score = score,
                .step = (int32_t)u,
                .row = continuation.parent,
                .last = ends ? -1 : continuation.symbol,
                .count = best->count};
        best->count += over;
        if (over)
            continue;
        s->symbol[(u + 1) * s->rows + next] = continuation.symbol;
        s->parent[(u + 1) * s->rows + next] = continuation.parent;
        s->next_sum[next] = continuation.sum;
        s->row[next++] = (int32_t)b;
    }
    int over = next > first && best->score >= s->next_sum[first] / (double)most;
    return over ? first : next;
}

/* Takes all sequences from step u, which had R rows, to the next; returns how many rows that has. */
static size_t advance_all(
    struct decoder *d, const struct pass *pass, const struct top *top, size_t R, size_t u, size_t beam)
{
    struct decoder_search *s = &d->search;
    size_t next = 0;
    for (size_t i = 0; i < R;) {
        size_t b = (size_t)d->row[i], n = 0, wide = beam - (size_t)s->finished[b].count;
        for (; i < R && (size_t)d->row[i] == b; i++)
            if (pass->options.temperature > 0)
                n = draw_symbol(d, pass, u, top, i);
            else
                n = add_row(d, pass, top, i, n, wide);
        next = advance(d, b,
            decoder_most_symbols(d->config, &pass->options, (size_t)pass->microbatch->length[b]), u, n, next);
    }
    memcpy(d->row, s->row, next * sizeof *d->row);
    memcpy(s->sum, s->next_sum, next * sizeof *s->sum);
    return next;
}

/* Reads the labels of the best hypotheses, from their last symbols back. */
static void trace_labels(struct decoder *d, size_t B)
{
    const struct decoder_search *s = &d->search;
    d->label_start[0] = 0;
    for (size_t b = 0; b < B; b++) {
        const struct finished *best = &s->finished[b];
        size_t first = d->label_start[b], u = (size_t)best->step, row = (size_t)best->row;
        d->label_start[b + 1] = first + u + (best->last >= 0 ? 1 : 0);
        if (best->last >= 0)
            d->labels[first + u] = best->last;
        for (; u > 0; u--) {
            d->labels[first + u - 1] = s->symbol[u * s->rows + row];
            row = (size_t)s->parent[u * s->rows + row];
        }
    }
}

static void run_classes(struct decoder *d, const struct pass *pass, struct dense_input in, struct top *top)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct decoder_search *s = &d->search;
    size_t beam = s->rows / microbatch->B, R = microbatch->B;
    keep_starts(d, microbatch->B);
    for (size_t b = 0; b < microbatch->B; b++) {
        d->row[b] = s->parent[b] = (int32_t)b;
        s->symbol[b] = (int32_t)d->config->outputs + 1;
        s->sum[b] = 0;
        s->finished[b] = (struct finished){.score = -INFINITY, .last = -1};
    }
    for (size_t u = 0; R > 0 && !pass_is_unwanted(pass); u++) {
        embedding_look_up(&d->embedding, R, s->symbol + u * s->rows, d->X);
        run_step(d, pass, in, top, R, s->parent + u * s->rows);
        if (!pass_is_unwanted(pass)) /* else the rows hold nothing to go on with */
            R = advance_all(d, pass, top, R, u, beam);
    }
    trace_labels(d, microbatch->B);
}

void decoder_run(struct decoder *d, const struct pass *pass, struct dense_input in, struct top *top)
{
    if (d->classes)
        run_classes(d, pass, in, top);
    else
        run_values(d, pass, in, top);
}
