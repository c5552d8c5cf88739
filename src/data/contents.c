#include "data/contents.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

static char *read_name(struct dataset *dataset, const char *set, int64_t row, struct error *error)
{
    char **texts = NULL;
    if (!h5_has(dataset->file, set) || h5_read_texts(dataset->file, set, row, 1, &texts, error))
        return NULL;
    char *name = text_copy(texts[0], error);
    memory_destroy(texts);
    return name;
}

char *dataset_name(struct dataset *dataset, int64_t s, struct error *error)
{
    return read_name(dataset, "names", s, error);
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

void dataset_write_name(struct dataset *dataset, int64_t s, char *text, size_t size)
{
    write_name(dataset_name(dataset, s, NULL), text, size);
}

void dataset_write_feature(struct dataset *dataset, int64_t i, char *text, size_t size)
{
    write_name(read_name(dataset, "feature_names", i, NULL), text, size);
}

void dataset_write_integer(struct dataset *dataset, const char *set, int64_t row, int64_t value, int64_t most,
    char text[H5_INTEGER_TEXT])
{
    snprintf(text, H5_INTEGER_TEXT, "%" PRId64, value);
    if (value == most || value == -most - 1)
        h5_write_integer(dataset->file, set, row, text);
}
