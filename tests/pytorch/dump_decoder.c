/* Writes what a net with a decoder makes of random sequences in training, for compare.py.
 *
 *     dump_decoder CELL DIRECTIONS ATTENTION LOSS INPUTS LAYERS DUMP CHECKPOINT
 *
 * DIRECTIONS is 1 or 2, INPUTS is real, symbols or embedding, LAYERS those of the decoder; the encoder has
 * two. DUMP gets a dataset (/inputs, /targets and their offsets), /loss of each sequence and /gradient;
 * CHECKPOINT is a checkpoint of the weights, as a run would write it. */
#include "dump.h"

#include "base/memory.h"
#include "base/random.h"
#include "reference/problem.h"
#include "reference/problem_file.h"

#include <stdlib.h>

enum { SEQUENCES = 7, LONGEST = 21, MOST_LABELS = 6, VALUES = 4, SEED = 37 };

static struct net_config read_config(char *const *words)
{
    int both = dump_choose(words[1], (const char *const[]){"1", "2", NULL});
    struct net_config config = {.cell = (enum cell)dump_choose(words[0], cell_names),
        .output = OUTPUT_DECODER,
        .loss = (enum loss)dump_choose(words[3], loss_names),
        .layers = 2,
        .hidden = {11, 11},
        .bidirectional = {both, both},
        .inputs = 6,
        .outputs = 5,
        .huber_delta = HUBER_DELTA,
        .attention = (enum attention)dump_choose(words[2], attention_names),
        .decoder_layers = 1 + (size_t)dump_choose(words[5], (const char *const[]){"1", "2", NULL}),
        .decoder_hidden = 13};
    dump_choose_inputs(words[4], 4, &config);
    if (config.loss == LOSS_SOFTMAX)
        config.decoder_embedding = 7;
    else
        config.target_length = VALUES;
    if (config.attention == ATTENTION_ADDITIVE)
        config.attention_size = 9;
    return config;
}

static double draw(uint64_t what, uint64_t index)
{
    return random_uniform(SEED, RANDOM_TEST, what, index);
}

static void fill_inputs(struct microbatch *microbatch, const struct net_config *config)
{
    for (size_t n = 0; n < microbatch->N; n++) {
        if (config->symbols)
            microbatch->symbols[n] = (int32_t)(draw(1, n) * (double)config->inputs);
        for (size_t i = 0; i < config->inputs && !config->symbols; i++)
            microbatch->inputs[n * microbatch->inputs_stride + i] =
                (float)(2 * draw(1, n * config->inputs + i) - 1);
    }
}

/* Values within [0, 1] suit every loss. */
static void fill_targets(struct microbatch *microbatch, const struct net_config *config)
{
    for (size_t n = 0; n < microbatch->target_rows; n++) {
        if (microbatch->classes)
            microbatch->classes[n] = (int32_t)(draw(2, n) * (double)config->outputs);
        for (size_t o = 0; o < config->outputs && microbatch->values; o++)
            microbatch->values[n * microbatch->values_stride + o] = (float)draw(2, n * config->outputs + o);
    }
}

static void draw_microbatch(struct microbatch *microbatch, const struct net_config *config)
{
    struct error error = {0};
    int classes = config->loss == LOSS_SOFTMAX;
    struct microbatch_format format = {.inputs = config->symbols ? 0 : config->inputs,
        .has_classes = classes,
        .values = classes ? 0 : config->outputs,
        .target_any = 1};
    int32_t length[SEQUENCES], targets[SEQUENCES];
    int64_t sequence[SEQUENCES];
    problem_draw_lengths(SEQUENCES, LONGEST, SEED, length);
    for (int s = 0; s < SEQUENCES; s++) {
        sequence[s] = s;
        targets[s] = classes ? (s + 3) % (MOST_LABELS + 1) : VALUES;
    }
    if (microbatch_resize(microbatch, &format, SEQUENCES, length, sequence, targets, &error))
        dump_fail(error.text);
    fill_inputs(microbatch, config);
    fill_targets(microbatch, config);
}

