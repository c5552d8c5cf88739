/* A checkpoint out of an image. The table of parameters is made from the sets of /model: their names and
 * shapes, and the attribute that says where each stands in the flat vector. */
#include "ckpt/internal.h"

#include "base/hash.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file may be deflated, as by h5repack: at most so many times smaller than what it holds. */
enum { MOST_RATIO = 1100, MOST_PARAMETERS = 1 << 16 };

struct table {
    struct section *section;
    struct parameter *parameter;
    size_t count, room;
};

static int grow_table(struct table *table)
{
    if (table->count < table->room)
        return 0;
    size_t room = 2 * table->room + 32;
    struct parameter *wider = realloc(table->parameter, room * sizeof *wider);
    if (!wider) {
        table->section->failed = 1;
        return error_set(table->section->error, EXIT_CODE_INTERNAL, "out of memory");
    }
    table->parameter = wider;
    table->room = room;
    return 0;
}

/* Shape and offset of one set; nothing is trusted yet but that its values fit the file. */
static int take_parameter(void *context, const char *name)
{
    struct table *table = context;
    struct section *s = table->section;
    struct parameter p = {.size = {1, 1}};
    struct h5_shape shape;
    char path[256];
    int64_t offset;
    if (strlen(name) >= sizeof p.name || table->count >= MOST_PARAMETERS)
        return section_fail(s, "has a set %.80s, no parameter of ours", name);
    strcpy(p.name, name);
    section_path(s, name, path, sizeof path);
    s->failed |= h5_look(s->file, path, &shape, s->error) != 0;
    if (s->failed)
        return -1;
    if (shape.kind != H5_FLOAT || shape.bytes != 4 || shape.dimensions < 1 || shape.dimensions > 2)
        return section_fail(s, "has a set %s, not a vector or matrix of 32-bit floats", name);
    p.dimensions = shape.dimensions;
    for (int d = 0; d < p.dimensions; d++)
        p.size[d] = (size_t)shape.size[d];
    if (!p.size[0] || !p.size[1] || p.size[0] > s->most / 4 / p.size[1])
        return section_fail(s, "has a set %s of an impossible size", name);
    p.count = p.size[0] * p.size[1];
    int there = h5_attribute_integer(s->file, path, "offset", &offset, s->error);
    s->failed |= there < 0;
    if (there <= 0)
        return there ? -1 : section_fail(s, "has a set %s without its offset", name);
    p.offset = (size_t)offset;
    if (grow_table(table) != 0)
        return -1;
    table->parameter[table->count++] = p;
    return 0;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct parameter *p = a, *q = b;
    return p->offset < q->offset ? -1 : p->offset > q->offset;
}

int decode_parameters(struct section *section, struct checkpoint *checkpoint)
{
    struct table table = {.section = section};
    if (h5_list(section->file, section->group, take_parameter, &table, section->error) != 0)
        section->failed = 1;
    size_t P = 0;
    if (table.count)
        qsort(table.parameter, table.count, sizeof *table.parameter, compare_offsets);
    for (size_t i = 0; i < table.count && !section->failed; i++) {
        if (table.parameter[i].offset != P || table.parameter[i].count > section->most / 4 - P)
            section_fail(
                section, "has a set %s that is not where the one before ends", table.parameter[i].name);
        P += table.parameter[i].count;
    }
    if (!section->failed && !table.count)
        section_fail(section, "holds no parameters");
    if (section->failed) {
        free(table.parameter);
        return -1;
    }
    checkpoint->parameter = table.parameter;
    checkpoint->parameters = table.count;
    checkpoint->count = P;
    return 0;
}

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
    return error_set(error, EXIT_CODE_DATA,
        "%s: has checkpoint format %" PRId64 ", this program reads 1 to %d: use the version that wrote it",
        h5_name(file), there ? *version : 0, CHECKPOINT_VERSION);
}

/* Of the moments, as many as the optimizer has; the hash of the weights against the attribute of "/". */
static int decode(struct h5_file *file, size_t size, struct checkpoint *read, struct error *error)
{
    size_t most = size < SIZE_MAX / MOST_RATIO ? size * MOST_RATIO : SIZE_MAX;
    struct section whole = {.way = SECTION_READ, .file = file, .error = error, .most = most, .group = "/"};
    if (check_format(file, &whole.version, error) != 0)
        return -1;
    section_hash(&whole, "weights_hash", &read->weights_hash);
    if (whole.failed || layout_pass(&whole, read) != 0)
        return -1;
    uint64_t hash = hash_bytes(read->weights, read->count * sizeof *read->weights);
    if (hash != read->weights_hash)
        return error_set(error, EXIT_CODE_DATA,
            "%s: the weights do not have their hash (hash %016" PRIx64 ", not %016" PRIx64
            "): the file is damaged",
            h5_name(file), hash, read->weights_hash);
    return 0;
}

int checkpoint_decode(
    const void *image, size_t size, const char *path, struct checkpoint *checkpoint, struct error *error)
{
    struct h5_file *file = h5_open_image(image, size, path, error);
    if (!file)
        return -1;
    struct checkpoint read;
    checkpoint_init(&read);
    int outcome = decode(file, size, &read, error);
    h5_close(file);
    if (outcome == 0)
        *checkpoint = read;
    else
        checkpoint_finish(&read);
    return outcome;
}
