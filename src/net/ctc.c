/* Forward and backward over the lattice of frames and states. States are the labels with a blank before,
 * between and after, S = 2 U + 1; a path stays, goes on by one, or skips the blank between two labels that
 * differ. With p(t, s) the softmax of frame t at the class of state s, and `from` the states that may lead to
 * s,
 *
 *     alpha(t, s) = p(t, s) sum over r in from(s) of alpha(t - 1, r)
 *     beta(t, s) = sum over r, s in from(r), of beta(t + 1, r) p(t + 1, r)
 *     posterior(t, k) = sum over s of class k of alpha(t, s) beta(t, s) / p(labels)
 *
 * which are (6), (10) without p(t, s), and (14) and (15) of Graves et al. 2006.
 *
 * What logarithms are for, range, wide numbers give at a tenth of the cost (net/wide.h): exponentials are
 * taken only of the logits of classes that occur. States that no path from the start to the end passes at
 * frame t are left out; where one reads a neighbour outside, two zeroes beside every row answer. */
#include "net/ctc.h"

#include "base/memory.h"
#include "net/wide.h"

#include <assert.h>
#include <math.h>

enum { MARGIN = 2 }; /* zeroes on either side of a row of states */

/* K classes occur: the blank, number 0, and the different ones among the labels. */
struct lattice {
    size_t T, S, K, width; /* width: S and the margins */
    size_t kept;           /* rows of alpha: T, or 2 */
    int32_t *number;       /* [C + 1] of a class among those that occur, or -1 */
    int32_t *class;        /* [K] */
    int32_t *state;        /* [S] number of its class */
    int32_t *skips;        /* [S + MARGIN] 1: s may follow s - 2 */
    float *logit;          /* [K] of one frame */
    struct wide *p;        /* [T][K] */
    struct wide *alpha;    /* [kept][width] */
    struct wide *beta;     /* [width] beta p of one frame */
    double *sum;           /* [K] posterior of one frame */
};

size_t ctc_frames_needed(const int32_t *labels, size_t U)
{
    size_t T = U;
    for (size_t u = 1; u < U; u++)
        T += labels[u] == labels[u - 1];
    return T;
}

/* Takes room for the most classes that U labels can be. */
static void take_workspace(
    struct lattice *lattice, struct arena *arena, size_t C, size_t T, size_t U, int with_posterior)
{
    size_t most = (U < C ? U : C) + 1;
    lattice->T = T;
    lattice->S = 2 * U + 1;
    lattice->width = lattice->S + 2 * MARGIN;
    lattice->kept = with_posterior ? T : 2;
    lattice->number = arena_take(arena, C + 1, sizeof *lattice->number);
    lattice->class = arena_take(arena, most, sizeof *lattice->class);
    lattice->state = arena_take(arena, lattice->S, sizeof *lattice->state);
    lattice->skips = arena_take(arena, lattice->S + MARGIN, sizeof *lattice->skips);
    lattice->logit = arena_take(arena, most, sizeof *lattice->logit);
    lattice->p = arena_take(arena, T * most, sizeof *lattice->p);
    lattice->alpha = arena_take(arena, lattice->kept * lattice->width, sizeof *lattice->alpha);
    lattice->beta = arena_take(arena, with_posterior ? lattice->width : 0, sizeof *lattice->beta);
    lattice->sum = arena_take(arena, with_posterior ? most : 0, sizeof *lattice->sum);
}

size_t ctc_forward_bytes(size_t C, size_t T, size_t U, int with_posterior)
{
    struct lattice lattice;
    struct arena arena = {0};
    take_workspace(&lattice, &arena, C, T, U, with_posterior);
    return arena.peak;
}

static void list_states(struct lattice *lattice, size_t C, const int32_t *labels, size_t U)
{
    for (size_t c = 0; c < C; c++)
        lattice->number[c] = -1;
    lattice->number[C] = 0;
    lattice->class[0] = (int32_t)C;
    lattice->K = 1;
    for (size_t s = 0; s < lattice->S + MARGIN; s++)
        lattice->skips[s] = 0;
    for (size_t u = 0; u < U; u++) {
        assert(labels[u] >= 0 && (size_t)labels[u] < C);
        int32_t *number = &lattice->number[labels[u]];
        if (*number < 0) {
            *number = (int32_t)lattice->K;
            lattice->class[lattice->K++] = labels[u];
        }
        lattice->state[2 * u] = 0;
        lattice->state[2 * u + 1] = *number;
        lattice->skips[2 * u + 1] = u > 0 && labels[u] != labels[u - 1];
    }
    lattice->state[2 * U] = 0;
}

/* Computes the softmax of all frames, and p of what occurs by ln p = y - largest - ln sum. Returns 0 where a
 * sum is not finite. */
static int read_frames(
    struct lattice *lattice, const struct kernel *kernel, size_t C, const struct ctc_frames *frames)
{
    int good = 1;
    for (size_t t = 0; t < lattice->T; t++) {
        float *y = ctc_row(frames, t), largest;
        for (size_t k = 0; k < lattice->K; k++)
            lattice->logit[k] = y[lattice->class[k]];
        float sum = kernel->softmax(C + 1, y, &largest);
        good &= isfinite(sum);
        double shift = math_log((double)sum);
        for (size_t k = 0; k < lattice->K && good; k++)
            lattice->p[t * lattice->K + k] = wide_exp(((double)lattice->logit[k] - (double)largest) - shift);
    }
    return good;
}

