/* What a source declares becomes that of the import with the first; those behind it, and --like before all,
 * are compared. A list of names that a source declares closes the list of labels; the numbers of a later
 * source, whose list may be in another order, are mapped to it by name. */
#include "data/import/intake.h"

#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* A source, or the dataset of --like, with what it is compared with. */
struct import_comparison {
    const char *with; /* that source or dataset */
    const char *what; /* "features" */
};

static int refuse_number(
    struct import *import, const struct import_comparison *comparison, int64_t here, int64_t there)
{
    return import_refuse(import,
        "%" PRId64 " %s, but %s has %" PRId64 ": all that is imported together, and "
        "the dataset of --like, must have the same",
        here, comparison->what, comparison->with, there);
}

static int compare_names(struct import *import, const struct import_comparison *comparison,
    const char *const *here, const struct name_list *there)
{
    char is[TEXT_SHOWN], was[TEXT_SHOWN];
    for (size_t i = 0; here && there->text && i < there->n; i++)
        if (strcmp(here[i], there->text[i]) != 0)
            return import_refuse(import,
                "%s: number %zu is %s, but %s in %s: they must be the same, in the "
                "same order",
                comparison->what, i, text_show(here[i], is), text_show(there->text[i], was),
                comparison->with);
    return 0;
}

/* ---- with --like ---- */

static enum import_targets find_targets(const struct dataset *dataset)
{
    static const enum import_targets kinds[] = {
        [TARGET_FRAME] = IMPORT_PER_FRAME,
        [TARGET_SEQUENCE] = IMPORT_PER_SEQUENCE,
        [TARGET_ANY] = IMPORT_ANY_TARGETS,
    };
    return dataset->has_targets ? kinds[dataset->target_kind] : IMPORT_NO_TARGETS;
}

static int compare_with_like(struct import *import, const struct import_shape *shape)
{
    const struct import_like *like = &import->like;
    const struct dataset *dataset = like->dataset;
    struct import_comparison features = {like->path, "features"}, values = {like->path, "values a target"};
    if (shape->features != like->features)
        return refuse_number(import, &features, (int64_t)shape->features, (int64_t)like->features);
    if (compare_names(import, &features, shape->feature_names, &like->names.list[NAMES_OF_FEATURES]))
        return -1;
    if (shape->targets == IMPORT_NO_TARGETS || !dataset->has_targets)
        return 0;
    if (shape->values != dataset->values)
        return refuse_number(import, &values, (int64_t)shape->values, (int64_t)dataset->values);
    if (compare_names(import, &values, shape->target_names, &like->names.list[NAMES_OF_TARGETS]))
        return -1;
    enum import_targets there = find_targets(dataset);
    int alike = shape->targets == there || there == IMPORT_ANY_TARGETS || dataset->longest == 1 ||
        shape->targets == IMPORT_ANY_TARGETS;
    return alike ? 0
                 : import_refuse(import, "has a target for each %s, but %s one for each %s",
                       shape->targets == IMPORT_PER_FRAME ? "frame" : "sequence", like->path,
                       there == IMPORT_PER_FRAME ? "frame" : "sequence");
}

/* The labels of --like are all there are; without names they are numbers. */
static int take_like_labels(
    struct import *import, struct import_vocabulary *list, enum names_of which, int64_t n)
{
    const struct name_list *names = &import->like.names.list[which];
    char number[24];
    for (int64_t i = 0; i < n; i++) {
        snprintf(number, sizeof number, "%" PRId64, i);
        int32_t place = import_vocabulary_find(list, names->text ? names->text[i] : number, 0);
        if (place < 0)
            return error_set(import->error, EXIT_CODE_INTERNAL,
                "%s: %s: too many for --like, or out of memory", import->like.path, names_lists[which]);
    }
    if ((int64_t)list->n != n)
        return error_set(import->error, EXIT_CODE_DATA,
            "%s: %s: one name stands there twice: labels cannot be told by their names", import->like.path,
            names_lists[which]);
    list->closed = 1;
    list->unnamed = !names->text;
    return 0;
}

