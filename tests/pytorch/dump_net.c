/* Writes what the production network makes of random sequences, for compare.py.
 *
 *     dump_net CELL LAYERS DIRECTIONS OUTPUT LOSS INPUTS TARGETS DUMP CHECKPOINT
 *
 * DIRECTIONS is 1 or 2, INPUTS is real, symbols or embedding, TARGETS is all or, of rows, holes or weights.
 * huber has a delta of HUBER_DELTA, quantile has QUANTILES. DUMP gets a dataset (/inputs, /targets and their
 * offsets), /outputs sequence by sequence, /loss and /gradient; CHECKPOINT is a checkpoint of the weights, as
 * a run would write it.
 */
#include "dump.h"
#include "reference/problem_file.h"
#include "reference/subject.h"

#include <stdlib.h>
#include <string.h>

enum { SEQUENCES = 7, LONGEST = 25, FEATURES = 6, CLASSES = 5, UNITS = 19, EMBEDDING = 4 };

static struct net_config read_config(char *const *words)
{
    struct net_config config = {.cell = (enum cell)dump_choose(words[0], cell_names),
        .layers = (size_t)strtoul(words[1], NULL, 10),
        .output = (enum output)dump_choose(words[3], output_names),
        .loss = (enum loss)dump_choose(words[4], loss_names),
        .inputs = FEATURES,
        .outputs = CLASSES,
        .huber_delta = HUBER_DELTA,
        .quantiles = QUANTILES_COUNT,
        .quantile = QUANTILES,
        .decoder_layers = 1};
    if (config.layers < 1 || config.layers > NET_MOST_LAYERS)
        dump_fail("wrong number of layers");
    dump_choose_inputs(words[5], EMBEDDING, &config);
    for (size_t l = 0; l < config.layers; l++) {
        config.hidden[l] = UNITS;
        config.bidirectional[l] = strcmp(words[2], "2") == 0;
    }
    return config;
}

/* Outputs of all sequences, end to end, and the loss. With ctc there is one more for the blank, and
 * with quantiles as many for each value. */
static void dump_outputs(struct h5_image *image, const struct problem *problem, const struct result *result)
{
    int32_t lengths[SEQUENCES];
    double loss = 0;
    float outputs[SEQUENCES * LONGEST * CLASSES * QUANTILES_COUNT];
    size_t row = 0, O = result->O;
    for (size_t s = 0; s < SEQUENCES; s++)
        lengths[s] = (int32_t)problem->sequence[s].T;
    for (size_t s = 0; s < SEQUENCES; s++) {
        size_t R = reference_rows(&problem->config, problem->sequence[s].T);
        for (size_t r = 0; r < R; r++, row++)
            memcpy(outputs + row * O,
                result->outputs + subject_row(&problem->config, SEQUENCES, lengths, s, r) * O,
                O * sizeof *outputs);
        loss += result->score[s].loss;
    }
    h5_image_floats(image, "outputs", 2, (int64_t[]){(int64_t)row, (int64_t)O}, outputs);
    h5_image_doubles(image, "loss", 1, (int64_t[]){1}, &loss);
}

static void write_dump(const char *path, const struct subject *subject, const struct result *result)
{
    struct error error = {0};
    struct h5_image *image = h5_image_create(&error);
    if (!image)
        dump_fail(error.text);
    problem_add_dataset(image, subject->problem);
    dump_outputs(image, subject->problem, result);
    dump_gradient(image, subject->net, result->gradient);
    problem_save_image(image, path);
}

int main(int argc, char **argv)
{
    if (argc != 10)
        dump_fail("usage: dump_net CELL LAYERS DIRECTIONS OUTPUT LOSS INPUTS TARGETS DUMP CHECKPOINT");
    struct net_config config = read_config(argv + 1);
    int32_t length[SEQUENCES];
    int64_t chosen[SEQUENCES];
    problem_draw_lengths(SEQUENCES, LONGEST, 31, length);
    for (int64_t s = 0; s < SEQUENCES; s++)
        chosen[s] = s;
    struct problem problem;
    struct subject subject;
    struct result result;
    problem_init(&problem, &config, SEQUENCES, length, 31);
    if (strcmp(argv[7], "holes") == 0)
        problem_drop_targets(&problem, 31);
    if (strcmp(argv[7], "weights") == 0)
        problem_weigh_targets(&problem, 31);
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &(struct net_pass){.training = 1}, SEQUENCES, chosen, &result);
    write_dump(argv[8], &subject, &result);
    dump_checkpoint(argv[9], subject.net, subject.weights);
    result_finish(&result);
    subject_finish(&subject);
    problem_finish(&problem);
    return EXIT_SUCCESS;
}
