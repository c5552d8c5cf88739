/* The dataset has random numbers, and is kept decoded in memory, and so is never read. */
#include "base/memory.h"
#include "base/random.h"
#include "bench/measured.h"
#include "net/outputs/output.h"

#include <string.h>

/* Targets are one class a frame, or so many labels a sequence, of which none is like the one before, as ctc
 * would need a frame more for it. What there is no memory for stays NULL. */
static void add_targets(struct dataset *dataset, const struct bench_options *options, struct error *error)
{
    int64_t sequences = dataset->sequences, each = options->labels;
    int32_t C = dataset->classes, class = 0;
    dataset->targets = each ? sequences * each : dataset->frames;
    dataset->kept_classes = memory_create((size_t)dataset->targets, sizeof *dataset->kept_classes, error);
    if (each)
        dataset->target_offsets =
            memory_create((size_t)sequences + 1, sizeof *dataset->target_offsets, error);
    for (int64_t s = 0; s <= sequences && dataset->target_offsets; s++)
        dataset->target_offsets[s] = s * each;
    for (int64_t i = 0; i < dataset->targets && dataset->kept_classes; i++) {
        int64_t step = (int64_t)random_below((uint64_t)(each ? C - 1 : C), 1, RANDOM_DATASET, 2, (uint64_t)i);
        class = each ? (int32_t)((class + 1 + step) % C) : (int32_t)step;
        dataset->kept_classes[i] = class;
    }
}

static void set_name(struct dataset *dataset, struct error *error)
{
    static const char name[] = "the sequences of rnn-bench";
    dataset->name = memory_create(sizeof name, 1, error);
    if (dataset->name)
        memcpy(dataset->name, name, sizeof name);
}

static void add_lengths(struct dataset *dataset, const struct bench_options *options, struct error *error)
{
    int64_t last = options->batch - 1, more = options->frames - options->shortest;
    dataset->input_offsets = memory_create((size_t)options->batch + 1, sizeof *dataset->input_offsets, error);
    for (int64_t s = 0; s <= last && dataset->input_offsets; s++) {
        int64_t length = last > 0 ? options->shortest + more * s / last : options->frames;
        dataset->input_offsets[s + 1] = dataset->input_offsets[s] + length;
    }
    dataset->frames = dataset->input_offsets ? dataset->input_offsets[options->batch] : 0;
}

static void add_inputs(struct dataset *dataset, struct error *error)
{
    size_t inputs = (size_t)dataset->frames * dataset->features;
    dataset->kept_inputs = memory_create(inputs, sizeof *dataset->kept_inputs, error);
    for (size_t i = 0; i < inputs && dataset->kept_inputs; i++)
        dataset->kept_inputs[i] = (float)(2 * random_uniform(1, RANDOM_DATASET, 1, i) - 1);
}

struct dataset *bench_make_dataset(const struct bench_options *options, struct error *error)
{
    struct dataset *dataset = memory_create(1, sizeof *dataset, error);
    if (!dataset)
        return NULL;
    *dataset = (struct dataset){.sequences = options->batch,
        .longest = (int32_t)options->frames,
        .features = (size_t)options->inputs,
        .has_targets = 1,
        .classes = (int32_t)options->classes,
        .target_kind = output_kinds[options->output]->targets == PER_FRAME ? TARGET_FRAME : TARGET_ANY};
    set_name(dataset, error);
    add_lengths(dataset, options, error);
    add_targets(dataset, options, error);
    add_inputs(dataset, error);
    if (dataset->name && dataset->input_offsets && dataset->kept_inputs && dataset->kept_classes &&
        (!options->labels || dataset->target_offsets))
        return dataset;
    dataset_close(dataset);
    return NULL;
}
