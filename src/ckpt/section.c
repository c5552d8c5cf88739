/* Each item of a group is passed in the three ways. Sizes are compared with what is expected, and with the
 * size of the file, before memory is asked for. */
#include "ckpt/section.h"

#include "base/hash.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 256 };

void section_begin(struct section *section, const struct section *parent, const char *group)
{
    *section = *parent;
    section->hash = 0;
    section->room = NULL;
    section->room_bytes = 0;
    snprintf(section->group, sizeof section->group, "%s", group);
    if (section->failed)
        return;
    if (section->way == SECTION_WRITE)
        h5_image_group(section->image, group);
    else if (!h5_has(section->file, group))
        section_fail(section, "is not there");
}

int section_fail(struct section *section, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (!section->failed)
        error_set(section->error, EXIT_CODE_DATA, "%s: group %s %s: the checkpoint is damaged or not ours",
            h5_name(section->file), section->group, what);
    section->failed = 1;
    return -1;
}

static void feed(struct section *section, const char *name, enum section_kind kind, int dimensions,
    const size_t *size, const void *bytes, size_t n)
{
    section->hash = hash_combine(section->hash, hash_bytes(name, strlen(name)));
    section->hash = hash_combine(section->hash, (uint64_t)kind);
    for (int d = 0; d < dimensions; d++)
        section->hash = hash_combine(section->hash, size[d]);
    section->hash = hash_combine(section->hash, hash_bytes(bytes, n));
}

int section_end(struct section *section)
{
    memory_destroy(section->room);
    section->room = NULL;
    if (section->failed)
        return -1;
    if (section->edited)
        return 0;
    char want[17], *found = NULL;
    snprintf(want, sizeof want, "%016" PRIx64, section->hash);
    if (section->way == SECTION_WRITE) {
        h5_image_attribute_text(section->image, section->group, "hash", want);
        return 0;
    }
    int there = h5_attribute_text(section->file, section->group, "hash", &found, section->error);
    if (there < 0)
        section->failed = 1;
    else if (there == 0)
        section_fail(section, "has no attribute hash");
    else if (strcmp(found, want) != 0)
        section_fail(section,
            "does not have the content its hash was made of (hash %s, not %.16s; where it was changed "
            "on purpose, rnn-model seal makes the hashes anew)",
            want, found);
    if (there > 0)
        memory_destroy(found);
    return section->failed ? -1 : 0;
}

void section_add_group(struct section *section, const struct section *inner, const char *name)
{
    section->failed |= inner->failed;
    feed(section, name, SECTION_GROUP, 0, NULL, &inner->hash, sizeof inner->hash);
}

void section_path(const struct section *section, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", section->group, name);
}

/* An attribute that was asked for must have been there. */
static int found(struct section *section, const char *name, int there)
{
    if (there < 0)
        section->failed = 1;
    else if (there == 0)
        section_fail(section, "has no attribute %s", name);
    return there > 0;
}

void section_integer(struct section *section, const char *name, int64_t *value, int64_t least, int64_t most)
{
    if (section->failed)
        return;
    int64_t n = *value;
    if (section->way == SECTION_WRITE)
        h5_image_attribute_int64(section->image, section->group, name, n);
    else if (!found(section, name,
                 h5_attribute_integer(section->file, section->group, name, &n, section->error)))
        return;
    else if (n < least || n > most)
        section_fail(section, "has %s = %" PRId64 ", which cannot be", name, n);
    feed(section, name, SECTION_INTEGER, 0, NULL, &n, sizeof n);
    if (section->way == SECTION_READ && !section->failed)
        *value = n;
}

void section_real(struct section *section, const char *name, double *value)
{
    if (section->failed)
        return;
    double x = *value;
    if (section->way == SECTION_WRITE)
        h5_image_attribute_double(section->image, section->group, name, x);
    else if (!found(
                 section, name, h5_attribute_double(section->file, section->group, name, &x, section->error)))
        return;
    feed(section, name, SECTION_REAL, 0, NULL, &x, sizeof x);
    if (section->way == SECTION_READ)
        *value = x;
}

