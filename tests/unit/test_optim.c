/* Optimizers against PyTorch's figures and against their formulas in double; schedules at their edges. */
#include "base/mathematics.h"
#include "base/random.h"
#include "optim/optim.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { N = 203, STEPS = 50 };

static const enum optimizer ALL[] = {OPTIMIZER_SGD, OPTIMIZER_MOMENTUM, OPTIMIZER_NESTEROV, OPTIMIZER_RMSPROP,
    OPTIMIZER_ADAM, OPTIMIZER_ADAMW};
enum { OPTIMIZERS = sizeof ALL / sizeof *ALL };

static struct optim_config make_config(enum optimizer optimizer)
{
    return (struct optim_config){.optimizer = optimizer,
        .lr = 0.05,
        .momentum = 0.9,
        .beta1 = 0.8,
        .beta2 = 0.95,
        .epsilon = 1e-6,
        .weight_decay = 0.1,
        .decay_every = 10,
        .decay_factor = 0.1,
        .plateau_epochs = 3};
}

/* A run over n <= N weights in float, and what it carries. */
struct descent {
    struct optim_state state;
    float weights[N], moments[OPTIM_MOST_MOMENTS][N];
};

static void start(struct descent *run)
{
    *run = (struct descent){0};
    optim_state_init(&run->state);
    for (size_t i = 0; i < N; i++)
        run->weights[i] = (float)random_normal(1, RANDOM_TEST, 0, i);
}

/* Elements [first, end) of one update. */
static void update(const struct optim_config *config, struct descent *run, double factor, size_t first,
    size_t end, const float *gradient)
{
    struct optim_slice slice = {.n = end - first,
        .rate_factor = 1,
        .gradient = gradient + first,
        .moments = {run->moments[0] + first, run->moments[1] + first},
        .weights = run->weights + first};
    optim_update(config, &run->state, config->lr, factor, &slice);
}

static float gradient_of(size_t step, size_t i)
{
    return (float)random_normal(2, RANDOM_TEST, step, i);
}

START_TEST(five_updates_end_where_those_of_pytorch_end)
{
    /* torch.optim of PyTorch 1.13 in float64: SGD (momentum 0.9, nesterov), RMSprop (alpha 0.95), Adam, AdamW
     * with the settings of make_config. */
    static const struct {
        enum optimizer optimizer;
        double weights[4];
    } want[] = {
        {OPTIMIZER_SGD, {0.4135572, -1.04536907, 1.94802238, 0.496268706}},
        {OPTIMIZER_MOMENTUM, {0.242740369, -0.775990327, 1.86360511, 1.09908351}},
        {OPTIMIZER_NESTEROV, {0.185237186, -0.623158972, 1.82685223, 1.47408832}},
        {OPTIMIZER_RMSPROP, {-0.0890154787, -0.428917774, 1.31596992, 0.72359198}},
        {OPTIMIZER_ADAM, {0.2728001, -1.02329057, 1.7511144, 0.2156959}},
        {OPTIMIZER_ADAMW, {0.266544906, -1.05347109, 1.74666661, 0.213701123}},
    };
    static const float start_weights[4] = {0.5f, -1.25f, 2, 0}, slope[4] = {0.3f, -0.7f, 0.01f, -2};
    for (size_t k = 0; k < OPTIMIZERS; k++) {
        struct optim_config config = make_config(want[k].optimizer);
        struct descent run;
        start(&run);
        memcpy(run.weights, start_weights, sizeof start_weights);
        for (size_t step = 1; step <= 5; step++) {
            float gradient[4];
            for (size_t i = 0; i < 4; i++)
                gradient[i] = slope[i] * (1 + 0.5f * ((float)((step * 7 + i * 3) % 5) - 2));
            optim_advance(&config, &run.state);
            update(&config, &run, 1, 0, 4, gradient);
        }
        for (size_t i = 0; i < 4; i++)
            ck_assert_double_eq_tol(run.weights[i], want[k].weights[i], 2e-6);
    }
}
END_TEST

/* One element in double, b and v the moments by name. */
struct element {
    double w, b, m, v;
};

