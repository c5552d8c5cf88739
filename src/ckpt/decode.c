/* This file reads a checkpoint out of an image. */
#include "ckpt/decode.h"

#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/layout.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A file may be deflated, as by h5repack: at most so many times smaller than what it holds. */
enum { MOST_RATIO = 1100 };

static int check_format(struct h5_file *file, int64_t *version, struct error *error)
{
    char *format = NULL;
    int there = h5_attribute_text(file, "/", "format", &format, error);
    if (there < 0)
        return -1;
    int ours = there && strcmp(format, "rnn-train checkpoint") == 0;
    if (!ours)
        error_set(error, EXIT_CODE_DATA, "%s: is not a checkpoint of rnn-train%s%.100s%s", h5_name(file),
            there ? " but an HDF5 file of format '" : "", there ? format : "", there ? "'" : "");
    memory_destroy(format);
    if (!ours)
        return -1;
    there = h5_attribute_integer(file, "/", "format_version", version, error);
    if (there < 0)
        return -1;
    if (there && *version >= 1 && *version <= CHECKPOINT_VERSION)
        return 0;
    error_set(error, EXIT_CODE_DATA,
        "%s: has checkpoint format %" PRId64 ", this program reads 1 to %d: use the version that wrote it",
        h5_name(file), there ? *version : 0, CHECKPOINT_VERSION);
    return there && *version > CHECKPOINT_VERSION ? CHECKPOINT_NEWER : -1;
}

int checkpoint_refuse_newer(const char *path, struct error *error)
{
    int64_t version;
    struct error why = {0};
    struct h5_file *file = h5_open(path, 0, &why);
    int newer = file && check_format(file, &version, &why) == CHECKPOINT_NEWER;
    h5_close(file);
    if (newer && error)
        *error = why;
    return newer ? CHECKPOINT_NEWER : 0;
}

/* Weights that are no numbers have their hash too; no run saves such. */
static int check_weights(const struct checkpoint *read, const char *path, struct error *error)
{
    for (size_t i = 0; i < read->parameters; i++) {
        const struct parameter *p = &read->parameter[i];
        for (size_t j = 0; j < p->count; j++)
            if (!isfinite(read->weights[p->offset + j]))
                return error_set(error, EXIT_CODE_DATA,
                    "%s: number %zu of the weights of %s is not finite, so the network can say nothing: use "
                    "an older checkpoint",
                    path, j, p->name);
    }
    return 0;
}

/* What inputs are standardized by: a deviation is what they are divided by. */
static int check_moments(const struct checkpoint *read, const char *path, struct error *error)
{
    for (size_t i = 0; i < read->features; i++)
        if (!isfinite((float)read->mean[i]) || !isfinite((float)read->deviation[i]) ||
            !((float)read->deviation[i] > 0))
            return error_set(error, EXIT_CODE_DATA,
                "%s: standardizes feature %zu by mean %g and deviation %g, but allowed are a finite mean and "
                "a deviation above 0: use another checkpoint",
                path, i, read->mean[i], read->deviation[i]);
    return 0;
}

/* Compares the hash of the weights with the attribute of "/", or makes it anew. */
static int check_hash(struct section *whole, uint64_t expected, struct checkpoint *read, struct error *error)
{
    read->weights_hash = hash_bytes(read->weights, read->count * sizeof *read->weights);
    if (whole->edited || read->weights_hash == expected)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: the weights do not have their hash (hash %016" PRIx64 ", not %016" PRIx64
        "): the file is damaged",
        h5_name(whole->file), read->weights_hash, expected);
}

/* Reads everything in the file. */
static int decode(struct h5_file *file, size_t size, int edited, struct checkpoint *read, struct error *error)
{
    uint64_t hash = 0;
    size_t most = size < SIZE_MAX / MOST_RATIO ? size * MOST_RATIO : SIZE_MAX;
    struct section whole = {
        .way = SECTION_READ, .file = file, .error = error, .edited = edited, .most = most, .group = "/"};
    int format = check_format(file, &whole.version, error);
    if (format != 0)
        return format;
    read->version = whole.version;
    if (!edited)
        section_hash(&whole, "weights_hash", &hash);
    if (whole.failed || layout_pass(&whole, read) != 0 || check_hash(&whole, hash, read, error) != 0)
        return -1;
    return check_weights(read, h5_name(file), error) || check_moments(read, h5_name(file), error) ? -1 : 0;
}

int checkpoint_decode(const void *image, size_t size, const char *path, enum checkpoint_trust trust,
    struct checkpoint *checkpoint, struct error *error)
{
    struct h5_file *file = h5_open_image(image, size, path, error);
    if (!file)
        return -1;
    struct checkpoint read;
    checkpoint_init(&read);
    int outcome = decode(file, size, trust == CHECKPOINT_EDITED, &read, error);
    h5_close(file);
    if (outcome == 0)
        *checkpoint = read;
    else
        checkpoint_finish(&read);
    return outcome;
}
