#include "bench/measured.h"

#include "net/cells/cell.h"
#include "net/outputs/output.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_take_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return (values[n / 2] + values[(n - 1) / 2]) / 2;
}

/* Medians over all rounds. */
struct medians {
    double seconds;                      /* of a round */
    double data_wait, comm_wait, update; /* shares of them */
    double fraction,
        best_fraction; /* of the peak; that of the best round is what a quiet machine would show */
};

/* Takes the medians of n rounds; `operations` are those of a round on one rank. */
static struct medians take_medians(const struct bench_round *rounds, size_t n, double operations)
{
    double seconds[BENCH_MOST_ROUNDS], data[BENCH_MOST_ROUNDS], comm[BENCH_MOST_ROUNDS],
        update[BENCH_MOST_ROUNDS], fraction[BENCH_MOST_ROUNDS];
    struct medians medians = {0};
    assert(n > 0 && n <= BENCH_MOST_ROUNDS);
    for (size_t i = 0; i < n; i++) {
        const struct bench_round *round = &rounds[i];
        seconds[i] = round->seconds;
        data[i] = round->data_wait / round->seconds;
        comm[i] = round->comm_wait / round->seconds;
        update[i] = round->update / round->seconds;
        fraction[i] = operations / round->peak / round->seconds;
        medians.best_fraction = fmax(medians.best_fraction, fraction[i]);
    }
    medians.seconds = bench_take_median(seconds, n);
    medians.data_wait = bench_take_median(data, n);
    medians.comm_wait = bench_take_median(comm, n);
    medians.update = bench_take_median(update, n);
    medians.fraction = bench_take_median(fraction, n);
    return medians;
}

static double take_share(const struct bench_clocked *clocked, enum net_time time)
{
    double share[BENCH_CLOCKED];
    for (size_t i = 0; i < BENCH_CLOCKED; i++)
        share[i] = clocked[i].times[time] / clocked[i].seconds;
    return bench_take_median(share, BENCH_CLOCKED);
}

/* The scan over time of a cell whose recurrence is elementwise is what its arithmetic takes, since no product
 * stands between two steps; of other cells that is no scan. */
static double take_scan_share(const struct bench_options *options, const struct bench_clocked *clocked)
{
    return cell_kinds[options->cell]->has_product ? 0 : take_share(clocked, NET_ACTIVATION);
}

static void print_options(const struct bench_options *options)
{
    printf("cell=%s hidden=%d layers=%d directions=%d inputs=%d classes=%d output=%s labels=%d frames=%d "
           "shortest=%d batch=%d microbatch=%d activation_memory=%zu",
        cell_names[options->cell], (int)options->hidden, (int)options->layers, (int)options->directions,
        (int)options->inputs, (int)options->classes, output_kinds[options->output]->name,
        (int)options->labels, (int)options->frames, (int)options->shortest, (int)options->batch,
        (int)options->microbatch, options->memory);
}

void bench_print(const struct bench_options *options, const struct bench_work *work,
    const struct bench_round *rounds, const struct bench_clocked *clocked)
{
    double steps = (double)options->steps, operations = steps * work->operations;
    struct medians medians = take_medians(rounds, (size_t)options->rounds, operations / work->ranks);
    double speed = operations / medians.seconds * 1e-9;
    print_options(options);
    printf(" ranks=%d isa=%s frames_per_second=%.6g gflops=%.4g peak_gflops=%.4g fraction_of_peak=%.3g",
        work->ranks, work->isa, work->frames * steps / medians.seconds, speed, speed / medians.fraction,
        medians.fraction);
    printf(" forward_share=%.3g backward_share=%.3g weight_gradient_share=%.3g activation_share=%.3g",
        take_share(clocked, NET_FORWARD), take_share(clocked, NET_BACKWARD),
        take_share(clocked, NET_WEIGHT_GRADIENT), take_share(clocked, NET_ACTIVATION));
    printf(" scan_share=%.3g", take_scan_share(options, clocked));
    printf(" reduce_share=%.3g optimizer_share=%.3g data_wait_share=%.3g best_fraction=%.3g",
        medians.comm_wait, medians.update, medians.data_wait, medians.best_fraction);
    printf(
        " resident_mib=%.0f weights_hash=%016" PRIx64 "\n", work->resident / (1 << 20), work->weights_hash);
}
