/* Every build that this processor can run against the plain twin: the same bits at odd sizes, tails and
 * strides. */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/kernel.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define ISA(name) #name,
#include "kernel/isa/list.h"
#undef ISA
};

enum { BUILDS = sizeof names / sizeof *names };

static uint64_t draws;

static float *random_floats(size_t n, double scale)
{
    float *x = memory_create(n, sizeof *x, NULL);
    draws++;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(scale * (2 * random_uniform(7, RANDOM_TEST, draws, i) - 1));
    return x;
}

static float *copy_floats(const float *x, size_t n)
{
    float *y = memory_create(n, sizeof *y, NULL);
    memcpy(y, x, n * sizeof *y);
    return y;
}

/* Check takes a message for each assertion, which many would make slow. */
static void assert_bits(const float *got, const float *want, size_t n, const char *what)
{
    if (memcmp(got, want, n * sizeof *got) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(memcmp(&got[i], &want[i], sizeof *got) == 0, "%s: element %zu is %a, not %a", what, i,
            (double)got[i], (double)want[i]);
}

static size_t below(size_t n)
{
    return (size_t)random_below(n, 7, RANDOM_TEST, ++draws, 0);
}

/* How a matrix lies: columns backwards and with gaps, which nobody moves as vectors; as it stands; on its
 * side. */
struct lie {
    enum { SCATTERED, UPRIGHT, SIDEWAYS, LIES } kind;
    size_t missing; /* how many rows or columns at the end are padding */
    size_t part;    /* it is packed in two shares, the first of so many columns */
};

static struct lie draw_lie(size_t columns)
{
    return (struct lie){.kind = below(LIES), .missing = below(16), .part = 16 * below(columns / 16 + 1)};
}

static void lay(const struct lie *lie, size_t K, size_t columns, int64_t *row, int64_t *column)
{
    for (size_t k = 0; k < K; k++) {
        int absent = lie->kind == UPRIGHT ? k + lie->missing >= K + 3 : lie->kind == SCATTERED && k % 7 == 6;
        row[k] = absent ? -1 : (int64_t)(lie->kind == SIDEWAYS ? k : k * columns);
    }
    for (size_t c = 0; c < columns; c++) {
        int absent = lie->kind == SCATTERED ? c % 11 == 10 : c + lie->missing >= columns;
        size_t source = lie->kind == SIDEWAYS ? c * K : lie->kind == UPRIGHT ? c : columns - 1 - c;
        column[c] = absent ? -1 : (int64_t)source;
    }
}

static struct panels make_panels(
    const struct kernel *kernel, size_t K, size_t columns, const float *W, const struct lie *lie)
{
    struct panels panels = {.K = K, .columns = columns};
    panels.data = memory_create(panels_count(K, columns), sizeof(float), NULL);
    struct panels first = panels, second = panels;
    int64_t *row = memory_create(K, sizeof *row, NULL),
            *column = memory_create(columns, sizeof *column, NULL);
    lay(lie, K, columns, row, column);
    first.to = second.from = lie->part;
    if (lie->part > 0)
        kernel->pack(&first, W, row, column);
    if (lie->part < columns)
        kernel->pack(&second, W, row, column);
    memory_destroy(row);
    memory_destroy(column);
    return panels;
}

/* All columns, or any run of blocks of them. */
static void compare_product(const struct kernel *fast, const struct kernel *plain)
{
    size_t K = 1 + below(70), columns = 16 * (1 + below(9)), M = below(20);
    size_t A_stride = K + below(5), C_stride = columns + 16 * below(2);
    float *W = random_floats(K * columns, 1), *A = random_floats(M * A_stride + 1, 1);
    float *start = random_floats(M * C_stride + columns, 1);
    const struct lie lie = draw_lie(columns);
    struct panels fast_panels = make_panels(fast, K, columns, W, &lie);
    struct panels plain_panels = make_panels(plain, K, columns, W, &lie);
    if (below(2)) {
        fast_panels.from = 16 * below(columns / 16);
        fast_panels.to = fast_panels.from + 16 * (1 + below((columns - fast_panels.from) / 16));
        plain_panels.from = fast_panels.from;
        plain_panels.to = fast_panels.to;
    }
    for (int mode = 0; mode < 4; mode++) { /* zero, a bias, another matrix, C itself */
        float *fast_C = copy_floats(start, M * C_stride + columns),
              *plain_C = copy_floats(fast_C, M * C_stride + columns);
        size_t start_stride = mode == 1 ? 0 : C_stride;
        struct rows A_rows = {A, A_stride}, fast_rows = {fast_C, C_stride}, plain_rows = {plain_C, C_stride};
        fast->product(&fast_panels, M, A_rows,
            (struct rows){mode == 0 ? NULL
                    : mode == 3     ? fast_C
                                    : start,
                start_stride},
            fast_rows);
        plain->product(&plain_panels, M, A_rows,
            (struct rows){mode == 0 ? NULL
                    : mode == 3     ? plain_C
                                    : start,
                start_stride},
            plain_rows);
        assert_bits(fast_C, plain_C, M * C_stride + columns, fast->name);
        memory_destroy(fast_C);
        memory_destroy(plain_C);
    }
    memory_destroy(fast_panels.data);
    memory_destroy(plain_panels.data);
    memory_destroy(W);
    memory_destroy(A);
    memory_destroy(start);
}

/* Up to 6 products, of many columns in all, so that packing breaks off within and between them; or none. */
static void compare_outer(const struct kernel *fast, const struct kernel *plain)
{
    enum { MOST = 6 };
    size_t N = below(400), M = 16 * (1 + below(4)), A_stride = M + below(3), n_products = below(MOST + 1);
    float *A = random_floats(N * A_stride + 1, 1),
          *scratch = memory_create(fast->outer_floats, sizeof *scratch, NULL);
    float *fast_sums = random_floats(M, 1), *plain_sums = copy_floats(fast_sums, M);
    struct outer_product fast_products[MOST], plain_products[MOST];
    int64_t *row[MOST];
    for (size_t s = 0; s < n_products; s++) {
        size_t columns = 16 * (1 + below(below(8) ? 5 : 40)), X_stride = columns + 16 * below(2);
        row[s] = memory_create(N, sizeof **row, NULL);
        for (size_t n = 0; n < N; n++)
            row[s][n] = (int64_t)below(N + 1) - 1;
        fast_products[s] = (struct outer_product){.columns = columns,
            .X = {random_floats(N * X_stride + 1, 1), X_stride},
            .row = below(2) ? row[s] : NULL,
            .C = {random_floats(M * columns, 1), columns}};
        plain_products[s] = fast_products[s];
        plain_products[s].C.data = copy_floats(fast_products[s].C.data, M * columns);
    }
    fast->outer(N, M, (struct rows){A, A_stride}, fast_products, n_products, fast_sums, scratch);
    plain->outer(N, M, (struct rows){A, A_stride}, plain_products, n_products, plain_sums, scratch);
    assert_bits(fast_sums, plain_sums, M, "sums");
    for (size_t s = 0; s < n_products; s++) {
        assert_bits(fast_products[s].C.data, plain_products[s].C.data, M * fast_products[s].columns, "outer");
        memory_destroy(fast_products[s].X.data);
        memory_destroy(fast_products[s].C.data);
        memory_destroy(plain_products[s].C.data);
        memory_destroy(row[s]);
    }
    memory_destroy(A);
    memory_destroy(scratch);
    memory_destroy(fast_sums);
    memory_destroy(plain_sums);
}

/* n rows of a matrix of `of` rows, all different and in no order, or neighbours; row [of] is room. */
static struct picked pick(size_t n, size_t of, int32_t *row)
{
    for (size_t i = 0; i < of; i++) {
        size_t other = below(i + 1);
        row[i] = row[other];
        row[other] = (int32_t)i;
    }
    return (struct picked){.n = n, .row = below(3) ? row : NULL, .first = below(of - n + 1)};
}

enum { ATTEND_BUFFERS = 10 };

/* Sizes of one comparison, and the rows that take part. */
struct attend_case {
    size_t width, stride, out_stride;
    struct picked q, k;
    int add;
};

/* The same rows of another matrix. */
static struct picked of_matrix(struct picked picked, float *data, size_t stride)
{
    picked.rows = (struct rows){data, stride};
    return picked;
}

/* Runs all functions of attention, from queries in in[0] and frames in in[1], into the rest. */
static void run_attend(const struct kernel *kernel, const struct attend_case *c, float *in[ATTEND_BUFFERS])
{
    struct picked q = of_matrix(c->q, in[0], c->stride), k = of_matrix(c->k, in[1], c->stride);
    struct rows score = {in[2], c->out_stride}, added = {in[9], c->out_stride};
    kernel->dots(c->width, q, k, score);
    kernel->mix(&(struct mixture){.width = c->width,
        .weights = in[2],
        .row = c->out_stride,
        .step = 1,
        .x = k,
        .y = of_matrix(q, in[3], c->stride),
        .add = c->add});
    kernel->mix(&(struct mixture){.width = c->width,
        .weights = in[2],
        .row = 1,
        .step = c->out_stride,
        .x = q,
        .y = of_matrix(k, in[4], c->stride),
        .add = c->add});
    kernel->additive(c->width, in[5], q, k, added);
    kernel->additive_backward(&(struct additive_gradient){.width = c->width,
        .energy = in[5],
        .q = q,
        .k = k,
        .dscore = added,
        .dQ = {in[6], c->stride},
        .dK = {in[7], c->stride},
        .denergy = in[8]});
}

static void compare_attend(const struct kernel *fast, const struct kernel *plain)
{
    enum { MOST = 20 };
    int32_t q_row[MOST], k_row[MOST];
    struct attend_case c = {.width = 16 * (1 + below(9)), .out_stride = MOST + 16 * below(2)};
    c.stride = c.width + 16 * below(2);
    c.q = pick(1 + below(MOST), MOST, q_row);
    c.k = pick(1 + below(MOST), MOST, k_row);
    c.add = (int)below(2);
    float *fast_in[ATTEND_BUFFERS], *plain_in[ATTEND_BUFFERS];
    size_t room = MOST * (c.stride > c.out_stride ? c.stride : c.out_stride);
    for (int i = 0; i < ATTEND_BUFFERS; i++) {
        fast_in[i] = random_floats(room, 2);
        plain_in[i] = copy_floats(fast_in[i], room);
    }
    run_attend(fast, &c, fast_in);
    run_attend(plain, &c, plain_in);
    for (int i = 0; i < ATTEND_BUFFERS; i++) {
        assert_bits(fast_in[i], plain_in[i], room, "attention");
        memory_destroy(fast_in[i]);
        memory_destroy(plain_in[i]);
    }
}

enum { BUFFERS = 11 };

struct cell_functions {
    void (*forward)(const struct cell_step *);
    void (*backward)(const struct cell_gradient *);
};

/* Of the k-th cell of the list; zeroes behind the last. */
static struct cell_functions cell_functions(const struct kernel *kernel, size_t k)
{
    const struct cell_functions all[] = {
#define CELL(enumerator, text, kind, name, file) {kernel->name##_forward, kernel->name##_backward},
#include "kernel/cells/list.h"
#undef CELL
        {0}};
    return all[k];
}

/* Runs one step of a cell forward and then backward, leaving everything written in `in`. */
static void run_cell(
    struct cell_functions cell, size_t B, size_t units, size_t stride, float *in[BUFFERS], int parameters)
{
    struct cell_step step = {.count = B,
        .units = units,
        .gates = {in[0], 4 * stride},
        .recurrent = {in[3], 4 * stride},
        .h_previous = {in[1], stride},
        .c_previous = {in[2], stride},
        .h = {in[4], stride},
        .c = {in[5], stride},
        .saved = {in[6], stride},
        .parameters = parameters ? in[9] : NULL,
        .parameters_stride = units};
    cell.forward(&step);
    cell.backward(&(struct cell_gradient){.step = step,
        .dh = {in[7], stride},
        .dh_previous = {in[8], stride},
        .dc = {in[5], stride},
        .sums = in[10]});
}

static void compare_cell(struct cell_functions fast, struct cell_functions plain, int parameters)
{
    size_t B = 1 + below(5), units = 16 * (1 + below(4)), stride = units + 16 * below(2);
    size_t room = (4 * B + 1) * stride; /* for five parameters too */
    float *fast_in[BUFFERS], *plain_in[BUFFERS];
    double scale = below(2) ? 3 : 1e-18; /* tiny numbers meet the flush to zero */
    for (int i = 0; i < BUFFERS; i++) {
        fast_in[i] = random_floats(room, scale);
        plain_in[i] = copy_floats(fast_in[i], room);
    }
    run_cell(fast, B, units, stride, fast_in, parameters);
    run_cell(plain, B, units, stride, plain_in, parameters);
    for (int i = 0; i < BUFFERS; i++) {
        assert_bits(fast_in[i], plain_in[i], room, "cell");
        memory_destroy(fast_in[i]);
        memory_destroy(plain_in[i]);
    }
}

/* All cells of the list with parameters, and the LSTM without its peepholes too. */
static void compare_cells(const struct kernel *fast, const struct kernel *plain)
{
    for (size_t k = 0; cell_functions(fast, k).forward; k++) {
        struct cell_functions cell = cell_functions(fast, k);
        compare_cell(cell, cell_functions(plain, k), 1);
        if (cell.forward == fast->lstm_forward)
            compare_cell(cell, cell_functions(plain, k), 0);
    }
}

static void compare_arrays(const struct kernel *fast, const struct kernel *plain)
{
    size_t n = 1 + below(100);
    void (*const fast_array[])(size_t, float *) = {fast->tanh_array, fast->sigmoid_array, fast->exp_array};
    void (*const plain_array[])(size_t, float *) = {
        plain->tanh_array, plain->sigmoid_array, plain->exp_array};
    for (int f = 0; f < 3; f++) {
        float *x = random_floats(n, below(2) ? 1 : 100), *y = copy_floats(x, n);
        fast_array[f](n, x);
        plain_array[f](n, y);
        assert_bits(x, y, n, "array");
        memory_destroy(x);
        memory_destroy(y);
    }
    float *x = random_floats(n, 10), *y = copy_floats(x, n), largest_x, largest_y;
    float sum_x = fast->softmax(n, x, &largest_x), sum_y = plain->softmax(n, y, &largest_y);
    assert_bits(x, y, n, "softmax");
    assert_bits(&sum_x, &sum_y, 1, "softmax's sum");
    assert_bits(&largest_x, &largest_y, 1, "softmax's largest");
    memory_destroy(x);
    memory_destroy(y);
}

static void compare_gates(const struct kernel *fast, const struct kernel *plain)
{
    size_t n = 16 * (1 + below(5));
    float *fast_in[4], *plain_in[4];
    double scale = below(2) ? 3 : 1e-18;
    for (int i = 0; i < 4; i++) {
        fast_in[i] = random_floats(n, scale);
        plain_in[i] = copy_floats(fast_in[i], n);
    }
    fast->gate(n, fast_in[0], fast_in[1], fast_in[2]);
    fast->gate_backward(n, fast_in[0], fast_in[1], fast_in[3]);
    plain->gate(n, plain_in[0], plain_in[1], plain_in[2]);
    plain->gate_backward(n, plain_in[0], plain_in[1], plain_in[3]);
    for (int i = 0; i < 4; i++) {
        assert_bits(fast_in[i], plain_in[i], n, "gate");
        memory_destroy(fast_in[i]);
        memory_destroy(plain_in[i]);
    }
}

/* Any block of columns of a product of reflections. */
static void compare_reflect(const struct kernel *fast, const struct kernel *plain, size_t n, size_t columns)
{
    size_t first = KERNEL_BLOCK * below((n + 15) / 16);
    double *v = memory_create(reflections_place(n, n), sizeof *v, NULL);
    double *factors = memory_create(reflections_place(n, n), sizeof *factors, NULL);
    double *Q = memory_create(n * columns, sizeof *Q, NULL), *R = memory_create(n * columns, sizeof *R, NULL);
    draws++;
    for (size_t place = 0; place < reflections_place(n, n); place++) {
        v[place] = 2 * random_uniform(7, RANDOM_TEST, draws, place) - 1;
        factors[place] = 2 * v[place] / ((double)n / 3); /* nearly orthogonal, so that numbers stay small */
    }
    const struct reflections all = {n, v, factors};
    fast->reflect(&all, first, columns, Q);
    plain->reflect(&all, first, columns, R);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < columns && first + c < n; c++)
            ck_assert_msg(memcmp(&Q[i * columns + c], &R[i * columns + c], sizeof *Q) == 0,
                "reflections: row %zu of column %zu", i, first + c);
    memory_destroy(v);
    memory_destroy(factors);
    memory_destroy(Q);
    memory_destroy(R);
}

