/* Ten training steps of small networks made of the base, kernel, net and optim libraries and the tree,
 * without MPI, HDF5 or a file, and the hash of all that came of them: a program that any compiler and
 * processor can build and run, to see whether they give the same bits. The build of the kernel is chosen by
 * RNN_ISA.
 *
 * The networks are those of studies.c. A step's leaves are added up as two ranks would, and the update goes
 * slice by slice. Networks that make labels also say which, before training and after. One line for each
 * network, and one for each table of them. */
#include "base/exact.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "comm/squares.h"
#include "comm/tree.h"
#include "kernel/kernel.h"
#include "net/microbatch.h"
#include "net/net.h"
#include "optim/optim.h"
#include "studies.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_OF_EPOCH = 4,
    BATCH = 13,
    MICROBATCH = 3,
    LEAVES = 5,
    SLICE = 1024,
    SEED = 20240229,
    MOST_LABELS = 5
};

/* A network in training. */
struct trainee {
    const struct study *study;
    struct net *net;
    size_t P;
    float *weights, *moments[OPTIM_MOST_MOMENTS];
    struct optim_state state;
    struct tree_sums parts[2];
    struct microbatch microbatch;
    uint64_t hash; /* of losses and rates so far */
};

static void check(int failed, const struct error *error)
{
    if (failed) {
        fprintf(stderr, "ten_steps: %s\n", error->text);
        exit(EXIT_FAILURE);
    }
}

static uint64_t hash_doubles(uint64_t hash, double a, double b)
{
    double pair[2] = {a, b};
    return hash_combine(hash, hash_bytes(pair, sizeof pair));
}

static void trainee_init(struct trainee *trainee, const struct study *study)
{
    struct error error = {0};
    *trainee = (struct trainee){.study = study};
    trainee->net = net_create(&study->net, &error);
    check(!trainee->net, &error);
    trainee->P = net_count_parameters(trainee->net);
    trainee->weights = memory_create(trainee->P, sizeof(float), &error);
    check(!trainee->weights, &error);
    for (size_t i = 0; i < optim_count_moments(study->optim.optimizer); i++) {
        trainee->moments[i] = memory_create(trainee->P, sizeof(float), &error);
        check(!trainee->moments[i], &error);
    }
    check(net_init_weights(trainee->net, SEED, trainee->weights, &error), &error);
    optim_state_init(&trainee->state);
    microbatch_init(&trainee->microbatch);
    for (int i = 0; i < 2; i++)
        tree_sums_init(&trainee->parts[i], trainee->P);
}

static void trainee_finish(struct trainee *trainee)
{
    for (int i = 0; i < 2; i++)
        tree_sums_finish(&trainee->parts[i]);
    microbatch_finish(&trainee->microbatch);
    for (size_t i = 0; i < OPTIM_MOST_MOMENTS; i++)
        memory_destroy(trainee->moments[i]);
    memory_destroy(trainee->weights);
    net_destroy(trainee->net);
}

/* Numbers of sequence `sequence` of the problem, one for each index. */
static double draw_normal(int64_t sequence, uint64_t index)
{
    return random_normal(SEED, RANDOM_TEST, (uint64_t)sequence, index);
}

static int32_t draw_below(size_t n, int64_t sequence, uint64_t index)
{
    return (int32_t)random_below(n, SEED, RANDOM_TEST, (uint64_t)sequence, index);
}

/* Inputs of frame n, which is step t of row b. */
static void fill_inputs(
    struct microbatch *microbatch, const struct net_config *config, size_t n, int64_t sequence, size_t t)
{
    if (config->symbols) {
        microbatch->symbols[n] = draw_below(config->inputs, sequence, t);
        return;
    }
    for (size_t i = 0; i < config->inputs; i++)
        microbatch->inputs[n * microbatch->inputs_stride + i] =
            (float)draw_normal(sequence, t * config->inputs + i);
}

