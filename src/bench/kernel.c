/* Products and activations are measured alone, warm in the caches as in training, as medians of several runs.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "bench/bench.h"
#include "bench/measured.h"
#include "bench/peak.h"

#include <stdio.h>
#include <string.h>

enum { RUNS = 9, MOST_ROWS = 1600 };

struct shape {
    size_t K, columns; /* inner dimension, outputs: multiples of 16 */
};

static const struct shape shapes[] = {{64, 256}, {128, 512}, {256, 1024}, {512, 2048}, {1024, 4096}};
static const size_t row_counts[] = {1, 2, 4, 8, 16, 32, 64, 1600};

struct products {
    const struct kernel *kernel;
    struct panels panels;
    struct shape shape;
    size_t rows;
    float *A, *C, *dW, *sums, *scratch;
};

static void run_product(const struct products *b)
{
    struct rows A = {b->A, kernel_stride(b->shape.K)}, C = {b->C, kernel_stride(b->shape.columns)};
    b->kernel->product(&b->panels, b->rows, A, C, C);
}

static void run_outer(const struct products *b)
{
    struct rows dC = {b->C, kernel_stride(b->shape.columns)};
    struct outer_product product = {
        .columns = b->shape.K, .X = {b->A, kernel_stride(b->shape.K)}, .C = {b->dW, b->shape.K}};
    b->kernel->outer(b->rows, b->shape.columns, dC, &product, 1, b->sums, b->scratch);
}

/* Returns the median seconds of one call, which is repeated to last a few milliseconds. */
static double measure(const struct products *bench, void (*run)(const struct products *), double guess)
{
    double seconds[RUNS];
    size_t calls = guess < 0.004 ? (size_t)(0.004 / guess) + 1 : 1;
    run(bench);
    for (int i = 0; i < RUNS; i++) {
        double start = clock_now();
        for (size_t c = 0; c < calls; c++)
            run(bench);
        seconds[i] = (clock_now() - start) / (double)calls;
    }
    return bench_take_median(seconds, RUNS);
}

static float *random_floats(size_t n, struct error *error)
{
    float *x = memory_create(n, sizeof *x, error);
    for (size_t i = 0; i < n && x; i++)
        x[i] = (float)(0.01 * (2 * random_uniform(1, RANDOM_TEST, n, i) - 1));
    return x;
}

static int bench_shape(const struct kernel *kernel, struct shape shape, struct error *error)
{
    size_t count = panels_count(shape.K, shape.columns);
    struct products b = {
        .kernel = kernel, .shape = shape, .panels = {.K = shape.K, .columns = shape.columns}};
    b.panels.data = random_floats(count, error);
    b.A = random_floats(MOST_ROWS * kernel_stride(shape.K), error);
    b.C = random_floats(MOST_ROWS * kernel_stride(shape.columns), error);
    b.dW = random_floats(count, error);
    b.sums = random_floats(shape.columns, error);
    b.scratch = memory_create(kernel->outer_floats, sizeof *b.scratch, error);
    int failed = !b.panels.data || !b.A || !b.C || !b.dW || !b.sums || !b.scratch;
    for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts && !failed; i++) {
        b.rows = row_counts[i];
        double operations = 2 * (double)(b.rows * count), peak = bench_peak(kernel),
               guess = operations / peak;
        double product = operations / measure(&b, run_product, guess);
        double outer = operations / measure(&b, run_outer, guess);
        printf("K=%zu columns=%zu rows=%zu product_gflops=%.1f product_fraction=%.3f "
               "weight_gradient_gflops=%.1f "
               "weight_gradient_fraction=%.3f\n",
            shape.K, shape.columns, b.rows, product * 1e-9, product / peak, outer * 1e-9, outer / peak);
        fflush(stdout);
    }
    memory_destroy(b.panels.data);
    memory_destroy(b.A);
    memory_destroy(b.C);
    memory_destroy(b.dW);
    memory_destroy(b.sums);
    memory_destroy(b.scratch);
    return failed ? -1 : 0;
}

static int bench_activations(const struct kernel *kernel, struct error *error)
{
    enum { COUNT = 4096, CALLS = 200 };
    static const char *const names[] = {"tanh", "sigmoid", "exp"};
    void (*const functions[])(size_t, float *) = {
        kernel->tanh_array, kernel->sigmoid_array, kernel->exp_array};
    float *source = random_floats(COUNT, error), *x = random_floats(COUNT, error);
    for (size_t f = 0; f < sizeof names / sizeof *names && source && x; f++) {
        double best = 1e300;
        for (int call = 0; call < CALLS; call++) {
            memcpy(x, source, COUNT * sizeof *x);
            double start = clock_now();
            functions[f](COUNT, x);
            double seconds = clock_now() - start;
            best = seconds < best ? seconds : best;
        }
        printf("activation=%s elements_per_second=%.3g\n", names[f], COUNT / best);
    }
    int failed = !source || !x;
    memory_destroy(source);
    memory_destroy(x);
    return failed ? -1 : 0;
}

int bench_kernel(void)
{
    struct error error;
    const struct kernel *kernel = kernel_choose(&error);
    int failed = !kernel;
    if (!failed)
        printf("isa=%s peak_gflops=%.1f\n", kernel->name, bench_peak(kernel) * 1e-9);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !failed; i++)
        failed = bench_shape(kernel, shapes[i], &error);
    failed = failed || bench_activations(kernel, &error);
    if (failed)
        log_line(LOG_ERROR, "%s", error.text);
    return failed ? error.code : EXIT_CODE_OK;
}
