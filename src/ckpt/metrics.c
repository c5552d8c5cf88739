/* metrics.csv: a row is one write, so that a reader sees whole rows; a row that could not be written whole is
 * cut off again. The length of the file at a checkpoint is in the checkpoint, and a resume cuts there, so
 * each row stands once however the run ended. */
#include "ckpt/directory.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] =
    "step,epoch,split,sequences,frames,loss,error,learning_rate,gradient_norm,seconds,"
    "frames_per_second,data_wait,comm_wait\n";

enum { HEADER_BYTES = sizeof header - 1, PATH_BYTES = 4352 };

struct metrics {
    int descriptor;
    int64_t length;
    char path[PATH_BYTES];
};

static const char advice[] = "put the file of the run back, or start over with --fresh";

/* The first `length` bytes must be a header and whole rows. */
static int check_beginning(const struct metrics *metrics, int64_t length, struct error *error)
{
    struct stat status;
    char found[HEADER_BYTES], last = 0;
    if (fstat(metrics->descriptor, &status) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", metrics->path, strerror(errno));
    if (status.st_size < length)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has %lld bytes, but %" PRId64 " belong to the checkpoint: rows are missing: %s",
            metrics->path, (long long)status.st_size, length, advice);
    if (length < HEADER_BYTES || pread(metrics->descriptor, found, HEADER_BYTES, 0) != HEADER_BYTES ||
        memcmp(found, header, HEADER_BYTES) != 0 || pread(metrics->descriptor, &last, 1, length - 1) != 1 ||
        last != '\n')
        return error_set(error, EXIT_CODE_DATA,
            "%s: is not the file that the checkpoint was written with: %s", metrics->path, advice);
    return 0;
}

/* A new file: durable in its directory too, since a checkpoint will count on it. */
static int begin(struct metrics *metrics, const char *directory, struct error *error)
{
    int folder = directory_open(directory, error);
    if (folder < 0)
        return -1;
    int failed = ftruncate(metrics->descriptor, 0) != 0 || lseek(metrics->descriptor, 0, SEEK_SET) != 0 ||
        directory_write_all(metrics->descriptor, header, HEADER_BYTES) != 0 || directory_sync(folder) != 0;
    if (failed)
        error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s: make room and run again", metrics->path,
            strerror(errno));
    close(folder);
    metrics->length = HEADER_BYTES;
    return failed ? -1 : 0;
}

static int go_on(struct metrics *metrics, int64_t length, struct error *error)
{
    if (check_beginning(metrics, length, error) != 0)
        return -1;
    if (ftruncate(metrics->descriptor, length) != 0 || lseek(metrics->descriptor, length, SEEK_SET) != length)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be cut to %" PRId64 " bytes: %s", metrics->path,
            length, strerror(errno));
    metrics->length = length;
    return 0;
}

struct metrics *metrics_open(const char *directory, int64_t length, struct error *error)
{
    struct metrics *metrics = memory_create(1, sizeof *metrics, error);
    if (!metrics)
        return NULL;
    snprintf(metrics->path, sizeof metrics->path, "%s/metrics.csv", directory);
    metrics->descriptor = open(metrics->path, O_RDWR | O_CLOEXEC | (length ? 0 : O_CREAT), 0666);
    int outcome = -1;
    if (metrics->descriptor < 0)
        error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s%s%s", metrics->path, strerror(errno),
            length ? ": " : "", length ? advice : "");
    else
        outcome = length ? go_on(metrics, length, error) : begin(metrics, directory, error);
    if (outcome == 0)
        return metrics;
    metrics_close(metrics);
    return NULL;
}

/* ",VALUE": %.9g, but a NaN without the sign that printf may give it. */
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
    if (directory_write_all(metrics->descriptor, line, (size_t)n) == 0) {
        metrics->length += n;
        return 0;
    }
    error_set(error, EXIT_CODE_IO,
        "%s: a row cannot be written: %s: make room and run the same command again", metrics->path,
        strerror(errno));
    if (ftruncate(metrics->descriptor, metrics->length) == 0)
        lseek(metrics->descriptor, metrics->length, SEEK_SET);
    return -1;
}

int metrics_sync(struct metrics *metrics, int64_t *length, struct error *error)
{
    if (directory_sync(metrics->descriptor) != 0)
        return error_set(
            error, EXIT_CODE_IO, "%s: cannot be made durable: %s", metrics->path, strerror(errno));
    *length = metrics->length;
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