static void compare_uniforms(const struct kernel *fast, const struct kernel *plain)
{
    const struct random_key key = {
        (uint64_t)below(1000) << 31 | below(1000), RANDOM_TEST, (uint64_t)below(9) << 30 | below(9)};
    uint64_t first = ((uint64_t)1 << 33) - below(200); /* over where the counter passes 32 bits */
    size_t n = below(150);
    double x[150], y[150];
    fast->uniforms(&key, first, n, x);
    plain->uniforms(&key, first, n, y);
    ck_assert_mem_eq(x, y, n * sizeof *x);
}

START_TEST(every_build_gives_the_bits_of_the_plain_twin)
{
    const struct kernel *fast = kernel_find(names[_i]), *plain = kernel_find("plain");
    if (!fast)
        return; /* not a build for this processor */
    for (int round = 0; round < 60; round++) {
        compare_product(fast, plain);
        compare_outer(fast, plain);
        compare_attend(fast, plain);
        compare_cells(fast, plain);
        compare_arrays(fast, plain);
        compare_gates(fast, plain);
        compare_reflect(fast, plain, 1 + below(50), KERNEL_BLOCK * (1 + below(9)));
        compare_uniforms(fast, plain);
    }
}
END_TEST

START_TEST(any_number_of_reflections_gives_the_bits_of_the_plain_twin)
{
    static const size_t numbers[] = {1, 2, 3, 8, 9, 17, 64, 100, 257};
    const struct kernel *fast = kernel_find(names[_i]), *plain = kernel_find("plain");
    for (size_t i = 0; fast && i < sizeof numbers / sizeof *numbers; i++)
        for (size_t columns = KERNEL_BLOCK; columns <= 4 * KERNEL_BLOCK; columns += KERNEL_BLOCK)
            compare_reflect(fast, plain, numbers[i], columns);
}
END_TEST