static void fill_targets(
    struct microbatch *microbatch, const struct study *study, size_t row, int64_t sequence, size_t t)
{
    const struct net_config *config = &study->net;
    uint64_t index = (uint64_t)(t + 1) << 32;
    if (config->loss == LOSS_SOFTMAX) {
        int32_t class = draw_below(config->outputs + (study->some_dropped ? 1 : 0), sequence, index);
        microbatch->classes[row] = (size_t) class == config->outputs ? -1 : class;
        return;
    }
    for (size_t o = 0; o < config->outputs; o++) {
        double value = config->loss == LOSS_SIGMOID ? draw_below(2, sequence, index + o)
                                                    : draw_normal(sequence, index + o);
        int missing = study->some_dropped && draw_below(4, sequence, ~(index + o)) == 0;
        microbatch->values[row * microbatch->values_stride + o] = missing ? NAN : (float)value;
    }
}

/* Of a sequence with any number of targets: with ctc there are frames enough for them. */
static int32_t count_targets(const struct net_config *config, int64_t sequence, int32_t length)
{
    if (config->output == OUTPUT_CTC)
        return draw_below((size_t)length / 2 + 1, sequence, UINT64_MAX - 1);
    return config->loss == LOSS_SOFTMAX ? draw_below(MOST_LABELS + 1, sequence, UINT64_MAX - 1)
                                        : (int32_t)config->target_length;
}

static void fill_microbatch(struct microbatch *microbatch, const struct study *study, size_t B,
    const int64_t *sequence, const int32_t *length)
{
    const struct net_config *config = &study->net;
    struct error error = {0};
    int per_frame = config->output == OUTPUT_FRAME, has_classes = config->loss == LOSS_SOFTMAX;
    int any = config->output == OUTPUT_CTC || config->output == OUTPUT_DECODER;
    struct microbatch_format format = {.inputs = config->symbols ? 0 : config->inputs,
        .has_classes = has_classes,
        .values = has_classes ? 0 : config->outputs,
        .target_per_frame = per_frame,
        .target_any = any};
    int32_t targets[MICROBATCH];
    for (size_t b = 0; b < B; b++)
        targets[b] = any ? count_targets(config, sequence[b], length[b]) : 1;
    check(microbatch_resize(microbatch, &format, B, length, sequence, targets, &error), &error);
    for (size_t t = 0; t < microbatch->T; t++)
        for (size_t b = 0; b < (size_t)microbatch->alive[t]; b++) {
            size_t n = microbatch_frame(microbatch, b, t);
            fill_inputs(microbatch, config, n, sequence[b], t);
            if (per_frame)
                fill_targets(microbatch, study, n, sequence[b], t);
        }
    for (size_t b = 0; b < B && !per_frame; b++)
        for (size_t u = 0; u < (size_t)targets[b]; u++)
            fill_targets(microbatch, study, any ? microbatch->target_start[b] + u : b, sequence[b], u);
}

/* The sequences of a step, longest first; of equal ones the first first. */
struct batch {
    int64_t sequence[BATCH];
    int32_t length[BATCH];
};

static void draw_batch(struct batch *batch, size_t step, int32_t longest)
{
    for (size_t i = 0; i < BATCH; i++) {
        int64_t s = (int64_t)(step % STEPS_OF_EPOCH * BATCH + i);
        int32_t length = 1 + draw_below((size_t)longest, s, UINT64_MAX);
        size_t at = i;
        for (; at > 0 && batch->length[at - 1] < length; at--) {
            batch->length[at] = batch->length[at - 1];
            batch->sequence[at] = batch->sequence[at - 1];
        }
        batch->length[at] = length;
        batch->sequence[at] = s;
    }
}

