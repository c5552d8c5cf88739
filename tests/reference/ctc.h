/* The serial reference of connectionist temporal classification: the textbook's recursions in double on plain
 * arrays, and for tiny cases sums over every path there is. It links nothing but the C library.
 *
 * T frames of C + 1 logits, row-major, the blank last; U labels. */
#ifndef TESTS_REFERENCE_CTC_H
#define TESTS_REFERENCE_CTC_H

#include <stddef.h>
#include <stdint.h>

/* -ln p(labels | logits); infinite where there is no path. Gradient by the logits [T][C + 1], or NULL. */
double reference_ctc(
    size_t T, size_t C, const double *logits, size_t U, const int32_t *labels, double *gradient);

/* The same by adding up all (C + 1)^T paths. */
double reference_ctc_all_paths(size_t T, size_t C, const double *logits, size_t U, const int32_t *labels);

/* The likeliest labelling, from all paths: into labels [T], returns how many; *probability is its own. */
size_t reference_ctc_best_labels(
    size_t T, size_t C, const double *logits, int32_t *labels, double *probability);

/* The likeliest path, reduced: into labels [T], returns how many. */
size_t reference_ctc_best_path(size_t T, size_t C, const double *logits, int32_t *labels);

/* Edit distance by its definition as a recursion; for short ones. */
size_t reference_edit_distance(const int32_t *a, size_t A, const int32_t *b, size_t B);

#endif