/* Halfway between two multiples of ln 2 exp, tanh and sigmoid choose the one that they reduce by: a choice
 * that a twin makes by another rounding shows in the last place. Random numbers hardly ever come there. */
START_TEST(twins_choose_alike_halfway_between_multiples_of_ln_2)
{
    enum { NEAR = 64 };
    const struct kernel *fast = kernel_find(names[_i]), *plain = kernel_find("plain");
    if (!fast)
        return;
    for (int n = -125; n < 126; n++) {
        float x[2 * NEAR], scaled[NEAR], same[NEAR];
        x[0] = x[NEAR] = (float)((n + 0.5) * 0.69314718055994531);
        for (size_t i = 1; i < NEAR; i++) {
            x[i] = nextafterf(x[i - 1], INFINITY);
            x[NEAR + i] = nextafterf(x[NEAR + i - 1], -INFINITY);
        }
        for (size_t part = 0; part < 2 * NEAR; part += NEAR)
            for (int f = 0; f < 3; f++) {
                for (size_t i = 0; i < NEAR; i++)
                    scaled[i] = same[i] = f == 0 ? x[part + i] / 2 : x[part + i]; /* tanh doubles it */
                (f == 0 ? fast->tanh_array : f == 1 ? fast->sigmoid_array : fast->exp_array)(NEAR, scaled);
                (f == 0 ? plain->tanh_array : f == 1 ? plain->sigmoid_array : plain->exp_array)(NEAR, same);
                assert_bits(scaled, same, NEAR, "array");
            }
    }
}
END_TEST