void section_text(struct section *section, const char *name, char **value)
{
    if (section->failed)
        return;
    char *text = *value;
    if (section->way == SECTION_WRITE)
        h5_image_attribute_text(section->image, section->group, name, text ? text : "");
    else if (!found(section, name,
                 h5_attribute_text(section->file, section->group, name, &text, section->error)))
        return;
    feed(section, name, SECTION_TEXT, 0, NULL, text ? text : "", text ? strlen(text) : 0);
    if (section->way == SECTION_READ)
        *value = text;
    else if (section->way == SECTION_CHECK)
        memory_destroy(text);
}

static int parse_hash(const char *text, uint64_t *value)
{
    char again[17];
    if (strlen(text) != 16 || sscanf(text, "%16" SCNx64, value) != 1)
        return -1;
    snprintf(again, sizeof again, "%016" PRIx64, *value);
    return strcmp(again, text) == 0 ? 0 : -1;
}

void section_hash(struct section *section, const char *name, uint64_t *value)
{
    char digits[17], *text = digits;
    snprintf(digits, sizeof digits, "%016" PRIx64, *value);
    section_text(section, name, &text);
    if (section->way != SECTION_READ || section->failed)
        return;
    uint64_t n;
    if (parse_hash(text, &n) == 0)
        *value = n;
    else
        section_fail(section, "has %s = '%s', not 16 hex digits", name, text);
    memory_destroy(text);
}

void section_choice(struct section *section, const char *name, const char *const *names, int *value)
{
    char *text = NULL;
    if (section->way == SECTION_WRITE) {
        char chosen[32];
        snprintf(chosen, sizeof chosen, "%s", names[*value]);
        text = chosen;
        section_text(section, name, &text);
        return;
    }
    section_text(section, name, &text);
    if (section->way != SECTION_READ || section->failed || !text)
        return;
    int i = 0;
    while (names[i] && strcmp(names[i], text) != 0)
        i++;
    if (names[i])
        *value = i;
    else
        section_fail(section, "has %s = '%s', which this program does not know", name, text);
    memory_destroy(text);
}

/* Is the set of the kind and shape that belong here, and no larger than the file allows? */
static int check_shape(struct section *section, const char *name, enum h5_kind kind, size_t bytes,
    int dimensions, const size_t *size)
{
    char path[PATH_BYTES];
    struct h5_shape shape;
    section_path(section, name, path, sizeof path);
    if (h5_look(section->file, path, &shape, section->error) != 0) {
        section->failed = 1;
        return -1;
    }
    if (shape.kind != kind || (bytes && shape.bytes != bytes) || shape.dimensions != dimensions)
        return section_fail(section, "has a set %s of another kind than belongs there", name);
    size_t room = section->most / shape.bytes;
    for (int d = 0; d < dimensions; d++) {
        if ((size_t)shape.size[d] != size[d])
            return section_fail(section, "has a set %s of another shape than belongs there", name);
        if (size[d] > room)
            return section_fail(section, "has a set %s larger than the file", name);
        room /= size[d] ? size[d] : 1;
    }
    return 0;
}

static char *read_long_text(struct section *section, const char *path, const char *name)
{
    char **rows = NULL, *text = NULL;
    if (check_shape(section, name, H5_TEXT, 0, 1, (size_t[]){1}) != 0)
        return NULL;
    if (h5_read_any_texts(section->file, path, 0, 1, &rows, section->error) == 0) {
        text = memory_create(strlen(rows[0]) + 1, 1, section->error);
        if (text)
            strcpy(text, rows[0]);
        memory_destroy(rows);
    }
    section->failed |= !text;
    return text;
}

void section_long_text(struct section *section, const char *name, char **value)
{
    if (section->failed)
        return;
    char path[PATH_BYTES], *text = *value;
    section_path(section, name, path, sizeof path);
    if (section->way == SECTION_WRITE)
        h5_image_texts(section->image, path, 1, (const char *[]){text ? text : ""});
    else if (!(text = read_long_text(section, path, name)))
        return;
    feed(section, name, SECTION_TEXT, 1, (size_t[]){1}, text ? text : "", text ? strlen(text) : 0);
    if (section->way == SECTION_READ)
        *value = text;
    else if (section->way == SECTION_CHECK)
        memory_destroy(text);
}

