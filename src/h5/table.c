/* The large sets are contiguous, are given their place in the file when they are created, and are never
 * filled. In HDF5's core driver that costs nothing: memory grows by what is written, not by what has a place.
 * So an image is made of a file of any size, of which HDF5 has written headers and small sets; we write these
 * bytes to the disk at the end, and the rows where HDF5 has placed them. Until then the image stays open, so
 * that columns whose length is known only late find their place too, behind the others.
 *
 * Headers have to lie before the large sets, or the image would reach across them: hence the block that is
 * set aside for headers, in which all of them fit, and the large sets are created last. */
#include "h5/table.h"

#include "base/file.h"
#include "base/memory.h"
#include "h5/image.h"

#include <assert.h>

enum {
    HEADERS = 16 << 10, /* bytes: several times what they need */
    LARGE = 4 << 20,    /* bytes that do not matter in memory */
    PIECE = 1 << 20     /* bytes that are poured at a time */
};

struct column {
    const char *name; /* the caller's, until the start */
    enum h5_number number;
    int is_text; /* of `row` bytes each, not numbers */
    int dimensions;
    int64_t size[3];
    size_t row;     /* bytes */
    int64_t offset; /* in the file */
};

struct h5_table {
    struct h5_image *image; /* open until the file is finished: late columns go into it */
    size_t columns;
    struct column column[H5_TABLE_COLUMNS];
    int begun;
    struct file_writer file;
};

struct h5_table *h5_table_create(struct error *error)
{
    struct h5_table *table = memory_create(1, sizeof *table, error);
    if (!table)
        return NULL;
    table->image = h5_image_create_with(HEADERS, error);
    if (table->image)
        return table;
    memory_destroy(table);
    return NULL;
}

struct h5_image *h5_table_image(struct h5_table *table)
{
    assert(table->image);
    return table->image;
}

