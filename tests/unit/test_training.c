/* Ten whole training steps on one rank: a dataset file and a configuration in, and then what a run does:
 * reading, plan, microbatches, network, tree, reduction, clipping, update. Beside it the reference, which
 * takes the same sequences one by one in double, from the same starting weights. Compared is how far each
 * tensor has moved since the start, after every step. */
#include "reference/problem_file.h"
#include "run/learner.h"
#include "run/progress.h"
#include "run/sets.h"
#include "support/mpi_suite.h"
#include "support/sample.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, OPTIMIZERS = 6, KINDS = 3, SEQUENCES = 23, STEPS = 10, WARMUP = 4, PATH_ROOM = 512 };

/* Of a tensor's way. Epsilon is 1e-4 below, so that weights whose gradient is mere rounding stay. */
#define TOLERANCE 2e-4

static char folder[PATH_ROOM]; /* Check hands its tests no context */

/* One of the networks, and the configuration that makes it. */
struct variant {
    struct net_config net;
    int standardize;
};

static struct variant make_kind(int which, enum cell cell, enum loss loss)
{
    static const struct variant kinds[KINDS] = {
        {.net = {.output = OUTPUT_FRAME, .hidden = {18, 7}, .bidirectional = {1, 1}}, .standardize = 1},
        {.net = {.output = OUTPUT_SEQUENCE, .hidden = {5, 17}, .bidirectional = {1, 0}}},
        {.net = {.output = OUTPUT_FRAME,
             .hidden = {9, 9},
             .bidirectional = {0, 1},
             .symbols = 1,
             .embedding = 3}}};
    struct variant kind = kinds[which];
    kind.net.cell = cell;
    kind.net.loss = loss;
    kind.net.layers = 2;
    kind.net.inputs = 6;
    kind.net.outputs = 5;
    return kind;
}

/* Writes the configuration as a user would, and reads it as rnn-train does. */
static void make_config(struct config *config, const struct variant *kind, enum optimizer optimizer)
{
    static const char *const outputs[] = {"frame", "sequence"},
                             *const losses[] = {"softmax", "sigmoid", "mse"};
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", "indrnn", "mingru", "lru"};
    static const struct {
        const char *name, *lr;
    } optimizers[OPTIMIZERS] = {{"sgd", "0.2"}, {"momentum", "0.05"}, {"nesterov", "0.05"},
        {"rmsprop", "0.01"}, {"adam", "0.02"}, {"adamw", "0.02"}};
    const struct net_config *net = &kind->net;
    char path[PATH_ROOM + 16];
    snprintf(path, sizeof path, "%s/ten.ini", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "[data]\ntrain = ten.h5\nstandardize = %s\n", kind->standardize ? "yes" : "no");
    fprintf(file, "[model]\noutput = %s\nloss = %s\ncell = %s\n", outputs[net->output], losses[net->loss],
        cells[net->cell]);
    fprintf(file, "layers = 2\nhidden = %zu %zu\nbidirectional = %s %s\nembedding = %zu\n", net->hidden[0],
        net->hidden[1], net->bidirectional[0] ? "yes" : "no", net->bidirectional[1] ? "yes" : "no",
        net->embedding);
    fprintf(file, "[train]\nbatch = 9\nmicrobatch = 2\nepochs = 20\nseed = 5\noptimizer = %s\nlr = %s\n",
        optimizers[optimizer].name, optimizers[optimizer].lr);
    fprintf(file, "beta2 = 0.97\nepsilon = 1e-4\nweight_decay = 0.01\nclip = 0.5\nwarmup = %d\n", WARMUP);
    ck_assert_int_eq(fclose(file), 0);
    struct faults faults;
    faults_init(&faults, 1, NULL, NULL);
    config_init(config);
    ck_assert_int_eq(config_read(config, path, 0, NULL, &faults), 0);
}

static void write_dataset(const struct problem *problem)
{
    char path[PATH_ROOM + 16];
    snprintf(path, sizeof path, "%s/ten.h5", folder);
    struct h5_image *image = h5_image_create(NULL);
    ck_assert_ptr_nonnull(image);
    problem_add_dataset(image, problem);
    problem_save_image(image, path);
}

/* (x - mean) / deviation of every feature over all frames. */
static void standardize(struct problem *problem)
{
    size_t I = problem->config.inputs;
    for (size_t i = 0; i < I; i++) {
        double sum = 0, squares = 0, frames = 0;
        for (size_t s = 0; s < problem->sequences; s++)
            for (size_t t = 0; t < problem->sequence[s].T; t++, frames++)
                sum += problem->sequence[s].inputs[t * I + i];
        double mean = sum / frames;
        for (size_t s = 0; s < problem->sequences; s++)
            for (size_t t = 0; t < problem->sequence[s].T; t++)
                squares += pow(problem->sequence[s].inputs[t * I + i] - mean, 2);
        double deviation = sqrt(squares / frames);
        for (size_t s = 0; s < problem->sequences; s++)
            for (size_t t = 0; t < problem->sequence[s].T; t++) {
                double *x = (double *)problem->sequence[s].inputs + t * I + i;
                *x = (*x - mean) / deviation;
            }
    }
}

static void take_weights(const struct learner *learner, const struct problem *problem, double *weights)
{
    size_t tensors;
    const struct parameter *list = net_get_parameters(learner->net, &tensors);
    problem_to_doubles(problem, learner->weights, tensors, list, weights);
}

