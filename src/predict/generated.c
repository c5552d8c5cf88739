/* All frames lie in memory, where sequences begin is known from the start, and the file is built at the end.
 * The targets of a decoder are the exception: how many there are is known when they have been drawn. */
#include "predict/generated.h"

#include "base/array.h"
#include "base/memory.h"
#include "data/names.h"
#include "net/outputs/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- room ---- */

/* Says where sequences begin. A sequence of a decoder is no longer than that of the prime set. */
static int place_sequences(struct generated *set, int64_t asked, struct error *error)
{
    int64_t more = output_of(set->config)->has_decoder ? 0 : asked - 1;
    set->input_offsets = memory_create((size_t)set->sequences + 1, sizeof *set->input_offsets, error);
    if (!set->input_offsets)
        return -1;
    for (int64_t s = 0; s < set->sequences; s++) {
        int64_t length = (set->prime ? dataset_length(set->prime, s) : 1) + more;
        if (length > INT32_MAX)
            return error_set(error, EXIT_CODE_USAGE,
                "--generate %" PRId64 ": sequence %" PRId64 " would have %" PRId64 " frames, and %d is most",
                asked, s, length, INT32_MAX);
        set->input_offsets[s + 1] = set->input_offsets[s] + length;
    }
    return 0;
}

static int reserve_classes(struct generated *set, size_t count, struct error *error)
{
    int32_t *classes = array_reserve(set->classes, &set->classes_room, count, sizeof *classes);
    if (!classes)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    set->classes = classes;
    return 0;
}

static int make_room(struct generated *set, struct error *error)
{
    const struct net_config *config = set->config;
    int decoder = output_of(config)->has_decoder;
    size_t frames = (size_t)set->input_offsets[set->sequences], F = config->inputs;
    if (config->symbols)
        set->symbols = memory_create(frames, sizeof *set->symbols, error);
    else
        set->inputs = memory_create(frames, F * sizeof *set->inputs, error);
    if (!set->symbols && !set->inputs)
        return -1;
    if (decoder) {
        set->target_offsets = memory_create((size_t)set->sequences + 1, sizeof *set->target_offsets, error);
        return set->target_offsets ? reserve_classes(set, 0, error) : -1;
    }
    if (loss_of(config)->takes_classes)
        return reserve_classes(set, frames, error);
    set->values = memory_create(frames, F * sizeof *set->values, error);
    return set->values ? 0 : -1;
}

int generated_init(struct generated *set, const struct net_config *config, const struct net_names *names,
    struct dataset *prime, int64_t asked, struct error *error)
{
    *set = (struct generated){
        .config = config, .names = names, .prime = prime, .sequences = prime ? prime->sequences : 1};
    if (place_sequences(set, asked, error))
        return -1;
    return make_room(set, error) ? error_prefix(error, "room for what is generated: ") : 0;
}

void generated_finish(struct generated *set)
{
    memory_destroy(set->input_offsets);
    memory_destroy(set->target_offsets);
    memory_destroy(set->inputs);
    memory_destroy(set->symbols);
    free(set->classes);
    memory_destroy(set->values);
}

/* ---- frames and labels ---- */

void generated_copy_inputs(struct generated *set, int64_t s, const struct microbatch *microbatch)
{
    size_t F = set->config->inputs, first = (size_t)set->input_offsets[s];
    for (size_t t = 0; t < microbatch->N; t++)
        if (set->symbols)
            set->symbols[first + t] = microbatch->symbols[t];
        else
            memcpy(set->inputs + (first + t) * F, microbatch->inputs + t * microbatch->inputs_stride,
                F * sizeof *set->inputs);
}

void generated_copy_target_to_next(struct generated *set, int64_t frame)
{
    size_t F = set->config->inputs, at = (size_t)frame;
    if (set->symbols)
        set->symbols[at + 1] = set->classes[at];
    else
        memcpy(set->inputs + (at + 1) * F, set->values + at * F, F * sizeof *set->inputs);
}

void generated_copy_input_to_target_before(struct generated *set, int64_t frame)
{
    size_t F = set->config->inputs, at = (size_t)frame;
    if (set->symbols)
        set->classes[at - 1] = set->symbols[at];
    else
        memcpy(set->values + (at - 1) * F, set->inputs + at * F, F * sizeof *set->inputs);
}

int generated_add_labels(
    struct generated *set, int64_t s, const int32_t *labels, size_t n, struct error *error)
{
    size_t before = (size_t)set->target_offsets[s];
    if (reserve_classes(set, before + n, error))
        return error_prefix(error, "room for what is generated: ");
    if (n)
        memcpy(set->classes + before, labels, n * sizeof *set->classes);
    set->target_offsets[s + 1] = (int64_t)(before + n);
    return 0;
}

/* ---- the file ---- */

static void add_sets(const struct generated *set, struct h5_image *image)
{
    const struct net_config *config = set->config;
    int64_t offsets = set->sequences + 1, frames = set->input_offsets[set->sequences];
    int64_t size[2] = {frames, (int64_t)config->inputs};
    if (set->symbols) {
        h5_image_int32(image, "inputs", 1, size, set->symbols);
        h5_image_attribute_int32(image, "inputs", "n_symbols", (int32_t)config->inputs);
    } else {
        h5_image_floats(image, "inputs", 2, size, set->inputs);
    }
    h5_image_int64(image, "input_offsets", 1, &offsets, set->input_offsets);
    size[0] = set->target_offsets ? set->target_offsets[set->sequences] : frames;
    if (set->classes) {
        h5_image_int32(image, "targets", 1, size, set->classes);
        h5_image_attribute_int32(image, "targets", "n_classes", (int32_t)config->outputs);
    } else {
        h5_image_floats(image, "targets", 2, size, set->values);
    }
    if (set->target_offsets)
        h5_image_int64(image, "target_offsets", 1, &offsets, set->target_offsets);
}

/* Sequences have the names of the prime set, all else those of the network. */
static int write_names(const struct generated *set, struct h5_image *image, struct error *error)
{
    for (size_t i = 0; i < NAMES_LISTS; i++) {
        const struct name_list *list = &set->names->list[i];
        if (list->text)
            h5_image_texts(image, names_lists[i], (int64_t)list->n, (const char *const *)list->text);
    }
    return set->prime ? dataset_copy_names(set->prime, image, error) : 0;
}

int generated_build(
    const struct generated *set, const char *source, void **bytes, size_t *size, struct error *error)
{
    struct h5_image *image = h5_image_create(error);
    if (!image)
        return -1;
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    h5_image_attribute_int32(image, "/", "format_version", 1);
    h5_image_attribute_text(image, "/", "title", "generated by a recurrent network");
    h5_image_attribute_text(image, "/", "source", source);
    add_sets(set, image);
    if (write_names(set, image, error)) {
        h5_image_destroy(image);
        return -1;
    }
    return h5_image_finish(image, bytes, size, error);
}
