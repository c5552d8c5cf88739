/* Windows of a set: runs of consecutive sequences that take no more than so many bytes of memory, decoded. A
 * set that is read window by window is read in nearly the order of its file, so that each chunk of a
 * compressed file is decoded once and not once for each sequence in it. Windows follow from lengths and from
 * what a row is, never from how the file is laid out: the same data give the same windows. */
#ifndef DATA_WINDOWS_H
#define DATA_WINDOWS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct dataset;

/* Where windows end, and of what. The arrays are the caller's. */
struct window_rule {
    size_t bytes;                  /* that a window takes at most; 0: all sequences are one window */
    size_t input_row, target_row;  /* bytes of a row of inputs, of targets, decoded */
    const int64_t *input_offsets;  /* [sequences + 1] */
    const int64_t *target_offsets; /* [sequences + 1] the same where there is one target a frame, or none */
};

/* Returns how many windows there are, and writes where they begin: window w has sequences first[w] to
 * first[w + 1] - 1; first [windows + 1] may be NULL. A window holds as many sequences as fit it, and one at
 * least. */
int64_t windows_cut(const struct window_rule *rule, int64_t sequences, int64_t *first);

/* Describes windows of a dataset, whose offsets the rule keeps by reference. */
struct window_rule dataset_describe_windows(const struct dataset *dataset, size_t bytes);

/* Does each sequence fit a window? Where not, EXIT_CODE_DATA names data.window and the largest sequence. */
int dataset_require_window(struct dataset *dataset, size_t bytes, struct error *error);

#endif
