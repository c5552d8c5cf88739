/* The training step measured on synthetic sequences, and the kernel alone. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/error.h"
#include "bench/options.h"

/* All ranks call. Measures whole training steps, with exchange, optimizer and packing, of the network that
 * the options describe, on sequences of random numbers, and prints one line of key=value on rank 0
 * (bench/measured.h). Starts and ends MPI; returns the exit code. (bench.c) */
int bench_train(const struct bench_options *options);

/* Counts the operations, 2 for each multiply-add, of the matrix products of a step: forward, and for the
 * gradients of inputs (but those of the network), of recurrent states and of weights. `frames`, `sequences`
 * and, of a decoder, `labels` are those of the whole step. (operations.c) */
double bench_count_operations(const struct net_config *model, double frames, double sequences, double labels);

/* Prints a table of the products alone (recurrent, input, weight gradient) and of the activations on this
 * core; returns the exit code. One process calls, without MPI. (kernel.c) */
int bench_kernel(void);

#endif
