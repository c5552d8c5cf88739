/* The tables of Kaldi: archives, in which each object stands behind its key, and scripts, in which each line
 * names a key and the place of its object. What a line of a script asks of Kaldi may be a command for the
 * shell; here nothing is ever executed, and only ordinary files are opened. */
#ifndef DATA_IMPORT_KALDI_TABLE_H
#define DATA_IMPORT_KALDI_TABLE_H

#include "data/import/bounded.h"

enum { KALDI_KEY_BYTES = 1024 }; /* with the zero byte */

/* The rows and columns that a line asks for, both ends included; -1: from the first, to the last. */
struct kaldi_range {
    int64_t first_row, last_row, first_column, last_column;
};

/* What a line of a script says: texts within the line. */
struct kaldi_entry {
    char *key, *path;
    int64_t offset; /* of the object in its file */
    struct kaldi_range range;
};

/* Takes a line of a script apart, in place. The error says what is wrong with it, without file and line:
 * commands, standard input, a range that is none. */
int kaldi_parse_entry(char *line, struct kaldi_entry *entry, struct error *error);

/* A table that is read from front to back: the file itself, and of a script the archive that was read last.
 */
struct kaldi_table {
    int is_script;
    struct bounded_file file, archive;
    char key[KALDI_KEY_BYTES];
    struct kaldi_range range;    /* of the object, from a line of a script */
    struct bounded_file *object; /* the file that stands where the object begins */
};

/* Opens "scp:FILE", "ark:FILE", a FILE whose name ends with ".scp", or else an archive. The caller owes
 * kaldi_table_close, which also takes zeroes. */
int kaldi_table_open(struct kaldi_table *table, const char *name, struct error *error);
void kaldi_table_close(struct kaldi_table *table);

/* Moves to the next object: 1; 0 at the end; -1 and an error. The caller then reads it, or with an archive
 * may not go on. */
int kaldi_table_next(struct kaldi_table *table, struct error *error);

/* Where an entry of a table begins, to which kaldi_table_go moves back: the next one is then that entry. */
struct kaldi_mark {
    int64_t at, lines;
};
struct kaldi_mark kaldi_table_mark(const struct kaldi_table *table);
int kaldi_table_go(struct kaldi_table *table, struct kaldi_mark mark, struct error *error);

#endif