/* Peepholes of zero add nothing, others do. */
START_TEST(peepholes_of_zero_give_the_bits_of_none)
{
    struct error error;
    const struct kernel *kernel = kernel_choose(&error);
    size_t B = 3, units = 32;
    struct cell_functions lstm = {kernel->lstm_forward, kernel->lstm_backward};
    for (int zero = 0; zero < 2; zero++) {
        float *none[BUFFERS], *with[BUFFERS];
        for (int i = 0; i < BUFFERS; i++) {
            none[i] = random_floats(B * 4 * units, 1);
            with[i] = copy_floats(none[i], B * 4 * units);
        }
        if (zero)
            memset(with[9], 0, 3 * units * sizeof(float));
        run_cell(lstm, B, units, units, none, 0);
        run_cell(lstm, B, units, units, with, 1);
        int same = 1;
        for (int i = 0; i < 9; i++)
            same = same && memcmp(none[i], with[i], B * 4 * units * sizeof(float)) == 0;
        ck_assert_int_eq(same, zero);
        for (int i = 0; i < BUFFERS; i++) {
            memory_destroy(none[i]);
            memory_destroy(with[i]);
        }
    }
}
END_TEST

START_TEST(a_row_does_not_depend_on_how_many_go_with_it)
{
    struct error error;
    const struct kernel *kernel = kernel_choose(&error);
    size_t K = 50, columns = 112;
    float *W = random_floats(K * columns, 1), *A = random_floats(20 * K, 1);
    struct panels panels = make_panels(kernel, K, columns, W, &(struct lie){.kind = SCATTERED});
    float *all = random_floats(20 * columns, 1), *one = random_floats(columns, 1);
    kernel->product(&panels, 20, (struct rows){A, K}, (struct rows){0}, (struct rows){all, columns});
    for (size_t m = 0; m < 20; m++) {
        kernel->product(
            &panels, 1, (struct rows){A + m * K, K}, (struct rows){0}, (struct rows){one, columns});
        assert_bits(one, all + m * columns, columns, "row alone");
    }
    memory_destroy(panels.data);
    memory_destroy(W);
    memory_destroy(A);
    memory_destroy(all);
    memory_destroy(one);
}
END_TEST

