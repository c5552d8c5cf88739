/* Which parameters a run trains, and how fast: train.freeze and train.rate_of, patterns of their names. */
#ifndef PASS_TUNING_H
#define PASS_TUNING_H

#include "config/config.h"
#include "net/net.h"

/* Freezes the tensors of the net that train.freeze names, and returns what the learning rate is multiplied by
 * for each tensor, 0 for one that is frozen: the caller's (memory_destroy). NULL and an error
 * (EXIT_CODE_DATA) where a pattern matches no name, a rate is that of no tensor or nothing is left to train;
 * or without memory. */
double *tuning_create(const struct config *config, struct net *net, struct error *error);

#endif
