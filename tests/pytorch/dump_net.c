/* Writes what the production network makes of random sequences, for compare.py.
 *
 *     dump_net CELL LAYERS DIRECTIONS OUTPUT LOSS INPUTS DUMP CHECKPOINT
 *
 * DIRECTIONS is 1 or 2, INPUTS is real, symbols or embedding. huber has a delta of HUBER_DELTA. DUMP gets a
 * dataset (/inputs, /targets and their offsets), /outputs sequence by sequence, /loss and /gradient;
 * CHECKPOINT is a checkpoint of the weights, as a run would write it.
 */
#include "reference/problem_file.h"
#include "reference/subject.h"

#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "h5/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HUBER_DELTA 0.5

enum { SEQUENCES = 7, LONGEST = 25, FEATURES = 6, CLASSES = 5, UNITS = 19, EMBEDDING = 4 };

static _Noreturn void end_program(const char *text)
{
    fprintf(stderr, "dump_net: %s\n", text);
    exit(EXIT_FAILURE);
}

static int choose(const char *word, const char *const names[])
{
    for (int i = 0; names[i]; i++)
        if (strcmp(word, names[i]) == 0)
            return i;
    end_program(word);
}

static struct net_config read_config(char *const *words)
{
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", NULL};
    static const char *const outputs[] = {"frame", "sequence", "ctc", NULL};
    static const char *const losses[] = {"softmax", "sigmoid", "mse", "huber", "mae", NULL};
    static const char *const inputs[] = {"real", "symbols", "embedding", NULL};
    int kind = choose(words[5], inputs);
    struct net_config config = {.cell = (enum cell)choose(words[0], cells),
        .layers = (size_t)strtoul(words[1], NULL, 10),
        .output = (enum output)choose(words[3], outputs),
        .loss = (enum loss)choose(words[4], losses),
        .inputs = FEATURES,
        .symbols = kind > 0,
        .embedding = kind == 2 ? EMBEDDING : 0,
        .outputs = CLASSES,
        .huber_delta = HUBER_DELTA};
    if (config.layers < 1 || config.layers > NET_MOST_LAYERS)
        end_program("wrong number of layers");
    for (size_t l = 0; l < config.layers; l++) {
        config.hidden[l] = UNITS;
        config.bidirectional[l] = strcmp(words[2], "2") == 0;
    }
    return config;
}

/* Outputs of all sequences, end to end, and the loss. With ctc there is one more for the blank. */
static void dump_outputs(struct h5_image *image, const struct problem *problem, const struct result *result)
{
    int32_t lengths[SEQUENCES];
    double loss = 0;
    float outputs[SEQUENCES * LONGEST * (CLASSES + 1)];
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

static void dump_gradient(struct h5_image *image, const struct subject *subject, const float *gradient)
{
    h5_image_group(image, "gradient");
    for (size_t k = 0; k < subject->tensors; k++) {
        const struct parameter *tensor = &subject->list[k];
        char name[80];
        int64_t size[2] = {(int64_t)tensor->size[0], (int64_t)tensor->size[1]};
        snprintf(name, sizeof name, "gradient/%.63s", tensor->name);
        h5_image_floats(image, name, tensor->dimensions, size, gradient + tensor->offset);
    }
}

static void write_dump(const char *path, const struct subject *subject, const struct result *result)
{
    struct error error = {0};
    struct h5_image *image = h5_image_create(&error);
    if (!image)
        end_program(error.text);
    problem_add_dataset(image, subject->problem);
    dump_outputs(image, subject->problem, result);
    dump_gradient(image, subject, result->gradient);
    problem_save_image(image, path);
}

static void write_checkpoint(const char *path, const struct subject *subject)
{
    struct error error = {0};
    void *bytes;
    size_t size;
    char nothing[] = "";
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    checkpoint.config = nothing;
    checkpoint.weights_hash = hash_bytes(subject->weights, subject->P * sizeof *subject->weights);
    checkpoint.model = subject->problem->config;
    checkpoint.parameters = subject->tensors;
    checkpoint.parameter = (struct parameter *)subject->list;
    checkpoint.count = subject->P;
    checkpoint.weights = subject->weights;
    checkpoint.optimizer = OPTIMIZER_SGD;
    optim_state_init(&checkpoint.optim);
    checkpoint.progress.epoch = 1;
    checkpoint.provenance.version = checkpoint.provenance.command = checkpoint.provenance.hosts =
        checkpoint.provenance.libraries = checkpoint.provenance.job = checkpoint.provenance.time = nothing;
    if (checkpoint_encode(&checkpoint, &bytes, &size, &error))
        end_program(error.text);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        end_program(path);
    memory_destroy(bytes);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        end_program("usage: dump_net CELL LAYERS DIRECTIONS OUTPUT LOSS INPUTS DUMP CHECKPOINT");
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
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &(struct net_pass){.training = 1}, SEQUENCES, chosen, &result);
    write_dump(argv[7], &subject, &result);
    write_checkpoint(argv[8], &subject);
    result_finish(&result);
    subject_finish(&subject);
    problem_finish(&problem);
    return EXIT_SUCCESS;
}