/* Sequence by sequence. */
static void dump_inputs(
    struct h5_image *image, const struct microbatch *microbatch, const struct net_config *config)
{
    float values[SEQUENCES * LONGEST * 6];
    int32_t symbols[SEQUENCES * LONGEST];
    int64_t offsets[SEQUENCES + 1] = {0}, n = 0;
    for (size_t b = 0; b < SEQUENCES; b++) {
        for (size_t t = 0; t < (size_t)microbatch->length[b]; t++, n++) {
            size_t frame = microbatch_frame(microbatch, b, t);
            if (config->symbols)
                symbols[n] = microbatch->symbols[frame];
            for (size_t i = 0; i < config->inputs && !config->symbols; i++)
                values[(size_t)n * config->inputs + i] =
                    microbatch->inputs[frame * microbatch->inputs_stride + i];
        }
        offsets[b + 1] = n;
    }
    h5_image_int64(image, "input_offsets", 1, (int64_t[]){SEQUENCES + 1}, offsets);
    if (config->symbols)
        h5_image_int32(image, "inputs", 1, &n, symbols);
    else
        h5_image_floats(image, "inputs", 2, (int64_t[]){n, (int64_t)config->inputs}, values);
}

static void dump_targets(
    struct h5_image *image, const struct microbatch *microbatch, const struct net_config *config)
{
    float values[SEQUENCES * VALUES * 5];
    int64_t offsets[SEQUENCES + 1], n = (int64_t)microbatch->target_rows;
    for (size_t b = 0; b <= SEQUENCES; b++)
        offsets[b] = (int64_t)microbatch->target_start[b];
    for (size_t i = 0; i < (size_t)n * config->outputs && microbatch->values; i++)
        values[i] = microbatch->values[i / config->outputs * microbatch->values_stride + i % config->outputs];
    h5_image_int64(image, "target_offsets", 1, (int64_t[]){SEQUENCES + 1}, offsets);
    if (microbatch->classes)
        h5_image_int32(image, "targets", 1, &n, microbatch->classes);
    else
        h5_image_floats(image, "targets", 2, (int64_t[]){n, (int64_t)config->outputs}, values);
}

static void write_dump(const char *path, const struct net *net, const struct microbatch *microbatch,
    const double *loss, const float *gradient)
{
    struct error error = {0};
    struct h5_image *image = h5_image_create(&error);
    if (!image)
        dump_fail(error.text);
    dump_inputs(image, microbatch, net_get_config(net));
    dump_targets(image, microbatch, net_get_config(net));
    h5_image_doubles(image, "loss", 1, (int64_t[]){SEQUENCES}, loss);
    dump_gradient(image, net, gradient);
    problem_save_image(image, path);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        dump_fail("usage: dump_decoder CELL DIRECTIONS ATTENTION LOSS INPUTS LAYERS DUMP CHECKPOINT");
    struct net_config config = read_config(argv + 1);
    struct error error = {0};
    struct net *net = net_create(&config, &error);
    size_t P = net ? net_count_parameters(net) : 0;
    float *weights = memory_create(P, sizeof *weights, &error),
          *gradient = memory_create(P, sizeof *gradient, &error);
    if (!net || !weights || !gradient || net_init_weights(net, SEED, weights, &error))
        dump_fail(error.text);
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct net_score score[SEQUENCES];
    const struct net_pass pass = {.training = 1};
    double loss[SEQUENCES];
    microbatch_init(&microbatch);
    draw_microbatch(&microbatch, &config);
    net_pack(net, weights);
    if (net_forward(net, &pass, &microbatch, &outputs, score, &error))
        dump_fail(error.text);
    net_backward(net, &pass, &microbatch, gradient);
    for (int s = 0; s < SEQUENCES; s++)
        loss[s] = score[s].loss;
    write_dump(argv[7], net, &microbatch, loss, gradient);
    dump_checkpoint(argv[8], net, weights);
    microbatch_finish(&microbatch);
    memory_destroy(weights);
    memory_destroy(gradient);
    net_destroy(net);
    return EXIT_SUCCESS;
}
