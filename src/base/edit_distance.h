/* The edit distance of two sequences of symbols: the fewest insertions, deletions and substitutions, each
 * counted as one, that turn one into the other. (Levenshtein 1966.) */
#ifndef BASE_EDIT_DISTANCE_H
#define BASE_EDIT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* The distance of a [A] and b [B], either of which may be empty. The caller lends scratch [B + 1]. */
size_t edit_distance(const int32_t *a, size_t A, const int32_t *b, size_t B, size_t *scratch);

#endif
