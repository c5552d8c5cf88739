/* The rows of a measurement are one write; what could not be written whole is cut off again. How many rows
 * there are at a checkpoint is in the checkpoint, and a resume cuts behind them, so that each stands once
 * however the run ended. As a run may be asked to measure more often or less where it goes on, the number
 * alone tells where a row belongs; that rows are in order shows that none stands there twice. The rows of the
 * newest measurement are in the checkpoint too. */
#include "ckpt/flow_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"
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

struct flow_file {
    const struct net_config *model;
    int descriptor; /* -1: there is no file */
    int64_t length; /* bytes */
    char path[DIRECTORY_PATH];
};

static const char header[] = "epoch,layer,direction,distance,norm\n";

/* ---- rows ---- */

void flow_file_print_header(FILE *stream)
{
    fputs(header, stream);
}

/* A norm that there is not has no figure. */
void flow_file_print(
    FILE *stream, const struct net_config *model, int64_t epoch, const struct flow_curves *curves)
{
    for (size_t n = 0; n < curves->directions; n++)
        for (size_t k = 0; k < curves->distances; k++) {
            struct flow_direction direction = flow_find_direction(model, n);
            double norm = curves->norm[n * curves->distances + k];
            fprintf(stream, "%" PRId64 ",%zu,%s,%" PRId64 ",", epoch, direction.layer,
                flow_name_direction(direction), (int64_t)1 << k);
            if (isnan(norm))
                fputs("\n", stream);
            else
                fprintf(stream, "%.9g\n", norm);
        }
}

static int64_t count_rows(const struct flow_curves *curves)
{
    return (int64_t)(curves->directions * curves->distances);
}

/* What orders rows: each is greater than the one before it. */
struct key {
    int64_t epoch, layer, reverse, distance;
};

static int is_behind(const struct key *a, const struct key *b)
{
    if (a->epoch != b->epoch)
        return a->epoch > b->epoch;
    if (a->layer != b->layer)
        return a->layer > b->layer;
    return a->reverse != b->reverse ? a->reverse > b->reverse : a->distance > b->distance;
}

/* Reads a row without its line end. Returns 0 where it is none. */
static int parse(const char *line, struct key *key)
{
    char direction[8];
    int at = 0;
    if (sscanf(line, "%" SCNd64 ",%" SCNd64 ",%7[a-z],%" SCNd64 ",%n", &key->epoch, &key->layer, direction,
            &key->distance, &at) != 4 ||
        !at || strspn(line + at, "0123456789.+-einf") != strlen(line + at))
        return 0;
    key->reverse = strcmp(direction, "reverse") == 0;
    return key->reverse || strcmp(direction, "forward") == 0;
}

/* ---- the bytes that a file is to have ---- */

/* Copies the rows of a text that were measured before epoch `end`, in their order, and returns how many there
 * are. */
static int64_t copy_rows(FILE *stream, const char *text, size_t length, int64_t end)
{
    struct key last = {0};
    int64_t rows = 0;
    for (const char *line = text, *next; line < text + length; line = next + 1) {
        char row[256];
        struct key key;
        next = memchr(line, '\n', (size_t)(text + length - line));
        if (!next)
            break; /* a row without its end may be cut short */
        size_t n = (size_t)(next - line);
        if (n >= sizeof row)
            continue;
        memcpy(row, line, n);
        row[n] = 0;
        row[strcspn(row, "\r")] = 0;
        if (!parse(row, &key) || key.epoch >= end || !is_behind(&key, &last))
            continue;
        fprintf(stream, "%s\n", row);
        last = key;
        rows++;
    }
    return rows;
}

/* The header, the rows of a text before the newest measurement, and those of it; *rows is how many there are.
 * The caller's (free); NULL: there is no memory. */
