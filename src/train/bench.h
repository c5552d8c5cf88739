/* The training step measured on synthetic sequences, and the kernel alone. */
#ifndef TRAIN_BENCH_H
#define TRAIN_BENCH_H

#include "base/error.h"
#include "train/options.h"

#include <stdio.h>

/* Measures whole training steps (the program's own, with exchange, optimizer and packing) of the network that
 * the options describe, on sequences of random numbers, and prints one line of key=value on rank 0. Medians
 * of the rounds; shares are of the time of a step. Starts and ends MPI. Returns the exit code. All ranks
 * call. */
int bench_train(const struct bench_options *options);

/* Prints a table of the products alone (recurrent, input, weight gradient) and of the activations on this
 * core. */
int bench_kernel(void);

#endif
