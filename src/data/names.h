/* The names that a dataset gives its features, symbols, classes or outputs. */
#ifndef DATA_NAMES_H
#define DATA_NAMES_H

#include "data/contents.h"
#include "net/names.h"

/* Reads the lists that the set has of what it holds, into *names (zeroes), which net_names_finish ends, also
 * after a failure. */
int dataset_read_names(struct dataset *dataset, struct net_names *names, struct error *error);

#endif
