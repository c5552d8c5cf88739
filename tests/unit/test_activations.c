/* What kernel.h says of tanh, sigmoid and exp, held against the double functions of the C library, whose own
 * error is some 2^-29 of a float's. Floats are taken in rising order of their bits, sign by sign: every
 * 1009th, or each of them when the program is started with the word "every". That no build hides a NaN is
 * tested here too. */
#include "kernel/kernel.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 4096, INFINITY_BITS = 0x7f800000, FUNCTIONS = 3, COARSE = 1009, BETWEEN = 101 };

static const char *const builds[] = {
#define ISA(name) #name,
#include "kernel/isa/list.h"
#undef ISA
};

enum { BUILDS = sizeof builds / sizeof *builds };

struct function {
    const char *name;
    double (*truth)(double x);
    bool (*known)(float x, float *y); /* whether kernel.h names the value at x outright, and which */
    double units;                     /* the largest error everywhere else, rounded up to hundredths */
    bool monotone, odd;
    float lowest, highest;
};

static double true_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static bool known_tanh(float x, float *y)
{
    *y = fabsf(x) <= 0x1p-25f ? x : copysignf(1, x);
    return fabsf(x) <= 0x1p-25f || fabsf(x) >= 9.011f;
}

static bool known_sigmoid(float x, float *y)
{
    *y = fabsf(x) <= 0x1p-24f ? 0.5f : x > 0;
    return fabsf(x) <= 0x1p-24f || x >= 17.329f || x < -88.72283f;
}

static bool known_exp(float x, float *y)
{
    *y = fabsf(x) <= 0x1p-25f ? 1 : x > 0 ? INFINITY : 0;
    return fabsf(x) <= 0x1p-25f || x > 88 || x < -87;
}

static const struct function functions[FUNCTIONS] = {
    {"tanh", tanh, known_tanh, 2.57, false, true, -1, 1},
    {"sigmoid", true_sigmoid, known_sigmoid, 2.49, true, false, 0, 1},
    {"exp", exp, known_exp, 1.05, true, false, 0, INFINITY},
};

