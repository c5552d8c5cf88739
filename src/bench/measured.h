/* What the benchmark of the training step measures, and the line that it prints. Private to the benchmarks.
 */
#ifndef BENCH_MEASURED_H
#define BENCH_MEASURED_H

#include "bench/options.h"
#include "data/dataset.h"
#include "net/net.h"

enum { BENCH_CLOCKED = 3 }; /* rounds of one step in which the network reads the clock */

/* Seconds of a round of steps; operations a second of this core at its peak, measured before and after it. */
struct bench_round {
    double seconds, data_wait, comm_wait, update;
    double peak;
};

/* One step more, in which the network reads the clock: at each step in time, which itself takes time. */
struct bench_clocked {
    double seconds, times[NET_TIMES];
};

/* What a step is. */
struct bench_work {
    int ranks;
    const char *isa;
    double frames, operations;
    double resident; /* bytes of memory that rank 0 had at most, its own and shared */
    uint64_t weights_hash;
};

/* Makes the sequences that the options describe, of random numbers, with lengths evenly from `shortest` to
 * `frames`. Ended by dataset_close. (dataset.c) */
struct dataset *bench_make_dataset(const struct bench_options *options, struct error *error);

/* Sorts n values, and returns their median. (result.c) */
double bench_take_median(double *values, size_t n);

/* Prints one line of key=value: what was measured, as medians over rounds [options->rounds] and clocked
 * [BENCH_CLOCKED]. Shares are of the time of a step. (result.c) */
void bench_print(const struct bench_options *options, const struct bench_work *work,
    const struct bench_round *rounds, const struct bench_clocked *clocked);

#endif
