/* What a kind of data/import/import.h hands over, and how: it declares once a source what its sequences are,
 * then begins a sequence, adds its frames and targets in any order and pieces, and ends it.
 *
 *     import_declare(import, &shape)
 *     for each sequence:
 *         import_begin(import, name, NULL)
 *         import_add_rows(import, row, 1), import_add_class(import, "yes"), ...
 *         import_end(import)
 *
 * Every function returns -1 where it refuses what it gets, with an error that begins with the source and the
 * line that the kind last named; the kind returns -1 then. What is handed over is only lent. */
#ifndef DATA_IMPORT_SEQUENCE_H
#define DATA_IMPORT_SEQUENCE_H

#include "data/import/import.h"
#include "net/names.h"

#include <stdio.h>

/* ---- the source ---- */

/* Its path, or "-". */
const char *import_source(const struct import *import);

/* The state of the kind, which stays from source to source; NULL where it has none. */
void *import_state(struct import *import);

/* Opens the source as an ordinary file, or standard input where it is "-": the caller's (fclose). NULL and an
 * error. A kind whose sources are folders, or that leaves opening to a library, does without. */
FILE *import_open(struct import *import);

/* What is read now: errors name this line from here on; 0: none. */
void import_set_line(struct import *import, int64_t line);

/* Errors name this file from here on, which the caller keeps until the next call; NULL: the source itself. */
void import_set_file(struct import *import, const char *path);

/* Refuses the source: "SOURCE:LINE: text". The text says what is wrong and what to do. EXIT_CODE_DATA;
 * returns -1. What is shown of the source passes base/clean.h. */
int import_refuse(struct import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for reading that failed, by errno: EXIT_CODE_IO. */
int import_refuse_reading(struct import *import);

/* Where errors go, for functions of other folders; the caller prefixes the source. */
struct error *import_error(struct import *import);

/* Tells what is worth knowing, with source and line as in import_refuse. */
void import_warn(struct import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts a sequence that is on one side of a pair alone: `text` says which and what it lacks. As --unmatched
 * says, it is refused, or left out; the first five that are left out are told. */
int import_unmatched(struct import *import, const char *name, const char *lacks);

/* ---- what sequences are ---- */

/* Classes or symbols. With `names` labels have these numbers, and others are refused; with `numbered` they
 * come as numbers without names; with neither they come as texts and get numbers once all are known: by value
 * where all are whole numbers, else by the bytes of their UTF-8, which is the order of code points. */
struct import_labels {
    const char *const *names; /* [n]; NULL */
    int64_t n;                /* of names; of numbers 0: one more than the largest */
    int numbered;
    int64_t least; /* of texts: what comes less often in the training part becomes IMPORT_RARE; 0: nothing */
};

#define IMPORT_RARE "<unk>"

enum {
    IMPORT_MOST_LABELS = 1 << 20,
    IMPORT_MOST_LABEL_BYTES = 255,
    IMPORT_MOST_NAME_BYTES = 1023,
    IMPORT_MOST_WIDTH = 1 << 20 /* features, or values of a target */
};

enum import_targets { IMPORT_NO_TARGETS, IMPORT_PER_FRAME, IMPORT_PER_SEQUENCE, IMPORT_ANY_TARGETS };

struct import_shape {
    size_t features;                  /* of real-valued inputs; 0: symbols */
    const char *const *feature_names; /* [features]; NULL: they have none */
    struct import_labels symbols;     /* without features */
    enum import_targets targets;
    size_t values;                   /* of real-valued targets; 0: classes */
    const char *const *target_names; /* [values]; NULL: they have none */
    struct import_labels classes;    /* without values */
    int one_vocabulary;              /* classes are the symbols: `classes` is not looked at */
};

/* Declares what the source has; all sources of an import have to have the same, and what --like names too. To
 * be called once a source, before its first sequence; nothing of the shape is kept by reference. */
int import_declare(struct import *import, const struct import_shape *shape);

/* The names that the dataset of --like has, in its order; NULL where there is no --like or it has no such
 * list. Columns of missing values that an import has added are not among those of features. */
const struct name_list *import_like_names(const struct import *import, enum names_of which);

/* What names them: "--like", or the path of a network. */
const char *import_like_what(const struct import *import);

/* ---- a sequence ---- */

/* `name`: UTF-8, one for each sequence of all sources, or NULL where the format has none. `group`: what a
 * split keeps together, as --by asks, or where there is no name; NULL: the name, or else the number of the
 * sequence. */
int import_begin(struct import *import, const char *name, const char *group);

/* Adds frames: rows [n][features], NaN where a value is missing; or symbols. */
int import_add_rows(struct import *import, const float *rows, int64_t n);
int import_add_symbol(struct import *import, const char *label);
int import_add_symbol_number(struct import *import, int64_t number);

/* Adds targets: rows [n][values], NaN where there is none; or classes, of which NULL and -1 are no target. */
int import_add_values(struct import *import, const float *rows, int64_t n);
int import_add_class(struct import *import, const char *label);
int import_add_class_number(struct import *import, int64_t number);

int import_end(struct import *import);

/* Reads a number as a field of a text file has it, NaN for a field that says that its value is missing:
 * empty, "NaN" in any case, "NA" or "?". `what` names the field: "column x". */
int import_read_number(struct import *import, const char *text, const char *what, float *number);

#endif
