/* The names of a network beside those of a set that it is to read. */
#ifndef PASS_NAMES_H
#define PASS_NAMES_H

#include "data/dataset.h"
#include "net/names.h"

/* Refuse a set whose names differ from the network's, or stand in another order (net/names.h): those of
 * inputs and outputs, or of inputs alone. A warning is logged where one of the two lacks names of the other.
 * One rank calls these alone. */
int names_check(const struct net_names *network, struct dataset *dataset, struct error *error);
int names_check_inputs(const struct net_names *network, struct dataset *dataset, struct error *error);

#endif
