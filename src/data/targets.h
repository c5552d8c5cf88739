/* What an output asks of the targets of a dataset beyond what its file has to be like. For a dataset that
 * dataset_open gave; any_targets need not be set. Memory: a block of a few MiB. Not collective.
 *
 * Functions with `faults` tell each fault as one line, as dataset_check does, and not a second time what that
 * tells (numbers out of range); those with `error` end at the first: -1 and EXIT_CODE_DATA, or what reading
 * ran into, and may be called while a reader (data/reader.h) lives. Those with `parts` look only at the share
 * `part` of so many, from 0: each is of consecutive sequences, in order, and of about equally many targets,
 * so that ranks can share the work. */
#ifndef DATA_TARGETS_H
#define DATA_TARGETS_H

#include "data/dataset.h"

/* For outputs with any number of targets per sequence: a class of -1 or a value that is NaN, no target, which
 * one per frame or per sequence may have. Nothing is read of real values where none may be NaN. */
void dataset_check_any(struct dataset *dataset, struct faults *faults);
int dataset_require_any(struct dataset *dataset, size_t part, size_t parts, struct error *error);

/* For connectionist temporal classification: class targets, none of -1, and in each sequence as many frames
 * as a path through its labels has at least: one per label, and one for the blank between each two equal
 * neighbours (Graves, Fernandez, Gomez and Schmidhuber 2006, section 3.1). The line names sequence, frames
 * needed and frames there are. */
void dataset_check_ctc(struct dataset *dataset, struct faults *faults);
int dataset_require_ctc(struct dataset *dataset, size_t part, size_t parts, struct error *error);

/* For the loss that dataset->loss names: looks at targets that are real values and kept, as they were read
 * before the loss was known; others are checked as they are read. */
int dataset_require_loss(struct dataset *dataset, size_t part, size_t parts, struct error *error);

/* Writes to *has whether the set has a target that counts: a real value that is not NaN, or a class that is
 * not -1, with a weight above 0. Where every frame or sequence has a target that may be none, it reads them
 * up to the first that is one. */
int dataset_has_labels(struct dataset *dataset, int *has, struct error *error);

/* The number of targets that every sequence has, to *targets, 1 at least: where it is not the same for all,
 * the fault names the first sequence that differs from sequence 0. Nothing is read. */
int dataset_common_targets(const struct dataset *dataset, int32_t *targets, struct error *error);

/* The largest number of targets that a sequence has. Nothing is read. */
int32_t dataset_most_targets(const struct dataset *dataset);

/* ---- within this folder ---- */

/* Asks what dataset_require_ctc does of one sequence, whose labels were read. */
int targets_require_path(struct dataset *dataset, int64_t s, const int32_t *labels, struct error *error);

#endif