/* Gives a set its place in the file. */
static void place(struct h5_image *image, struct column *column)
{
    hid_t space = h5_image_space(column->dimensions, column->size);
    hid_t creation = h5_image_timeless(H5P_DATASET_CREATE), set = -1;
    hid_t type = column->is_text ? h5_image_text_type(column->row) : h5_memory_type(column->number);
    haddr_t offset = HADDR_UNDEF;
    if (space >= 0 && creation >= 0 && type >= 0 && H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0) {
        set = H5Dcreate2(image->file, column->name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
        if (set >= 0) {
            offset = H5Dget_offset(set);
            H5Dclose(set);
        }
    }
    if (set < 0 || (offset == HADDR_UNDEF && column->size[0] > 0)) /* no rows need no place */
        h5_image_fail(image, "set", column->name);
    if (column->is_text && type >= 0)
        H5Tclose(type);
    if (creation >= 0)
        H5Pclose(creation);
    if (space >= 0)
        H5Sclose(space);
    column->offset = (int64_t)offset;
}

/* Takes a column, all but whose place is known. */
static size_t add_column(struct h5_table *table, const struct column *fresh)
{
    assert(table->image && table->columns < H5_TABLE_COLUMNS);
    assert(fresh->size[0] >= 0 && fresh->row > 0 && fresh->size[0] <= INT64_MAX / 4 / (int64_t)fresh->row);
    struct column *column = &table->column[table->columns];
    *column = *fresh;
    if (table->begun) {
        h5_lock(NULL, 0);
        place(table->image, column);
        h5_unlock();
    }
    return table->columns++;
}

size_t h5_table_add(
    struct h5_table *table, const char *name, enum h5_number number, int dimensions, const int64_t *size)
{
    assert(dimensions >= 1 && dimensions <= 3);
    struct column column = {.name = name, .number = number, .dimensions = dimensions};
    column.row = number == H5_FLOAT32 || number == H5_INT32 ? 4 : 8;
    for (int d = 0; d < dimensions; d++) {
        column.size[d] = size[d];
        column.row *= d ? (size_t)size[d] : 1;
    }
    return add_column(table, &column);
}

size_t h5_table_add_texts(struct h5_table *table, const char *name, int64_t rows, size_t width)
{
    return add_column(
        table, &(struct column){.name = name, .is_text = 1, .dimensions = 1, .size = {rows}, .row = width});
}

/* Did HDF5 stay in front of the first large set? (A header behind it is a mistake of ours, see above.) */
static int head_is_small(const struct h5_table *table)
{
    for (size_t c = 0; c < table->columns; c++) {
        const struct column *column = &table->column[c];
        if (column->size[0] * (int64_t)column->row > LARGE &&
            (int64_t)table->image->buffer.size > column->offset + LARGE)
            return 0;
    }
    return 1;
}

/* Places the columns so far, and returns the size of the file that they make. Nothing is flushed, which would
 * fill memory up to that size. */
static int64_t place_columns(struct h5_table *table, struct error *error)
{
    struct h5_image *image = table->image;
    for (size_t c = 0; c < table->columns && image->error.code == 0; c++)
        place(image, &table->column[c]);
    if (image->error.code)
        return error_set(error, (enum exit_code)image->error.code, "%s", image->error.text);
    int64_t size = H5Fget_file_image(image->file, NULL, 0);
    return size < 0 ? h5_failed(NULL, error, "cannot be finished") : size;
}

int h5_table_start(struct h5_table *table, const char *path, struct error *error)
{
    assert(table->image && !table->begun);
    h5_lock(NULL, 0);
    int64_t size = place_columns(table, error);
    h5_unlock();
    if (size < 0 ||
        (path ? file_begin(&table->file, path, error)
              : file_begin_apart(&table->file, "hdf5-to-pour", error)))
        return -1;
    table->begun = 1;
    return file_reserve(&table->file, size, error);
}

/* Lets HDF5 finish, and takes the bytes it wrote from it: *n from the beginning of a file of *size. */
static int close_image(struct h5_table *table, size_t *n, int64_t *size, struct error *error)
{
    struct h5_image *image = table->image;
    if (image->error.code)
        return error_set(error, (enum exit_code)image->error.code, "%s", image->error.text);
    *size = H5Fget_file_image(image->file, NULL, 0);
    if (*size < 0 || H5Fclose(image->file) < 0)
        return h5_failed(NULL, error, "cannot be finished");
    image->file = -1;
    assert(image->buffer.kept && head_is_small(table));
    *n = image->buffer.size < (size_t)*size ? image->buffer.size : (size_t)*size;
    return 0;
}

int h5_table_write(struct h5_table *table, size_t column, int64_t first, int64_t rows, const void *values,
    struct error *error)
{
    assert(table->begun && column < table->columns);
    const struct column *c = &table->column[column];
    assert(first >= 0 && rows >= 0 && first <= c->size[0] - rows);
    return file_write(
        &table->file, values, (size_t)rows * c->row, c->offset + first * (int64_t)c->row, error);
}

/* The column that begins first at or behind `at`, NULL where none does. */
static const struct column *next_column(const struct h5_table *table, size_t at)
{
    const struct column *next = NULL;
    for (size_t c = 0; c < table->columns; c++) {
        const struct column *column = &table->column[c];
        if (column->size[0] > 0 && (size_t)column->offset >= at && (!next || column->offset < next->offset))
            next = column;
    }
    return next;
}

/* What HDF5 has written, all but the places of the columns: it knows nothing of their rows. */
static int write_head(struct h5_table *table, size_t n, struct error *error)
{
    const char *bytes = table->image->buffer.bytes;
    for (size_t at = 0; at < n;) {
        const struct column *column = next_column(table, at);
        size_t end = column && (size_t)column->offset < n ? (size_t)column->offset : n;
        if (file_write(&table->file, bytes + at, end - at, (int64_t)at, error))
            return -1;
        at = column ? (size_t)column->offset + (size_t)column->size[0] * column->row : n;
    }
    return 0;
}

/* Completes the file, of *size bytes, but for its name. */
static int complete(struct h5_table *table, int64_t *size, struct error *error)
{
    assert(table->begun);
    size_t n = 0;
    h5_lock(NULL, 0);
    int failed = close_image(table, &n, size, error);
    h5_unlock();
    return failed || file_reserve(&table->file, *size, error) || write_head(table, n, error) ? -1 : 0;
}

int h5_table_finish(struct h5_table *table, struct error *error)
{
    int64_t size = 0;
    int failed = complete(table, &size, error);
    if (!failed) {
        table->begun = 0;
        failed = file_commit(&table->file, error);
    }
    h5_table_destroy(table);
    return failed ? -1 : 0;
}

int h5_table_pour(struct h5_table *table,
    int (*write)(void *context, const void *bytes, size_t size, struct error *error), void *context,
    struct error *error)
{
    int64_t size = 0;
    char *piece = memory_create(PIECE, 1, error);
    int failed = !piece || complete(table, &size, error);
    for (int64_t at = 0; at < size && !failed; at += PIECE) {
        size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;
        failed = file_read_back(&table->file, piece, n, at, error) || write(context, piece, n, error);
    }
    memory_destroy(piece);
    h5_table_destroy(table);
    return failed ? -1 : 0;
}

void h5_table_destroy(struct h5_table *table)
{
    if (!table)
        return;
    h5_image_destroy(table->image);
    if (table->begun)
        file_abandon(&table->file);
    memory_destroy(table);
}