/* ---- labels ---- */

static int add_names(
    struct import *import, struct import_vocabulary *list, const struct import_labels *labels)
{
    for (int64_t i = 0; i < labels->n; i++)
        if (!text_is_utf8(labels->names[i], strlen(labels->names[i])) || !*labels->names[i] ||
            strlen(labels->names[i]) > IMPORT_MOST_LABEL_BYTES)
            return import_refuse(import, "label %" PRId64 " is empty, or longer than %d bytes, or not UTF-8",
                i, IMPORT_MOST_LABEL_BYTES);
        else if (import_vocabulary_find(list, labels->names[i], 0) != i)
            return import_refuse(import, "label %" PRId64 " is there twice, or one too many", i);
    list->closed = 1;
    return 0;
}

/* Makes the map from numbers of this source to places of the list. */
static int map_names(
    struct import *import, struct import_vocabulary *list, const struct import_labels *labels, int32_t **map)
{
    char shown[TEXT_SHOWN];
    memory_destroy(*map);
    *map = memory_create((size_t)labels->n, sizeof **map, import->error);
    if (!*map)
        return -1;
    for (int64_t i = 0; i < labels->n; i++) {
        (*map)[i] = import_vocabulary_find(list, labels->names[i], 0);
        if ((*map)[i] == LABEL_UNKNOWN)
            return import_refuse(import, "label %s is not known: %s has it not",
                text_show(labels->names[i], shown),
                import->like.path ? import->like.path : import->declared.source);
        if ((*map)[i] < 0)
            return import_refuse(
                import, "no room for the labels: more than %d, or out of memory", IMPORT_MOST_LABELS);
    }
    return 0;
}

/* Numbers without names: those of --like where there is one. */
static int take_numbers(
    struct import *import, struct import_vocabulary *list, const struct import_labels *labels)
{
    if (labels->n > IMPORT_MOST_LABELS)
        return import_refuse(
            import, "%" PRId64 " classes or symbols: at most %d are read", labels->n, IMPORT_MOST_LABELS);
    if (list->closed) {
        if (labels->n > (int64_t)list->n)
            return import_refuse(
                import, "%" PRId64 " classes or symbols, but only %zu are known", labels->n, list->n);
        return 0;
    }
    list->numbered = 1;
    if (list->limit && labels->n && labels->n != list->limit)
        return import_refuse(import, "%" PRId64 " classes or symbols, but %s has %" PRId64, labels->n,
            import->declared.source, list->limit);
    if (labels->n)
        list->limit = labels->n;
    return 0;
}

static int take_labels(struct import *import, struct import_vocabulary *list,
    const struct import_labels *labels, int32_t **map, int64_t *numbers)
{
    *numbers = labels->names ? labels->n : 0;
    if (labels->numbered)
        return take_numbers(import, list, labels);
    if (list->numbered)
        return import_refuse(import, "labels are texts here, but numbers in %s", import->declared.source);
    if (labels->names && (list->closed || list->n > 0))
        return map_names(import, list, labels, map);
    return labels->names ? add_names(import, list, labels) : 0;
}

/* ---- the shape ---- */

