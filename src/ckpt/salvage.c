/* A line counts where it is a row of the plan, wherever it stands: lines ends of another system, zeroes that
 * a writer left behind a cut, and foreign lines do no harm. */
#include "ckpt/salvage.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *salvage_find_change(const char *path, int descriptor, int64_t length)
{
    struct stat named, open;
    if (lstat(path, &named) != 0)
        return errno == ENOENT ? "was removed while the run wrote it" : NULL;
    if (fstat(descriptor, &open) != 0)
        return NULL;
    if (named.st_dev != open.st_dev || named.st_ino != open.st_ino)
        return "was replaced while the run wrote it";
    return open.st_size == length ? NULL : "was changed while the run wrote it";
}

void salvage_free(struct salvage *salvage)
{
    for (size_t i = 0; i < salvage->texts; i++)
        memory_destroy(salvage->text[i]);
    salvage->texts = 0;
}

void salvage_add_descriptor(struct salvage *salvage, int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    size_t size = (size_t)status.st_size, done = 0;
    char *text = memory_create(size + 1, 1, NULL);
    if (!text)
        return;
    for (ssize_t n; done < size; done += (size_t)n)
        if ((n = pread(descriptor, text + done, size - done, (off_t)done)) <= 0)
            break;
    salvage->text[salvage->texts] = text;
    salvage->length[salvage->texts++] = done;
}

void salvage_add_file(struct salvage *salvage, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return;
    salvage_add_descriptor(salvage, descriptor);
    close(descriptor);
}

/* Puts the rows of a text in their places, which begin as NULL. */
static void pick_rows(char *text, size_t length, const struct row_plan *plan, const char **row)
{
    for (char *line = text, *end; line < text + length; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + length - line));
        if (!end)
            return; /* a row without its end may be cut short */
        *end = 0;
        while (line < end && !*line)
            line++;
        line[strcspn(line, "\r")] = 0;
        struct row_key key;
        int64_t place = rows_parse(line, &key) && !key.empty ? rows_find_place(plan, &key) : -1;
        if (place >= 0 && !row[place])
            row[place] = line;
    }
}

/* Returns the number of rows that are lost. */
static int64_t write_rows(FILE *stream, const struct row_plan *plan, const char *const *row)
{
    int64_t lost = 0;
    fputs(rows_header, stream);
    for (int64_t place = 0; place < plan->rows; place++) {
        struct row_key key;
        rows_at_place(plan, place, &key);
        if (row[place])
            fprintf(stream, "%s\n", row[place]);
        else
            fprintf(stream, "%" PRId64 ",%" PRId64 ",%s,,,,,,,,,,\n", key.step, key.epoch,
                key.valid ? "valid" : "train");
        lost += !row[place];
    }
    return lost;
}

char *salvage_finish(struct salvage *salvage, const struct row_plan *plan, size_t *size, int64_t *lost)
{
    char *bytes = NULL;
    const char **row = memory_create((size_t)plan->rows, sizeof *row, NULL);
    if (!row)
        return NULL;
    for (size_t i = 0; i < salvage->texts; i++)
        pick_rows(salvage->text[i], salvage->length[i], plan, row);
    FILE *stream = open_memstream(&bytes, size);
    if (stream)
        *lost = write_rows(stream, plan, row);
    memory_destroy(row);
    if (!stream || fclose(stream) == 0)
        return bytes;
    free(bytes);
    return NULL;
}

void salvage_tell(
    struct salvage *salvage, const char *path, const char *why, const struct row_plan *plan, int64_t lost)
{
    if (lost)
        snprintf(salvage->warning, salvage->size,
            "%.600s: %s: made anew of what there was: %" PRId64 " of its %" PRId64
            " rows cannot be had again, and stand there without figures",
            path, why, lost, plan->rows);
    else
        snprintf(salvage->warning, salvage->size,
            "%.600s: %s: made anew of what there was, with all of its %" PRId64 " rows", path, why,
            plan->rows);
}
