#include "data/names.h"

#include "base/memory.h"

int dataset_read_names(struct dataset *dataset, struct net_names *names, struct error *error)
{
    const size_t count[NAMES_LISTS] = {
        [NAMES_OF_FEATURES] = dataset->features,
        [NAMES_OF_SYMBOLS] = (size_t)dataset->symbols,
        [NAMES_OF_CLASSES] = (size_t)dataset->classes,
        [NAMES_OF_TARGETS] = dataset->values,
    };
    for (size_t i = 0; i < NAMES_LISTS; i++) {
        struct name_list *list = &names->list[i];
        if (count[i] == 0 || !h5_has(dataset->file->h5, names_lists[i]))
            continue;
        if (h5_read_texts(dataset->file->h5, names_lists[i], 0, (int64_t)count[i], &list->text, error))
            return -1;
        list->n = count[i];
    }
    return 0;
}

/* Lists the names of the sequences of file f, which are read into *block; it stays NULL where there are none.
 */
static int list_names(
    const struct dataset *dataset, size_t f, const char **name, char ***block, struct error *error)
{
    const struct dataset_file *file = &dataset->file[f];
    int64_t first = file->first[PART_SEQUENCES];
    int64_t end = f + 1 < dataset->files ? file[1].first[PART_SEQUENCES] : dataset->sequences;
    if (h5_has(file->h5, "names") && h5_read_texts(file->h5, "names", 0, end - first, block, error))
        return -1;
    for (int64_t s = first; s < end; s++)
        name[s] = *block ? (*block)[s - first] : "";
    return 0;
}

int dataset_copy_names(const struct dataset *dataset, struct h5_image *image, struct error *error)
{
    const char **name = memory_create((size_t)dataset->sequences, sizeof *name, error);
    char ***block = memory_create(dataset->files, sizeof *block, error);
    int failed = !name || !block, any = 0;
    for (size_t f = 0; f < dataset->files && !failed; f++) {
        failed = list_names(dataset, f, name, &block[f], error);
        any |= block[f] != NULL;
    }
    if (any && !failed)
        h5_image_texts(image, "names", dataset->sequences, name);
    for (size_t f = 0; block && f < dataset->files; f++)
        memory_destroy(block[f]);
    memory_destroy(block);
    memory_destroy(name);
    return failed ? -1 : 0;
}

const char *name_reader_get(struct name_reader *reader, int64_t sequence, struct error *error)
{
    enum { NAMES = 4096 };
    const struct dataset *dataset = reader->dataset;
    if (sequence < reader->first || sequence >= reader->end) {
        size_t f = 0;
        while (f + 1 < dataset->files && dataset->file[f + 1].first[PART_SEQUENCES] <= sequence)
            f++;
        const struct dataset_file *file = &dataset->file[f];
        int64_t all = f + 1 < dataset->files ? file[1].first[PART_SEQUENCES] : dataset->sequences;
        int64_t end = all - sequence < NAMES ? all : sequence + NAMES;
        name_reader_finish(reader);
        if (h5_has(file->h5, "names") &&
            h5_read_texts(file->h5, "names", sequence - file->first[PART_SEQUENCES], end - sequence,
                &reader->block, error))
            return NULL;
        reader->first = sequence;
        reader->end = end;
    }
    return reader->block ? reader->block[sequence - reader->first] : "";
}

void name_reader_finish(struct name_reader *reader)
{
    memory_destroy(reader->block);
    *reader = (struct name_reader){.dataset = reader->dataset};
}