static int take_first(struct import *import, const struct import_shape *shape)
{
    struct import_declared *declared = &import->declared;
    struct net_names lent = {{{0}}};
    if (shape->features)
        lent.list[NAMES_OF_FEATURES] = (struct name_list){shape->features, (char **)shape->feature_names};
    if (shape->values)
        lent.list[NAMES_OF_TARGETS] = (struct name_list){shape->values, (char **)shape->target_names};
    *declared = (struct import_declared){.source = import->source,
        .features = shape->features,
        .values = shape->values,
        .targets = shape->targets,
        .one_vocabulary = shape->one_vocabulary,
        .has_symbols = shape->features == 0,
        .has_classes = shape->targets != IMPORT_NO_TARGETS && shape->values == 0,
        .least_of_symbols = shape->symbols.least,
        .least_of_classes = shape->classes.least};
    struct import_gaps *gaps = &import->gaps;
    if (net_names_complete(&declared->names, &lent, import->error) ||
        !(gaps->missed = memory_create(shape->features, sizeof *gaps->missed, import->error)) ||
        !(gaps->sum = memory_create(shape->features, sizeof *gaps->sum, import->error)) ||
        !(gaps->present = memory_create(shape->features, sizeof *gaps->present, import->error)))
        return -1;
    const struct dataset *like = import->like.dataset;
    if (like && declared->has_symbols &&
        take_like_labels(import, &import->symbols, NAMES_OF_SYMBOLS, like->symbols))
        return -1;
    if (like && declared->has_classes && like->has_targets && !declared->one_vocabulary)
        return take_like_labels(import, &import->classes, NAMES_OF_CLASSES, like->classes);
    return 0;
}

static int compare_with_first(struct import *import, const struct import_shape *shape)
{
    const struct import_declared *first = &import->declared;
    struct import_comparison features = {first->source, "features"},
                             values = {first->source, "values a target"};
    if (shape->features != first->features)
        return refuse_number(import, &features, (int64_t)shape->features, (int64_t)first->features);
    if (shape->values != first->values)
        return refuse_number(import, &values, (int64_t)shape->values, (int64_t)first->values);
    if (shape->targets != first->targets)
        return import_refuse(import,
            "its sequences have another number of targets than those of %s: one a "
            "frame, one a sequence, or any",
            first->source);
    if (compare_names(import, &features, shape->feature_names, &first->names.list[NAMES_OF_FEATURES]) ||
        compare_names(import, &values, shape->target_names, &first->names.list[NAMES_OF_TARGETS]))
        return -1;
    return 0;
}

static int check_texts(struct import *import, const char *const *names, size_t n, const char *what)
{
    for (size_t i = 0; names && i < n; i++)
        if (!text_is_utf8(names[i], strlen(names[i])) || strlen(names[i]) > IMPORT_MOST_NAME_BYTES)
            return import_refuse(import, "%s: number %zu is not UTF-8, or longer than %d bytes", what, i,
                IMPORT_MOST_NAME_BYTES);
    return 0;
}

int import_declare(struct import *import, const struct import_shape *shape)
{
    assert(!import->has_declared && (shape->values == 0 || shape->targets != IMPORT_NO_TARGETS));
    if (shape->features > IMPORT_MOST_WIDTH || shape->values > IMPORT_MOST_WIDTH)
        return import_refuse(import, "%zu columns: at most %d are read",
            shape->features > shape->values ? shape->features : shape->values, IMPORT_MOST_WIDTH);
    if (check_texts(import, shape->feature_names, shape->features, "features") ||
        check_texts(import, shape->target_names, shape->values, "values a target"))
        return -1;
    if (import->like.path && compare_with_like(import, shape))
        return -1;
    if (import->declared.source ? compare_with_first(import, shape) : take_first(import, shape))
        return -1;
    if (import->declared.has_symbols &&
        take_labels(import, &import->symbols, &shape->symbols, &import->symbol_map, &import->symbol_numbers))
        return -1;
    if (import->declared.has_classes && !shape->one_vocabulary &&
        take_labels(import, &import->classes, &shape->classes, &import->class_map, &import->class_numbers))
        return -1;
    import->has_declared = 1;
    return 0;
}

const struct name_list *import_like_names(const struct import *import, enum names_of which)
{
    const struct name_list *list = &import->like.names.list[which];
    return list->text ? list : NULL;
}

const char *import_like_what(const struct import *import)
{
    return import->like.pattern ? import->like.path : "--like";
}
