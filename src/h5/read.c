/* Numbers by rows. HDF5 converts between widths and byte orders; a value that does not fit becomes the
 * nearest that does. */
#include "h5/internal.h"

#include <inttypes.h>
#include <stdio.h>

int h5_check_rows(
    const struct h5_file *file, const struct h5_set *set, int64_t first, int64_t rows, struct error *error)
{
    int64_t all = set->shape.dimensions ? set->shape.size[0] : 1;
    if (first >= 0 && rows >= 0 && first <= all && rows <= all - first)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: set /%s has %lld rows: %lld rows from row %lld on are not in it", file->name, set->name,
        (long long)all, (long long)rows, (long long)first);
}

/* Rows as a reader asks for them. */
struct request {
    const char *name;
    int64_t first, rows;
    enum h5_number type;
    void *out;
};

hid_t h5_memory_type(enum h5_number number)
{
    switch (number) {
    case H5_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case H5_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    case H5_INT32:
        return H5T_NATIVE_INT32;
    default:
        return H5T_NATIVE_INT64;
    }
}

static int check_kind(const struct h5_file *file, const struct h5_set *set, int integers, struct error *error)
{
    if (set->shape.kind == H5_INTEGER || (set->shape.kind == H5_FLOAT && !integers))
        return 0;
    return error_set(error, EXIT_CODE_DATA, "%s: set /%s holds %s where %s belong", file->name, set->name,
        set->shape.what, integers ? "integers" : "numbers");
}

static int read_locked(struct h5_file *file, const struct request *request, struct error *error)
{
    int integers = request->type == H5_INT32 || request->type == H5_INT64;
    struct h5_set *set = h5_find_set(file, request->name, error);
    if (!set || check_kind(file, set, integers, error) != 0 ||
        h5_check_rows(file, set, request->first, request->rows, error) != 0)
        return -1;
    if (request->rows == 0)
        return 0;
    h5_expect_values();
    if (h5_read_rows(set, h5_memory_type(request->type), request->first, request->rows, request->out) == 0)
        return 0;
    return h5_unread(file, set, request->first, request->rows, error);
}

static int read_numbers(struct h5_file *file, const struct request *request, struct error *error)
{
    h5_lock(file->name, file->bytes);
    int outcome = read_locked(file, request, error);
    h5_unlock();
    return outcome;
}

int h5_read_floats(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, float *out, struct error *error)
{
    struct request request = {name, first, rows, H5_FLOAT32, out};
    return read_numbers(file, &request, error);
}

int h5_read_doubles(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, double *out, struct error *error)
{
    struct request request = {name, first, rows, H5_FLOAT64, out};
    return read_numbers(file, &request, error);
}

int h5_read_integers(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, int64_t *out, struct error *error)
{
    struct request request = {name, first, rows, H5_INT64, out};
    return read_numbers(file, &request, error);
}

int h5_read_int32(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, int32_t *out, struct error *error)
{
    struct request request = {name, first, rows, H5_INT32, out};
    return read_numbers(file, &request, error);
}

/* The lock is held. */
static int write_integer(struct h5_file *file, const char *name, int64_t row, char text[H5_INTEGER_TEXT])
{
    struct error error;
    struct h5_set *set = h5_find_set(file, name, &error);
    hid_t type =
        set && set->shape.kind == H5_INTEGER && set->shape.dimensions == 1 ? H5Dget_type(set->id) : -1;
    if (type < 0)
        return -1;
    int positive = H5Tget_sign(type) == H5T_SGN_NONE;
    uint64_t value = 0;
    H5Tclose(type);
    if (h5_check_rows(file, set, row, 1, &error) != 0 ||
        h5_read_rows(set, positive ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64, row, 1, &value) != 0)
        return -1;
    if (positive)
        snprintf(text, H5_INTEGER_TEXT, "%" PRIu64, value);
    else
        snprintf(text, H5_INTEGER_TEXT, "%" PRId64, (int64_t)value);
    return 0;
}

int h5_write_integer(struct h5_file *file, const char *name, int64_t row, char text[H5_INTEGER_TEXT])
{
    h5_lock(file->name, file->bytes);
    int outcome = write_integer(file, name, row, text);
    h5_unlock();
    return outcome;
}
