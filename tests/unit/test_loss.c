/* Losses of rows against their formulas in double, and their gradients against the formulas' slopes. */
#include "net/losses/loss.h"

#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { R = 40, O = 7, MOST = 3 * O, STRIDE = 32, CONFIGS = 11 };

/* Sums, targets of every kind, and what a loss makes of them. */
struct scored {
    struct net_config config;
    _Alignas(64) float sums[R * STRIDE];
    _Alignas(64) float outputs[R * STRIDE];
    float values[R * STRIDE];
    int32_t classes[R];
    struct targets targets;
    struct net_score score[R];
};

static const struct net_config configs[CONFIGS] = {{.loss = LOSS_SOFTMAX},
    {.loss = LOSS_SOFTMAX, .label_smoothing = 0.2},
    {.loss = LOSS_SOFTMAX, .class_weights = O, .class_weight = {0.5, 1, 2, 0, 3, 1.25, 7}},
    {.loss = LOSS_SOFTMAX,
        .label_smoothing = 0.1,
        .class_weights = O - 1,
        .class_weight = {0.5, 1, 2, 0, 3, 1.25}},
    {.loss = LOSS_SIGMOID}, {.loss = LOSS_MSE}, {.loss = LOSS_HUBER, .huber_delta = 0.75}, {.loss = LOSS_MAE},
    {.loss = LOSS_LOGCOSH}, {.loss = LOSS_QUANTILE, .quantiles = 3, .quantile = {0.1, 0.5, 0.75}},
    {.loss = LOSS_GAUSSIAN}};

/* Outputs of a row. */
static size_t count_outputs(const struct net_config *config)
{
    return O * loss_count_heads(config);
}

static double draw(uint64_t high, uint64_t index)
{
    return random_normal(5, RANDOM_TEST, high, index);
}

static void rows_init(struct scored *rows, const struct net_config *config, double scale)
{
    memset(rows, 0, sizeof *rows);
    rows->config = *config;
    for (size_t r = 0; r < R; r++) {
        rows->classes[r] = (int32_t)random_below(O, 5, RANDOM_TEST, 3, r);
        for (size_t o = 0; o < O; o++)
            rows->values[r * STRIDE + o] =
                config->loss == LOSS_SIGMOID ? (float)(draw(2, r * O + o) > 0) : (float)draw(2, r * O + o);
        for (size_t o = 0; o < count_outputs(config); o++)
            rows->sums[r * STRIDE + o] = (float)(scale * draw(1, r * O + o));
    }
    if (config->loss == LOSS_SOFTMAX)
        rows->targets.classes = rows->classes;
    else
        rows->targets = (struct targets){.values = rows->values, .values_stride = STRIDE};
}

static struct loss_rows all_rows(struct scored *rows)
{
    return (struct loss_rows){.R = R,
        .O = count_outputs(&rows->config),
        .outputs = as_rows(rows->outputs, STRIDE),
        .targets = rows->targets};
}

static void rows_backward(struct scored *rows)
{
    struct loss_rows all = all_rows(rows);
    loss_backward(&rows->config, &all);
}

static void rows_run(struct scored *rows)
{
    memcpy(rows->outputs, rows->sums, sizeof rows->sums);
    struct loss_rows all = all_rows(rows);
    loss_forward(&rows->config, kernel_choose(NULL), &all, rows->score);
}

/* -sum_c t_c ln p_c, t the smoothed target. */
static double plain_softmax(const struct net_config *config, const double *y, int32_t k)
{
    double sum = 0, loss = 0, e = config->label_smoothing;
    for (size_t o = 0; o < O; o++)
        sum += exp(y[o]);
    for (size_t o = 0; o < O; o++)
        loss -= ((1 - e) * ((int32_t)o == k) + e / O) * log(exp(y[o]) / sum);
    return loss * ((size_t)k < config->class_weights ? config->class_weight[k] : 1);
}

/* Minus the logarithm of the normal density of mean m and variance exp(r) at v. */
static double plain_gaussian(double m, double r, double v)
{
    return (v - m) * (v - m) / (2 * exp(r)) + log(sqrt(2 * acos(-1) * exp(r)));
}

static double plain_quantiles(const struct net_config *config, const double *y, double v)
{
    double loss = 0;
    for (size_t q = 0; q < config->quantiles; q++)
        loss += fabs(v - y[q]) * (v > y[q] ? config->quantile[q] : 1 - config->quantile[q]);
    return loss / (double)config->quantiles;
}

