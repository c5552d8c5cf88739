/* The header lists dimensions, attributes and variables, each with a tag and a count. Values of a variable
 * lie in one piece, row by row, but those whose first dimension grows: of these the first rows of all lie
 * side by side, then the second rows, and so on. Everything has its highest byte first and is padded to four
 * bytes. */
#include "data/import/netcdf_classic.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_DIMENSION = 10, TAG_VARIABLE = 11, TAG_ATTRIBUTE = 12, BLOCK = 4096 };

static int refuse(const struct classic_file *classic, const char *what, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA,
        "%s: its NetCDF header, before byte %" PRId64 ", %s: it is damaged", classic->file.path,
        classic->file.at, what);
}

/* ---- the header ---- */

static int read_32(struct classic_file *classic, uint32_t *value, struct error *error)
{
    unsigned char bytes[4];
    if (bounded_read(&classic->file, bytes, sizeof bytes, "a NetCDF header", error) != 0)
        return -1;
    *value = bounded_big_32(bytes);
    return 0;
}

/* A number of 32 bits, or of 64 where `wide`; not negative. */
static int read_number(struct classic_file *classic, int wide, int64_t *value, struct error *error)
{
    uint32_t high = 0, low = 0;
    if ((wide && read_32(classic, &high, error) != 0) || read_32(classic, &low, error) != 0)
        return -1;
    if ((wide ? high : low) > INT32_MAX)
        return refuse(classic, "has a negative number", error);
    *value = (int64_t)((uint64_t)high << 32 | low);
    return 0;
}

static int read_count(struct classic_file *classic, int64_t *value, struct error *error)
{
    return read_number(classic, classic->version == 5, value, error);
}

static int skip(struct classic_file *classic, int64_t count, int64_t each, struct error *error)
{
    if (bounded_require(&classic->file, (uint64_t)count, (uint64_t)each, "a NetCDF header", error) != 0)
        return -1;
    int64_t padded = (count * each + 3) / 4 * 4;
    return bounded_seek(&classic->file, classic->file.at + padded, error);
}

static int read_name(struct classic_file *classic, char name[CLASSIC_NAME_BYTES], struct error *error)
{
    int64_t n = 0;
    if (read_count(classic, &n, error) != 0)
        return -1;
    if (n >= CLASSIC_NAME_BYTES)
        return refuse(classic, "has a name of more than 256 bytes", error);
    if (bounded_read(&classic->file, name, (size_t)n, "a NetCDF header", error) != 0)
        return -1;
    name[n] = 0;
    return bounded_seek(&classic->file, classic->file.at + (4 - n % 4) % 4, error);
}

/* Reads the tag and the count of a list. Of no list there are zeroes. Each item takes 8 bytes at least. */
static int read_list(struct classic_file *classic, uint32_t wanted, int64_t *n, struct error *error)
{
    uint32_t tag = 0;
    if (read_32(classic, &tag, error) != 0 || read_count(classic, n, error) != 0)
        return -1;
    if (tag != wanted && (tag != 0 || *n != 0))
        return refuse(classic, "has no list where one should be", error);
    return bounded_require(&classic->file, (uint64_t)*n, 8, "a NetCDF header", error);
}

static int64_t bytes_of(uint32_t type)
{
    static const int bytes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    return type < sizeof bytes / sizeof *bytes ? bytes[type] : 0;
}

static int read_type(struct classic_file *classic, uint32_t *type, struct error *error)
{
    if (read_32(classic, type, error) != 0)
        return -1;
    return bytes_of(*type) ? 0 : refuse(classic, "has a type that is none", error);
}

