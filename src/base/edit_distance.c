/* Dynamic programming over prefixes: distance(i, j) of the first i of a and the first j of b is computed row
 * by row, and only one row is kept. (Wagner and Fischer 1974, "The string-to-string correction problem".) */
#include "base/edit_distance.h"

size_t edit_distance(const int32_t *a, size_t A, const int32_t *b, size_t B, size_t *scratch)
{
    for (size_t j = 0; j <= B; j++)
        scratch[j] = j;
    for (size_t i = 1; i <= A; i++) {
        size_t diagonal = scratch[0]; /* distance(i - 1, j - 1) */
        scratch[0] = i;
        for (size_t j = 1; j <= B; j++) {
            size_t above = scratch[j], best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = scratch[j - 1] + 1 < best ? scratch[j - 1] + 1 : best;
            scratch[j] = best;
            diagonal = above;
        }
    }
    return scratch[B];
}