static char *make_bytes(
    const struct flow_file *file, const struct flow_record *at, const char *text, size_t *size, int64_t *rows)
{
    char *bytes = NULL;
    size_t length = text ? strlen(text) : 0;
    FILE *stream = open_memstream(&bytes, size);
    if (!stream)
        return NULL;
    flow_file_print_header(stream);
    *rows = copy_rows(stream, text ? text : "", length, at->epoch) + count_rows(&at->curves);
    flow_file_print(stream, file->model, at->epoch, &at->curves);
    if (fclose(stream) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

/* ---- the file ---- */

static void close_file(struct flow_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}

/* Returns -1 and errno. */
static int open_file(struct flow_file *file)
{
    file->descriptor = open(file->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return file->descriptor < 0 ? -1 : 0;
}

static int refuse(const struct flow_file *file, struct error *error)
{
    return error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", file->path, strerror(errno));
}

/* Puts a file of these bytes in the place of what is there. */
static int replace(struct flow_file *file, const char *bytes, size_t size, struct error *error)
{
    close_file(file);
    file->length = (int64_t)size;
    if (file_replace(file->path, bytes, size, error) != 0)
        return -1;
    return open_file(file) ? refuse(file, error) : 0;
}

/* Is the open file ours alone, and does it begin with these bytes? Then it is cut behind them. */
static int go_on(struct flow_file *file, const struct salvage *found, const char *bytes, size_t size)
{
    struct stat status;
    if (file->descriptor < 0 || !found->texts || strncmp(found->text[0], bytes, size) != 0 ||
        fstat(file->descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)
        return 0;
    file->length = (int64_t)size;
    return ftruncate(file->descriptor, (off_t)size) == 0;
}

static void tell(const struct flow_file *file, const char *why, const struct flow_record *at, int64_t rows,
    const struct salvage *found)
{
    char lost[64] = "";
    if (rows < at->rows)
        snprintf(lost, sizeof lost, ": %" PRId64 " others cannot be had again", at->rows - rows);
    snprintf(found->warning, found->size, "%.600s: %s: made anew of what there was, with %" PRId64 " rows%s",
        file->path, why, rows, lost);
}

/* Makes the file what it is to be of the text that has most of its rows. `why`: what is wrong with it; NULL:
 * that is to be found out. */
static int settle(struct flow_file *file, struct flow_record *at, const struct salvage *found,
    const char *why, struct error *error)
{
    size_t size;
    int64_t rows;
    char *bytes = make_bytes(file, at, found->texts ? found->text[0] : NULL, &size, &rows);
    if (bytes && rows < at->rows && found->texts > 1) {
        free(bytes);
        bytes = make_bytes(file, at, found->text[1], &size, &rows);
    }
    if (!bytes)
        return error_set(error, EXIT_CODE_INTERNAL, "%s: no memory for its rows", file->path);
    int sound = !why && rows == at->rows && go_on(file, found, bytes, size);
    int failed = !sound && replace(file, bytes, size, error);
    if (!failed && !sound && at->rows > 0)
        tell(file, why ? why : "does not have the rows that belong to the checkpoint", at, rows, found);
    if (!failed)
        at->rows = rows;
    free(bytes);
    return failed ? -1 : 0;
}

/* Opens what is there, or makes it anew. */
static int find(struct flow_file *file, struct flow_record *at, struct salvage *found, struct error *error)
{
    const char *why = NULL;
    if (open_file(file)) {
        if (errno != ENOENT && errno != ELOOP)
            return refuse(file, error);
        if (errno == ENOENT && at->rows == 0)
            return 0;
        why = errno == ENOENT ? "is missing" : "is a link";
    }
    salvage_add_file(found, file->path);
    return settle(file, at, found, why, error);
}

struct flow_file *flow_file_open(const char *directory, const struct net_config *model,
    struct flow_record *at, char *warning, size_t size, struct error *error)
{
    struct salvage found = {.warning = warning, .size = size};
    struct flow_file *file = memory_create(1, sizeof *file, error);
    if (!file)
        return NULL;
    warning[0] = 0;
    file->model = model;
    file->descriptor = -1;
    snprintf(file->path, sizeof file->path, "%s/gradient_flow.csv", directory);
    int failed = find(file, at, &found, error);
    salvage_free(&found);
    if (!failed)
        return file;
    flow_file_close(file);
    return NULL;
}

int flow_file_add(struct flow_file *file, struct flow_record *at, struct error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    if (file->descriptor < 0 && replace(file, header, sizeof header - 1, error))
        return -1;
    FILE *stream = open_memstream(&bytes, &size);
    if (stream)
        flow_file_print(stream, file->model, at->epoch, &at->curves);
    if (!stream || fclose(stream) != 0) {
        free(bytes);
        return error_set(error, EXIT_CODE_INTERNAL, "%s: no memory for its rows", file->path);
    }
    int failed = file_write_all(file->descriptor, bytes, size) != 0;
    free(bytes);
    if (!failed) {
        file->length += (int64_t)size;
        at->rows += count_rows(&at->curves);
        return 0;
    }
    error_set(error, EXIT_CODE_IO, "%s: rows cannot be written: %s: make room and run the same command again",
        file->path, strerror(errno));
    if (ftruncate(file->descriptor, file->length) != 0)
        return -1; /* a part of them is left: the next start cuts it off */
    return -1;
}

int flow_file_sync(
    struct flow_file *file, struct flow_record *at, char *warning, size_t size, struct error *error)
{
    warning[0] = 0;
    if (file->descriptor < 0)
        return 0;
    const char *why = salvage_find_change(file->path, file->descriptor, file->length);
    if (why) {
        struct salvage found = {.warning = warning, .size = size};
        salvage_add_descriptor(&found, file->descriptor);
        salvage_add_file(&found, file->path);
        int failed = settle(file, at, &found, why, error);
        salvage_free(&found);
        return failed;
    }
    if (file_sync(file->descriptor) == 0)
        return 0;
    return error_set(error, EXIT_CODE_IO, "%s: cannot be made durable: %s", file->path, strerror(errno));
}

void flow_file_close(struct flow_file *file)
{
    if (!file)
        return;
    close_file(file);
    memory_destroy(file);
}