/* The texts are bounded by the file, and by what a list of names can be. */
static int read_texts(struct section *section, const char *path, const char *name, size_t *n, char ***texts)
{
    struct h5_shape shape;
    int64_t rows = 0;
    if (h5_look(section->file, path, &shape, section->error) != 0) {
        section->failed = 1;
        return -1;
    }
    if (shape.kind == H5_TEXT && shape.dimensions == 1)
        rows = shape.size[0];
    if (rows < 1 || (uint64_t)rows > section->most / (sizeof(char *) + shape.bytes))
        return section_fail(section, "has a set %s that is no list of texts, or larger than the file", name);
    *n = (size_t)rows;
    if (h5_read_texts(section->file, path, 0, rows, texts, section->error) != 0)
        section->failed = 1;
    return section->failed ? -1 : 0;
}

void section_texts(struct section *section, const char *name, size_t *n, char ***texts)
{
    char path[PATH_BYTES], **list = *texts;
    size_t rows = *n;
    uint64_t hash = 0;
    section_path(section, name, path, sizeof path);
    if (section->failed || (section->way == SECTION_WRITE ? !list : !h5_has(section->file, path)))
        return;
    if (section->way == SECTION_WRITE)
        h5_image_texts(section->image, path, (int64_t)rows, (const char *const *)list);
    else if (read_texts(section, path, name, &rows, &list) != 0)
        return;
    for (size_t i = 0; i < rows; i++)
        hash = hash_combine(hash, hash_bytes(list[i], strlen(list[i])));
    feed(section, name, SECTION_TEXT, 1, &rows, &hash, sizeof hash);
    if (section->way == SECTION_CHECK)
        memory_destroy(list);
    if (section->way != SECTION_READ)
        return;
    *n = rows;
    *texts = list;
}

/* Returns where an array is read to: `values`, or while checking a block that serves the whole group (blocks
 * made and freed between those of HDF5 that stay would leave holes that no later one fits into); NULL where
 * that failed. */
static void *array_place(struct section *section, void *values, size_t bytes)
{
    if (section->way != SECTION_CHECK)
        return values;
    if (bytes > section->room_bytes || !section->room) {
        memory_destroy(section->room);
        section->room = memory_create(bytes, 1, section->error);
        section->room_bytes = section->room ? bytes : 0;
    }
    if (!section->room)
        error_explain_memory(section->error, "the copy that a checkpoint is checked by",
            "a smaller model.hidden or model.layers takes");
    section->failed |= !section->room;
    return section->room;
}

void section_reals(struct section *section, const char *name, size_t n, double *values)
{
    if (section->failed)
        return;
    char path[PATH_BYTES];
    section_path(section, name, path, sizeof path);
    if (section->way == SECTION_WRITE) {
        h5_image_doubles(section->image, path, 1, (int64_t[]){(int64_t)n}, values);
        feed(section, name, SECTION_REAL, 1, &n, values, n * sizeof *values);
        return;
    }
    if (check_shape(section, name, H5_FLOAT, sizeof *values, 1, &n) != 0)
        return;
    double *place = array_place(section, values, n * sizeof *values);
    if (!place)
        return;
    if (h5_read_doubles(section->file, path, 0, (int64_t)n, place, section->error) != 0)
        section->failed = 1;
    else
        feed(section, name, SECTION_REAL, 1, &n, place, n * sizeof *values);
}

void section_floats(
    struct section *section, const char *name, int dimensions, const size_t *size, float *values)
{
    if (section->failed)
        return;
    char path[PATH_BYTES];
    int64_t sizes[H5_MOST_DIMENSIONS] = {0};
    size_t n = 1;
    section_path(section, name, path, sizeof path);
    for (int d = 0; d < dimensions; d++) {
        sizes[d] = (int64_t)size[d];
        n *= size[d];
    }
    if (section->way == SECTION_WRITE) {
        h5_image_floats(section->image, path, dimensions, sizes, values);
        feed(section, name, SECTION_FLOAT, dimensions, size, values, n * sizeof *values);
        return;
    }
    if (check_shape(section, name, H5_FLOAT, sizeof *values, dimensions, size) != 0)
        return;
    float *place = array_place(section, values, n * sizeof *values);
    if (!place)
        return;
    if (h5_read_floats(section->file, path, 0, sizes[0], place, section->error) != 0)
        section->failed = 1;
    else
        feed(section, name, SECTION_FLOAT, dimensions, size, place, n * sizeof *values);
}
