/* A made part as a dataset file: built in memory, then written whole or not at all (base/file.h). */
#include "data/make/make.h"

#include "base/file.h"
#include "base/memory.h"
#include "h5/h5.h"

#include <inttypes.h>
#include <stdio.h>

static void image_inputs(struct h5_image *image, const struct made *made)
{
    const struct dataset_kind *kind = made->kind;
    int64_t size[2] = {made->frames, (int64_t)kind->features};
    if (kind->features)
        h5_image_floats(image, "inputs", 2, size, made->inputs);
    if (kind->symbols) {
        h5_image_int32(image, "inputs", 1, size, made->symbols);
        h5_image_attribute_int32(image, "inputs", "n_symbols", kind->symbols);
    }
    int64_t offsets = made->sequences + 1;
    h5_image_int64(image, "input_offsets", 1, &offsets, made->input_offsets);
}

static void image_targets(struct h5_image *image, const struct made *made)
{
    const struct dataset_kind *kind = made->kind;
    int64_t size[2] = {made->targets, (int64_t)kind->values};
    if (kind->values)
        h5_image_floats(image, "targets", 2, size, made->values);
    if (kind->classes) {
        h5_image_int32(image, "targets", 1, size, made->classes);
        h5_image_attribute_int32(image, "targets", "n_classes", kind->classes);
    }
    int64_t offsets = made->sequences + 1;
    if (made->target_offsets)
        h5_image_int64(image, "target_offsets", 1, &offsets, made->target_offsets);
}

static void image_labels(struct h5_image *image, const struct dataset_kind *kind)
{
    int64_t features = (int64_t)kind->features, values = (int64_t)kind->values;
    if (kind->feature_names)
        h5_image_texts(image, "feature_names", features, kind->feature_names);
    if (kind->target_names)
        h5_image_texts(image, "target_names", values, kind->target_names);
    if (kind->class_names)
        h5_image_texts(image, "class_names", kind->classes, kind->class_names);
    if (kind->input_scale) {
        h5_image_doubles(image, "input_scale", 1, &features, kind->input_scale);
        h5_image_doubles(image, "input_shift", 1, &features, kind->input_shift);
    }
    if (kind->target_scale) {
        h5_image_doubles(image, "target_scale", 1, &values, kind->target_scale);
        h5_image_doubles(image, "target_shift", 1, &values, kind->target_shift);
    }
}

/* "train-0000017" for every sequence. */
static int image_names(struct h5_image *image, const struct made *made, struct error *error)
{
    enum { ROOM = 32 };
    size_t sequences = (size_t)made->sequences;
    char(*texts)[ROOM] = memory_create(sequences, ROOM, error);
    const char **names = texts ? memory_create(sequences, sizeof *names, error) : NULL;
    if (names) {
        for (size_t s = 0; s < sequences; s++) {
            snprintf(texts[s], ROOM, "%s-%07zu", make_part_name(made->part), s);
            names[s] = texts[s];
        }
        h5_image_texts(image, "names", made->sequences, names);
    }
    int status = names ? 0 : -1;
    memory_destroy(names);
    memory_destroy(texts);
    return status;
}

static int image_build(const struct made *made, void **bytes, size_t *size, struct error *error)
{
    struct h5_image *image = h5_image_create(error);
    if (!image)
        return -1;
    char source[160], length[32] = "";
    if (made->length)
        snprintf(length, sizeof length, " --length %d", made->length);
    snprintf(source, sizeof source, "rnn-data make %s --seed %" PRIu64 " --sequences %" PRId64 "%s, %s part",
        made->kind->name, made->seed, made->asked, length, make_part_name(made->part));
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    h5_image_attribute_int32(image, "/", "format_version", 1);
    h5_image_attribute_text(image, "/", "title", made->kind->title);
    h5_image_attribute_text(image, "/", "source", source);
    image_inputs(image, made);
    image_targets(image, made);
    image_labels(image, made->kind);
    if (image_names(image, made, error)) {
        h5_image_destroy(image);
        return -1;
    }
    return h5_image_finish(image, bytes, size, error);
}

/* A dataset may be large, so that a kill while it is written is likely: it leaves nothing (base/file.h). */
static int write_bytes(const char *path, const void *bytes, size_t size, struct error *error)
{
    struct file_writer file;
    if (file_begin(&file, path, error))
        return -1;
    if (file_write(&file, bytes, size, 0, error)) {
        file_abandon(&file);
        return -1;
    }
    return file_commit(&file, error);
}

int make_write(const struct made *made, const char *path, struct error *error)
{
    void *bytes = NULL;
    size_t size = 0;
    if (image_build(made, &bytes, &size, error))
        return error_prefix(error, "%s: ", path);
    int status = write_bytes(path, bytes, size, error);
    memory_destroy(bytes);
    return status;
}