/* What one step came to, per counted row. */
struct came_to {
    double loss, norm;
};

/* The sequences of a step through the reference, at rate `lr`; updates weights [P]. */
static struct came_to reference_make_step(struct reference_optimizer *optimizer, double lr,
    const struct problem *problem, const struct plan_step *step, double *weights)
{
    double *gradient = reference_numbers(problem->P), loss = 0, counted = 0, squares = 0;
    for (size_t k = 0; k < step->sequences; k++) {
        const struct reference_sequence *sequence = &problem->sequence[step->sequence[k]];
        struct reference_score score = reference_get_score(&problem->config, weights, sequence);
        reference_backward(&problem->config, weights, sequence, gradient);
        loss += score.loss;
        counted += score.counted;
    }
    for (size_t p = 0; p < problem->P; p++) {
        gradient[p] /= counted;
        squares += gradient[p] * gradient[p];
    }
    optimizer->config.lr = lr;
    reference_optimizer_update(optimizer, gradient, weights);
    free(gradient);
    return (struct came_to){.loss = loss / counted, .norm = sqrt(squares)};
}

/* How far the learner's weights have moved, and the reference's. problem->weights: where both began. */
static void check_weights(
    const struct problem *problem, const struct learner *learner, const double *weights, int step)
{
    double *got = reference_numbers(problem->P), *want = reference_numbers(problem->P);
    take_weights(learner, problem, got);
    for (size_t p = 0; p < problem->P; p++) {
        got[p] -= problem->weights[p];
        want[p] = weights[p] - problem->weights[p];
    }
    char worst[64];
    double difference = problem_compare(problem, got, want, 1e-3, worst);
    ck_assert_msg(difference < TOLERANCE, "step %d: %s is off by %g", step, worst, difference);
    free(got);
    free(want);
}

static void check_steps(struct learner *learner, struct feed *feed, struct problem *problem)
{
    struct reference_optimizer optimizer;
    struct progress progress;
    progress_init(&progress);
    reference_optimizer_init(&optimizer, &learner->optim, problem->P);
    take_weights(learner, problem, problem->weights);
    double *weights = reference_numbers(problem->P);
    memcpy(weights, problem->weights, problem->P * sizeof *weights);
    for (int s = 1; s <= STEPS; s++) {
        struct outcome outcome;
        struct error error;
        learner_compute(learner, feed, &progress, &outcome, &error);
        int failed = learner_update(learner, feed, &progress, &outcome, &error);
        ck_assert_msg(!failed, "%s", error.text);
        double lr = learner->optim.lr * fmin(1, (double)s / WARMUP);
        struct came_to want = reference_make_step(&optimizer, lr, problem, &feed->now.plan, weights);
        ck_assert_double_eq_tol(outcome.loss, want.loss, 1e-4 * (1 + want.loss));
        ck_assert_double_eq_tol(outcome.gradient_norm, want.norm, 1e-3 * want.norm);
        ck_assert_double_eq_tol(outcome.learning_rate, lr, 1e-12);
        check_weights(problem, learner, weights, s);
    }
    free(weights);
    reference_optimizer_finish(&optimizer);
}

/* Learns as `config` says, without a run around it. */
static void learn(const struct config *config, struct problem *problem)
{
    struct sets sets = {.train = NULL};
    struct learner learner;
    struct feed feed;
    struct error error = {0};
    struct net_config model = config->model;
    const struct comm *comm = mpi_suite_comm();
    int failed = sets_open(&sets, config, comm, &model, &error) ||
        learner_init(&learner, config, comm, &model, SEQUENCES, SEQUENCES, &error) ||
        sets_keep(&sets, config, &learner.node, &error) ||
        sets_standardize(&sets, config, comm, NULL, &error) || learner_start(&learner, NULL, NULL, &error);
    ck_assert_msg(!failed, "%s", error.text);
    struct feed_config order = sets_describe_feed(&sets, config, sets.train);
    order.seed = config->train.seed;
    order.epoch = 1;
    order.last_epoch = config->train.epochs;
    ck_assert_int_eq(feed_init(&feed, comm, &order, &error), 0);
    check_steps(&learner, &feed, problem);
    feed_finish(&feed);
    sets_close(&sets);
    learner_finish(&learner);
}

static void check_kind(const struct variant *kind, enum optimizer optimizer, uint64_t seed)
{
    int32_t length[SEQUENCES];
    struct problem problem;
    struct config config;
    problem_draw_lengths(SEQUENCES, 30, seed, length);
    problem_init(&problem, &kind->net, SEQUENCES, length, seed);
    write_dataset(&problem);
    make_config(&config, kind, optimizer);
    if (kind->standardize)
        standardize(&problem);
    learn(&config, &problem);
    config_finish(&config);
    problem_finish(&problem);
}

START_TEST(ten_steps_are_the_references)
{
    for (int which = 0; which < KINDS; which++) {
        struct variant kind = make_kind(which, (enum cell)(_i / OPTIMIZERS), (enum loss)((which + _i) % 3));
        check_kind(&kind, (enum optimizer)(_i % OPTIMIZERS), 300 + (uint64_t)_i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training");
    TCase *cases = tcase_create("training");
    tcase_add_loop_test(cases, ten_steps_are_the_references, 0, CELLS * OPTIMIZERS);
    suite_add_tcase(suite, cases);
    sample_make_folder(folder, sizeof folder);
    int status = mpi_suite_run(suite, "test_training", 110);
    sample_remove_folder(folder);
    return status;
}