static void apply(const struct kernel *kernel, int function, size_t n, float *x)
{
    void (*const array[FUNCTIONS])(size_t, float *) = {
        kernel->tanh_array, kernel->sigmoid_array, kernel->exp_array};
    array[function](n, x);
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t to_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The next floats of one sign from `*bits` up to `last`, each `stride` after the one before. */
static size_t take(float x[COUNT], uint32_t *bits, uint32_t last, uint32_t stride)
{
    size_t n = 0;
    for (; n < COUNT && *bits <= last; *bits += stride)
        x[n++] = from_bits(*bits);
    return n;
}

/* |got - want| in units of the spacing of floats around want, that of the denormals at the least */
static double units_between(float got, double want)
{
    uint64_t bits;
    memcpy(&bits, &want, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    int spacing = exponent < -126 ? -149 : exponent - 23;
    uint64_t inverse = (uint64_t)(1023 - spacing) << 52;
    double scale;
    memcpy(&scale, &inverse, sizeof scale);
    return fabs((double)got - want) * scale;
}

struct worst {
    double units;
    float x;
};

/* Checks y = function(x) for x of one sign rising from the float `before`, whose value was `value`. */
static void check_values(const struct function *function, size_t n, const float *x, const float *y,
    float before, float value, struct worst *worst)
{
    for (size_t i = 0; i < n; i++) {
        float exact;
        if (function->known(x[i], &exact)) {
            if (to_bits(y[i]) != to_bits(exact))
                ck_abort_msg(
                    "%s(%a) = %a, not %a", function->name, (double)x[i], (double)y[i], (double)exact);
        } else {
            double units = units_between(y[i], function->truth((double)x[i]));
            if (!(units <= worst->units))
                *worst = (struct worst){units, x[i]};
        }
        if (!(y[i] >= function->lowest && y[i] <= function->highest))
            ck_abort_msg("%s(%a) = %a", function->name, (double)x[i], (double)y[i]);
        if (function->monotone && (x[i] > before ? y[i] < value : y[i] > value))
            ck_abort_msg("%s falls from %a to %a", function->name, (double)before, (double)x[i]);
        before = x[i];
        value = y[i];
    }
}

static void check_odd(const struct kernel *kernel, int f, size_t n, const float *x, const float *y)
{
    float mirrored[COUNT];
    for (size_t i = 0; i < n; i++)
        mirrored[i] = -x[i];
    apply(kernel, f, n, mirrored);
    for (size_t i = 0; i < n; i++)
        if (to_bits(mirrored[i]) != to_bits(-y[i]))
            ck_abort_msg("%s(%a) = %a, but at -x %a", functions[f].name, (double)x[i], (double)y[i],
                (double)mirrored[i]);
}

/* _i: the stride */
START_TEST(largest_errors_and_exact_ranges_are_those_the_header_states)
{
    struct error error;
    const struct kernel *kernel = kernel_choose(&error);
    for (int f = 0; f < FUNCTIONS; f++) {
        const struct function *function = &functions[f];
        struct worst worst = {0};
        for (uint32_t sign = 0; sign < 2; sign++) {
            uint32_t bits = sign << 31, last = bits | INFINITY_BITS;
            float x[COUNT], y[COUNT], before = from_bits(bits), value = before;
            apply(kernel, f, 1, &value);
            for (size_t n; (n = take(x, &bits, last, (uint32_t)_i)) > 0;) {
                memcpy(y, x, sizeof y);
                apply(kernel, f, n, y);
                check_values(function, n, x, y, before, value, &worst);
                if (function->odd)
                    check_odd(kernel, f, n, x, y);
                before = x[n - 1];
                value = y[n - 1];
            }
        }
        printf("%s: largest error %.4f units in the last place, at %a\n", function->name, worst.units,
            (double)worst.x);
        ck_assert_msg(worst.units < function->units && (_i > 1 || worst.units > function->units - 0.01),
            "%s(%a) is %.4f units in the last place off, stated are %.2f", function->name, (double)worst.x,
            worst.units, function->units);
    }
}
END_TEST

START_TEST(nan_stays_and_infinities_saturate_in_every_build)
{
    for (int b = 0; b < BUILDS; b++) {
        const struct kernel *kernel = kernel_find(builds[b]);
        for (int f = 0; f < FUNCTIONS && kernel; f++) {
            for (uint32_t sign = 0; sign < 2; sign++) {
                uint32_t bits = (sign << 31 | INFINITY_BITS) + 1, last = sign << 31 | 0x7fffff00;
                float x[COUNT];
                for (size_t n; (n = take(x, &bits, last, 255)) > 0;) {
                    apply(kernel, f, n, x);
                    for (size_t i = 0; i < n; i++)
                        if (!isnan(x[i]))
                            ck_abort_msg("%s: %s(NaN) = %a", builds[b], functions[f].name, (double)x[i]);
                }
                float infinity = sign ? -INFINITY : INFINITY, zero = sign ? -0.0f : 0;
                apply(kernel, f, 1, &infinity);
                ck_assert(infinity == (sign ? functions[f].lowest : functions[f].highest));
                apply(kernel, f, 1, &zero);
                float exact;
                ck_assert(functions[f].known(sign ? -0.0f : 0, &exact) && to_bits(zero) == to_bits(exact));
            }
        }
    }
}
END_TEST

/* The functions rise, so that the ends of an exact range speak for all of it. */
START_TEST(named_values_are_the_nearest_floats_or_as_far_off_as_the_header_says)
{
    static const struct {
        int function;
        float end;
    } ends[] = {{0, 0x1p-25f}, {0, -0x1p-25f}, {0, 9.011f}, {0, -9.011f}, {1, 0x1p-24f}, {1, -0x1p-24f},
        {1, 17.329f}, {2, 0x1p-25f}, {2, -0x1p-25f}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const struct function *function = &functions[ends[i].function];
        float named;
        ck_assert(function->known(ends[i].end, &named));
        ck_assert(named == (float)function->truth((double)ends[i].end));
    }
    ck_assert(true_sigmoid((double)nextafterf(-88.72283f, -INFINITY)) < 0x1p-128);
    ck_assert(exp((double)nextafterf(-87, -INFINITY)) < 0x1p-125);
    ck_assert(exp((double)nextafterf(88, INFINITY)) > 0x1p126);
}
END_TEST

/* _i: the stride */
START_TEST(every_build_and_the_plain_twin_agree_in_every_bit)
{
    const struct kernel *plain = kernel_find("plain");
    for (uint32_t sign = 0; sign < 2; sign++)
        for (int f = 0; f < FUNCTIONS; f++) {
            uint32_t bits = sign << 31, last = bits | INFINITY_BITS;
            float x[COUNT], got[COUNT], want[COUNT];
            for (size_t n; (n = take(x, &bits, last, (uint32_t)_i)) > 0;) {
                memcpy(want, x, sizeof want);
                apply(plain, f, n, want);
                for (int b = 0; b < BUILDS; b++) {
                    const struct kernel *kernel = kernel_find(builds[b]);
                    memcpy(got, x, sizeof got);
                    if (kernel)
                        apply(kernel, f, n, got);
                    for (size_t i = 0; i < n && kernel; i++)
                        if (to_bits(got[i]) != to_bits(want[i]))
                            ck_abort_msg("%s: %s(%a) = %a, not %a", builds[b], functions[f].name,
                                (double)x[i], (double)got[i], (double)want[i]);
                }
            }
        }
}
END_TEST

enum { UNITS = 32, GATES = 4 * UNITS, CELLS = 7, BLOCK = KERNEL_BLOCK };

/* In the order of run_forward. */
enum { LSTM, GRU, MINGRU = 4, INDRNN, LRU };

/* What one row of a step reads and writes. */
struct row {
    float gates[GATES], recurrent[GATES], h_previous[UNITS], c_previous[UNITS], h[UNITS], c[UNITS],
        saved[UNITS], parameters[5][UNITS];
};

static void run_forward(const struct kernel *kernel, int cell, struct row *row)
{
    void (*const forward[CELLS])(const struct cell_step *) = {kernel->lstm_forward, kernel->gru_forward,
        kernel->tanh_forward, kernel->relu_forward, kernel->mingru_forward, kernel->indrnn_forward,
        kernel->lru_forward};
    forward[cell](&(struct cell_step){.count = 1,
        .units = UNITS,
        .gates = {row->gates, GATES},
        .recurrent = {row->recurrent, GATES},
        .h_previous = {row->h_previous, UNITS},
        .c_previous = {row->c_previous, UNITS},
        .h = {row->h, UNITS},
        .c = {row->c, UNITS},
        .saved = {row->saved, UNITS},
        .parameters = cell >= INDRNN ? row->parameters[0] : NULL,
        .parameters_stride = UNITS});
}

/* One step with every number `rest` but the one NaN at input[place]: h, or of an lru h or c, is NaN at `unit`
 * and nowhere else. */
static void check_step(const char *build, int cell, float rest, size_t input, size_t place, size_t unit)
{
    _Alignas(64) struct row row;
    float *const inputs[] = {row.gates, row.recurrent, row.h_previous, row.c_previous};
    for (size_t i = 0; i < sizeof row / sizeof(float); i++)
        ((float *)&row)[i] = rest;
    inputs[input][place] = NAN;
    run_forward(kernel_find(build), cell, &row);
    for (size_t u = 0; u < UNITS; u++)
        ck_assert_msg(!(isnan(row.h[u]) || (cell == LRU && isnan(row.c[u]))) == (u != unit),
            "%s, cell %d: h[%zu] = %a with NaN at %zu of input %zu", build, cell, u, (double)row.h[u], place,
            input);
}

static const char *const all[] = {
#define ISA(name) #name,
#include "kernel/isa/list.h"
    ISA(plain)
#undef ISA
};

START_TEST(a_nan_in_any_sum_of_a_cell_comes_out_in_its_h)
{
    static const float rests[] = {0.25f, 200, -200, 0};
    static const size_t gates[CELLS] = {4, 3, 1, 1, 2, 1, 2};
    if (!kernel_find(all[_i]))
        return;
    for (int cell = 0; cell < CELLS; cell++)
        for (size_t r = 0; r < sizeof rests / sizeof *rests; r++)
            for (size_t unit = 0; unit < UNITS; unit++) {
                for (size_t gate = 0; gate < gates[cell]; gate++) {
                    size_t place = (unit / BLOCK * gates[cell] + gate) * BLOCK + unit % BLOCK;
                    check_step(all[_i], cell, rests[r], 0, place, unit);
                    if (cell == GRU)
                        check_step(all[_i], cell, rests[r], 1, place, unit);
                }
                if (cell == GRU || cell >= MINGRU)
                    check_step(all[_i], cell, rests[r], 2, unit, unit);
                if (cell == LSTM || cell == LRU)
                    check_step(all[_i], cell, rests[r], 3, unit, unit);
            }
}
END_TEST

START_TEST(a_nan_in_any_logit_makes_every_probability_nan)
{
    enum { LOGITS = 37 };
    const struct kernel *kernel = kernel_find(all[_i]);
    for (size_t n = 1; n <= LOGITS && kernel; n++)
        for (size_t place = 0; place < n; place++) {
            float x[LOGITS] = {0}, largest;
            x[place] = NAN;
            ck_assert(isnan(kernel->softmax(n, x, &largest)));
            for (size_t i = 0; i < n; i++)
                ck_assert_msg(
                    isnan(x[i]), "%s: NaN at %zu of %zu, %zu is %a", all[_i], place, n, i, (double)x[i]);
        }
}
END_TEST

int main(int count, char **arguments)
{
    bool every = count > 1 && strcmp(arguments[1], "every") == 0;
    int stride = every ? 1 : COARSE, between = every ? BETWEEN : COARSE;
    Suite *suite = suite_create("activations");
    TCase *cases = tcase_create("activations");
    tcase_set_timeout(cases, every ? 1000 : 100);
    tcase_add_loop_test(
        cases, largest_errors_and_exact_ranges_are_those_the_header_states, stride, stride + 1);
    tcase_add_test(cases, named_values_are_the_nearest_floats_or_as_far_off_as_the_header_says);
    tcase_add_loop_test(cases, every_build_and_the_plain_twin_agree_in_every_bit, between, between + 1);
    tcase_add_test(cases, nan_stays_and_infinities_saturate_in_every_build);
    tcase_add_loop_test(cases, a_nan_in_any_sum_of_a_cell_comes_out_in_its_h, 0, BUILDS + 1);
    tcase_add_loop_test(cases, a_nan_in_any_logit_makes_every_probability_nan, 0, BUILDS + 1);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