static void update_in_double(const struct optim_config *c, int64_t s, double g, struct element *e)
{
    if (c->optimizer == OPTIMIZER_ADAMW)
        e->w -= c->lr * c->weight_decay * e->w;
    else
        g += c->weight_decay * e->w;
    e->b = c->momentum * e->b + g;
    e->m = c->beta1 * e->m + (1 - c->beta1) * g;
    e->v = c->beta2 * e->v + (1 - c->beta2) * g * g;
    double m = e->m / (1 - pow(c->beta1, (double)s)), v = e->v / (1 - pow(c->beta2, (double)s));
    switch (c->optimizer) {
    case OPTIMIZER_SGD:
        e->w -= c->lr * g;
        break;
    case OPTIMIZER_MOMENTUM:
        e->w -= c->lr * e->b;
        break;
    case OPTIMIZER_NESTEROV:
        e->w -= c->lr * (g + c->momentum * e->b);
        break;
    case OPTIMIZER_RMSPROP:
        e->w -= c->lr * g / (sqrt(e->v) + c->epsilon);
        break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        e->w -= c->lr * m / (sqrt(v) + c->epsilon);
        break;
    }
}

START_TEST(updates_follow_the_formulas_in_double)
{
    for (size_t k = 0; k < OPTIMIZERS; k++) {
        struct optim_config config = make_config(ALL[k]);
        struct descent run;
        struct element want[N] = {{0}};
        start(&run);
        for (size_t i = 0; i < N; i++)
            want[i].w = run.weights[i];
        for (size_t step = 1; step <= STEPS; step++) {
            float gradient[N];
            optim_advance(&config, &run.state);
            for (size_t i = 0; i < N; i++) {
                gradient[i] = gradient_of(step, i);
                update_in_double(&config, (int64_t)step, 0.25 * gradient[i], &want[i]);
            }
            update(&config, &run, 0.25, 0, N, gradient);
            for (size_t i = 0; i < N; i++)
                ck_assert_double_eq_tol(run.weights[i], want[i].w, 2e-6 * (1 + fabs(want[i].w)));
        }
    }
}
END_TEST

START_TEST(bits_do_not_depend_on_the_cut_into_slices)
{
    static const size_t cuts[][4] = {{0, 0, N, N}, {0, 1, 16, N}, {0, 17, 100, N}, {0, 101, 101, N}};
    for (size_t k = 0; k < OPTIMIZERS; k++)
        for (size_t c = 1; c < sizeof cuts / sizeof *cuts; c++) {
            struct optim_config config = make_config(ALL[k]);
            struct descent whole, sliced;
            start(&whole);
            start(&sliced);
            for (size_t step = 1; step <= STEPS; step++) {
                float gradient[N];
                for (size_t i = 0; i < N; i++)
                    gradient[i] = gradient_of(step, i);
                optim_advance(&config, &whole.state);
                optim_advance(&config, &sliced.state);
                update(&config, &whole, 0.3, 0, N, gradient);
                for (size_t slice = 0; slice < 3; slice++)
                    update(&config, &sliced, 0.3, cuts[c][slice], cuts[c][slice + 1], gradient);
            }
            ck_assert_int_eq(memcmp(&whole.weights, &sliced.weights, sizeof whole.weights), 0);
            ck_assert_int_eq(memcmp(&whole.moments, &sliced.moments, sizeof whole.moments), 0);
        }
}
END_TEST

START_TEST(factor_multiplies_the_gradient)
{
    for (size_t k = 0; k < OPTIMIZERS; k++) {
        struct optim_config config = make_config(ALL[k]);
        struct descent scaled, halved;
        float gradient[N], half[N];
        start(&scaled);
        start(&halved);
        for (size_t i = 0; i < N; i++)
            half[i] = (gradient[i] = gradient_of(1, i)) / 2;
        optim_advance(&config, &scaled.state);
        optim_advance(&config, &halved.state);
        update(&config, &scaled, 0.5, 0, N, gradient);
        update(&config, &halved, 1, 0, N, half);
        ck_assert_int_eq(memcmp(&scaled.weights, &halved.weights, sizeof scaled.weights), 0);
        ck_assert_int_eq(memcmp(&scaled.moments, &halved.moments, sizeof scaled.moments), 0);
    }
}
END_TEST

START_TEST(no_gradient_and_no_decay_change_nothing)
{
    for (size_t k = 0; k < OPTIMIZERS; k++) {
        struct optim_config config = make_config(ALL[k]);
        config.weight_decay = 0;
        struct descent run, before;
        float gradient[N] = {0};
        start(&run);
        before = run;
        optim_advance(&config, &run.state);
        update(&config, &run, 1, 0, N, gradient);
        ck_assert_int_eq(memcmp(&run.weights, &before.weights, sizeof run.weights), 0);
    }
}
END_TEST