START_TEST(attention_of_a_query_does_not_depend_on_the_others)
{
    enum { QUERIES = 7, FRAMES = 13, WIDTH = 48 };
    struct error error;
    const struct kernel *kernel = kernel_choose(&error);
    float *Q = random_floats(QUERIES * WIDTH, 1), *K = random_floats(FRAMES * WIDTH, 1),
          *energy = random_floats(WIDTH, 1), *score = random_floats(4 * QUERIES * FRAMES, 1),
          *mixed = random_floats(2 * QUERIES * WIDTH, 1);
    float *added = score + QUERIES * FRAMES, *one_score = added + QUERIES * FRAMES,
          *one_added = one_score + QUERIES * FRAMES, *one_mixed = mixed + QUERIES * WIDTH;
    struct picked all = {.rows = {Q, WIDTH}, .n = QUERIES}, frames = {.rows = {K, WIDTH}, .n = FRAMES};
    struct mixture mixture = {.width = WIDTH,
        .weights = score,
        .row = FRAMES,
        .step = 1,
        .x = frames,
        .y = of_matrix(all, mixed, WIDTH)};
    kernel->dots(WIDTH, all, frames, (struct rows){score, FRAMES});
    kernel->additive(WIDTH, energy, all, frames, (struct rows){added, FRAMES});
    kernel->mix(&mixture);
    for (size_t i = 0; i < QUERIES; i++) {
        struct picked one = {.rows = {Q, WIDTH}, .n = 1, .first = i};
        for (size_t t = 0; t < FRAMES; t++) {
            struct picked frame = {.rows = {K, WIDTH}, .n = 1, .first = t};
            kernel->dots(WIDTH, one, frame, (struct rows){one_score + i * FRAMES + t, FRAMES});
            kernel->additive(WIDTH, energy, one, frame, (struct rows){one_added + i * FRAMES + t, FRAMES});
        }
        mixture.weights = score + i * FRAMES;
        mixture.y = of_matrix(one, one_mixed, WIDTH);
        kernel->mix(&mixture);
    }
    assert_bits(one_score, score, QUERIES * FRAMES, "score alone");
    assert_bits(one_added, added, QUERIES * FRAMES, "additive score alone");
    assert_bits(one_mixed, mixed, QUERIES * WIDTH, "context alone");
    memory_destroy(Q);
    memory_destroy(K);
    memory_destroy(energy);
    memory_destroy(score);
    memory_destroy(mixed);
}
END_TEST

