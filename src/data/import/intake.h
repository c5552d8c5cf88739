/* The inside of an import: what the files of this folder share that are no kinds. */
#ifndef DATA_IMPORT_INTAKE_H
#define DATA_IMPORT_INTAKE_H

#include "data/import/like.h"
#include "data/import/part.h"
#include "data/import/sequence.h"
#include "data/import/split.h"
#include "data/import/vocabulary.h"

/* What was met of each feature: those of the first part make the mean. */
struct import_gaps {
    int *missed; /* [features]: a value is missing somewhere */
    double *sum; /* [features] of values of the first part, and their number */
    int64_t *present;
};

/* What the sources declare is in this struct from the first of them on. */
struct import_declared {
    const char *source; /* that declared it first; NULL: none has yet */
    size_t features, values;
    enum import_targets targets;
    int one_vocabulary, has_symbols, has_classes;
    int64_t least_of_symbols, least_of_classes;
    struct net_names names; /* of features and targets; labels have lists of their own */
};

/* The sequence that is being read. */
struct import_open {
    struct import_part *part; /* NULL: none is */
    int64_t frames, targets;
    char name[IMPORT_MOST_NAME_BYTES + 1];
};

struct import {
    const struct import_kind *kind;
    const struct import_options *options;
    void (*warn)(const char *text);
    struct error *error;
    void *state;               /* of the kind */
    const char *source, *file; /* file: what errors name in place of the source, or NULL */
    int64_t line;
    int has_declared; /* this source */
    struct import_like like;
    struct import_declared declared;
    struct import_vocabulary symbols, classes;
    int32_t *symbol_map,
        *class_map; /* numbers of this source to places in the lists; NULL: they are the same */
    int64_t symbol_numbers, class_numbers; /* how many there are of these */
    struct import_gaps gaps;
    struct import_split split;
    struct import_part part[IMPORT_MOST_PARTS];
    struct import_open open;
    int64_t begun; /* sequences, of all parts */
    uint64_t *name_hash;
    size_t name_slots, names;
    int64_t unmatched;
};

/* The list that classes are in. */
static inline struct import_vocabulary *import_class_list(struct import *import)
{
    return import->declared.one_vocabulary ? &import->symbols : &import->classes;
}

/* "feature x" for messages. */
enum { IMPORT_FEATURE = 100 };
const char *import_show_feature(const struct import *import, size_t feature, char text[IMPORT_FEATURE]);

/* Writes all parts under their names, once all sources are read (write.c). */
int import_write(struct import *import, struct import_result *result, struct error *error);

#endif