/* States [*from, *to) of frame t lie on a path from the first frame to the last. */
static void get_band(const struct lattice *lattice, size_t t, size_t *from, size_t *to)
{
    size_t S = lattice->S, left = 2 * (lattice->T - t), come = 2 * t + 2;
    *from = S > left ? S - left : 0;
    *to = S < come ? S : come;
}

static struct wide *alpha_row(const struct lattice *lattice, size_t t)
{
    return lattice->alpha + t % lattice->kept * lattice->width + MARGIN;
}

static void close_row(struct wide *row, size_t from, size_t to)
{
    for (size_t m = 0; m < MARGIN; m++) {
        row[(ptrdiff_t)from - 1 - (ptrdiff_t)m] = WIDE_ZERO;
        row[to + m] = WIDE_ZERO;
    }
}

/* Returns p(labels). */
static struct wide run_alpha(const struct lattice *lattice)
{
    size_t from, to, S = lattice->S;
    struct wide *row = alpha_row(lattice, 0);
    get_band(lattice, 0, &from, &to);
    for (size_t s = from; s < to; s++)
        row[s] = lattice->p[lattice->state[s]];
    close_row(row, from, to);
    for (size_t t = 1; t < lattice->T; t++) {
        const struct wide *before = row, *p = lattice->p + t * lattice->K;
        row = alpha_row(lattice, t);
        get_band(lattice, t, &from, &to);
        for (size_t s = from; s < to; s++) {
            struct wide sum = wide_add(before[s], before[(ptrdiff_t)s - 1]);
            if (lattice->skips[s])
                sum = wide_add(sum, before[s - 2]);
            row[s] = wide_multiply(sum, p[lattice->state[s]]);
        }
        close_row(row, from, to);
    }
    return S > 1 ? wide_add(row[S - 1], row[S - 2]) : row[0];
}

/* Goes one frame back: makes beta p of frame t of that of frame t + 1, s after s, and sums the posterior. */
static void run_beta(const struct lattice *lattice, size_t t, struct wide total)
{
    struct wide *row = lattice->beta + MARGIN;
    const struct wide *alpha = alpha_row(lattice, t), *p = lattice->p + t * lattice->K;
    size_t from, to;
    double scale = 1 / total.mantissa;
    get_band(lattice, t, &from, &to);
    for (size_t k = 0; k < lattice->K; k++)
        lattice->sum[k] = 0;
    for (size_t s = from; s < to; s++) {
        struct wide beta = WIDE_ONE; /* of the last frame, where the band is the two last states */
        if (t + 1 < lattice->T) {
            beta = wide_add(row[s], row[s + 1]);
            if (lattice->skips[s + 2])
                beta = wide_add(beta, row[s + 2]);
        }
        size_t k = (size_t)lattice->state[s];
        lattice->sum[k] += alpha[s].mantissa * beta.mantissa * scale *
            wide_power(alpha[s].exponent + beta.exponent - total.exponent);
        row[s] = wide_multiply(beta, p[k]);
    }
    close_row(row, from, to);
}

static void write_posterior(const struct lattice *lattice, size_t stride, int good, float *row)
{
    for (size_t c = 0; c < stride; c++)
        row[c] = 0;
    for (size_t k = 0; k < lattice->K; k++)
        row[lattice->class[k]] = good ? (float)lattice->sum[k] : NAN;
}

double ctc_forward(const struct kernel *kernel, size_t C, const struct ctc_frames *frames,
    const int32_t *labels, size_t U, float *posterior, void *scratch)
{
    assert(frames->T > 0 && frames->T >= ctc_frames_needed(labels, U));
    struct lattice lattice;
    struct arena arena = {.base = scratch, .size = ctc_forward_bytes(C, frames->T, U, posterior != NULL)};
    take_workspace(&lattice, &arena, C, frames->T, U, posterior != NULL);
    list_states(&lattice, C, labels, U);
    int good = read_frames(&lattice, kernel, C, frames);
    struct wide total = good ? run_alpha(&lattice) : WIDE_ONE;
    for (size_t t = lattice.T; t-- > 0 && posterior;) {
        if (good)
            run_beta(&lattice, t, total);
        write_posterior(&lattice, frames->rows.stride, good, posterior + ctc_place(frames, t));
    }
    double loss = -wide_log(total);
    return !good ? NAN : loss > 0 ? loss : 0;
}

void ctc_softmax(const struct kernel *kernel, size_t C, const struct ctc_frames *frames)
{
    float largest;
    for (size_t t = 0; t < frames->T; t++)
        kernel->softmax(C + 1, ctc_row(frames, t), &largest);
}

void ctc_backward(size_t C, const struct ctc_frames *frames, const float *posterior)
{
    for (size_t t = 0; t < frames->T; t++) {
        float *y = ctc_row(frames, t);
        const float *wanted = posterior + ctc_place(frames, t);
        for (size_t c = 0; c <= C; c++)
            y[c] -= wanted[c];
        for (size_t c = C + 1; c < frames->rows.stride; c++)
            y[c] = 0;
    }
}
