/* metrics.csv: a row is one write, so that a reader sees whole rows; a row that could not be written whole is
 * cut off again. The number of rows at a checkpoint is in the checkpoint, and a resume cuts behind them, so
 * each row stands once however the run ended. Rows, not bytes: how wide a time prints differs between equal
 * runs, and equal runs have equal checkpoints. A row that is lost keeps its line, without figures, so that
 * the number stays right.
 *
 * The file is written to only where its one name is this one: a link, symbolic or hard, would lead the writes
 * into somebody's copy. */
#include "ckpt/metrics.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/rows.h"
#include "ckpt/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct metrics {
    int descriptor;
    int64_t length, rows; /* bytes; rows behind the header */
    char path[DIRECTORY_PATH];
};

static int open_file(struct metrics *metrics)
{
    return metrics->descriptor = open(metrics->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static void close_file(struct metrics *metrics)
{
    if (metrics->descriptor >= 0)
        close(metrics->descriptor);
    metrics->descriptor = -1;
}

/* Puts a file of these bytes in the place of the one that is there, and opens it. */
static int replace(struct metrics *metrics, const char *bytes, size_t size, int64_t rows, struct error *error)
{
    close_file(metrics);
    if (file_replace(metrics->path, bytes, size, error) != 0)
        return -1;
    if (open_file(metrics) < 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", metrics->path, strerror(errno));
    metrics->length = (int64_t)size;
    metrics->rows = rows;
    return 0;
}

/* Makes the file anew of the rows that are found in its texts, and tells so: `why` is what was wrong. */
static int make_anew(struct metrics *metrics, const struct row_plan *plan, struct salvage *salvage,
    const char *why, struct error *error)
{
    size_t size;
    int64_t lost;
    if (!plan->known)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s: put the file of the run back, or start over with --fresh", metrics->path, why);
    char *bytes = salvage_finish(salvage, plan, &size, &lost);
    if (!bytes)
        return error_set(error, EXIT_CODE_INTERNAL, "%s: no memory to make it anew", metrics->path);
    int outcome = replace(metrics, bytes, size, plan->rows, error);
    free(bytes);
    if (outcome == 0)
        salvage_tell(salvage, metrics->path, why, plan, lost);
    return outcome;
}

/* Makes the file anew of the open one, which has all rows even where it has lost its name, and of the one
 * that has the name. */
static int restore(struct metrics *metrics, const struct row_plan *plan, const char *why, char *warning,
    size_t size, struct error *error)
{
    struct salvage salvage = {.warning = warning, .size = size};
    salvage_add_descriptor(&salvage, metrics->descriptor);
    salvage_add_file(&salvage, metrics->path);
    int outcome = make_anew(metrics, plan, &salvage, why, error);
    salvage_free(&salvage);
    return outcome;
}

/* Is the open file ours alone, and is what it holds right? Then it is cut behind its rows. Returns 1 where it
 * is, 0 where not, which `why` tells, and -1 and an error. */
static int go_on(
    struct metrics *metrics, const struct row_plan *plan, char *why, size_t size, struct error *error)
{
    struct stat status;
    struct row_check check;
    if (fstat(metrics->descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) {
        snprintf(why, size, "has another name too (a link), or is no ordinary file");
        return 0;
    }
    FILE *file = fopen(metrics->path, "re");
    int sound = file ? rows_check(file, plan, &check) : -1;
    if (file)
        fclose(file);
    if (sound < 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", metrics->path, strerror(errno));
    if (!sound) {
        snprintf(why, size, "%s", check.why);
        return 0;
    }
    if (ftruncate(metrics->descriptor, check.end) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be cut to %" PRId64 " rows: %s", metrics->path,
            plan->rows, strerror(errno));
    metrics->length = check.end;
    metrics->rows = plan->rows;
    return 1;
}

/* Opens what is there, or makes it anew. */
static int find(
    struct metrics *metrics, const struct row_plan *plan, char *warning, size_t size, struct error *error)
{
    char why[200];
    if (open_file(metrics) >= 0) {
        int sound = go_on(metrics, plan, why, sizeof why, error);
        if (sound != 0)
            return sound < 0 ? -1 : 0;
    } else if (errno == ENOENT || errno == ELOOP) {
        snprintf(why, sizeof why, "%s", errno == ENOENT ? "is missing" : "is a link");
    } else {
        return error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", metrics->path, strerror(errno));
    }
    return restore(metrics, plan, why, warning, size, error);
}

struct metrics *metrics_open(const char *directory, const struct progress *at, const struct epoch_ends *ends,
    char *warning, size_t size, struct error *error)
{
    struct row_plan plan;
    struct metrics *metrics = memory_create(1, sizeof *metrics, error);
    if (!metrics)
        return NULL;
    if (size)
        warning[0] = 0;
    metrics->descriptor = -1;
    snprintf(metrics->path, sizeof metrics->path, "%s/metrics.csv", directory);
    rows_plan(at, ends, &plan);
    int outcome = plan.rows ? find(metrics, &plan, warning, size, error)
                            : replace(metrics, rows_header, strlen(rows_header), 0, error);
    if (outcome == 0)
        return metrics;
    metrics_close(metrics);
    return NULL;
}

/* Rows that are none, as after damage, count for nothing. */
int64_t metrics_last_step(const char *directory)
{
    char path[DIRECTORY_PATH], line[1024];
    int64_t last = 0;
    snprintf(path, sizeof path, "%s/metrics.csv", directory);
    FILE *file = file_open_stream(path, "the rows of a run", NULL);
    while (file && fgets(line, sizeof line, file)) {
        int64_t step;
        if (sscanf(line, "%" SCNd64 ",", &step) == 1 && step > last)
            last = step;
    }
    if (file)
        fclose(file);
    return last;
}

/* Writes ",VALUE": %.9g, and nothing behind the comma for NaN, which is a figure that there is not. */
static int print_figure(char *text, size_t size, double value)
{
    return isnan(value) ? snprintf(text, size, ",") : snprintf(text, size, ",%.9g", value);
}

int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error)
{
    const double figures[] = {row->loss, row->error, row->learning_rate, row->gradient_norm, row->seconds,
        row->frames_per_second, row->data_wait, row->comm_wait};
    char line[ROWS_LONGEST];
    int n = snprintf(line, sizeof line, "%" PRId64 ",%" PRId64 ",%.32s,%" PRId64 ",%" PRId64, row->step,
        row->epoch, row->split, row->sequences, row->frames);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        n += print_figure(line + n, sizeof line - (size_t)n, figures[i]);
    line[n++] = '\n';
    if (file_write_all(metrics->descriptor, line, (size_t)n) == 0) {
        metrics->length += n;
        metrics->rows++;
        return 0;
    }
    error_set(error, EXIT_CODE_IO,
        "%s: a row cannot be written: %s: make room and run the same command again", metrics->path,
        strerror(errno));
    if (ftruncate(metrics->descriptor, metrics->length) != 0)
        return -1; /* half a row is left: the next start cuts it off */
    return -1;
}

int metrics_sync(struct metrics *metrics, struct progress *at, const struct epoch_ends *ends, char *warning,
    size_t size, struct error *error)
{
    const char *why = salvage_find_change(metrics->path, metrics->descriptor, metrics->length);
    struct row_plan plan;
    at->metrics_rows = metrics->rows;
    rows_plan(at, ends, &plan);
    if (size)
        warning[0] = 0;
    if (why && plan.known)
        return restore(metrics, &plan, why, warning, size, error);
    if (why)
        snprintf(warning, size, "%.600s: %s", metrics->path, why);
    if (file_sync(metrics->descriptor) != 0)
        return error_set(
            error, EXIT_CODE_IO, "%s: cannot be made durable: %s", metrics->path, strerror(errno));
    return 0;
}

void metrics_close(struct metrics *metrics)
{
    if (!metrics)
        return;
    close_file(metrics);
    memory_destroy(metrics);
}
