#include "data/contents.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>

char *dataset_name(struct dataset *dataset, int64_t s, struct error *error)
{
    char **texts = NULL;
    if (!h5_has(dataset->file, "names") || h5_read_texts(dataset->file, "names", s, 1, &texts, error))
        return NULL;
    char *name = text_copy(texts[0], error);
    memory_destroy(texts);
    return name;
}

void dataset_write_name(struct dataset *dataset, int64_t s, char *text, size_t size)
{
    char *name = dataset_name(dataset, s, NULL);
    text[0] = 0;
    if (name)
        snprintf(text, size, " \"%.60s\"", name);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    memory_destroy(name);
}
