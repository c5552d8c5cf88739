#include "data/import/part.h"

#include "base/memory.h"
#include "h5/h5.h"

#include <string.h>
#include <sys/stat.h>

enum { BLOCK = 4096 /* rows of offsets or names */ };

int import_part_init(struct import_part *part, char *path, struct error *error)
{
    struct stat status;
    *part = (struct import_part){.path = path};
    part->lengths.path = part->inputs.path = part->target_lengths.path = part->target_values.path =
        part->names.path = path;
    if (stat(path, &status))
        return 0;
    if (S_ISDIR(status.st_mode))
        return error_set(error, EXIT_CODE_IO, "%s: is a folder: name a file", path);
    if (!h5_has_signature(path))
        return error_set(error, EXIT_CODE_IO,
            "%s: is there and is no dataset, so it is not replaced: name another file, or remove it", path);
    part->replaces = 1;
    return 0;
}

void import_part_finish(struct import_part *part)
{
    spool_finish(&part->lengths);
    spool_finish(&part->inputs);
    spool_finish(&part->target_lengths);
    spool_finish(&part->target_values);
    spool_finish(&part->names);
    h5_table_destroy(part->table);
    memory_destroy(part->path);
    *part = (struct import_part){0};
}

int import_part_end(
    struct import_part *part, int64_t frames, int64_t targets, const char *name, struct error *error)
{
    size_t n = strlen(name);
    if (spool_write(&part->lengths, &frames, sizeof frames, error) ||
        spool_write(&part->target_lengths, &targets, sizeof targets, error) ||
        spool_write(&part->names, &n, sizeof n, error) || spool_write(&part->names, name, n, error))
        return -1;
    part->longest_name = n > part->longest_name ? n : part->longest_name;
    part->sequences++;
    part->frames += frames;
    part->targets += targets;
    return 0;
}

int import_part_write_offsets(
    struct import_part *part, struct spool *lengths, size_t column, struct error *error)
{
    int64_t offset[BLOCK + 1] = {0}, rows;
    if (spool_rewind(lengths, error))
        return -1;
    for (int64_t first = 0; first < part->sequences; first += rows) {
        rows = part->sequences - first < BLOCK ? part->sequences - first : BLOCK;
        if (spool_read(lengths, offset + 1, (size_t)rows * sizeof *offset, error))
            return -1;
        for (int64_t r = 0; r < rows; r++)
            offset[r + 1] += offset[r];
        if (h5_table_write(part->table, column, first, rows + 1, offset, error))
            return -1;
        offset[0] = offset[rows];
    }
    return 0;
}

static int read_name(struct import_part *part, char *name, struct error *error)
{
    size_t n;
    return spool_read(&part->names, &n, sizeof n, error) || spool_read(&part->names, name, n, error) ? -1 : 0;
}

int import_part_write_names(struct import_part *part, size_t column, struct error *error)
{
    size_t width = part->longest_name;
    char *block = memory_create(BLOCK, width, error);
    int failed = !block || spool_rewind(&part->names, error);
    for (int64_t first = 0, rows; !failed && first < part->sequences; first += rows) {
        rows = part->sequences - first < BLOCK ? part->sequences - first : BLOCK;
        memset(block, 0, (size_t)rows * width);
        for (int64_t r = 0; r < rows && !failed; r++)
            failed = read_name(part, block + (size_t)r * width, error);
        failed = failed || h5_table_write(part->table, column, first, rows, block, error);
    }
    memory_destroy(block);
    return failed ? -1 : 0;
}
