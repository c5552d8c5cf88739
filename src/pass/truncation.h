/* What gradients that are cut (train.truncate) cannot do. */
#ifndef PASS_TRUNCATION_H
#define PASS_TRUNCATION_H

#include "config/config.h"

/* Returns 1 where pieces are such that little is learned from sequences as a whole, or that nothing is cut of
 * sequences up to `longest` frames; `text` [size] says so then, and what to change. */
int truncation_describe(const struct config *config, int32_t longest, char *text, size_t size);

#endif
