/* The edit distance of two label sequences: fewest insertions, deletions and substitutions, each counted as
 * one, that turn one into the other. (Levenshtein 1966.) */
#ifndef NET_EDIT_H
#define NET_EDIT_H

#include <stddef.h>
#include <stdint.h>

/* Of a [A] and b [B], either of which may be empty; scratch [B + 1]. */
size_t edit_distance(const int32_t *a, size_t A, const int32_t *b, size_t B, size_t *scratch);

#endif