static double plain_values(const struct net_config *config, const double *y, const float *v)
{
    double loss = 0, a = config->huber_delta;
    for (size_t o = 0; o < O; o++) {
        if (isnan(v[o]))
            continue;
        double d = y[o] - (double)v[o], s = 1 / (1 + exp(-y[o]));
        switch (config->loss) {
        case LOSS_SIGMOID:
            loss -= (double)v[o] * log(s) + (1 - (double)v[o]) * log(1 - s);
            break;
        case LOSS_MSE:
            loss += d * d / O;
            break;
        case LOSS_HUBER:
            loss += (fabs(d) <= a ? d * d / 2 : a * (fabs(d) - a / 2)) / O;
            break;
        case LOSS_LOGCOSH:
            loss += (fabs(d) + log1p(exp(-2 * fabs(d))) - log(2)) / O;
            break;
        case LOSS_QUANTILE:
            loss += plain_quantiles(config, y + o * config->quantiles, (double)v[o]) / O;
            break;
        case LOSS_GAUSSIAN:
            loss += plain_gaussian(y[o], y[O + o], (double)v[o]) / O;
            break;
        default:
            loss += fabs(d) / O;
        }
    }
    return loss;
}

static double plain_loss(const struct scored *rows, size_t r, const double *y)
{
    if (rows->config.loss == LOSS_SOFTMAX)
        return plain_softmax(&rows->config, y, rows->classes[r]);
    return plain_values(&rows->config, y, rows->values + r * STRIDE);
}

START_TEST(losses_are_their_formulas)
{
    struct scored rows;
    rows_init(&rows, &configs[_i], 2);
    rows_run(&rows);
    for (size_t r = 0; r < R; r++) {
        double y[MOST], want;
        size_t most = 0;
        for (size_t o = 0; o < count_outputs(&rows.config); o++) {
            y[o] = (double)rows.sums[r * STRIDE + o];
            most = y[o] > y[most] ? o : most;
        }
        want = plain_loss(&rows, r, y);
        ck_assert_double_eq_tol(rows.score[r].loss, want, 2e-6 * (1 + fabs(want)));
        ck_assert_double_eq(rows.score[r].counted, 1);
        ck_assert_double_eq(rows.score[r].labels, 1);
        if (rows.config.loss == LOSS_SOFTMAX)
            ck_assert_double_eq(rows.score[r].errors, most != (size_t)rows.classes[r]);
        else
            ck_assert_double_nan(rows.score[r].errors);
    }
}
END_TEST

START_TEST(gradients_are_the_formulas_slopes)
{
    const double e = 1e-5;
    struct scored rows;
    rows_init(&rows, &configs[_i], 2);
    rows_run(&rows);
    rows_backward(&rows);
    for (size_t r = 0; r < R; r++) {
        double y[MOST];
        size_t A = count_outputs(&rows.config);
        for (size_t o = 0; o < A; o++)
            y[o] = (double)rows.sums[r * STRIDE + o];
        for (size_t o = 0; o < A; o++) {
            double held = y[o];
            y[o] = held + e;
            double above = plain_loss(&rows, r, y);
            y[o] = held - e;
            double below = plain_loss(&rows, r, y);
            y[o] = held;
            ck_assert_double_eq_tol(
                (double)rows.outputs[r * STRIDE + o], (above - below) / (2 * e), 1e-5 * (1 + fabs(above)));
        }
        for (size_t o = A; o < STRIDE; o++)
            ck_assert_float_eq(rows.outputs[r * STRIDE + o], 0);
    }
}
END_TEST

START_TEST(large_sums_keep_their_losses)
{
    struct scored rows;
    rows_init(&rows, &configs[_i], 5000);
    for (size_t r = 0; r < R && rows.config.loss == LOSS_GAUSSIAN; r++)
        for (size_t o = O; o < MOST; o++) /* variances are those of floats */
            rows.sums[r * STRIDE + o] /= 300;
    rows_run(&rows);
    for (size_t r = 0; r < R; r++) {
        ck_assert_double_finite(rows.score[r].loss);
        ck_assert(rows.score[r].loss >= 0 || rows.config.loss == LOSS_GAUSSIAN);
    }
    rows_backward(&rows);
    for (size_t i = 0; i < R * STRIDE; i++)
        ck_assert_float_finite(rows.outputs[i]);
}
END_TEST

START_TEST(no_target_counts_nowhere)
{
    struct scored rows, whole;
    rows_init(&whole, &configs[_i], 2);
    rows_run(&whole);
    rows_init(&rows, &configs[_i], 2);
    for (size_t r = 0; r < R; r += 3)
        rows.classes[r] = -1;
    rows_run(&rows);
    ck_assert_mem_eq(rows.outputs, whole.outputs, sizeof rows.outputs);
    rows_backward(&rows);
    rows_backward(&whole);
    for (size_t r = 0; r < R; r++) {
        static const float zeroes[STRIDE];
        static const struct net_score nothing;
        ck_assert_mem_eq(&rows.score[r], r % 3 ? &whole.score[r] : &nothing, sizeof nothing);
        ck_assert_mem_eq(
            rows.outputs + r * STRIDE, r % 3 ? whole.outputs + r * STRIDE : zeroes, sizeof zeroes);
    }
}
END_TEST