/* Adds the gradient of the next leaf to a rank's part. */
static void add_leaf(struct trainee *trainee, struct tree_sums *sums, const struct net_pass *pass,
    const struct batch *batch, struct net_score *sum)
{
    struct error error = {0};
    size_t first = sums->next * MICROBATCH, B = BATCH - first < MICROBATCH ? BATCH - first : MICROBATCH;
    struct net_outputs outputs;
    struct net_score scores[MICROBATCH];
    fill_microbatch(&trainee->microbatch, trainee->study, B, batch->sequence + first, batch->length + first);
    check(net_forward(trainee->net, pass, &trainee->microbatch, &outputs, scores, &error), &error);
    float *gradient = tree_sums_leaf(sums, &error);
    check(!gradient, &error);
    net_backward(trainee->net, pass, &trainee->microbatch, gradient);
    tree_sums_add(sums);
    for (size_t b = 0; b < B; b++) {
        sum->loss += scores[b].loss;
        sum->counted += scores[b].counted;
    }
}

/* The gradient of a step: leaves 0 and 1 on one rank, 2 to 4 on another, then the tree across the two. */
static float *compute_gradient(struct trainee *trainee, size_t step, struct net_score *sum)
{
    static const size_t range[3] = {0, 2, LEAVES};
    struct net_pass pass = {.training = 1, .seed = SEED, .epoch = 1 + step / STEPS_OF_EPOCH};
    struct batch batch;
    struct tree_fold fold;
    tree_fold_start(&fold, LEAVES, trainee->P);
    draw_batch(&batch, step, trainee->study->longest);
    for (int part = 0; part < 2; part++) {
        struct tree_sums *sums = &trainee->parts[part];
        tree_sums_start(sums, LEAVES, range[part], range[part + 1]);
        while (sums->next < sums->end)
            add_leaf(trainee, sums, &pass, &batch, sum);
        for (size_t i = 0; i < sums->fold.held; i++)
            tree_fold_add(&fold, sums->fold.nodes[i], sums->fold.vectors[i]);
    }
    return fold.vectors[0];
}

static void update(struct trainee *trainee, size_t step, float *gradient, double counted)
{
    const struct optim_config *optim = &trainee->study->optim;
    uint64_t squares[EXACT_WORDS] = {0};
    double rate;
    for (size_t i = 0; i < trainee->P; i++)
        gradient[i] /= (float)counted;
    for (size_t i = 0; i < trainee->P; i += SLICE)
        exact_add(squares, squares_sum_block(gradient + i, trainee->P - i < SLICE ? trainee->P - i : SLICE));
    double norm = sqrt(exact_round(squares));
    rate = optim_rate(optim, &trainee->state, 1 + (int64_t)step / STEPS_OF_EPOCH);
    optim_advance(optim, &trainee->state);
    for (size_t i = 0; i < trainee->P; i += SLICE) {
        struct optim_slice slice = {.n = trainee->P - i < SLICE ? trainee->P - i : SLICE,
            .rate_factor = 1,
            .gradient = gradient + i,
            .weights = trainee->weights + i};
        for (size_t m = 0; m < optim_count_moments(optim->optimizer); m++)
            slice.moments[m] = trainee->moments[m] + i;
        optim_update(optim, &trainee->state, rate, optim_clip_factor(norm, optim->clip), &slice);
    }
    trainee->hash = hash_doubles(trainee->hash, rate, norm);
}

static uint64_t hash_trainee(const struct trainee *trainee)
{
    uint64_t hash = hash_combine(trainee->hash, hash_bytes(trainee->weights, trainee->P * sizeof(float)));
    for (size_t i = 0; i < OPTIM_MOST_MOMENTS; i++)
        if (trainee->moments[i])
            hash = hash_combine(hash, hash_bytes(trainee->moments[i], trainee->P * sizeof(float)));
    return hash;
}

