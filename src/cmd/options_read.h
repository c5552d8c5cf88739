/* Pieces of command-line reading that the programs share. Private to the options. */
#ifndef CMD_OPTIONS_READ_H
#define CMD_OPTIONS_READ_H

#include "base/error.h"

#include <getopt.h>
#include <stdint.h>

/* What getopt_long found wrong, which it told by '?' or ':'. `word` is the argument it was looking at.
 * Returns -1. */
int options_refuse(const struct option *table, int found, const char *word, struct error *error);

/* A whole number from least to most; `option` is its name with dashes, for the error. */
int options_read_number(
    const char *option, const char *value, int64_t least, int64_t most, int64_t *number, struct error *error);

#endif
