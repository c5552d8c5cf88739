#include "data/import/records.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

static int is_same_text(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

/* Keeps a copy of a text; NULL stays NULL. */
static int keep_text(struct import *import, char **kept, const char *text)
{
    memory_destroy(*kept);
    *kept = text ? text_copy(text, import_error(import)) : NULL;
    return text && !*kept ? -1 : 0;
}

static int add_target(struct import_records *records, const struct import_record *record)
{
    return records->values ? import_add_values(records->import, record->values, 1)
                           : import_add_class(records->import, record->class);
}

static int begin(struct import_records *records, const struct import_record *record)
{
    struct import *import = records->import;
    if (keep_text(import, &records->name, record->sequence) ||
        keep_text(import, &records->group, record->group) ||
        keep_text(import, &records->class, record->class))
        return -1;
    size_t bytes = records->values * sizeof *records->kept;
    if (bytes && !records->kept && !(records->kept = memory_create(bytes, 1, import_error(import))))
        return -1;
    if (bytes)
        memcpy(records->kept, record->values, bytes);
    if (import_begin(import, record->sequence, record->group))
        return -1;
    records->open = 1;
    return records->has_targets && records->per_sequence ? add_target(records, record) : 0;
}

/* Is what all rows of a sequence have in common the same in this one? */
static int check_same(struct import_records *records, const struct import_record *record)
{
    char name[TEXT_SHOWN];
    text_show(records->name ? records->name : "", name);
    if (!is_same_text(records->group, record->group))
        return import_refuse(
            records->import, "sequence %s has another value of --by in this row than in its first", name);
    if (!records->per_sequence || !records->has_targets)
        return 0;
    int same = records->values
        ? memcmp(records->kept, record->values, records->values * sizeof *records->kept) == 0
        : is_same_text(records->class, record->class);
    return same ? 0
                : import_refuse(records->import,
                      "sequence %s has another target in this row than in its first, "
                      "but --per-sequence asks for one",
                      name);
}

int import_records_add(struct import_records *records, const struct import_record *record)
{
    struct import *import = records->import;
    import_set_line(import, record->line);
    int begins = !records->open || !is_same_text(records->name, record->sequence);
    if (begins ? import_records_end(records) || begin(records, record) : check_same(records, record))
        return -1;
    if (record->symbol ? import_add_symbol(import, record->symbol)
                       : import_add_rows(import, record->inputs, 1))
        return -1;
    return records->has_targets && !records->per_sequence ? add_target(records, record) : 0;
}

int import_records_end(struct import_records *records)
{
    int open = records->open;
    records->open = 0;
    return open ? import_end(records->import) : 0;
}

void import_records_finish(struct import_records *records)
{
    memory_destroy(records->name);
    memory_destroy(records->group);
    memory_destroy(records->class);
    memory_destroy(records->kept);
}
