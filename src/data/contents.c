#include "data/contents.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

char *dataset_name(struct dataset *dataset, int64_t s, struct error *error)
{
    char **texts = NULL;
    if (!h5_has(dataset->file, "names") || h5_read_texts(dataset->file, "names", s, 1, &texts, error))
        return NULL;
    size_t bytes = strlen(texts[0]) + 1;
    char *name = memory_create(bytes, 1, error);
    if (name)
        memcpy(name, texts[0], bytes);
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