static int skip_attributes(struct classic_file *classic, struct error *error)
{
    char name[CLASSIC_NAME_BYTES];
    int64_t n = 0, elements = 0;
    uint32_t type = 0;
    if (read_list(classic, TAG_ATTRIBUTE, &n, error) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        if (read_name(classic, name, error) != 0 || read_type(classic, &type, error) != 0 ||
            read_count(classic, &elements, error) != 0 || skip(classic, elements, bytes_of(type), error) != 0)
            return -1;
    return 0;
}

static int read_dimension(struct classic_file *classic, struct error *error)
{
    struct classic_dimension read = {.size = 0};
    if (read_name(classic, read.name, error) != 0 || read_count(classic, &read.size, error) != 0)
        return -1;
    read.is_record = read.size == 0;
    struct classic_dimension *wider =
        array_grow(classic->dimension, &classic->dimension_room, classic->dimensions, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "%s: out of memory for its header", classic->file.path);
    classic->dimension = wider;
    classic->dimension[classic->dimensions++] = read;
    return 0;
}

/* Of a variable of more dimensions than are known here the sizes behind are multiplied into the last. */
static int read_sizes(struct classic_file *classic, struct classic_variable *variable, struct error *error)
{
    int64_t n = 0, place = 0;
    if (read_count(classic, &n, error) != 0 ||
        bounded_require(&classic->file, (uint64_t)n, 4, "a NetCDF header", error) != 0)
        return -1;
    variable->dimensions = n > CLASSIC_MOST_DIMENSIONS ? CLASSIC_MOST_DIMENSIONS + 1 : (int)n;
    for (int64_t d = 0; d < n; d++) {
        if (read_count(classic, &place, error) != 0)
            return -1;
        if ((uint64_t)place >= classic->dimensions)
            return refuse(classic, "has a variable of a dimension that is not there", error);
        const struct classic_dimension *dimension = &classic->dimension[place];
        if (d == 0)
            variable->is_record = dimension->is_record;
        else if (dimension->is_record)
            return refuse(classic, "has a variable of which an inner dimension grows", error);
        int64_t *last = &variable->size[CLASSIC_MOST_DIMENSIONS - 1];
        if (d < CLASSIC_MOST_DIMENSIONS)
            variable->size[d] = dimension->size;
        else if (*last < 1 || dimension->size > INT64_MAX / 8 / *last)
            return refuse(classic, "has a variable that is too large", error);
        else
            *last *= dimension->size;
    }
    return 0;
}

/* Bytes of a row, without padding; -1: more than any file has. */
static int64_t row_bytes(const struct classic_variable *variable)
{
    int64_t bytes = bytes_of(variable->type);
    int most =
        variable->dimensions > CLASSIC_MOST_DIMENSIONS ? CLASSIC_MOST_DIMENSIONS : variable->dimensions;
    for (int d = 1; d < most; d++) {
        if (bytes < 1 || variable->size[d] > INT64_MAX / 16 / bytes)
            return -1;
        bytes *= variable->size[d];
    }
    return bytes;
}

static int read_variable(struct classic_file *classic, struct error *error)
{
    struct classic_variable read = {.size = {0}};
    uint32_t type = 0;
    int64_t size;
    if (read_name(classic, read.name, error) != 0 || read_sizes(classic, &read, error) != 0 ||
        skip_attributes(classic, error) != 0 || read_type(classic, &type, error) != 0)
        return -1;
    /* The size of a large variable does not fit its field and says nothing then. */
    uint32_t low;
    int outcome = classic->version == 5 ? read_count(classic, &size, error) : read_32(classic, &low, error);
    if (outcome != 0 || read_number(classic, classic->version != 1, &read.begin, error) != 0)
        return -1;
    read.type = (enum classic_type)type;
    read.stride = row_bytes(&read);
    if (read.stride < 0)
        return refuse(classic, "has a variable that is too large", error);
    struct classic_variable *wider =
        array_grow(classic->variable, &classic->variable_room, classic->variables, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "%s: out of memory for its header", classic->file.path);
    classic->variable = wider;
    classic->variable[classic->variables++] = read;
    return 0;
}

/* The rows of all variables that grow make a record; a single one of them is not padded. */
static int place_records(struct classic_file *classic, struct error *error)
{
    int64_t bytes = 0, begin = INT64_MAX, growing = 0;
    for (size_t v = 0; v < classic->variables; v++) {
        const struct classic_variable *variable = &classic->variable[v];
        if (!variable->is_record)
            continue;
        if (variable->stride > INT64_MAX / 16 - bytes)
            return refuse(classic, "has records that are too large", error);
        bytes += (variable->stride + 3) / 4 * 4;
        growing++;
        begin = variable->begin < begin ? variable->begin : begin;
    }
    if (classic->records < 0)
        classic->records = bytes && begin < classic->file.size ? (classic->file.size - begin) / bytes : 0;
    for (size_t v = 0; v < classic->variables; v++)
        if (classic->variable[v].is_record) {
            classic->variable[v].size[0] = classic->records;
            if (growing > 1)
                classic->variable[v].stride = bytes;
        }
    for (size_t d = 0; d < classic->dimensions; d++)
        if (classic->dimension[d].is_record)
            classic->dimension[d].size = classic->records;
    return 0;
}

static int read_records(struct classic_file *classic, struct error *error)
{
    uint32_t high = UINT32_MAX, low = 0;
    if ((classic->version == 5 && read_32(classic, &high, error) != 0) || read_32(classic, &low, error) != 0)
        return -1;
    if (high == UINT32_MAX && low == UINT32_MAX)
        classic->records = -1;
    else if ((classic->version == 5 ? high : low) > INT32_MAX)
        return refuse(classic, "has a negative number", error);
    else
        classic->records = (int64_t)((classic->version == 5 ? (uint64_t)high << 32 : 0) | low);
    return 0;
}

static int read_header(struct classic_file *classic, struct error *error)
{
    unsigned char magic[4] = {0};
    int64_t n = 0;
    if (bounded_read(&classic->file, magic, sizeof magic, "a NetCDF header", error) != 0)
        return -1;
    classic->version = magic[3];
    if (memcmp(magic, "CDF", 3) != 0 || (magic[3] != 1 && magic[3] != 2 && magic[3] != 5))
        return error_set(error, EXIT_CODE_DATA, "%s: is no NetCDF file", classic->file.path);
    if (read_records(classic, error) != 0 || read_list(classic, TAG_DIMENSION, &n, error) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        if (read_dimension(classic, error) != 0)
            return -1;
    if (skip_attributes(classic, error) != 0 || read_list(classic, TAG_VARIABLE, &n, error) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        if (read_variable(classic, error) != 0)
            return -1;
    return place_records(classic, error);
}

int classic_open(struct classic_file *classic, const char *path, struct error *error)
{
    struct classic_file opened = {.version = 0};
    if (bounded_open(&opened.file, path, "a NetCDF file", error) != 0)
        return -1;
    if (read_header(&opened, error) != 0) {
        classic_close(&opened);
        return -1;
    }
    *classic = opened;
    return 0;
}

void classic_close(struct classic_file *classic)
{
    bounded_close(&classic->file);
    free(classic->dimension);
    free(classic->variable);
    *classic = (struct classic_file){.version = 0};
}

const struct classic_dimension *classic_find_dimension(const struct classic_file *classic, const char *name)
{
    for (size_t d = 0; d < classic->dimensions; d++)
        if (strcmp(classic->dimension[d].name, name) == 0)
            return &classic->dimension[d];
    return NULL;
}

const struct classic_variable *classic_find_variable(const struct classic_file *classic, const char *name)
{
    for (size_t v = 0; v < classic->variables; v++)
        if (strcmp(classic->variable[v].name, name) == 0)
            return &classic->variable[v];
    return NULL;
}

/* ---- values ---- */

int64_t classic_width(const struct classic_variable *variable)
{
    int64_t each = bytes_of(variable->type);
    return each ? row_bytes(variable) / each : 0;
}

int classic_check(struct classic_file *classic, const struct classic_variable *variable, struct error *error)
{
    int64_t rows = variable->dimensions ? variable->size[0] : 1, row = row_bytes(variable);
    int64_t room = classic->file.size - variable->begin - row;
    if (rows == 0 || row == 0)
        return 0;
    if (room >= 0 && (variable->stride == 0 || rows - 1 <= room / variable->stride))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s has %" PRId64 " rows of %" PRId64 " bytes from byte %" PRId64 " on, but the file has %" PRId64
        ": it is damaged or cut off, copy it again",
        classic->file.path, variable->name, rows, row, variable->begin, classic->file.size);
}

static double take_number(const unsigned char *bytes, enum classic_type type)
{
    double value;
    uint64_t wide = 0;
    if (bytes_of(type) == 8)
        wide = (uint64_t)bounded_big_32(bytes) << 32 | bounded_big_32(bytes + 4);
    switch (type) {
    case CLASSIC_BYTE:
        return bytes[0] < 128 ? bytes[0] : bytes[0] - 256;
    case CLASSIC_SHORT:
        return (int16_t)bounded_big_16(bytes);
    case CLASSIC_INT:
        return (int32_t)bounded_big_32(bytes);
    case CLASSIC_FLOAT:
        return bounded_float(bounded_big_32(bytes));
    case CLASSIC_DOUBLE:
        memcpy(&value, &wide, sizeof value);
        return value;
    case CLASSIC_USHORT:
        return bounded_big_16(bytes);
    case CLASSIC_UINT:
        return bounded_big_32(bytes);
    case CLASSIC_INT64:
        return (double)(int64_t)wide;
    case CLASSIC_UINT64:
        return (double)wide;
    default:
        return bytes[0];
    }
}

int classic_read_numbers(struct classic_file *classic, const struct classic_variable *variable, int64_t first,
    int64_t rows, double *out, struct error *error)
{
    unsigned char block[BLOCK];
    int64_t each = bytes_of(variable->type), width = classic_width(variable), most = BLOCK / each;
    for (int64_t r = first; r < first + rows; r++) {
        if (bounded_seek(&classic->file, variable->begin + r * variable->stride, error) != 0)
            return -1;
        for (int64_t done = 0; done < width; done += most) {
            int64_t some = width - done < most ? width - done : most;
            if (bounded_read(&classic->file, block, (size_t)(some * each), variable->name, error) != 0)
                return -1;
            for (int64_t i = 0; i < some; i++)
                *out++ = take_number(block + i * each, variable->type);
        }
    }
    return 0;
}

int classic_read_characters(struct classic_file *classic, const struct classic_variable *variable,
    int64_t row, char *out, struct error *error)
{
    if (bounded_seek(&classic->file, variable->begin + row * variable->stride, error) != 0)
        return -1;
    return bounded_read(&classic->file, out, (size_t)classic_width(variable), variable->name, error);
}
