/* Steps differ from epoch to epoch, but none has a dearer microbatch than one that all of the longest
 * sequences are in: the cut makes the dearest as cheap as can be. The last step of an epoch has fewer
 * sequences, and may so have another number of them to a microbatch. */
#include "pass/activations.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "data/plan.h"

#include <stdio.h>
#include <stdlib.h>

/* A sequence by its length. */
struct longest_sequence {
    int32_t length;
    int64_t sequence;
};

struct longest {
    struct net *net;
    const struct dataset *dataset;
    struct net_pass pass;
    struct excerpt excerpt;             /* of pieces the first, which is the largest */
    size_t n;                           /* sequences of a whole step */
    struct longest_sequence *sequences; /* [all], the longest first */
    int32_t *length, *targets;          /* [n] */
    const struct plan_step *step;       /* of the microbatch that takes the most when all is kept; */
    size_t leaf;                        /* NULL: not yet found */
    struct plan_step steps[2];          /* a whole step, and the last one of an epoch where it is shorter */
    struct microbatch microbatch;
    struct microbatch_format layout; /* of what stands for a microbatch */
};

static int compare(const void *a, const void *b)
{
    const struct longest_sequence *x = a, *y = b;
    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static int make_step(const struct longest *longest, const struct config *config, size_t n,
    struct plan_step *step, struct error *error)
{
    struct plan plan = {0};
    int failed = n > 0 &&
        (plan_init(&plan, (int64_t)n, longest->length, (int64_t)n, config->train.microbatch, 0, error) ||
            plan_make_step(&plan, 0, step, error));
    plan_finish(&plan);
    return failed ? -1 : 0;
}

static int make(struct longest *longest, const struct config *config, struct error *error)
{
    const struct dataset *dataset = longest->dataset;
    size_t all = (size_t)dataset->sequences;
    longest->n =
        (size_t)(config->train.batch < dataset->sequences ? config->train.batch : dataset->sequences);
    longest->sequences = memory_create(all, sizeof *longest->sequences, error);
    longest->length = memory_create(all, sizeof *longest->length, error);
    longest->targets = memory_create(longest->n, sizeof *longest->targets, error);
    if (!longest->sequences || !longest->length || !longest->targets)
        return -1;
    dataset_write_lengths(dataset, longest->length);
    for (size_t s = 0; s < all; s++)
        longest->sequences[s] = (struct longest_sequence){longest->length[s], (int64_t)s};
    qsort(longest->sequences, all, sizeof *longest->sequences, compare);
    for (size_t s = 0; s < longest->n; s++)
        longest->length[s] = longest->sequences[s].length;
    return make_step(longest, config, longest->n, &longest->steps[0], error) ||
            make_step(longest, config, all % longest->n, &longest->steps[1], error)
        ? -1
        : 0;
}

struct longest *longest_create(const struct config *config, struct net *net, const struct dataset *dataset,
    int training, struct error *error)
{
    struct longest *longest = memory_create(1, sizeof *longest, error);
    if (!longest)
        return NULL;
    *longest = (struct longest){
        .net = net, .dataset = dataset, .pass = {.training = training}, .layout = dataset_format(dataset)};
    longest->excerpt.most = training ? config->train.truncate : 0;
    longest->layout.inputs = longest->layout.values = 0;
    longest->layout.has_classes = 1;
    microbatch_init(&longest->microbatch);
    if (make(longest, config, error)) {
        longest_destroy(longest);
        return NULL;
    }
    return longest;
}

void longest_destroy(struct longest *longest)
{
    if (!longest)
        return;
    plan_step_finish(&longest->steps[0]);
    plan_step_finish(&longest->steps[1]);
    microbatch_finish(&longest->microbatch);
    memory_destroy(longest->sequences);
    memory_destroy(longest->length);
    memory_destroy(longest->targets);
    memory_destroy(longest);
}

/* Of B sequences, at these places among the longest, which fall in length. */
static struct net_saving measure_places(
    struct longest *longest, size_t B, const int64_t *place, size_t memory)
{
    struct error error = {0};
    for (size_t b = 0; b < B; b++) {
        const struct longest_sequence *sequence = &longest->sequences[place[b]];
        longest->length[b] = excerpt_length(longest->excerpt, sequence->length);
        longest->targets[b] = dataset_targets(longest->dataset, sequence->sequence);
    }
    if (microbatch_resize(
            &longest->microbatch, &longest->layout, B, longest->length, place, longest->targets, &error))
        return (struct net_saving){.bytes = SIZE_MAX};
    longest->pass.memory = memory;
    return net_find_saving(longest->net, &longest->pass, &longest->microbatch);
}

static struct net_saving measure(
    struct longest *longest, const struct plan_step *step, size_t leaf, size_t memory)
{
    size_t first = step->start[leaf];
    return measure_places(longest, step->start[leaf + 1] - first, step->sequence + first, memory);
}

/* Of the microbatches, the one that takes the most where each is to take at most `memory` bytes. */
static struct net_saving find_most(
    struct longest *longest, size_t memory, const struct plan_step **of, size_t *which)
{
    struct net_saving most = {0};
    for (size_t i = 0; i < 2; i++) {
        const struct plan_step *step = &longest->steps[i];
        for (size_t leaf = 0; leaf < step->leaves; leaf++) {
            struct net_saving saving = measure(longest, step, leaf, memory);
            if (saving.bytes <= most.bytes)
                continue;
            most = saving;
            *of = step;
            *which = leaf;
        }
    }
    return most;
}

struct net_saving longest_find_saving(struct longest *longest, size_t memory)
{
    if (!longest->step)
        find_most(longest, 0, &longest->step, &longest->leaf);
    return measure(longest, longest->step, longest->leaf, memory);
}

size_t longest_find_least(struct longest *longest)
{
    const struct plan_step *step;
    size_t leaf;
    return find_most(longest, 1, &step, &leaf).bytes;
}

void activations_write(size_t bytes, char *text, size_t size)
{
    const size_t KiB = (size_t)1 << 10, MiB = (size_t)1 << 20;
    size_t unit = bytes < 16 * MiB ? KiB : MiB;
    snprintf(text, size, "%zu %s", (bytes + unit - 1) / unit, unit == KiB ? "KiB" : "MiB");
}

static int refuse(struct longest *longest, const struct config *config, size_t least, struct error *error)
{
    char given[40], needed[40], alone[40], smaller[140] = "";
    number_write_bytes(config->train.activation_memory, given, sizeof given);
    activations_write(least, needed, sizeof needed);
    activations_write(measure_places(longest, 1, (int64_t[]){0}, 1).bytes, alone, sizeof alone);
    if (config->train.microbatch > 1)
        snprintf(smaller, sizeof smaller,
            ", or a smaller train.microbatch, with which a run has other bits (the longest sequence alone "
            "takes %s)",
            alone);
    return error_set(error, EXIT_CODE_DATA,
        "%s: train.activation_memory = %s is too small for its longest sequences: a microbatch of them takes "
        "%s "
        "at least: set train.activation_memory = %s or more, or 0, which is no bound%s",
        longest->dataset->name, given, needed, needed, smaller);
}

int activations_require(const struct config *config, struct net *net, const struct dataset *dataset,
    int training, struct error *error)
{
    if (config->train.activation_memory == 0)
        return 0;
    struct longest *longest = longest_create(config, net, dataset, training, error);
    if (!longest)
        return -1;
    size_t least = longest_find_least(longest);
    int failed = least > config->train.activation_memory && refuse(longest, config, least, error);
    longest_destroy(longest);
    return failed ? -1 : 0;
}
