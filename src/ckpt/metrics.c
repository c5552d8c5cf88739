/* metrics.csv: a row is one write, so that a reader sees whole rows; a row that could not be written whole is
 * cut off again. The number of rows at a checkpoint is in the checkpoint, and a resume cuts behind them, so
 * each row stands once however the run ended. Rows, not bytes: how wide a time prints differs between equal
 * runs, and equal runs have equal checkpoints. */
#include "ckpt/metrics.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char metrics_header[] =
    "step,epoch,split,sequences,frames,loss,error,learning_rate,gradient_norm,seconds,"
    "frames_per_second,data_wait,comm_wait\n";

enum { HEADER_BYTES = sizeof metrics_header - 1 };

struct metrics {
    int descriptor;
    int64_t length, rows; /* bytes; rows behind the header */
    char path[DIRECTORY_PATH];
};

const char metrics_advice[] = "put the file of the run back, or start over with --fresh";

/* Finds where the header and `rows` rows behind it end. */
static int find_end(const struct metrics *metrics, int64_t rows, int64_t *end, struct error *error)
{
    char block[1 << 14];
    int64_t lines = -1, at = 0; /* the header is line 0 */
    for (;;) {
        ssize_t n = pread(metrics->descriptor, block, sizeof block, at);
        if (n < 0)
            return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", metrics->path, strerror(errno));
        if (at == 0 && (n < HEADER_BYTES || memcmp(block, metrics_header, HEADER_BYTES) != 0))
            return error_set(error, EXIT_CODE_DATA,
                "%s: is not the file that the checkpoint was written with: %s", metrics->path,
                metrics_advice);
        if (n == 0)
            return error_set(error, EXIT_CODE_DATA,
                "%s: has %" PRId64 " rows, but %" PRId64 " belong to the checkpoint: %s", metrics->path,
                lines, rows, metrics_advice);
        for (ssize_t i = 0; i < n; i++)
            if (block[i] == '\n' && ++lines == rows) {
                *end = at + i + 1;
                return 0;
            }
        at += n;
    }
}

/* A new file is made durable in its directory too, since a checkpoint will count on it. */
static int begin(struct metrics *metrics, const char *directory, struct error *error)
{
    if (ftruncate(metrics->descriptor, 0) != 0 || lseek(metrics->descriptor, 0, SEEK_SET) != 0 ||
        file_write_all(metrics->descriptor, metrics_header, HEADER_BYTES) != 0 ||
        file_sync_folder(directory) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s: make room and run again",
            metrics->path, strerror(errno));
    metrics->length = HEADER_BYTES;
    return 0;
}

static int go_on(struct metrics *metrics, int64_t rows, struct error *error)
{
    int64_t end = 0;
    if (find_end(metrics, rows, &end, error) != 0)
        return -1;
    if (ftruncate(metrics->descriptor, end) != 0 || lseek(metrics->descriptor, end, SEEK_SET) != end)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be cut to %" PRId64 " rows: %s", metrics->path,
            rows, strerror(errno));
    metrics->length = end;
    metrics->rows = rows;
    return 0;
}

struct metrics *metrics_open(const char *directory, int64_t rows, struct error *error)
{
    struct metrics *metrics = memory_create(1, sizeof *metrics, error);
    if (!metrics)
        return NULL;
    snprintf(metrics->path, sizeof metrics->path, "%s/metrics.csv", directory);
    metrics->descriptor = open(metrics->path, O_RDWR | O_CLOEXEC | (rows ? 0 : O_CREAT), 0666);
    int outcome = -1;
    if (metrics->descriptor < 0)
        error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s%s%s", metrics->path, strerror(errno),
            rows ? ": " : "", rows ? metrics_advice : "");
    else
        outcome = rows ? go_on(metrics, rows, error) : begin(metrics, directory, error);
    if (outcome == 0)
        return metrics;
    metrics_close(metrics);
    return NULL;
}

/* Writes ",VALUE": %.9g, but a NaN without the sign that printf may give it. */
static int print_figure(char *text, size_t size, double value)
{
    return isnan(value) ? snprintf(text, size, ",nan") : snprintf(text, size, ",%.9g", value);
}

int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error)
{
    const double figures[] = {row->loss, row->error, row->learning_rate, row->gradient_norm, row->seconds,
        row->frames_per_second, row->data_wait, row->comm_wait};
    char line[512];
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
    if (ftruncate(metrics->descriptor, metrics->length) == 0)
        lseek(metrics->descriptor, metrics->length, SEEK_SET);
    return -1;
}

int metrics_sync(struct metrics *metrics, int64_t *rows, struct error *error)
{
    if (file_sync(metrics->descriptor) != 0)
        return error_set(
            error, EXIT_CODE_IO, "%s: cannot be made durable: %s", metrics->path, strerror(errno));
    *rows = metrics->rows;
    return 0;
}

void metrics_close(struct metrics *metrics)
{
    if (!metrics)
        return;
    if (metrics->descriptor >= 0)
        close(metrics->descriptor);
    memory_destroy(metrics);
}
