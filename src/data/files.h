/* A dataset that lies in several files, one behind the other: its sequences and rows are numbered through all
 * of them, so that whoever asks for them need not know. This file and values.c do.
 *
 * Private to this folder, but dataset_write_files and dataset_is_in_files. */
#ifndef DATA_FILES_H
#define DATA_FILES_H

#include "data/contents.h"

/* Makes *whole, zeroes before, one dataset of `n` of them, one at least, of which each was opened from one
 * file and none has read its values. It takes their files, so that they only serve dataset_close, as *whole
 * does after a failure. EXIT_CODE_DATA where they do not agree, naming both files: in features or symbols, in
 * classes or values, in how many targets a sequence has, in names of any list. The same file may be there
 * more than once. */
int files_join(struct dataset *whole, struct dataset *const *part, size_t n, struct error *error);

/* Returns what messages call files of which this is the first and so many more follow: the caller's
 * (memory_destroy). */
char *files_make_name(const char *path, size_t more, struct error *error);

/* Returns the bytes of the values that lie in a file, decoded. */
size_t files_count_values(const struct dataset *dataset, size_t file);

/* Sees to it that the process may open `n` files more and still has descriptors left for what else it opens;
 * `name` says what they are of. EXIT_CODE_IO where the system does not allow it. */
int files_reserve(const char *name, size_t n, struct error *error);

/* Writes the identities of the files (base/identity.h), a line each: the caller's (memory_destroy). */
char *dataset_write_files(const struct dataset *dataset, struct error *error);

/* Is the dataset in the very files, unchanged, of which that text was written? */
int dataset_is_in_files(const struct dataset *dataset, const char *text);

#endif
