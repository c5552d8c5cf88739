/* The header is a Python dictionary with three entries, of which any order and any blanks are taken. */
#include "data/import/array.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef HAVE_LIBZIP
#include <zip.h>
#endif

enum { MOST_HEADER = 64 << 10 };

int import_array_refuse(const struct import_array *array, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    import_set_file(array->import, array->path);
    import_refuse(array->import, "%s", text);
    import_set_file(array->import, NULL);
    return -1;
}

/* ---- bytes ---- */

int import_array_read_bytes(struct import_array *array, void *bytes, size_t size)
{
    if (array->file) {
        if (fread(bytes, 1, size, array->file) == size)
            return 0;
        if (ferror(array->file)) {
            import_set_file(array->import, array->path);
            import_refuse_reading(array->import);
            import_set_file(array->import, NULL);
            return -1;
        }
    }
#ifdef HAVE_LIBZIP
    size_t done = 0;
    while (array->member && done < size) {
        zip_int64_t n = zip_fread(array->member, (char *)bytes + done, size - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (array->member && done == size) {
        /* The sum of the bytes is looked at where something is read behind the last of them. */
        char behind;
        array->left -= size;
        if (array->left || zip_fread(array->member, &behind, 1) == 0)
            return 0;
    }
#endif
    return import_array_refuse(array, "ends too early, or is damaged");
}

/* ---- the header ---- */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* Reads a word in quotes; NULL: there is none, or it is too long. */
static const char *read_word(const char *text, char word[32])
{
    char quote = *text;
    size_t n = quote == '\'' || quote == '"' ? strcspn(text + 1, quote == '"' ? "\"" : "'") : 32;
    if (n >= 32 || text[n + 1] != quote)
        return NULL;
    memcpy(word, text + 1, n);
    word[n] = 0;
    return text + n + 2;
}

static const char *read_shape(struct import_array *array, const char *text)
{
    if (*text++ != '(')
        return NULL;
    array->dimensions = 0;
    for (text = skip_blanks(text); *text != ')'; text = skip_blanks(text)) {
        char *end;
        if (*text < '0' || *text > '9' || array->dimensions == ARRAY_MOST_DIMENSIONS)
            return NULL;
        unsigned long long n = strtoull(text, &end, 10);
        if (n > INT64_MAX / 16)
            return NULL;
        array->size[array->dimensions++] = (int64_t)n;
        text = skip_blanks(*end == 'L' ? end + 1 : end); /* of Python 2 */
        text += *text == ',';
    }
    return text + 1;
}

/* Does the description of items name a type that is read? */
static int take_type(struct import_array *array, const char *type)
{
    static const uint16_t probe = 1;
    int little = *(const unsigned char *)&probe == 1;
    char *end;
    array->kind = type[0] ? type[1] : 0;
    if (array->kind == 'O')
        return import_array_refuse(array,
            "holds Python objects, a pickle, which is a program and is not read: save numbers, or "
            "text of fixed length");
    unsigned long bytes = array->kind ? strtoul(type + 2, &end, 10) : 0;
    array->bytes = array->kind == 'U' ? 4 * bytes : bytes;
    array->swapped = type[0] == (little ? '>' : '<');
    int real = array->kind == 'f' && (bytes == 2 || bytes == 4 || bytes == 8);
    int whole =
        (array->kind == 'i' || array->kind == 'u') && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    int text = (array->kind == 'U' || array->kind == 'S') && bytes > 0 && bytes <= ARRAY_MOST_ITEM / 4;
    if (array->kind && strchr("<>|=", type[0]) && !*end &&
        (real || whole || text || (array->kind == 'b' && bytes == 1)))
        return 0;
    return import_array_refuse(array,
        "has items of a type that is not read: floats of 2, 4 or 8 bytes, integers, truth values and "
        "texts are");
}

/* The three entries of a header. */
struct array_header {
    char type[32], order[8];
    int has_type, has_order, has_shape;
};

static const char *read_entry(struct import_array *array, const char *text, struct array_header *header)
{
    char key[32];
    text = read_word(skip_blanks(text), key);
    text = text ? skip_blanks(text) : NULL;
    if (!text || *text != ':')
        return NULL;
    text = skip_blanks(text + 1);
    if (strcmp(key, "descr") == 0) {
        header->has_type = 1;
        return read_word(text, header->type);
    }
    if (strcmp(key, "shape") == 0) {
        header->has_shape = 1;
        return read_shape(array, text);
    }
    size_t n = strcspn(text, ",} ");
    if (strcmp(key, "fortran_order") != 0 || n >= sizeof header->order)
        return NULL;
    memcpy(header->order, text, n);
    header->order[n] = 0;
    header->has_order = 1;
    return text + n;
}

static int parse_header(struct import_array *array, const char *text)
{
    struct array_header header = {.has_type = 0};
    text = skip_blanks(text);
    int sound = *text++ == '{';
    for (text = skip_blanks(text); sound && *text != '}'; text = skip_blanks(text)) {
        text = read_entry(array, text, &header);
        sound = text != NULL;
        if (!sound)
            break;
        text = skip_blanks(text);
        text += *text == ',';
    }
    if (!sound || !header.has_type || !header.has_order || !header.has_shape)
        return import_array_refuse(
            array, "has a header that is not read: structured or damaged, or of more than 4 dimensions");
    if (take_type(array, header.type))
        return -1;
    array->items = 1;
    int wide = 0;
    for (int d = 0; d < ARRAY_MOST_DIMENSIONS; d++) {
        array->size[d] = d < array->dimensions ? array->size[d] : 1;
        wide += array->size[d] > 1;
        if (array->size[d] && array->items > INT64_MAX / 16 / (int64_t)array->bytes / array->size[d])
            return import_array_refuse(array, "has more items than any file");
        array->items *= array->size[d];
    }
    if (strcmp(header.order, "True") == 0 && wide > 1)
        return import_array_refuse(array,
            "lies in memory column by column (fortran_order): save numpy.ascontiguousarray(...) of it");
    int known = strcmp(header.order, "True") == 0 || strcmp(header.order, "False") == 0;
    return known ? 0 : import_array_refuse(array, "has a damaged header");
}

/* Reads magic, version and header; *size is how many bytes that took. */
static int read_header(struct import_array *array, uint64_t *size)
{
    unsigned char start[12];
    if (import_array_read_bytes(array, start, 10))
        return -1;
    int wide = start[6] > 1;
    if (memcmp(start, "\223NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3)
        return import_array_refuse(array, "is no array of NumPy: it does not begin as one of version 1 to 3");
    if (wide && import_array_read_bytes(array, start + 10, 2))
        return -1;
    size_t n = start[8] | (size_t)start[9] << 8;
    if (wide)
        n |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (n > MOST_HEADER)
        return import_array_refuse(array, "has a header of more than 64 KiB");
    char *text = memory_create(n + 1, 1, import_error(array->import));
    int failed = !text || import_array_read_bytes(array, text, n);
    if (!failed && memchr(text, 0, n))
        failed = import_array_refuse(array, "has a damaged header");
    failed = failed || parse_header(array, text);
    memory_destroy(text);
    *size = n + (wide ? 12 : 10);
    return failed ? -1 : 0;
}

/* Are there as many bytes as items need? */
static int check_size(struct import_array *array, uint64_t all, uint64_t header)
{
    uint64_t wanted = header + (uint64_t)array->items * array->bytes;
    if (all == wanted)
        return 0;
    return import_array_refuse(array,
        "has %" PRIu64 " bytes, but what its header says needs %" PRIu64 ": it is cut or damaged", all,
        wanted);
}

/* ---- opening ---- */

int import_array_open(struct import_array *array, struct import *import, const char *path)
{
    struct stat status;
    uint64_t header = 0;
    *array = (struct import_array){.import = import, .path = text_copy(path, import_error(import))};
    if (!array->path)
        return -1;
    array->file = file_open_stream(path, "a .npy file", import_error(import));
    if (!array->file || read_header(array, &header))
        return -1;
    if (fstat(fileno(array->file), &status))
        return import_refuse_reading(import);
    return check_size(array, (uint64_t)status.st_size, header);
}

int import_array_open_member(
    struct import_array *array, struct import *import, const char *path, struct zip *archive, uint64_t index)
{
    *array = (struct import_array){.import = import, .path = text_copy(path, import_error(import))};
    if (!array->path)
        return -1;
#ifdef HAVE_LIBZIP
    zip_stat_t status;
    uint64_t header;
    if (zip_stat_index(archive, index, 0, &status) || !(status.valid & ZIP_STAT_SIZE) ||
        !(array->member = zip_fopen_index(archive, index, 0)))
        return import_array_refuse(
            array, "cannot be unpacked: damaged, encrypted, or compressed by another method than deflate");
    array->left = status.size;
    return read_header(array, &header) || check_size(array, status.size, header) ? -1 : 0;
#else
    (void)archive;
    (void)index;
    return import_array_refuse(array, "this program was built without libzip, which reads .npz files");
#endif
}

void import_array_close(struct import_array *array)
{
    if (array->file)
        fclose(array->file);
#ifdef HAVE_LIBZIP
    if (array->member)
        zip_fclose(array->member);
#endif
    memory_destroy(array->path);
    *array = (struct import_array){0};
}

int import_array_is_whole(const struct import_array *array)
{
    return array->kind == 'i' || array->kind == 'u' || array->kind == 'b';
}

int import_array_is_text(const struct import_array *array)
{
    return array->kind == 'U' || array->kind == 'S';
}