START_TEST(a_rate_of_zero_changes_no_weight_but_the_moments)
{
    for (size_t k = 0; k < OPTIMIZERS; k++) {
        struct optim_config config = make_config(ALL[k]);
        config.lr = 0;
        struct descent run, before;
        float gradient[N];
        for (size_t i = 0; i < N; i++)
            gradient[i] = gradient_of(1, i);
        start(&run);
        before = run;
        optim_advance(&config, &run.state);
        update(&config, &run, 1, 0, N, gradient);
        ck_assert_int_eq(memcmp(&run.weights, &before.weights, sizeof run.weights), 0);
        for (size_t m = 0; m < optim_count_moments(ALL[k]); m++)
            for (size_t i = 0; i < N; i++)
                ck_assert_float_ne(run.moments[m][i], 0);
    }
}
END_TEST

START_TEST(powers_are_running_products)
{
    struct optim_config config = make_config(OPTIMIZER_ADAM);
    struct optim_state state;
    optim_state_init(&state);
    double power1 = 1, power2 = 1;
    for (int64_t step = 1; step <= 1000; step++) {
        optim_advance(&config, &state);
        power1 *= 0.8;
        power2 *= 0.95;
        ck_assert_int_eq(state.step, step);
        ck_assert(state.power1 == power1 && state.power2 == power2);
    }
}
END_TEST

START_TEST(moments_have_the_names_of_pytorch)
{
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_SGD), 0);
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_MOMENTUM), 1);
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_NESTEROV), 1);
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_RMSPROP), 1);
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_ADAM), 2);
    ck_assert_uint_eq(optim_count_moments(OPTIMIZER_ADAMW), 2);
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_MOMENTUM, 0), "momentum");
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_NESTEROV, 0), "momentum");
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_RMSPROP, 0), "exp_avg_sq");
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_ADAM, 0), "exp_avg");
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_ADAM, 1), "exp_avg_sq");
    ck_assert_str_eq(optim_moment_name(OPTIMIZER_ADAMW, 1), "exp_avg_sq");
}
END_TEST

START_TEST(clipping_brings_the_norm_to_the_bound)
{
    ck_assert(optim_clip_factor(4, 1) == 0.25);
    ck_assert(optim_clip_factor(1, 1) == 1);
    ck_assert(optim_clip_factor(0.5, 1) == 1);
    ck_assert(optim_clip_factor(0, 1) == 1);
    ck_assert(optim_clip_factor(1e9, 0) == 1);
    ck_assert(optim_clip_factor(INFINITY, 1) == 0);
    ck_assert(optim_clip_factor(NAN, 1) == 1);
}
END_TEST

static double rate_at(const struct optim_config *config, int64_t made, int64_t epoch)
{
    struct optim_state state;
    optim_state_init(&state);
    state.step = made;
    return optim_rate(config, &state, epoch);
}

START_TEST(warmup_rises_linearly_to_the_rate)
{
    struct optim_config config = make_config(OPTIMIZER_SGD);
    config.warmup = 4;
    config.lr_min = 0.04; /* bounds the schedule only */
    ck_assert(rate_at(&config, 0, 1) == 0.05 * 0.25);
    ck_assert(rate_at(&config, 1, 1) == 0.05 * 0.5);
    ck_assert(rate_at(&config, 2, 1) == 0.05 * 0.75);
    ck_assert(rate_at(&config, 3, 1) == 0.05);
    ck_assert(rate_at(&config, 4, 1) == 0.05);
    config.warmup = 0;
    ck_assert(rate_at(&config, 0, 1) == 0.05);
    config.warmup = 1;
    ck_assert(rate_at(&config, 0, 1) == 0.05);
}
END_TEST

