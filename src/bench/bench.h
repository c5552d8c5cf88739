/* The training step measured on synthetic sequences, and the kernel alone. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/error.h"
#include "pass/options.h"

#include <stdio.h>

/* Measures whole training steps (the program's own, with exchange, optimizer and packing) of the network that
 * the options describe, on sequences of random numbers, and prints one line of key=value on rank 0. Medians
 * of the rounds; shares are of the time of a step. Starts and ends MPI. Returns the exit code. All ranks
 * call. */
int bench_train(const struct bench_options *options);

/* Operations of the matrix products of a step: forward, gradients by what each layer sees (not below the
 * first) and by its own last state, gradients by the weights, 2 for each multiply-add. All of the step's
 * frames, sequences and, with a decoder, labels. (bench_operations.c) */
double bench_count_operations(const struct net_config *model, double frames, double sequences, double labels);

/* Prints a table of the products alone (recurrent, input, weight gradient) and of the activations on this
 * core. */
int bench_kernel(void);

#endif
