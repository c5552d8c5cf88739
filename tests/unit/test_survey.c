/* What --plan says of memory, beside what a pass over the same microbatches has taken in the end. */
#include "base/memory.h"
#include "data/plan.h"
#include "net/layout.h"
#include "pass/model.h"
#include "plan/survey.h"
#include "support/sample.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static char folder[300];

static const struct {
    struct sample_shape shape;
    struct net_config model;
} kinds[] = {
    {{.features = 20, .kind = SAMPLE_PER_FRAME, .classes = 4}, {.output = OUTPUT_FRAME}},
    {{.features = 3, .kind = SAMPLE_PER_FRAME, .values = 33}, {.output = OUTPUT_FRAME, .loss = LOSS_MSE}},
    {{.symbols = 9, .kind = SAMPLE_PER_SEQUENCE, .classes = 3}, {.output = OUTPUT_SEQUENCE}},
    {{.features = 5, .kind = SAMPLE_ANY, .classes = 3}, {.output = OUTPUT_CTC}},
    {{.symbols = 7, .kind = SAMPLE_ANY, .classes = 5},
        {.output = OUTPUT_DECODER, .decoder_layers = 2, .attention = ATTENTION_DOT}},
    {{.features = 5, .kind = SAMPLE_ANY, .classes = 5},
        {.output = OUTPUT_DECODER, .decoder_layers = 1, .attention = ATTENTION_NONE}},
    {{.features = 5, .kind = SAMPLE_THREE, .values = 20},
        {.output = OUTPUT_DECODER, .loss = LOSS_MSE, .decoder_layers = 1}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* 40 sequences. With symbols and any number of targets the tenth has those of the nine before it too. */
static struct dataset *write_set(struct sample_shape shape)
{
    struct sample sample;
    struct error error = {0};
    char path[400];
    snprintf(path, sizeof path, "%s/set.h5", folder);
    shape.sequences = 40;
    shape.shortest = shape.kind == SAMPLE_ANY ? 30 : 1;
    shape.longest = 60;
    sample_init(&sample, &shape, 1);
    if (shape.kind == SAMPLE_ANY && shape.symbols)
        for (int s = 1; s < 10; s++)
            sample.target_offsets[s] = 0;
    sample_write(&sample, path);
    sample_finish(&sample);
    struct dataset *dataset = dataset_open(path, 1 << 30, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    return dataset;
}

/* One microbatch and one net go through all of the first epoch, or with training = 0 of the set in its order.
 */
static void pass_through(const struct config *config, struct net *net, struct dataset *dataset, int training,
    size_t *packed, size_t *activations)
{
    struct error error = {0};
    struct plan plan;
    struct plan_step step = {0};
    struct microbatch microbatch;
    int32_t length[64];
    struct net_score scores[64];
    struct net_outputs outputs;
    dataset_write_lengths(dataset, length);
    microbatch_init(&microbatch);
    ck_assert_int_eq(plan_init(&plan, dataset->sequences, length, config->train.batch,
                         config->train.microbatch, config->train.seed, &error),
        0);
    plan_set_epoch(&plan, training);
    for (int64_t s = 0; s < plan.steps; s++) {
        ck_assert_int_eq(plan_make_step(&plan, s, &step, &error), 0);
        for (size_t leaf = 0; leaf < step.leaves; leaf++) {
            size_t B = step.start[leaf + 1] - step.start[leaf];
            const struct net_pass pass = {.training = training};
            ck_assert_int_eq(dataset_read_microbatch(dataset, B, step.sequence + step.start[leaf], NULL, NULL,
                                 &microbatch, &error),
                0);
            ck_assert_int_eq(net_forward(net, &pass, &microbatch, &outputs, scores, &error), 0);
        }
    }
    *packed = microbatch_rows_bytes(microbatch.rows_room, microbatch.steps_room) + microbatch.frames_bytes;
    *activations = net->block_bytes;
    plan_step_finish(&step);
    plan_finish(&plan);
    microbatch_finish(&microbatch);
}

/* _i: kind, and whether it trains */
START_TEST(memory_is_what_all_microbatches_have_taken)
{
    int training = _i / KINDS;
    struct error error = {0};
    struct config config;
    struct survey survey;
    struct dataset *dataset = write_set(kinds[_i % KINDS].shape);
    config_init(&config);
    config.model = kinds[_i % KINDS].model;
    config.model.layers = 2;
    config.model.hidden[0] = config.model.hidden[1] = 6;
    config.model.bidirectional[0] = 1;
    config.model.huber_delta = 1;
    config.train.batch = 16;
    config.train.microbatch = 5;
    ck_assert_msg(model_bind(&config.model, dataset, &error) == 0, "%s", error.text);
    struct net *net = net_create(&config.model, &error), *described = net_describe(&config.model, &error);
    ck_assert_msg(net && described, "%s", error.text);
    ck_assert_uint_eq(net_panel_bytes(described), net_panel_bytes(net));
    ck_assert_uint_eq(net_count_parameters(described), net_count_parameters(net));
    float *weights = memory_create(net_count_parameters(net), sizeof *weights, &error);
    ck_assert_int_eq(net_init_weights(net, 1, weights, &error), 0);
    net_pack(net, weights);
    const struct planned_ranks ranks = {3, 1};
    ck_assert_int_eq(survey_make(&config, described, dataset, training, &ranks, &survey, &error), 0);
    ck_assert(described->block_bytes == 0 && !described->panels);
    net_destroy(described);
    size_t packed, activations;
    pass_through(&config, net, dataset, training, &packed, &activations);
    ck_assert_uint_eq(survey.packed, packed);
    ck_assert_uint_eq(survey.activations, activations);
    ck_assert_int_eq(survey.steps, 3);
    ck_assert_int_eq(survey.microbatches, 4 + 4 + 2);
    memory_destroy(weights);
    net_destroy(net);
    config_finish(&config);
    dataset_close(dataset);
}
END_TEST

/* Steps of 4, 4 and 2 leaves of a network of two layers, the first in both directions. */
static void survey_ranks(struct planned_ranks ranks, struct survey *survey)
{
    struct error error = {0};
    struct config config;
    struct dataset *dataset = write_set(kinds[0].shape);
    config_init(&config);
    config.model = kinds[0].model;
    config.model.layers = 2;
    config.model.hidden[0] = config.model.hidden[1] = 6;
    config.model.bidirectional[0] = 1;
    config.train.batch = 16;
    config.train.microbatch = 4;
    ck_assert_int_eq(model_bind(&config.model, dataset, &error), 0);
    struct net *net = net_describe(&config.model, &error);
    ck_assert_int_eq(survey_make(&config, net, dataset, 1, &ranks, survey, &error), 0);
    net_destroy(net);
    config_finish(&config);
    dataset_close(dataset);
}

/* Whether there are as many ranks as leaves of a step or a billion: none beyond them has anything to do, nor
 * is gone through, which would take minutes and 8 GB. _i: ranks of a node are 1, or 4. */
START_TEST(ranks_without_work_are_not_gone_through)
{
    const size_t node = _i ? 4 : 1, enough = 4 * node, billion = 1000000000;
    struct survey few, many;
    survey_ranks((struct planned_ranks){enough, node}, &few);
    survey_ranks((struct planned_ranks){billion, node}, &many);
    ck_assert_uint_eq(many.vectors, 1);
    ck_assert_uint_eq(many.parts, 4);
    ck_assert(many.parts == few.parts && many.activations == few.activations && many.most == few.most);
    ck_assert(many.team_activations == few.team_activations && (node > 1) == (many.team_activations > 0));
    double balance = few.balance * (double)enough / (double)billion;
    ck_assert_double_eq_tol(many.balance, balance, 1e-9 * balance);
}
END_TEST

/* Of 4 leaves a node of 4 ranks has three and one of 2 ranks has one; of 2 leaves the first has both, and the
 * ranks of the other have nothing to do. */
START_TEST(teams_are_those_that_the_run_will_have)
{
    struct survey survey;
    survey_ranks((struct planned_ranks){6, 4}, &survey);
    ck_assert(survey.nodes == 2 && survey.steps == 3 && survey.team_steps == 3);
    ck_assert(survey.least == 1 && survey.most == 2 && survey.teams == 2);
    ck_assert(survey.parts == 3 && survey.vectors == 1);
    ck_assert(survey.fewest == 2 && survey.idle == 2);
    ck_assert(survey.activations > 0 && survey.team_activations > 0);
    survey_ranks((struct planned_ranks){2, 2}, &survey);
    ck_assert(
        survey.nodes == 1 && survey.team_steps == 0 && survey.teams == 0 && survey.team_activations == 0);
    ck_assert(survey.vectors == 2 && survey.parts == 1 && survey.idle == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("survey");
    TCase *cases = tcase_create("memory");
    tcase_add_loop_test(cases, memory_is_what_all_microbatches_have_taken, 0, 2 * KINDS);
    tcase_add_loop_test(cases, ranks_without_work_are_not_gone_through, 0, 2);
    tcase_add_test(cases, teams_are_those_that_the_run_will_have);
    suite_add_tcase(suite, cases);
    sample_make_folder(folder, sizeof folder);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}
