#include "data/contents.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Of files that begin with the same row all but the last have none. */
const struct dataset_file *dataset_find_file(
    const struct dataset *dataset, enum dataset_part part, int64_t number)
{
    size_t low = 0, high = dataset->files; /* file low begins at or before it, file high behind */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (dataset->file[middle].first[part] <= number)
            low = middle;
        else
            high = middle;
    }
    return &dataset->file[low];
}

struct dataset_place dataset_find_place(const struct dataset *dataset, int64_t s)
{
    const struct dataset_file *file = dataset_find_file(dataset, PART_SEQUENCES, s);
    return (struct dataset_place){file, s - file->first[PART_SEQUENCES]};
}

static char *read_name(const struct dataset_file *file, const char *set, int64_t row, struct error *error)
{
    char **texts = NULL;
    if (!h5_has(file->h5, set) || h5_read_texts(file->h5, set, row, 1, &texts, error))
        return NULL;
    char *name = text_copy(texts[0], error);
    memory_destroy(texts);
    return name;
}

char *dataset_name(const struct dataset *dataset, int64_t s, struct error *error)
{
    struct dataset_place place = dataset_find_place(dataset, s);
    return read_name(place.file, "names", place.sequence, error);
}

/* Writes a name for messages, which it takes. */
static void write_name(char *name, char *text, size_t size)
{
    char shown[TEXT_SHOWN];
    text[0] = 0;
    if (name)
        snprintf(text, size, " \"%s\"", text_show(name, shown));
    memory_destroy(name);
}

void dataset_write_name(const struct dataset *dataset, int64_t s, char *text, size_t size)
{
    write_name(dataset_name(dataset, s, NULL), text, size);
}

void dataset_write_feature(const struct dataset *dataset, int64_t i, char *text, size_t size)
{
    write_name(read_name(dataset->file, "feature_names", i, NULL), text, size);
}

void dataset_write_integer(const struct dataset_file *file, const char *set, int64_t row, int64_t value,
    int64_t most, char text[H5_INTEGER_TEXT])
{
    snprintf(text, H5_INTEGER_TEXT, "%" PRId64, value);
    if (value == most || value == -most - 1)
        h5_write_integer(file->h5, set, row, text);
}

static int require_unchanged(const struct dataset_file *file, const char *consequence, struct error *error)
{
    struct file_identity now;
    char change[160];
    if (!file->h5) /* opening it has failed, with an error */
        return 0;
    if (h5_identify(file->h5, &now, error))
        return -1;
    if (!file_describe_change(&file->identity, &now, file->path, change, sizeof change))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: was changed while it is read: %s: %s: see that nothing writes to it, and run the same command "
        "again",
        file->path, change, consequence);
}

int dataset_require_unchanged(const struct dataset *dataset, const char *consequence, struct error *error)
{
    for (size_t i = 0; i < dataset->files; i++)
        if (require_unchanged(&dataset->file[i], consequence, error))
            return -1;
    return 0;
}
