/* The mean of the weights of several checkpoints of one network: those of the last epochs of a run, or of
 * runs that began with the same weights, often make a better network than each alone. */
#ifndef MODEL_AVERAGE_H
#define MODEL_AVERAGE_H

#include "model/store.h"

/* Reads n checkpoints (of runs, or weights alone), one after the other, into *mean, which starts from zeroes
 * and is ended by stored_finish also after a failure. It has everything of the first but the weights, which
 * are the mean of all: summed in double precision, in the order given. Refused is a network that computes
 * something else from the same weights, other names, and another standardization: EXIT_CODE_DATA naming both
 * files. */
int average_read(struct stored *mean, const char *const *named, size_t n, struct error *error);

#endif