START_TEST(special_values_saturate_and_nan_stays)
{
    const struct kernel *kernel = kernel_find(names[_i]);
    if (!kernel)
        return;
    float x[] = {INFINITY, -INFINITY, NAN, 0, -0.0f}, y[5];
    memcpy(y, x, sizeof x);
    kernel->tanh_array(5, y);
    ck_assert(y[0] == 1 && y[1] == -1 && isnan(y[2]) && y[3] == 0 && y[4] == 0 && signbit(y[4]));
    memcpy(y, x, sizeof x);
    kernel->sigmoid_array(5, y);
    ck_assert(y[0] == 1 && y[1] == 0 && isnan(y[2]) && y[3] == 0.5f);
    memcpy(y, x, sizeof x);
    kernel->exp_array(5, y);
    ck_assert(y[0] == INFINITY && y[1] == 0 && isnan(y[2]) && y[3] == 1);
    float largest, logits[] = {1, NAN, 2};
    kernel->softmax(3, logits, &largest);
    ck_assert(isnan(logits[0]) && isnan(logits[1]) && isnan(logits[2]));
}
END_TEST

START_TEST(an_unknown_instruction_set_is_refused)
{
    struct error error = {0};
    setenv("RNN_ISA", "avx3", 1);
    ck_assert_ptr_null(kernel_choose(&error));
    ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
    ck_assert_ptr_nonnull(strstr(error.text, "avx3"));
    setenv("RNN_ISA", "generic", 1);
    ck_assert_str_eq(kernel_choose(&error)->name, "generic");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel");
    TCase *cases = tcase_create("kernel");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, every_build_gives_the_bits_of_the_plain_twin, 0, BUILDS);
    tcase_add_loop_test(cases, any_number_of_reflections_gives_the_bits_of_the_plain_twin, 0, BUILDS);
    tcase_add_loop_test(cases, twins_choose_alike_halfway_between_multiples_of_ln_2, 0, BUILDS);
    tcase_add_test(cases, peepholes_of_zero_give_the_bits_of_none);
    tcase_add_test(cases, a_row_does_not_depend_on_how_many_go_with_it);
    tcase_add_test(cases, attention_of_a_query_does_not_depend_on_the_others);
    tcase_add_loop_test(cases, special_values_saturate_and_nan_stays, 0, BUILDS);
    tcase_add_test(cases, an_unknown_instruction_set_is_refused);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
