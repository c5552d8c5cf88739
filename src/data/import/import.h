/* Files of other programs, turned into datasets.
 *
 * Each format is a kind: a file of its name in this folder, which exports `import_NAME`, and a line of
 * list.h; help and messages are made from these. A kind reads one source at a time and hands over what is in
 * it, sequence by sequence and frame by frame (data/import/sequence.h); what becomes of that is the same for
 * all kinds: labels get numbers, missing values are filled, sequences are divided among files, and the files
 * are written whole or not at all.
 *
 * Memory does not grow with the data: what a kind hands over waits in files without a name, in the folder of
 * the output, which so needs room for the data twice. What stays in memory is labels, each once, and some 20
 * bytes for each name of a sequence, of which none may come twice. */
#ifndef DATA_IMPORT_IMPORT_H
#define DATA_IMPORT_IMPORT_H

#include "base/error.h"
#include "base/options.h"
#include "net/names.h"

#include <stddef.h>
#include <stdint.h>

enum import_missing { IMPORT_MISSING_FAIL, IMPORT_MISSING_MASK, IMPORT_MISSING_MEAN };
enum import_unmatched { IMPORT_UNMATCHED_FAIL, IMPORT_UNMATCHED_SKIP };

enum { IMPORT_MOST_PARTS = 3 };

/* What is to be read by a network: the same as a dataset of --like would say. Targets are one a frame, one a
 * sequence, or any number. */
struct import_pattern {
    const char *path; /* of the network, for messages */
    size_t features;  /* 0: symbols */
    int32_t symbols, classes;
    size_t values;                 /* 0: classes */
    int per_frame, per_sequence;   /* targets */
    const struct net_names *names; /* of all of them, as far as they have names */
    const float *mean;             /* [features] NULL: they are not known */
};

/* What every kind is asked. The struct of options of a kind begins with this one. */
struct import_options {
    enum options_ask ask;
    const char *output; /* file; with a split the files are named after it; NULL: none is given */
    const char *like;   /* dataset whose features, classes and symbols are taken; NULL: none */
    const struct import_pattern *pattern; /* in place of `like`; kept by reference; NULL: none */
    const char *split;                    /* shares; NULL: everything goes into one file */
    const char *by; /* what is kept together in a split, in words of the kind; NULL: the sequence */
    const char *title;
    uint64_t seed;
    enum import_missing missing;
    enum import_unmatched unmatched;
};

struct import;

struct import_kind {
    const char *name;
    const char *summary; /* for --help, in one line */
    const char
        *missing_library; /* what this program was built without and the kind cannot do without; NULL */
    int streams;          /* the source "-" is standard input */
    const char *by;       /* what --by names, "a column"; NULL: the kind does not know --by */
    /* Its own options: rows whose offsets are into its own struct, which begins with struct import_options
     * and of which `defaults` is one; `size` is that of the struct. Those of all kinds come from
     * import_defaults. */
    const struct option_row *rows;
    size_t row_count;
    const void *defaults;
    size_t size;
    /* Looks at the options before any source is opened: an EXIT_CODE_USAGE; NULL where nothing is to be said.
     */
    int (*check)(const void *options, struct error *error);
    /* Reads the source that is open (data/import/sequence.h says how). Returns -1 after import_refuse, or
     * after a function of the import that has failed: each leaves its error there. */
    int (*read)(struct import *import, const void *options);
    /* What stays from source to source: so many bytes, zeroes at the start, which import_state hands out.
     * `end` is called behind the last source, as `read` is; `finish`, after a failure too, frees what the
     * state holds. */
    size_t state;
    int (*end)(struct import *import, const void *options);
    void (*finish)(void *state);
};

#define KIND(name) extern const struct import_kind import_##name;
#include "data/import/list.h"
#undef KIND

/* Kinds in the order of the list. */
size_t import_kind_count(void);
const struct import_kind *import_kind_at(size_t place);
const struct import_kind *import_kind_find(const char *name); /* NULL: no such kind */

/* Writes the names of all kinds, with `last` (" or ") in front of the last one. */
void import_kind_list(const char *last, char *text, size_t size);

/* The options of a kind, as base/options.h reads them: the common ones and its own. The rows are the caller's
 * (memory_destroy); NULL and an error without memory. */
struct option_row *import_list_options(const struct import_kind *kind, size_t *rows, struct error *error);

/* Those of them that say how sources are read, for a program that does more than write a dataset: the offsets
 * are `shift` bytes larger. */
struct option_row *import_list_reading_options(
    const struct import_kind *kind, size_t shift, size_t *rows, struct error *error);

/* The options of a kind before anything is read, the caller's (memory_destroy); NULL and an error without
 * memory. */
void *import_create_options(const struct import_kind *kind, struct error *error);

/* Puts them into a block of kind->size bytes. */
void import_default_options(const struct import_kind *kind, void *options);

/* One file that was written. */
struct import_written {
    char *path;
    int64_t sequences, frames;
    int replaced; /* there was a dataset of this name before */
};

struct import_result {
    size_t files;
    struct import_written file[IMPORT_MOST_PARTS];
    int64_t unmatched; /* sequences that were left out, as --unmatched skip says */
};

/* Reads the sources, in this order, and writes them as one dataset, or as the parts of a split. `warn` is
 * told what is worth knowing. Nothing is left where it fails, unless it fails between two files of a split,
 * which the error says then. EXIT_CODE_USAGE: options that do not go together. *result is ended by
 * import_result_finish. */
int import_run(const struct import_kind *kind, const void *options, char *const *sources,
    void (*warn)(const char *text), struct import_result *result, struct error *error);
void import_result_finish(struct import_result *result); /* takes zeroes */

#endif