/* Of the row of a third all values are missing, of the others one. */
START_TEST(missing_values_count_nowhere)
{
    struct scored rows, whole;
    rows_init(&whole, &configs[_i], 2);
    rows_run(&whole);
    rows_init(&rows, &configs[_i], 2);
    for (size_t r = 0; r < R; r++)
        for (size_t o = 0; o < O; o++)
            if (r % 3 == 0 || o == r % O)
                rows.values[r * STRIDE + o] = NAN;
    rows_run(&rows);
    ck_assert_mem_eq(rows.outputs, whole.outputs, sizeof rows.outputs);
    for (size_t r = 0; r < R; r++) {
        double y[MOST], counted = r % 3 ? (O - 1) / (double)O : 0;
        for (size_t o = 0; o < MOST; o++)
            y[o] = (double)rows.sums[r * STRIDE + o];
        double want = r % 3 ? plain_loss(&rows, r, y) : 0;
        ck_assert_double_eq_tol(rows.score[r].loss, want, 2e-6 * (1 + fabs(want)));
        ck_assert_double_eq(rows.score[r].counted, counted);
        ck_assert_double_eq(rows.score[r].labels, counted);
    }
    rows_backward(&rows);
    rows_backward(&whole);
    for (size_t i = 0; i < R * STRIDE; i++) {
        size_t r = i / STRIDE, o = i % STRIDE, A = count_outputs(&rows.config), heads = A / O;
        size_t v = rows.config.loss == LOSS_GAUSSIAN ? o % O : o / heads;
        int there = o < A && !isnan(rows.values[r * STRIDE + v]);
        ck_assert_float_eq(rows.outputs[i], there ? whole.outputs[i] : 0);
    }
}
END_TEST

/* The weight of a row multiplies all that it adds; of 1 it leaves the bits, of 0 it leaves nothing. */
START_TEST(a_row_counts_by_its_weight)
{
    const float weights[] = {0, 0.5F, 1, 3};
    struct scored rows, whole;
    float weight[R];
    rows_init(&whole, &configs[_i], 2);
    rows_run(&whole);
    rows_init(&rows, &configs[_i], 2);
    for (size_t r = 0; r < R; r++)
        weight[r] = weights[r % 4];
    rows.targets.weights = weight;
    rows_run(&rows);
    ck_assert_mem_eq(rows.outputs, whole.outputs, sizeof rows.outputs);
    rows_backward(&rows);
    rows_backward(&whole);
    for (size_t r = 0; r < R; r++) {
        static const struct net_score nothing;
        double w = (double)weight[r];
        ck_assert_double_eq(rows.score[r].loss, w * whole.score[r].loss);
        ck_assert_double_eq(rows.score[r].counted, w);
        ck_assert_double_eq(rows.score[r].labels, w);
        if (rows.config.loss == LOSS_SOFTMAX)
            ck_assert_double_eq(rows.score[r].errors, w * whole.score[r].errors);
        if (w == 0)
            ck_assert_mem_eq(&rows.score[r], &nothing, sizeof nothing);
        for (size_t o = 0; o < STRIDE; o++)
            ck_assert_float_eq(rows.outputs[r * STRIDE + o], weight[r] * whole.outputs[r * STRIDE + o]);
    }
}
END_TEST

START_TEST(options_of_no_effect_leave_the_bits)
{
    struct net_config ones = {.loss = LOSS_SOFTMAX, .class_weights = O};
    for (size_t o = 0; o < O; o++)
        ones.class_weight[o] = 1;
    struct scored plain, weighted;
    rows_init(&plain, &configs[0], 2);
    rows_init(&weighted, &ones, 2);
    rows_run(&plain);
    rows_run(&weighted);
    ck_assert_mem_eq(plain.score, weighted.score, sizeof plain.score);
    rows_backward(&plain);
    rows_backward(&weighted);
    ck_assert_mem_eq(plain.outputs, weighted.outputs, sizeof plain.outputs);
}
END_TEST

