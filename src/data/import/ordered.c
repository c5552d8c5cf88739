#include "data/import/ordered.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/import/intake.h"

#include <string.h>

/* How a row is sorted: this, then its inputs and its values. Texts are numbers; -1: there is none. */
struct import_row_head {
    int32_t group, symbol, class;
};

int import_ordered_init(struct import_ordered *ordered, struct import *import, size_t features, size_t values)
{
    size_t bytes = sizeof(struct import_row_head) + (features + values) * sizeof(float);
    *ordered = (struct import_ordered){.import = import, .features = features, .values = values};
    ordered->sequences.most = INT32_MAX - 1;
    ordered->groups.most = INT32_MAX - 1;
    ordered->sorter = (struct import_sorter){.bytes = bytes, .spool.path = import->part[0].path};
    ordered->row = memory_create(bytes, 1, import->error);
    return ordered->row ? 0 : -1;
}

void import_ordered_finish(struct import_ordered *ordered)
{
    import_vocabulary_finish(&ordered->sequences);
    import_vocabulary_finish(&ordered->groups);
    import_vocabulary_finish(&ordered->symbols);
    import_vocabulary_finish(&ordered->classes);
    import_sorter_finish(&ordered->sorter);
    memory_destroy(ordered->row);
}

/* Finds the number of a text. */
static int number_text(
    struct import_ordered *ordered, struct import_vocabulary *texts, const char *text, int32_t *n)
{
    *n = -1;
    if (!text)
        return 0;
    *n = import_vocabulary_find(texts, text, 0);
    if (*n >= 0)
        return 0;
    return import_refuse(ordered->import, "no room for names or labels: too many, or out of memory");
}

int import_ordered_add(struct import_ordered *ordered, const struct import_record *record, double order)
{
    struct import_row_head head;
    int32_t sequence;
    import_set_line(ordered->import, record->line);
    if (number_text(ordered, &ordered->sequences, record->sequence, &sequence) ||
        number_text(ordered, &ordered->groups, record->group, &head.group) ||
        number_text(ordered, &ordered->symbols, record->symbol, &head.symbol) ||
        number_text(ordered, &ordered->classes, record->class, &head.class))
        return -1;
    char *numbers = ordered->row + sizeof head;
    memcpy(ordered->row, &head, sizeof head);
    if (ordered->features)
        memcpy(numbers, record->inputs, ordered->features * sizeof(float));
    if (ordered->values)
        memcpy(numbers + ordered->features * sizeof(float), record->values, ordered->values * sizeof(float));
    struct import_sort_key key = {sequence, order, record->line};
    return import_sorter_add(&ordered->sorter, &key, ordered->row, import_error(ordered->import));
}

static const char *find_text(const struct import_vocabulary *texts, int32_t n)
{
    return n < 0 ? NULL : texts->text[n];
}

static int hand_on(
    struct import_ordered *ordered, const struct import_sort_key *key, struct import_records *records)
{
    struct import_row_head head;
    const void *behind = ordered->row + sizeof head;
    const float *numbers = behind;
    memcpy(&head, ordered->row, sizeof head);
    struct import_record record = {.sequence = find_text(&ordered->sequences, (int32_t)key->sequence),
        .group = find_text(&ordered->groups, head.group),
        .symbol = find_text(&ordered->symbols, head.symbol),
        .class = find_text(&ordered->classes, head.class),
        .inputs = numbers,
        .values = numbers + ordered->features,
        .line = key->line};
    return import_records_add(records, &record);
}

int import_ordered_hand_on(struct import_ordered *ordered, struct import_records *records)
{
    struct import_sort_key key, before = {-1, 0, 0};
    struct error *error = import_error(ordered->import);
    char shown[TEXT_SHOWN];
    int more;
    while ((more = import_sorter_next(&ordered->sorter, &key, ordered->row, error)) > 0) {
        if (key.sequence == before.sequence && !(key.order > before.order)) {
            import_set_line(ordered->import, key.line);
            return import_refuse(ordered->import,
                "sequence %s has this place in the order twice, in line %lld too",
                text_show(find_text(&ordered->sequences, (int32_t)key.sequence), shown),
                (long long)before.line);
        }
        if (hand_on(ordered, &key, records))
            return -1;
        before = key;
    }
    return more;
}
