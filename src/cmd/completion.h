/* What a shell completes of the words of a program: its commands, their kinds, the options of each and what
 * these take. All of it comes from the tables that the command line is read by, and from the table of the
 * configuration's keys: a script of the shell is printed of them, which is kept where the shell looks for it.
 *
 * One who completes a program fills a struct completion, prints it, and ends it. */
#ifndef CMD_COMPLETION_H
#define CMD_COMPLETION_H

#include "base/options.h"

#include <stdio.h>

enum { COMPLETION_PLACES = 32, COMPLETION_WORDS = 32 };

/* Where the line has come to: behind the program, or behind a command of it, or behind a command and a kind
 * that has options of its own. */
struct completion_place {
    char path[64]; /* "", "make", "import csv" */
    const struct option_table *table;
    unsigned command; /* the bit of its options; 0: all of the table */
    enum word_kind operands;
    size_t words; /* that may stand there as the first operand; then there are no others */
    struct {
        const char *name, *summary; /* summary: NULL where there is none */
    } word[COMPLETION_WORDS];
    struct option_table *owned; /* the table with its rows, where nobody else keeps it */
};

struct completion {
    const char *program;
    size_t places;
    struct completion_place place[COMPLETION_PLACES];
};

/* Adds a place; `command` and `kind` are NULL where there is none. Operands are those of the table. The place
 * stays where it is. */
struct completion_place *completion_add(
    struct completion *completion, const char *command, const char *kind, const struct option_table *table);

void completion_add_word(struct completion_place *place, const char *name, const char *summary);

/* Prints the script for the shell that is asked for to standard output. */
void completion_print(const struct completion *completion, enum options_ask ask);

/* Frees the tables that places own. */
void completion_finish(struct completion *completion);

/* Writes those of its `names` that an option takes, with blanks between: what it refuses in words it takes
 * not. */
void completion_write_names(const struct option_row *row);

/* Does any option take SECTION.KEY=VALUE? */
int completion_has_settings(const struct completion *completion);

/* Writes text of a script in which _NAME stands for what the names of its functions begin with, PROGRAM for
 * that of the program. */
void completion_write(const struct completion *completion, const char *text);

/* Writes a text that stands between single quotes: newlines as blanks, and with a backslash before each
 * character of `escaped`. */
void completion_write_quoted(const char *text, const char *escaped);

void completion_print_bash(const struct completion *completion); /* completion_bash.c */
void completion_print_zsh(const struct completion *completion);  /* completion_zsh.c */

#endif