START_TEST(huber_is_half_mse_near_and_mae_far)
{
    struct scored rows;
    rows_init(&rows, &configs[6], 0);
    for (size_t o = 0; o < O; o++) {
        rows.values[o] = 0;
        rows.values[STRIDE + o] = -3;
    }
    rows.sums[0] = 0.5F;
    rows_run(&rows);
    ck_assert_double_eq_tol(rows.score[0].loss, 0.125 / O, 1e-15);
    ck_assert_double_eq_tol(rows.score[1].loss, 0.75 * (3 - 0.375), 1e-15);
    rows_backward(&rows);
    ck_assert_float_eq_tol(rows.outputs[0], 0.5F / O, 1e-8F);
    ck_assert_float_eq_tol(rows.outputs[STRIDE], 0.75F / O, 1e-8F);
}
END_TEST

/* Over all sizes of a difference, and on both sides of where the series gives way: q and q', which is tanh.
 */
START_TEST(logcosh_is_exact_near_and_far)
{
    const float sizes[] = {0, 1e-30F, 1e-8F, 1e-3F, 0.1249999F, 0.125F, 0.1250001F, 0.5F, 9, 20, 1e6F, 3e38F};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int side = -1; side <= 1; side += 2) {
            struct scored rows;
            rows_init(&rows, &configs[8], 0);
            double d = (double)(rows.sums[0] = (float)side * sizes[i]);
            double s = sinh(fabs(d) < 300 ? d / 2 : 0),
                   q = fabs(d) < 300 ? log1p(2 * s * s) : fabs(d) - log(2);
            for (size_t o = 0; o < O; o++)
                rows.values[o] = 0;
            rows_run(&rows);
            ck_assert_double_eq_tol(rows.score[0].loss, q / O, 1e-11 * q + 1e-99);
            rows_backward(&rows);
            ck_assert_double_eq_tol((double)rows.outputs[0], tanh(d) / O, 2e-7 * fabs(tanh(d)) + 1e-99);
        }
}
END_TEST

/* A value that is met exactly has a finite loss and no pull on the mean, however small the variance. */
START_TEST(gaussian_of_a_value_that_is_met_is_finite)
{
    const float sizes[] = {-1000, -90, 0, 90, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct scored rows;
        rows_init(&rows, &configs[10], 0);
        for (size_t o = 0; o < O; o++) {
            rows.values[o] = 0;
            rows.sums[O + o] = sizes[i];
        }
        rows_run(&rows);
        ck_assert_double_eq_tol(rows.score[0].loss, ((double)sizes[i] + log(2 * acos(-1))) / 2, 1e-12);
        rows_backward(&rows);
        for (size_t o = 0; o < O; o++) {
            ck_assert_float_eq(rows.outputs[o], 0);
            ck_assert_float_eq_tol(rows.outputs[O + o], 0.5F / O, 1e-8F);
        }
    }
}
END_TEST

START_TEST(gaussian_is_shown_as_mean_and_variance)
{
    const struct net_config config = {.loss = LOSS_GAUSSIAN, .outputs = 2};
    const float y[] = {3, -4, 0, -2};
    float shown[4];
    loss_of(&config)->present(&config, y, shown);
    ck_assert(shown[0] == 3 && shown[1] == 1 && shown[2] == -4);
    ck_assert_float_eq_tol(shown[3], expf(-2), 1e-7F);
}
END_TEST

START_TEST(not_a_number_stays)
{
    struct scored rows;
    rows_init(&rows, &configs[_i], 2);
    for (size_t o = 0; o < MOST; o++)
        rows.sums[o] = NAN;
    rows_run(&rows);
    ck_assert_double_nan(rows.score[0].loss);
    ck_assert_double_finite(rows.score[1].loss);
    rows_backward(&rows);
    for (size_t o = 0; o < count_outputs(&rows.config); o++)
        ck_assert_float_nan(rows.outputs[o]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loss");
    TCase *cases = tcase_create("loss");
    tcase_add_loop_test(cases, losses_are_their_formulas, 0, CONFIGS);
    tcase_add_loop_test(cases, gradients_are_the_formulas_slopes, 0, CONFIGS);
    tcase_add_loop_test(cases, large_sums_keep_their_losses, 0, CONFIGS);
    tcase_add_loop_test(cases, no_target_counts_nowhere, 0, 4);
    tcase_add_loop_test(cases, missing_values_count_nowhere, 4, CONFIGS);
    tcase_add_loop_test(cases, a_row_counts_by_its_weight, 0, CONFIGS);
    tcase_add_test(cases, options_of_no_effect_leave_the_bits);
    tcase_add_test(cases, huber_is_half_mse_near_and_mae_far);
    tcase_add_test(cases, logcosh_is_exact_near_and_far);
    tcase_add_test(cases, gaussian_of_a_value_that_is_met_is_finite);
    tcase_add_test(cases, gaussian_is_shown_as_mean_and_variance);
    tcase_add_loop_test(cases, not_a_number_stays, 0, CONFIGS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
