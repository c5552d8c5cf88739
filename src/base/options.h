/* Command lines: one table a program says what its options are. Reading them, the complaints about them, the
 * text of --help and what a shell completes come from the table, so that a new option is a row, a member of
 * the program's struct of options, and its use. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What is asked for instead of the program's work. */
enum options_ask { ASK_NOTHING, ASK_HELP, ASK_VERSION, ASK_BASH, ASK_ZSH };

/* What an option takes, and the type of the member that it fills. */
enum option_kind {
    OPTION_ASK,           /* enum options_ask: `least`, and with `names` the place there beyond it */
    OPTION_FLAG,          /* int: 1 */
    OPTION_COUNTER,       /* int: `least` is added each time */
    OPTION_TEXT,          /* const char *: not empty, kept by reference */
    OPTION_LIST,          /* struct option_list: the texts of every time it is given */
    OPTION_CHOICE,        /* an enum: the place in `names` */
    OPTION_WHOLE,         /* int64_t: from `least` to `most` */
    OPTION_WHOLE_OR_NONE, /* the same, or no value at all; the int at `given` becomes 1 in both cases */
    OPTION_UNSIGNED,      /* uint64_t: any */
    OPTION_POSITIVE,      /* double: above 0 */
    OPTION_BYTES,         /* size_t: "256 MiB" */
    OPTION_SECONDS,       /* double: "10 minutes", not negative */
    OPTION_CLOCK          /* int64_t: [DD-]HH:MM:SS in seconds, above 0 */
};

/* What a word of the command line names, so that a shell can complete it. A folder is offered wherever a file
 * is, since it may lie on the way. */
enum word_kind {
    WORD_ANY, /* a number, or a text that nobody can foresee */
    WORD_FILE,
    WORD_H5,  /* a file that ends in .h5 */
    WORD_INI, /* one that ends in .ini */
    WORD_FOLDER,
    WORD_SETTING /* SECTION.KEY=VALUE of a configuration */
};

struct option_list {
    const char **item; /* in the order of the command line; options_finish frees it */
    size_t count, room;
};

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* 0: it has none */
    enum option_kind kind;
    size_t offset; /* of the member in the program's struct of options */
    int64_t least, most;
    size_t given;             /* OPTION_WHOLE_OR_NONE */
    const char *const *names; /* OPTION_CHOICE, OPTION_ASK: ends with NULL; OPTION_TEXT: what is offered */
    enum word_kind word;      /* OPTION_TEXT, OPTION_LIST: what the value names */
    const char *allowed;      /* in words, for the complaint; NULL: what follows from the kind */
    const char *argument;     /* what --help calls the value; NULL: the option takes none */
    const char *help;         /* its lines are separated by newlines */
    const char *former;       /* a name that it once had, and that is taken with a warning; NULL: none */
    unsigned commands;        /* bits of the commands of the program that know it; 0: all */
    int own;                  /* 1: processes that work together may differ in it */
};

/* The rows that every table has, for a struct of options with the member `ask`; and the one that every
 * program has beside them. */
#define OPTION_ROWS_ASK(options)                                                                             \
    {"help", 'h', OPTION_ASK, offsetof(options, ask), .least = ASK_HELP, .help = "print this, and exit"},    \
    {                                                                                                        \
        "version", 0, OPTION_ASK, offsetof(options, ask),                                                    \
            .least = ASK_VERSION, .help = "print the versions of the program and its libraries, and exit"    \
    }
#define OPTION_ROW_COMPLETION(options)                                                                       \
    {                                                                                                        \
        "completion", 0, OPTION_ASK, offsetof(options, ask),                                                 \
            .least = ASK_BASH, .names = option_shells, .argument = "bash|zsh",                               \
            .help = "print the script that completes words in this shell, and exit"                          \
    }

extern const char *const option_shells[]; /* from ASK_BASH on; ends with NULL */

struct option_table {
    const char *opening; /* of --help: usage lines and what the program does; ends with a newline */
    const struct option_row *row;
    size_t rows;
    const char *closing;     /* of --help: what follows the options; ends with a newline */
    enum word_kind operands; /* what follows the options on the command line */
};

/* Is the option one of this command (0: the program has none)? */
int option_is_known(const struct option_row *row, unsigned command);

/* Reads a command line into `target`, the program's struct of options, which holds the defaults. `command` is
 * the bit of the command that is read, or 0 where the program has none. argv is reordered: the operands come
 * last. Returns the index of the first operand. Where --help or --version is met, nothing behind it is looked
 * at. On failure it returns -1 with EXIT_CODE_USAGE and a text that names the option and what is allowed; the
 * target may be filled in part. In every case the caller owes options_finish. It is not for several threads
 * at a time. */
int options_read(const struct option_table *table, unsigned command, void *target, int argc, char **argv,
    struct error *error);

/* Frees the lists of the target, and leaves them empty. */
void options_finish(const struct option_table *table, void *target);

/* Writes what processes that work together have to have in common, a line for each option of the table, be it
 * given or not: "--fresh no", "--output FILE". Left out are options that a process may have of its own, those
 * that count and those that ask. The caller's (free); NULL without memory. (options_describe.c) */
char *options_describe(const struct option_table *table, const void *target);

/* Refuses a value in the words of options_read: "--beam wide: allowed is ...". Returns -1. */
int options_refuse(const char *option, const char *value, const char *allowed, struct error *error);

/* The text of --help, and of it the lines of the options alone. */
void options_write_help(const struct option_table *table, FILE *stream);
void options_write_rows(const struct option_table *table, FILE *stream);

#endif
