/* Ten whole training steps: the plan's grains through the production network, its gradients added in the
 * tree, divided, clipped, and applied by the production optimizer, all in float; beside the reference, which
 * takes the same sequences one by one in double. Compared is how far each tensor has moved since the start.
 */
#include "reference/subject.h"
#include "support/suite.h"

#include "comm/squares.h"
#include "comm/tree.h"
#include "data/plan.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = 4,
    OPTIMIZERS = 6,
    SEQUENCES = 23,
    BATCH = 9,
    GRAIN = 2,
    STEPS = 10,
    WARMUP = 4,
    BLOCK = 1024
};

/* Of a tensor's way. Epsilon is 1e-4 below, so that weights whose gradient is mere rounding stay. */
#define TOLERANCE 2e-4

/* The production path on one rank. */
struct path {
    struct subject subject;
    struct grain grain;
    struct plan plan;
    struct plan_step step;
    struct tree_sums sums;
    struct optim_config config;
    struct optim_state state;
    float *moments[OPTIM_MOST_MOMENTS];
    int32_t length[SEQUENCES];
};

static void path_init(struct path *path, const struct problem *problem, const struct optim_config *config)
{
    memset(path, 0, sizeof *path);
    subject_init(&path->subject, problem);
    grain_init(&path->grain);
    for (size_t s = 0; s < SEQUENCES; s++)
        path->length[s] = (int32_t)problem->sequence[s].T;
    ck_assert_int_eq(plan_init(&path->plan, SEQUENCES, path->length, BATCH, GRAIN, 5, NULL), 0);
    tree_sums_init(&path->sums, path->subject.P);
    path->config = *config;
    optim_state_init(&path->state);
    for (size_t m = 0; m < optim_count_moments(config->optimizer); m++)
        path->moments[m] = calloc(path->subject.P, sizeof(float));
}

static void path_finish(struct path *path)
{
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++)
        free(path->moments[m]);
    tree_sums_finish(&path->sums);
    plan_step_finish(&path->step);
    plan_finish(&path->plan);
    grain_finish(&path->grain);
    subject_finish(&path->subject);
}

/* Gradients of all grains in tree order; the loss of the step, summed. */
static struct net_score path_add_grains(struct path *path, const struct net_pass *pass)
{
    struct net_score sum = {0};
    size_t leaves = path->step.leaves;
    tree_sums_start(&path->sums, leaves, 0, leaves);
    for (size_t l = 0; l < leaves; l++) {
        struct net_outputs outputs;
        struct net_score score[GRAIN];
        size_t first = path->step.start[l], B = path->step.start[l + 1] - first;
        problem_fill_grain(path->subject.problem, B, path->step.sequence + first, &path->grain);
        float *gradient = tree_sums_leaf(&path->sums, NULL);
        ck_assert_ptr_nonnull(gradient);
        ck_assert_int_eq(net_forward(path->subject.net, pass, &path->grain, &outputs, score, NULL), 0);
        net_backward(path->subject.net, pass, &path->grain, gradient);
        tree_sums_add(&path->sums);
        for (size_t b = 0; b < B; b++) {
            sum.loss += score[b].loss;
            sum.counted += score[b].counted;
        }
    }
    tree_complete(leaves, path->sums.held, path->sums.nodes, path->sums.vectors, path->subject.P);
    return sum;
}

static double path_norm(const float *gradient, size_t P)
{
    double squares = 0;
    for (size_t p = 0; p < P; p += BLOCK)
        squares += squares_sum_block(gradient + p, P - p < BLOCK ? P - p : BLOCK);
    return sqrt(squares);
}

/* Step `s` of the run; returns the mean loss. */
static double path_make_step(struct path *path, int64_t s)
{
    int64_t epoch = 1 + s / path->plan.steps;
    if (epoch != path->plan.epoch)
        plan_set_epoch(&path->plan, epoch);
    ck_assert_int_eq(plan_make_step(&path->plan, s % path->plan.steps, &path->step, NULL), 0);
    struct net_pass pass = {.training = 1, .seed = 5, .epoch = (uint64_t)epoch};
    struct net_score sum = path_add_grains(path, &pass);
    float *gradient = path->sums.vectors[0];
    for (size_t p = 0; p < path->subject.P; p++)
        gradient[p] /= (float)sum.counted;
    double factor = optim_clip_factor(path_norm(gradient, path->subject.P), path->config.clip);
    double rate = optim_rate(&path->config, &path->state, epoch);
    optim_advance(&path->config, &path->state);
    optim_update(&path->config, &path->state, rate, factor, path->subject.P, gradient, path->moments,
        path->subject.weights);
    net_pack(path->subject.net, path->subject.weights);
    return sum.loss / sum.counted;
}

