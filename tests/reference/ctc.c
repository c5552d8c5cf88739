/* alpha and beta as Graves et al. 2006, section 4.1 prints them, over labels with blanks around, in
 * logarithms. */
#include "ctc.h"

#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ln(exp a + exp b) */
static double add_logarithms(double a, double b)
{
    double large = a > b ? a : b, small = a > b ? b : a;
    return small == -INFINITY ? large : large + log1p(exp(small - large));
}

static double *logarithms_of_softmax(size_t T, size_t K, const double *logits)
{
    double *p = reference_numbers(T * K);
    for (size_t t = 0; t < T; t++) {
        double sum = -INFINITY;
        for (size_t k = 0; k < K; k++)
            sum = add_logarithms(sum, logits[t * K + k]);
        for (size_t k = 0; k < K; k++)
            p[t * K + k] = logits[t * K + k] - sum;
    }
    return p;
}

static int32_t class_of(size_t C, const int32_t *labels, size_t s)
{
    return s % 2 ? labels[s / 2] : (int32_t)C;
}

static int may_skip(size_t C, const int32_t *labels, size_t s)
{
    return s >= 2 && class_of(C, labels, s) != (int32_t)C &&
        class_of(C, labels, s) != class_of(C, labels, s - 2);
}

double reference_ctc(
    size_t T, size_t C, const double *logits, size_t U, const int32_t *labels, double *gradient)
{
    size_t K = C + 1, S = 2 * U + 1;
    double *p = logarithms_of_softmax(T, K, logits);
    double *alpha = reference_numbers(T * S), *beta = reference_numbers(T * S);
    for (size_t t = 0; t < T; t++)
        for (size_t s = 0; s < S; s++) {
            double sum = t == 0 && s < 2 ? 0 : -INFINITY;
            if (t > 0) {
                sum = alpha[(t - 1) * S + s];
                if (s >= 1)
                    sum = add_logarithms(sum, alpha[(t - 1) * S + s - 1]);
                if (may_skip(C, labels, s))
                    sum = add_logarithms(sum, alpha[(t - 1) * S + s - 2]);
            }
            alpha[t * S + s] = sum + p[t * K + (size_t)class_of(C, labels, s)];
        }
    for (size_t t = T; t-- > 0;)
        for (size_t s = 0; s < S; s++) {
            double sum = t == T - 1 && s + 2 >= S ? 0 : -INFINITY;
            if (t < T - 1) {
                sum = beta[(t + 1) * S + s];
                if (s + 1 < S)
                    sum = add_logarithms(sum, beta[(t + 1) * S + s + 1]);
                if (s + 2 < S && may_skip(C, labels, s + 2))
                    sum = add_logarithms(sum, beta[(t + 1) * S + s + 2]);
            }
            beta[t * S + s] = sum + p[t * K + (size_t)class_of(C, labels, s)];
        }
    double total = alpha[T * S - 1];
    if (S > 1)
        total = add_logarithms(total, alpha[T * S - 2]);
    for (size_t i = 0; i < T * K && gradient; i++)
        gradient[i] = exp(p[i]);
    for (size_t t = 0; t < T && gradient; t++)
        for (size_t s = 0; s < S; s++) {
            size_t i = t * K + (size_t)class_of(C, labels, s);
            gradient[i] -= exp(alpha[t * S + s] + beta[t * S + s] - p[i] - total);
        }
    free(p);
    free(alpha);
    free(beta);
    return -total;
}

/* Class of frame t of path number `path`, which counts in digits to base K, the first frame's the lowest. */
static size_t class_of_path(size_t path, size_t K, size_t t)
{
    for (size_t i = 0; i < t; i++)
        path /= K;
    return path % K;
}

static size_t count_paths(size_t T, size_t K)
{
    size_t n = 1;
    for (size_t t = 0; t < T; t++)
        n *= K;
    return n;
}

static size_t reduce(size_t T, size_t C, const int32_t *path, int32_t *labels)
{
    size_t n = 0;
    for (size_t t = 0; t < T; t++)
        if (path[t] != (int32_t)C && (t == 0 || path[t] != path[t - 1]))
            labels[n++] = path[t];
    return n;
}

/* Its probability; what it reduces to into labels [T], how many into *n. */
static double follow_path(size_t path, size_t T, size_t C, const double *p, int32_t *labels, size_t *n)
{
    int32_t *classes = calloc(T, sizeof *classes);
    double sum = 0;
    if (!classes)
        abort();
    for (size_t t = 0; t < T; t++) {
        classes[t] = (int32_t)class_of_path(path, C + 1, t);
        sum += p[t * (C + 1) + (size_t)classes[t]];
    }
    *n = reduce(T, C, classes, labels);
    free(classes);
    return exp(sum);
}

double reference_ctc_all_paths(size_t T, size_t C, const double *logits, size_t U, const int32_t *labels)
{
    double *p = logarithms_of_softmax(T, C + 1, logits), sum = 0;
    int32_t *reduced = calloc(T, sizeof *reduced);
    if (!reduced)
        abort();
    for (size_t path = 0; path < count_paths(T, C + 1); path++) {
        size_t n;
        double probability = follow_path(path, T, C, p, reduced, &n);
        if (n == U && (U == 0 || !memcmp(reduced, labels, U * sizeof *labels)))
            sum += probability;
    }
    free(p);
    free(reduced);
    return -log(sum);
}

