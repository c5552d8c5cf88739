#include "data/import/netcdf.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCK = 1024, CACHE_BYTES = 16 << 20 };

int netcdf_open(struct netcdf *netcdf, const char *path, struct error *error)
{
    struct netcdf opened = {.name = text_copy(path, error)};
    int outcome = opened.name ? 0 : -1;
    if (outcome == 0 && h5_has_signature(path)) {
        opened.h5 = h5_open(path, CACHE_BYTES, error);
        outcome = opened.h5 ? 0 : -1;
    } else if (outcome == 0) {
        outcome = classic_open(&opened.classic, path, error);
    }
    if (outcome != 0) {
        netcdf_close(&opened);
        return -1;
    }
    *netcdf = opened;
    return 0;
}

void netcdf_close(struct netcdf *netcdf)
{
    h5_close(netcdf->h5);
    classic_close(&netcdf->classic);
    memory_destroy(netcdf->name);
    *netcdf = (struct netcdf){.h5 = NULL};
}

/* In HDF5 a dimension is a set of its length, with or without values. */
int netcdf_find_dimension(struct netcdf *netcdf, const char *name, int64_t *size, struct error *error)
{
    if (!netcdf->h5) {
        const struct classic_dimension *dimension = classic_find_dimension(&netcdf->classic, name);
        if (dimension)
            *size = dimension->size;
        return dimension != NULL;
    }
    if (!h5_has(netcdf->h5, name))
        return 0;
    return h5_look_at_length(netcdf->h5, name, size, error) != 0 ? -1 : 1;
}

static int refuse_shape(const struct netcdf *netcdf, const char *name, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s should be a variable of one or two dimensions, of numbers or characters", netcdf->name, name);
}

static int find_classic(
    struct netcdf *netcdf, const char *name, struct netcdf_variable *variable, struct error *error)
{
    const struct classic_variable *found = classic_find_variable(&netcdf->classic, name);
    if (!found)
        return 0;
    if (found->dimensions < 1 || found->dimensions > 2)
        return refuse_shape(netcdf, name, error);
    int is_real = found->type == CLASSIC_FLOAT || found->type == CLASSIC_DOUBLE;
    *variable = (struct netcdf_variable){name,
        found->type == CLASSIC_CHAR ? NETCDF_CHARACTERS
            : is_real               ? NETCDF_FLOATS
                                    : NETCDF_INTEGERS,
        found->size[0], classic_width(found), found->dimensions, found};
    return classic_check(&netcdf->classic, found, error) != 0 ? -1 : 1;
}

static int find_h5(
    struct netcdf *netcdf, const char *name, struct netcdf_variable *variable, struct error *error)
{
    struct h5_shape shape;
    if (!h5_has(netcdf->h5, name))
        return 0;
    if (h5_look(netcdf->h5, name, &shape, error) != 0)
        return -1;
    int is_text = shape.kind == H5_TEXT;
    if (shape.dimensions < 1 || shape.dimensions > 2 || shape.kind == H5_OTHER ||
        (is_text && shape.dimensions == 2 && shape.bytes != 1))
        return refuse_shape(netcdf, name, error);
    *variable = (struct netcdf_variable){name,
        is_text                        ? shape.dimensions == 2 ? NETCDF_CHARACTERS : NETCDF_STRINGS
            : shape.kind == H5_INTEGER ? NETCDF_INTEGERS
                                       : NETCDF_FLOATS,
        shape.size[0], shape.dimensions == 2 ? shape.size[1] : 1, shape.dimensions, NULL};
    return 1;
}

int netcdf_find(
    struct netcdf *netcdf, const char *name, struct netcdf_variable *variable, struct error *error)
{
    int found =
        netcdf->h5 ? find_h5(netcdf, name, variable, error) : find_classic(netcdf, name, variable, error);
    if (found > 0 && (variable->width < 1 || variable->width > NETCDF_MOST_WIDTH))
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s has rows of %" PRId64 " elements: from 1 to %d can be read", netcdf->name, name,
            variable->width, NETCDF_MOST_WIDTH);
    return found;
}

/* Reads one row a piece at a time where it is classic: its numbers come as doubles. */
static int read_row(struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t row, float *out,
    struct error *error)
{
    double *values = memory_create((size_t)variable->width, sizeof *values, error);
    int outcome =
        values ? classic_read_numbers(&netcdf->classic, variable->classic, row, 1, values, error) : -1;
    for (int64_t i = 0; outcome == 0 && i < variable->width; i++)
        out[i] = (float)values[i];
    memory_destroy(values);
    return outcome;
}

int netcdf_read_floats(struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t first,
    int64_t rows, float *out, struct error *error)
{
    if (netcdf->h5)
        return h5_read_floats(netcdf->h5, variable->name, first, rows, out, error);
    for (int64_t r = 0; r < rows; r++)
        if (read_row(netcdf, variable, first + r, out + r * variable->width, error) != 0)
            return -1;
    return 0;
}

int netcdf_read_integers(struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t first,
    int64_t rows, int64_t *out, struct error *error)
{
    if (variable->kind != NETCDF_INTEGERS || variable->dimensions != 1)
        return error_set(
            error, EXIT_CODE_DATA, "%s: %s should be one integer a row", netcdf->name, variable->name);
    if (netcdf->h5)
        return h5_read_integers(netcdf->h5, variable->name, first, rows, out, error);
    double values[BLOCK];
    for (int64_t done = 0; done < rows; done += BLOCK) {
        int64_t some = rows - done < BLOCK ? rows - done : BLOCK;
        if (classic_read_numbers(&netcdf->classic, variable->classic, first + done, some, values, error) != 0)
            return -1;
        for (int64_t i = 0; i < some; i++)
            out[done + i] = (int64_t)values[i];
    }
    return 0;
}

/* The bytes of a row, with a zero byte behind them. */
static char *read_bytes(
    struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t row, struct error *error)
{
    char **texts = NULL, *text;
    if (variable->kind == NETCDF_STRINGS) {
        if (h5_read_any_texts(netcdf->h5, variable->name, row, 1, &texts, error) != 0)
            return NULL;
        text = text_copy(texts[0], error);
        memory_destroy(texts);
        return text;
    }
    text = memory_create((size_t)variable->width + 1, 1, error);
    if (!text)
        return NULL;
    int outcome = netcdf->h5 ? h5_read_characters(netcdf->h5, variable->name, row, 1, text, error)
                             : classic_read_characters(&netcdf->classic, variable->classic, row, text, error);
    if (outcome == 0)
        return text;
    memory_destroy(text);
    return NULL;
}

char *netcdf_read_text(
    struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t row, struct error *error)
{
    if (variable->kind != NETCDF_CHARACTERS && variable->kind != NETCDF_STRINGS) {
        error_set(error, EXIT_CODE_DATA, "%s: %s should be text", netcdf->name, variable->name);
        return NULL;
    }
    char *text = read_bytes(netcdf, variable, row, error);
    if (!text || text_is_utf8(text, strlen(text)))
        return text;
    memory_destroy(text);
    error_set(error, EXIT_CODE_DATA, "%s: %s: row %" PRId64 " is not UTF-8: write the file anew in UTF-8",
        netcdf->name, variable->name, row);
    return NULL;
}
