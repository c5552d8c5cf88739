/* A pass has the same bits however little memory it makes do with: every cell and output, without options and
 * with all of them, alone and in teams, from a workspace that keeps all down to the smallest there is. */
#include "base/random.h"
#include "net/check.h"
#include "reference/net_options.h"
#include "reference/team.h"
#include "support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, OUTPUTS = 4, KINDS = 2 * 2, ROWS = 4 };

/* Several segments of the shortest and the longest kind that there is of them, ends of sequences among them.
 */
static const int32_t lengths[ROWS] = {231, 90, 90, 1};
static const int64_t in_order[ROWS] = {0, 1, 2, 3};

/* Without an option, or with all of them, in one direction or with both. */
static struct net_config config_of(int test, enum output output)
{
    int both = test % 2, all = test / 2 % 2, symbols = (test / KINDS + both) % 2;
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    struct net_config config = {.cell = (enum cell)(test / KINDS),
        .output = output,
        .layers = 3,
        .hidden = {20, both ? 20 : 9, 5},
        .bidirectional = {both, 1, both},
        .inputs = 6,
        .symbols = symbols,
        .embedding = symbols && all ? 7 : 0,
        .outputs = 5};
    if (all) {
        net_options_apply(&config, net_options_choose_all(config.cell, LOSS_SOFTMAX, chosen), chosen);
        config.dropout = 0.3;
        config.input_noise = symbols ? 0 : 0.1;
    }
    if (config.output == OUTPUT_CTC || config.output == OUTPUT_DECODER) { /* which have no rows to weigh */
        config.class_weights = 0;
        config.label_smoothing = 0;
    }
    if (config.output == OUTPUT_DECODER) {
        config.decoder_layers = 1;
        config.decoder_hidden = 6;
        config.decoder_embedding = 3;
        config.attention_size = 4;
        config.target_length = 10;
    }
    free(chosen);
    ck_assert_int_eq(net_config_check(&config, NULL, NULL), 0);
    return config;
}

/* A net on a microbatch, whose weights are those of its start and a little beside them, so that none is 0. */
struct scene {
    struct problem problem;
    struct subject subject;
    struct microbatch microbatch;
    struct net_pass pass;
    struct result whole; /* where all is kept */
};

static void scene_init(struct scene *scene, int test, enum output output)
{
    struct net_config config = config_of(test, output), targets = config;
    if (config.output == OUTPUT_DECODER)
        targets.output = OUTPUT_CTC; /* whose targets are of the same kind */
    *scene = (struct scene){.pass = {.training = 1, .seed = 3, .epoch = 2}};
    problem_init(&scene->problem, &targets, ROWS, lengths, (uint64_t)test);
    microbatch_init(&scene->microbatch);
    problem_fill_microbatch(&scene->problem, ROWS, in_order, &scene->microbatch);
    scene->problem.config = config;
    struct subject *subject = &scene->subject;
    *subject = (struct subject){.problem = &scene->problem, .net = net_create(&config, NULL)};
    ck_assert_ptr_nonnull(subject->net);
    subject->list = net_get_parameters(subject->net, &subject->tensors);
    subject->P = net_count_parameters(subject->net);
    subject->weights = calloc(subject->P, sizeof *subject->weights);
    ck_assert_int_eq(net_init_weights(subject->net, 5, subject->weights, NULL), 0);
    for (size_t p = 0; p < subject->P; p++)
        subject->weights[p] =
            (float)(0.8 * (double)subject->weights[p] + 0.02 * random_uniform(5, RANDOM_TEST, 1, p));
    net_pack(subject->net, subject->weights);
    subject_run(subject, &scene->pass, &scene->microbatch, &scene->whole);
    for (size_t b = 0; b < ROWS; b++)
        ck_assert(isfinite(scene->whole.score[b].loss));
}

static void scene_finish(struct scene *scene)
{
    result_finish(&scene->whole);
    subject_finish(&scene->subject);
    microbatch_finish(&scene->microbatch);
    problem_finish(&scene->problem);
}

static const char *name_of(const struct scene *scene)
{
    return output_names[net_get_config(scene->subject.net)->output];
}

/* The gradient is not nothing in any tensor, or its bits would say little. */
static void check_whole(const struct scene *scene)
{
    const struct subject *subject = &scene->subject;
    for (size_t k = 0; k < subject->tensors; k++) {
        double sum = 0;
        for (size_t i = 0; i < subject->list[k].count; i++)
            sum += fabs((double)scene->whole.gradient[subject->list[k].offset + i]);
        ck_assert_msg(sum > 0, "%s", subject->list[k].name);
    }
}

/* Makes the pass with at most so much memory, and returns how it saved. */
static struct net_saving check_memory(struct scene *scene, size_t memory)
{
    struct result result;
    scene->pass.memory = memory;
    struct net_saving saving = net_find_saving(scene->subject.net, &scene->pass, &scene->microbatch);
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    const char *difference = result_find_difference(&scene->subject, &result, &scene->whole);
    ck_assert_msg(!difference, "%s: %zu bytes (%zu layers, %zu steps): another %s", name_of(scene), memory,
        saving.layers, saving.steps, difference);
    result_finish(&result);
    return saving;
}

static void check_team(struct scene *scene, size_t memory, size_t members)
{
    scene->pass.memory = memory;
    const char *difference =
        team_compare(&scene->subject, &scene->pass, &scene->microbatch, members, &scene->whole);
    ck_assert_msg(!difference, "%s: %zu members, %zu bytes each: another %s", name_of(scene), members, memory,
        difference);
}

/* Each workspace is a byte less than the one before would take. */
static void check_training(struct scene *scene, size_t members)
{
    size_t kinds = 0, memory = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    struct net_saving saving;
    for (int fits = 1; fits; kinds++) {
        saving = check_memory(scene, memory);
        fits = saving.bytes <= memory;
        memory = saving.bytes - 1;
    }
    ck_assert_msg(kinds > 4, "only %zu kinds of workspace", kinds);
    ck_assert_uint_eq(saving.layers, 3);
    ck_assert_msg(saving.steps < (size_t)lengths[0], "%zu steps are no segment", saving.steps);
    check_team(scene, memory, members);
}

/* What is not learned from needs no more than what is. */
static void check_evaluation(struct scene *scene)
{
    struct result result, saved;
    scene->pass = (struct net_pass){.training = 1, .memory = 1};
    size_t learning = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    scene->pass = (struct net_pass){.training = 0};
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &result);
    size_t all = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    scene->pass.memory = 1;
    size_t least = net_workspace_bytes(scene->subject.net, &scene->pass, &scene->microbatch);
    subject_run(&scene->subject, &scene->pass, &scene->microbatch, &saved);
    ck_assert_ptr_null(result_find_difference(&scene->subject, &saved, &result));
    ck_assert_uint_lt(least, all);
    ck_assert_msg(least <= learning || net_get_config(scene->subject.net)->output == OUTPUT_DECODER,
        "%zu bytes where learning takes %zu", least, learning); /* a decoder also searches here */
    result_finish(&result);
    result_finish(&saved);
}

/* _i: a cell, options or none, one direction or two. */
START_TEST(memory_changes_no_bit)
{
    for (int output = 0; output < OUTPUTS; output++) {
        struct scene scene;
        scene_init(&scene, _i, (enum output)output);
        check_whole(&scene);
        check_training(&scene, 2 + (size_t)(_i + output) % 3);
        check_evaluation(&scene);
        scene_finish(&scene);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net memory");
    TCase *cases = tcase_create("net memory");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, memory_changes_no_bit, 0, CELLS * KINDS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
