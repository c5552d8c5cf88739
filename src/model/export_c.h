/* The parts of a network that is exported as a header in C. */
#ifndef MODEL_EXPORT_C_H
#define MODEL_EXPORT_C_H

#include "ckpt/checkpoint.h"

#include <stdio.h>

/* Writes the functions that the network's pass calls: rows of layers, the cell's step, one direction, and
 * what outputs are shown as. */
void c_write_functions(FILE *stream, const struct net_config *config);

/* Writes rnn_run, which calls them for each layer. Tensor i of the checkpoint is the array rnn_wI. */
void c_write_run(FILE *stream, const struct checkpoint *checkpoint);

#endif