START_TEST(step_schedule_falls_every_so_many_epochs)
{
    struct optim_config config = make_config(OPTIMIZER_SGD);
    config.schedule = SCHEDULE_STEP;
    config.decay_factor = 0.5;
    config.decay_every = 3;
    static const double want[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
    for (int64_t epoch = 1; epoch <= 10; epoch++)
        ck_assert(rate_at(&config, 100, epoch) == 0.05 * want[epoch - 1]);
    config.decay_every = 1;
    ck_assert(rate_at(&config, 0, 1) == 0.05);
    ck_assert(rate_at(&config, 0, 5) == 0.05 / 16);
    config.lr_min = 0.01;
    ck_assert(rate_at(&config, 0, 3) == 0.05 / 4);
    ck_assert(rate_at(&config, 0, 4) == 0.01);
    config.lr_min = 0;
    ck_assert(rate_at(&config, 0, 1000000000) == 0);
}
END_TEST

START_TEST(cosine_schedule_goes_from_rate_to_lowest)
{
    struct optim_config config = make_config(OPTIMIZER_SGD);
    config.schedule = SCHEDULE_COSINE;
    config.lr = 0.5;
    config.lr_min = 0.1;
    config.total_steps = 100;
    ck_assert(rate_at(&config, 0, 1) == 0.5);
    ck_assert_double_eq_tol(rate_at(&config, 50, 1), 0.3, 1e-15);
    ck_assert(rate_at(&config, 100, 1) == 0.1);
    ck_assert(rate_at(&config, 1000, 1) == 0.1);
    for (int64_t made = 1; made < 100; made++) {
        double want = 0.1 + 0.4 * (1 + cos(MATH_PI * (double)made / 100)) / 2;
        ck_assert_double_eq_tol(rate_at(&config, made, 1), want, 1e-15);
        ck_assert_double_lt(rate_at(&config, made, 1), rate_at(&config, made - 1, 1));
    }
    config.warmup = 20; /* steps 1 to 20; the cosine has the 80 after it */
    ck_assert(rate_at(&config, 9, 1) == 0.25);
    ck_assert(rate_at(&config, 19, 1) == 0.5);
    ck_assert(rate_at(&config, 20, 1) == 0.5);
    ck_assert_double_eq_tol(rate_at(&config, 60, 1), 0.3, 1e-15);
    ck_assert_double_gt(rate_at(&config, 99, 1), 0.1);
    ck_assert(rate_at(&config, 100, 1) == 0.1);
}
END_TEST

START_TEST(plateau_schedule_waits_for_improvement)
{
    struct optim_config config = make_config(OPTIMIZER_SGD);
    config.schedule = SCHEDULE_PLATEAU;
    config.decay_factor = 0.5;
    config.plateau_epochs = 2;
    config.lr_min = 0.01;
    struct optim_state state;
    optim_state_init(&state);
    static const double loss[] = {3, 2, 2, 1.5, 1.6, NAN, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4};
    static const double want[] = {1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2};
    for (size_t epoch = 0; epoch < sizeof loss / sizeof *loss; epoch++) {
        optim_epoch_end(&config, &state, loss[epoch]);
        ck_assert_double_eq_tol(optim_rate(&config, &state, (int64_t)epoch + 2), 0.05 * want[epoch], 1e-17);
    }
    ck_assert(state.plateau_best == 1.4 && state.plateau_factor == 0.0625);
}
END_TEST

START_TEST(other_schedules_ignore_the_loss)
{
    struct optim_config config = make_config(OPTIMIZER_SGD);
    struct optim_state state, before;
    optim_state_init(&state);
    before = state;
    for (int epoch = 0; epoch < 20; epoch++)
        optim_epoch_end(&config, &state, 1);
    ck_assert(optim_rate(&config, &state, 21) == 0.05);
    ck_assert_int_eq(state.plateau_wait, before.plateau_wait);
    ck_assert(state.plateau_factor == 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optim");
    TCase *updates = tcase_create("updates");
    tcase_add_test(updates, five_updates_end_where_those_of_pytorch_end);
    tcase_add_test(updates, updates_follow_the_formulas_in_double);
    tcase_add_test(updates, bits_do_not_depend_on_the_cut_into_slices);
    tcase_add_test(updates, factor_multiplies_the_gradient);
    tcase_add_test(updates, no_gradient_and_no_decay_change_nothing);
    tcase_add_test(updates, a_rate_of_zero_changes_no_weight_but_the_moments);
    tcase_add_test(updates, powers_are_running_products);
    tcase_add_test(updates, moments_have_the_names_of_pytorch);
    tcase_add_test(updates, clipping_brings_the_norm_to_the_bound);
    suite_add_tcase(suite, updates);
    TCase *schedules = tcase_create("schedules");
    tcase_add_test(schedules, warmup_rises_linearly_to_the_rate);
    tcase_add_test(schedules, step_schedule_falls_every_so_many_epochs);
    tcase_add_test(schedules, cosine_schedule_goes_from_rate_to_lowest);
    tcase_add_test(schedules, plateau_schedule_waits_for_improvement);
    tcase_add_test(schedules, other_schedules_ignore_the_loss);
    suite_add_tcase(suite, schedules);
    return suite_run(suite);
}
