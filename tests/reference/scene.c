#include "scene.h"

#include "base/random.h"
#include "net/check.h"
#include "net_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void demand(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "no scene: not %s\n", what);
    exit(EXIT_FAILURE);
}

/* Several segments of the shortest and the longest kind that there is of them, ends of sequences among them.
 */
const int32_t scene_lengths[SCENE_ROWS] = {231, 90, 90, 1};
static const int64_t in_order[SCENE_ROWS] = {0, 1, 2, 3};

/* Without an option, or with all of them, in one direction or with both. */
static struct net_config config_of(int test, enum output output)
{
    int both = test % 2, all = test / 2 % 2, symbols = (test / SCENE_KINDS + both) % 2;
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    demand(chosen != NULL, "memory");
    struct net_config config = {.cell = (enum cell)(test / SCENE_KINDS),
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
    demand(net_config_check(&config, NULL, NULL) == 0, "a network of this kind");
    return config;
}

void scene_init(struct scene *scene, int test, enum output output)
{
    struct net_config config = config_of(test, output), targets = config;
    if (config.output == OUTPUT_DECODER)
        targets.output = OUTPUT_CTC; /* whose targets are of the same kind */
    *scene = (struct scene){.pass = {.training = 1, .seed = 3, .epoch = 2}};
    problem_init(&scene->problem, &targets, SCENE_ROWS, scene_lengths, (uint64_t)test);
    microbatch_init(&scene->microbatch);
    problem_fill_microbatch(&scene->problem, SCENE_ROWS, in_order, &scene->microbatch);
    scene->problem.config = config;
    struct subject *subject = &scene->subject;
    *subject = (struct subject){.problem = &scene->problem, .net = net_create(&config, NULL)};
    demand(subject->net != NULL, "a net");
    subject->list = net_get_parameters(subject->net, &subject->tensors);
    subject->P = net_count_parameters(subject->net);
    subject->weights = calloc(subject->P, sizeof *subject->weights);
    demand(subject->weights && net_init_weights(subject->net, 5, subject->weights, NULL) == 0, "weights");
    for (size_t p = 0; p < subject->P; p++)
        subject->weights[p] =
            (float)(0.8 * (double)subject->weights[p] + 0.02 * random_uniform(5, RANDOM_TEST, 1, p));
    net_pack(subject->net, subject->weights);
    subject_run(subject, &scene->pass, &scene->microbatch, &scene->whole);
    for (size_t b = 0; b < SCENE_ROWS; b++)
        demand(isfinite(scene->whole.score[b].loss), "a finite loss");
}

void scene_finish(struct scene *scene)
{
    result_finish(&scene->whole);
    subject_finish(&scene->subject);
    microbatch_finish(&scene->microbatch);
    problem_finish(&scene->problem);
}
