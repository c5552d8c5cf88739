/* Whether inputs have a size that training works with: the starting weights are made for values of about 1.
 */
#ifndef PASS_SCALE_H
#define PASS_SCALE_H

#include "base/error.h"
#include "data/dataset.h"

/* Counts the features of real-valued inputs that are far from a size of 1, by a sample of the frames; where
 * there are any, `text` [size] names file, the worst of them, and the key that helps. With symbols there are
 * none. Returns -1 where a value is faulty or reading fails. */
int scale_describe(struct dataset *dataset, size_t *features, char *text, size_t size, struct error *error);

#endif
