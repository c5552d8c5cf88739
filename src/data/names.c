#include "data/names.h"

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
        if (count[i] == 0 || !h5_has(dataset->file, names_lists[i]))
            continue;
        if (h5_read_texts(dataset->file, names_lists[i], 0, (int64_t)count[i], &list->text, error))
            return -1;
        list->n = count[i];
    }
    return 0;
}
