/* The most that this core does. Private to the benchmarks. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "kernel/kernel.h"

/* Measures the operations a second (2 per fused multiply-add) of the kernel's burst in registers: the best of
 * a few milliseconds. */
double bench_peak(const struct kernel *kernel);

#endif
