/* Targets that stand in a file of their own, where the key of an entry is the name of a sequence: what speech
 * toolkits have beside features. One file of one form is taken:
 *
 *     --alignment  a Kaldi archive or script of vectors of integers: one target a frame
 *     --text       lines "KEY WORD WORD...": any number of targets
 *     --labels     lines "KEY LABEL": one target a sequence
 *     --mlf        a master label file of HTK: one target a frame where its lines have times, else any number
 *
 * With --symbols (data/import/symbols.h) it says what the classes are, and in which order. The file is read
 * once for the places of its entries, and each entry once more when its sequence comes. */
#ifndef DATA_IMPORT_KEYED_H
#define DATA_IMPORT_KEYED_H

#include "data/import/import.h"
#include "data/import/kaldi_object.h"
#include "data/import/kaldi_table.h"
#include "data/import/marks.h"
#include "data/import/sequence.h"
#include "data/import/symbols.h"

/* Part of the struct of options of a kind; what a kind has no row for stays NULL. */
struct keyed_options {
    const char *alignment, *text, *labels, *mlf, *symbols;
    int64_t subsampling; /* frames of one entry of an alignment */
};

#define KEYED_DEFAULTS                                                                                       \
    {                                                                                                        \
        .subsampling = 1                                                                                     \
    }

/* The rows of a kind whose struct has the member `keyed`. */
#define KEYED_ROW_ALIGNMENT(options)                                                                         \
    {"alignment", 0, OPTION_TEXT, offsetof(options, keyed.alignment), .word = WORD_FILE, .argument = "FILE", \
        .help = "targets: an ark or scp of vectors of integers, one a frame"},                               \
    {                                                                                                        \
        "subsampling", 0, OPTION_WHOLE, offsetof(options, keyed.subsampling), 1, 1000,                       \
            .argument = "N", .help = "frames for each integer of --alignment (default 1)"                    \
    }
#define KEYED_ROWS_TEXT(options)                                                                             \
    {"text", 0, OPTION_TEXT, offsetof(options, keyed.text), .word = WORD_FILE, .argument = "FILE",           \
        .help = "targets: lines KEY WORD..., any number a sequence"},                                        \
        {"labels", 0, OPTION_TEXT, offsetof(options, keyed.labels), .word = WORD_FILE, .argument = "FILE",   \
            .help = "targets: lines KEY LABEL, one a sequence"},                                             \
    {                                                                                                        \
        "symbols", 0, OPTION_TEXT, offsetof(options, keyed.symbols),                                         \
            .word = WORD_FILE, .argument = "FILE", .help = "classes: lines SYMBOL NUMBER; <eps> is no class" \
    }
#define KEYED_ROW_MLF(options)                                                                               \
    {                                                                                                        \
        "mlf", 0, OPTION_TEXT, offsetof(options, keyed.mlf),                                                 \
            .word = WORD_FILE, .argument = "FILE",                                                           \
            .help = "targets: a master label file, with times one a frame"                                   \
    }

/* Refuses two files of targets, and what goes with none. EXIT_CODE_USAGE. */
int keyed_check(const struct keyed_options *options, struct error *error);

struct keyed_form;

/* What stays open while sequences come. Zeroes are a file that has not been opened. */
struct keyed_targets {
    const struct keyed_form *form; /* NULL: there are no targets */
    const struct keyed_options *options;
    int is_open;              /* also where the options name no file */
    struct kaldi_table table; /* of all forms: table.file is the file, table.key the key that was met last */
    struct marks marks;
    struct symbols symbols;
    struct kaldi_object vector;                            /* of an alignment */
    enum { MLF_UNKNOWN, MLF_LABELS, MLF_TIMES } lines_are; /* of a master label file */
};

/* Opens the file of the options, where there is one, and looks for the entries. On success the caller owes
 * keyed_finish, which takes zeroes. */
int keyed_open(struct keyed_targets *keyed, const struct keyed_options *options, struct error *error);
void keyed_finish(struct keyed_targets *keyed);

/* Says in the shape of a source what its targets are. What is set refers to `keyed`. */
void keyed_describe(const struct keyed_targets *keyed, struct import_shape *shape);

/* Finds the entry of a sequence: 1 and its mark, which is NULL where there are no targets at all; 0 where it
 * has none, which has been counted as unmatched; -1 where that is refused. */
int keyed_find(struct keyed_targets *keyed, struct import *import, const char *name, struct mark **mark);

/* A sequence that has begun, and the time between its frames in units of 100 ns (0: not known). */
struct keyed_sequence {
    const char *name;
    int64_t frames, period;
};

/* Adds the targets of the entry to the sequence. */
int keyed_add(struct keyed_targets *keyed, struct import *import, const struct mark *mark,
    const struct keyed_sequence *sequence);

/* Counts the entries that no sequence has asked for as unmatched. To be called behind the last source. */
int keyed_end(struct keyed_targets *keyed, struct import *import);

/* A form: how entries follow each other, and what an entry adds. */
struct keyed_form {
    enum import_targets targets;
    int numbered; /* classes come as numbers */
    /* Moves to the next entry and behind it, and leaves its key in table.key: 1; 0 at the end; -1 and an
     * error. */
    int (*next)(struct keyed_targets *keyed, struct error *error);
    /* Adds what the entry holds, at whose beginning the file stands. */
    int (*add)(struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence);
};

/* What forms share: adds a class, or NULL. One that is not known is refused by the line that was read last.
 */
int keyed_add_class(const struct keyed_targets *keyed, struct import *import, const char *label);

extern const struct keyed_form keyed_mlf; /* keyed_mlf.c */
extern const struct keyed_form keyed_mlf_times;

#endif