/* Not in training: what the net makes of the longest sequences of the first step, outputs and labels. */
static uint64_t hash_prediction(struct trainee *trainee, struct net_pass pass)
{
    struct error error = {0};
    struct net_outputs outputs;
    struct net_score scores[MICROBATCH];
    const struct net_config *config = &trainee->study->net;
    struct batch batch;
    uint64_t hash = 0;
    draw_batch(&batch, 0, trainee->study->longest);
    fill_microbatch(&trainee->microbatch, trainee->study, MICROBATCH, batch.sequence, batch.length);
    check(net_forward(trainee->net, &pass, &trainee->microbatch, &outputs, scores, &error), &error);
    for (size_t r = 0; r < outputs.rows; r++)
        hash = hash_combine(
            hash, hash_bytes(outputs.values + r * outputs.stride, net_count_head(config) * sizeof(float)));
    for (size_t b = 0; b < trainee->microbatch.B; b++) {
        hash = hash_doubles(hash, scores[b].loss, isnan(scores[b].errors) ? -1 : scores[b].errors);
        size_t first = outputs.label_start ? outputs.label_start[b] : 0;
        size_t n = outputs.label_start ? outputs.label_start[b + 1] - first : 0;
        for (size_t u = 0; u < n; u++)
            hash = hash_doubles(hash, outputs.labels[first + u], (double)n);
    }
    return hash;
}

/* Greedily, by a search, and drawn, where there is more to see of the net than training shows. */
static void predict(struct trainee *trainee)
{
    static const struct net_pass passes[] = {{.beam = 1}, {.beam = 4}, {.seed = SEED, .temperature = 2}};
    const struct net_config *config = &trainee->study->net;
    int more = config->output == OUTPUT_CTC || config->output == OUTPUT_DECODER;
    net_pack(trainee->net, trainee->weights);
    for (size_t i = 0; i < sizeof passes / sizeof *passes && more; i++)
        trainee->hash = hash_combine(trainee->hash, hash_prediction(trainee, passes[i]));
}

/* A hash of numbers that are not finite would say nothing. */
static uint64_t train(const struct study *study)
{
    struct trainee trainee;
    double first = 0, last = 0, epoch = 0;
    trainee_init(&trainee, study);
    predict(&trainee);
    for (size_t step = 0; step < STEPS; step++) {
        struct net_score sum = {0};
        net_pack(trainee.net, trainee.weights);
        float *gradient = compute_gradient(&trainee, step, &sum);
        update(&trainee, step, gradient, sum.counted);
        last = sum.loss / sum.counted;
        first = step ? first : last;
        epoch += last;
        trainee.hash = hash_doubles(trainee.hash, sum.loss, sum.counted);
        if ((step + 1) % STEPS_OF_EPOCH == 0) {
            optim_epoch_end(&study->optim, &trainee.state, epoch);
            epoch = 0;
        }
    }
    predict(&trainee);
    uint64_t hash = hash_trainee(&trainee);
    printf("%s parameters=%zu first_loss=%.6f last_loss=%.6f hash=%016" PRIx64 "\n", study->name, trainee.P,
        first, last, hash);
    int finite = isfinite(last);
    for (size_t i = 0; i < trainee.P; i++)
        finite &= isfinite(trainee.weights[i]) != 0;
    trainee_finish(&trainee);
    if (!finite) {
        fprintf(stderr, "ten_steps: %s: not finite\n", study->name);
        exit(EXIT_FAILURE);
    }
    return hash;
}

static void train_all(const struct study *study, size_t n, const char *name)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++)
        hash = hash_combine(hash, train(&study[i]));
    printf("%s hash=%016" PRIx64 "\n", name, hash);
}

int main(void)
{
    struct error error = {0};
    const struct kernel *kernel = kernel_choose(&error);
    if (!kernel) {
        fprintf(stderr, "ten_steps: %s\n", error.text);
        return error.code;
    }
    train_all(studies, studies_count, "all");
    train_all(option_studies, option_studies_count, "options");
    train_all(ctc_studies, ctc_studies_count, "ctc");
    train_all(decoder_studies, decoder_studies_count, "decoder");
    train_all(loss_studies, loss_studies_count, "losses");
    return EXIT_SUCCESS;
}
