/* The file is read line by line, and has a line a step. Rows that were lost have no figures, and then there
 * is no sum. */
#include "ckpt/totals.h"

#include "base/file.h"
#include "ckpt/directory.h"
#include "ckpt/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums of frames and seconds over training, and of seconds over validations. */
struct sums {
    double frames, training, validation;
};

static int add_row(const char *row, struct sums *sums)
{
    double frames, seconds;
    const char *split = rows_find_column(row, ROWS_SPLIT);
    if (!split || rows_read_figure(row, ROWS_FRAMES, &frames) ||
        rows_read_figure(row, ROWS_SECONDS, &seconds))
        return -1;
    if (strncmp(split, "train,", 6) == 0) {
        sums->frames += frames;
        sums->training += seconds;
    } else {
        sums->validation += seconds;
    }
    return 0;
}

int totals_read(const char *directory, struct totals *totals)
{
    char path[DIRECTORY_PATH], row[ROWS_LONGEST];
    struct sums sums = {0};
    snprintf(path, sizeof path, "%s/metrics.csv", directory);
    FILE *file = file_open_stream(path, "the rows of a run", NULL);
    if (!file)
        return -1;
    int failed = !fgets(row, sizeof row, file) || strcmp(row, rows_header) != 0;
    while (!failed && fgets(row, sizeof row, file))
        failed = add_row(row, &sums);
    failed |= ferror(file) != 0;
    fclose(file);
    if (failed || !(sums.training > 0))
        return -1;
    *totals = (struct totals){sums.training + sums.validation, sums.frames / sums.training};
    return 0;
}
