/* The rows of an epoch are the last of the file, and a row has a longest length, so that what comes before
 * need not be read. */
#include "ckpt/norms.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the norms of the epoch's steps, in their order; returns how many there are. */
static size_t read_norms(FILE *file, int64_t epoch, size_t steps, double *norms)
{
    char row[ROWS_LONGEST];
    struct row_key key;
    size_t n = 0;
    off_t before = fseeko(file, 0, SEEK_END) == 0 ? ftello(file) : 0;
    off_t from = before - (off_t)((steps + 2) * ROWS_LONGEST); /* a row of validation, and a part of one */
    if (fseeko(file, from > 0 ? from : 0, SEEK_SET) != 0)
        return 0;
    while (n < steps && fgets(row, sizeof row, file)) {
        row[strcspn(row, "\n")] = 0;
        if (rows_parse(row, &key) && key.epoch == epoch && !key.valid &&
            rows_read_figure(row, ROWS_GRADIENT_NORM, &norms[n]) == 0)
            n++;
    }
    return n;
}

static int is_larger(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct epoch_norms sum_up(double *norms, size_t n, double clip)
{
    struct epoch_norms all = {(double)NAN, (double)NAN};
    size_t clipped = 0;
    if (n == 0)
        return all;
    for (size_t i = 0; i < n; i++)
        clipped += isfinite(norms[i]) && norms[i] > clip;
    qsort(norms, n, sizeof *norms, is_larger);
    all.median = n % 2 ? norms[n / 2] : (norms[n / 2 - 1] + norms[n / 2]) / 2;
    if (clip > 0)
        all.clipped = (double)clipped / (double)n;
    return all;
}

struct epoch_norms norms_read(const char *directory, int64_t epoch, int64_t steps, double clip)
{
    char path[DIRECTORY_PATH];
    double *norms = memory_create((size_t)steps, sizeof *norms, NULL);
    size_t n = 0;
    snprintf(path, sizeof path, "%s/metrics.csv", directory);
    FILE *file = norms ? file_open_stream(path, "the rows of a run", NULL) : NULL;
    if (file) {
        n = read_norms(file, epoch, (size_t)steps, norms);
        fclose(file);
    }
    struct epoch_norms all = sum_up(norms, n, clip);
    memory_destroy(norms);
    return all;
}
