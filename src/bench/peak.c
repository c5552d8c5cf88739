#include "bench/peak.h"

#include "base/clock.h"

double bench_peak(const struct kernel *kernel)
{
    enum { TRIES = 5, ROUNDS = 200000 };
    float out[KERNEL_BLOCK];
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        double start = clock_now();
        double operations = kernel->burst(ROUNDS, out), speed = operations / (clock_now() - start);
        best = speed > best ? speed : best;
    }
    return best;
}