/* The same sequences through the reference, at rate `lr`; updates weights [P], returns the mean loss. */
static double reference_make_step(struct reference_optimizer *optimizer, double lr,
    const struct problem *problem, const struct plan_step *step, double *weights)
{
    double *gradient = reference_numbers(problem->P), loss = 0, counted = 0;
    for (size_t k = 0; k < step->sequences; k++) {
        const struct reference_sequence *sequence = &problem->sequence[step->sequence[k]];
        struct reference_score score = reference_get_score(&problem->config, weights, sequence);
        reference_backward(&problem->config, weights, sequence, gradient);
        loss += score.loss;
        counted += score.counted;
    }
    for (size_t p = 0; p < problem->P; p++)
        gradient[p] /= counted;
    optimizer->config.lr = lr;
    reference_optimizer_update(optimizer, gradient, weights);
    free(gradient);
    return loss / counted;
}

/* How far the production weights have moved, and the reference's. */
static void check_weights(
    const struct problem *problem, const struct path *path, const double *weights, int64_t s)
{
    double *got = reference_numbers(problem->P), *want = reference_numbers(problem->P);
    problem_to_doubles(problem, path->subject.weights, path->subject.tensors, path->subject.list, got);
    for (size_t p = 0; p < problem->P; p++) {
        got[p] -= problem->weights[p];
        want[p] = weights[p] - problem->weights[p];
    }
    char worst[64];
    double difference = problem_compare(problem, got, want, 1e-3, worst);
    ck_assert_msg(difference < TOLERANCE, "step %d: %s is off by %g", (int)s + 1, worst, difference);
    free(got);
    free(want);
}

static void check_ten_steps(const struct net_config *net, const struct optim_config *optim, uint64_t seed)
{
    int32_t length[SEQUENCES];
    struct problem problem;
    struct path path;
    struct reference_optimizer optimizer;
    problem_draw_lengths(SEQUENCES, 30, seed, length);
    problem_init(&problem, net, SEQUENCES, length, seed);
    path_init(&path, &problem, optim);
    reference_optimizer_init(&optimizer, optim, problem.P);
    double *weights = reference_numbers(problem.P);
    memcpy(weights, problem.weights, problem.P * sizeof *weights);
    for (int64_t s = 0; s < STEPS; s++) {
        double loss = path_make_step(&path, s);
        double lr = optim->lr * fmin(1, (double)(s + 1) / WARMUP);
        double want = reference_make_step(&optimizer, lr, &problem, &path.step, weights);
        ck_assert_double_eq_tol(loss, want, 1e-4 * (1 + want));
        check_weights(&problem, &path, weights, s);
    }
    free(weights);
    reference_optimizer_finish(&optimizer);
    path_finish(&path);
    problem_finish(&problem);
}

START_TEST(ten_steps_are_the_references)
{
    static const double rates[OPTIMIZERS] = {0.2, 0.05, 0.05, 0.01, 0.02, 0.02};
    enum optimizer optimizer = (enum optimizer)(_i % OPTIMIZERS);
    enum cell cell = (enum cell)(_i / OPTIMIZERS);
    struct optim_config optim = {.optimizer = optimizer,
        .lr = rates[optimizer],
        .momentum = 0.9,
        .beta1 = 0.9,
        .beta2 = 0.97,
        .epsilon = 1e-4,
        .weight_decay = 0.01,
        .clip = 0.5,
        .warmup = WARMUP};
    for (int which = 0; which < 3; which++) {
        struct net_config net = {.cell = cell,
            .output = which == 1 ? OUTPUT_SEQUENCE : OUTPUT_FRAME,
            .loss = (enum loss)((which + _i) % 3),
            .layers = 2,
            .hidden = {18, 7},
            .bidirectional = {1, which != 2},
            .inputs = 6,
            .symbols = which == 2,
            .embedding = which == 2 ? 3 : 0,
            .outputs = 5};
        check_ten_steps(&net, &optim, 300 + (uint64_t)_i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training");
    TCase *cases = tcase_create("training");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, ten_steps_are_the_references, 0, CELLS * OPTIMIZERS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