size_t reference_ctc_best_labels(
    size_t T, size_t C, const double *logits, int32_t *labels, double *probability)
{
    size_t K = C + 1, paths = count_paths(T, K), best = 0, n;
    double *p = logarithms_of_softmax(T, K, logits);
    double *sum =
        reference_numbers(paths); /* of labels read as digits 1 .. C to base K, the last the lowest */
    for (size_t path = 0; path < paths; path++) {
        double probability_of_path = follow_path(path, T, C, p, labels, &n);
        size_t number = 0;
        for (size_t i = 0; i < n; i++)
            number = number * K + (size_t)labels[i] + 1;
        sum[number] += probability_of_path;
    }
    for (size_t i = 1; i < paths; i++)
        best = sum[i] > sum[best] ? i : best;
    *probability = sum[best];
    n = 0;
    for (size_t rest = best; rest > 0; rest /= K)
        n++;
    size_t rest = best;
    for (size_t i = n; i-- > 0; rest /= K)
        labels[i] = (int32_t)(rest % K) - 1;
    free(p);
    free(sum);
    return n;
}

size_t reference_ctc_best_path(size_t T, size_t C, const double *logits, int32_t *labels)
{
    int32_t *path = calloc(T, sizeof *path);
    if (!path)
        abort();
    for (size_t t = 0; t < T; t++)
        for (size_t c = 1; c <= C; c++)
            if (logits[t * (C + 1) + c] > logits[t * (C + 1) + (size_t)path[t]])
                path[t] = (int32_t)c;
    size_t n = reduce(T, C, path, labels);
    free(path);
    return n;
}

/* Labels with the logarithms of their paths' probability: of those that end with a blank, and of the others.
 */
struct label_prefix {
    size_t n;
    int32_t *labels; /* [T] */
    double blank, label;
};

/* The one with these labels and then `more` (-1: none), added to the list where it is not in it. */
static struct label_prefix *find_prefix(
    struct label_prefix *list, size_t *count, size_t T, const struct label_prefix *from, int32_t more)
{
    int32_t *labels = calloc(T + 1, sizeof *labels);
    size_t n = from->n;
    if (!labels)
        abort();
    memcpy(labels, from->labels, n * sizeof *labels);
    if (more >= 0)
        labels[n++] = more;
    for (size_t i = 0; i < *count; i++)
        if (list[i].n == n && !memcmp(list[i].labels, labels, n * sizeof *labels)) {
            free(labels);
            return &list[i];
        }
    list[*count] = (struct label_prefix){.n = n, .labels = labels, .blank = -INFINITY, .label = -INFINITY};
    return &list[(*count)++];
}

static int by_probability(const void *a, const void *b)
{
    const struct label_prefix *x = a, *y = b;
    double px = add_logarithms(x->blank, x->label), py = add_logarithms(y->blank, y->label);
    return (px < py) - (px > py);
}

/* One frame, p [C + 1]: from `before` into `after`, all of them; returns how many. */
static size_t extend_prefixes(size_t T, size_t C, const double *p, size_t n,
    const struct label_prefix *before, struct label_prefix *after)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double total = add_logarithms(before[i].blank, before[i].label);
        int32_t last = before[i].n ? before[i].labels[before[i].n - 1] : -1;
        struct label_prefix *same = find_prefix(after, &count, T, &before[i], -1);
        same->blank = add_logarithms(same->blank, total + p[C]);
        if (last >= 0)
            same->label = add_logarithms(same->label, before[i].label + p[last]);
        for (int32_t c = 0; c < (int32_t)C; c++) {
            struct label_prefix *longer = find_prefix(after, &count, T, &before[i], c);
            longer->label = add_logarithms(longer->label, (c == last ? before[i].blank : total) + p[c]);
        }
    }
    qsort(after, count, sizeof *after, by_probability);
    return count;
}

size_t reference_ctc_beam(size_t T, size_t C, const double *logits, size_t beam, int32_t *labels)
{
    size_t n = 1;
    double *p = logarithms_of_softmax(T, C + 1, logits);
    struct label_prefix *kept = calloc(beam * (C + 1), sizeof *kept),
                        *after = calloc(beam * (C + 1), sizeof *after);
    if (!kept || !after)
        abort();
    kept[0] = (struct label_prefix){.labels = calloc(T + 1, sizeof *labels), .label = -INFINITY};
    for (size_t t = 0; t < T; t++) {
        size_t count = extend_prefixes(T, C, p + t * (C + 1), n, kept, after);
        for (size_t i = 0; i < n; i++)
            free(kept[i].labels);
        n = count < beam ? count : beam;
        memcpy(kept, after, n * sizeof *kept);
        for (size_t i = n; i < count; i++)
            free(after[i].labels);
    }
    size_t length = kept[0].n;
    memcpy(labels, kept[0].labels, length * sizeof *labels);
    for (size_t i = 0; i < n; i++)
        free(kept[i].labels);
    free(kept);
    free(after);
    free(p);
    return length;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* D[i][j]: of the first i of a and the first j of b. */
size_t reference_edit_distance(const int32_t *a, size_t A, const int32_t *b, size_t B)
{
    size_t *D = calloc((A + 1) * (B + 1), sizeof *D), W = B + 1;
    if (!D)
        abort();
    for (size_t i = 0; i <= A; i++)
        for (size_t j = 0; j <= B; j++) {
            if (i == 0 || j == 0) {
                D[i * W + j] = i + j;
                continue;
            }
            size_t substituted = D[(i - 1) * W + j - 1] + (a[i - 1] != b[j - 1]);
            D[i * W + j] = least(substituted, 1 + least(D[(i - 1) * W + j], D[i * W + j - 1]));
        }
    size_t distance = D[A * W + B];
    free(D);
    return distance;
}
