/* The training step measured on synthetic sequences, and the kernel alone. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/error.h"
#include "bench/options.h"
#include "comm/rank.h"

/* All ranks call. Measures whole training steps, with exchange, optimizer and packing, of the network that
 * the options describe, on sequences of random numbers, and prints one line of key=value on rank 0
 * (bench/measured.h). Starts and ends MPI; returns the exit code. (bench.c) */
int bench_train(const struct bench_options *options);

/* All ranks call, MPI having started. Measures the constants of this machine (config/constants.h), and writes
 * them to `path` and prints them on rank 0. Returns the exit code, which is rank 0's. (machine.c) */
int bench_machine(const struct comm *comm, const char *path);

/* Prints a table of the products alone (recurrent, input, weight gradient) and of the activations on this
 * core; returns the exit code. One process calls, without MPI. (kernel.c) */
int bench_kernel(void);

#endif
