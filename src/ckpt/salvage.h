/* What has become of a file of rows that a run writes, and what is left of it where that is damage: rows of
 * metrics.csv are picked out of whatever there is, and put in order. */
#ifndef CKPT_SALVAGE_H
#define CKPT_SALVAGE_H

#include "ckpt/rows.h"

#include <stddef.h>
#include <stdint.h>

/* What somebody has done to the file of this name since it was opened, when `length` bytes had been written;
 * NULL: nothing. */
const char *salvage_find_change(const char *path, int descriptor, int64_t length);

/* Starts from zeroes but for the first two members. */
struct salvage {
    char *warning; /* the caller's: what became of the file */
    size_t size;
    char *text[2]; /* what was found, each with a zero behind it */
    size_t length[2], texts;
};
void salvage_free(struct salvage *salvage);

/* Take in what can be read of a file; one that cannot be read holds nothing. Of a row that stands there twice
 * the first one counts. */
void salvage_add_file(struct salvage *salvage, const char *path);
void salvage_add_descriptor(struct salvage *salvage, int descriptor);

/* The bytes of a file with the header and all rows of the plan, of which `lost` are without figures: they
 * were in no text. It changes the texts. The caller's (free); NULL: there is no memory. */
char *salvage_finish(struct salvage *salvage, const struct row_plan *plan, size_t *size, int64_t *lost);

/* Writes the warning. */
void salvage_tell(
    struct salvage *salvage, const char *path, const char *why, const struct row_plan *plan, int64_t lost);

#endif
