/* Strings by rows. They are read in the file's own string type, since HDF5 does not convert between character
 * sets; the padding of fixed ones is taken off here. */
#include "base/text.h"
#include "base/memory.h"
#include "h5/internal.h"

#include <inttypes.h>
#include <string.h>

size_t h5_text_length(const char *text, size_t width, H5T_str_t padding)
{
    size_t n = strnlen(text, width);
    if (padding == H5T_STR_SPACEPAD)
        while (n && text[n - 1] == ' ')
            n--;
    return n;
}

/* Texts as HDF5 reads them: a pointer a row, or a block of `width` bytes a row. */
struct text_rows {
    int variable;
    size_t width;
    H5T_str_t padding;
    const char *const *pointers;
    const char *block;
};

/* The characters of row r, and how many they are. */
static const char *row_text(const struct text_rows *rows, size_t r, size_t *n)
{
    if (rows->variable) {
        const char *text = rows->pointers[r] ? rows->pointers[r] : "";
        *n = strlen(text);
        return text;
    }
    const char *text = rows->block + r * rows->width;
    *n = h5_text_length(text, rows->width, rows->padding);
    return text;
}

static char **join_rows(const struct text_rows *rows, size_t count, struct error *error)
{
    size_t bytes = count * sizeof(char *), n;
    for (size_t r = 0; r < count; r++) {
        row_text(rows, r, &n);
        bytes += n + 1;
    }
    char **out = memory_create(bytes, 1, error);
    if (!out)
        return NULL;
    char *next = (char *)(out + count);
    for (size_t r = 0; r < count; r++) {
        const char *text = row_text(rows, r, &n);
        out[r] = next;
        memcpy(next, text, n);
        next += n + 1;
    }
    return out;
}

/* Frees texts that HDF5 has allocated; those not yet read are NULL. */
static void free_texts(hid_t type, size_t rows, void *pointers)
{
    hid_t space = H5Screate_simple(1, (hsize_t[]){rows}, NULL);
    if (space < 0)
        return;
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers);
    H5Sclose(space);
}

static int read_rows(struct h5_file *file, struct h5_set *set, int64_t first, int64_t rows, hid_t type,
    char ***out, struct error *error)
{
    struct text_rows read = {
        H5Tis_variable_str(type) > 0, H5Tget_size(type), H5Tget_strpad(type), NULL, NULL};
    void *block = memory_create((size_t)rows, read.variable ? sizeof(char *) : read.width, error);
    if (!block)
        return -1;
    h5_expect_values();
    int outcome = 0;
    if (h5_read_rows(set, type, first, rows, block) != 0) {
        outcome = h5_unread(file, set, first, rows, error);
    } else {
        read.pointers = block;
        read.block = block;
        char **joined = join_rows(&read, (size_t)rows, error);
        outcome = joined ? 0 : -1;
        if (joined)
            *out = joined;
    }
    if (read.variable)
        free_texts(type, (size_t)rows, block);
    memory_destroy(block);
    return outcome;
}

static int read_texts(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char ***out, struct error *error)
{
    struct h5_set *set = h5_find_set(file, name, error);
    if (!set || h5_check_rows(file, set, first, rows, error) != 0)
        return -1;
    if (set->shape.kind != H5_TEXT || set->shape.dimensions > 1)
        return error_set(
            error, EXIT_CODE_DATA, "%s: set /%s should hold one text per row", file->name, set->name);
    hid_t type = H5Dget_type(set->id);
    if (type < 0)
        return h5_failed(file, error, "set /%s cannot be read", set->name);
    int outcome = rows ? read_rows(file, set, first, rows, type, out, error) : 0;
    if (rows == 0) {
        char **none = memory_create(0, sizeof *none, error);
        outcome = none ? 0 : -1;
        if (none)
            *out = none;
    }
    H5Tclose(type);
    return outcome;
}

int h5_read_any_texts(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char ***out, struct error *error)
{
    h5_lock(file->name, file->bytes);
    int outcome = read_texts(file, name, first, rows, out, error);
    h5_unlock();
    return outcome;
}

int h5_read_texts(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char ***out, struct error *error)
{
    char **texts = NULL;
    if (h5_read_any_texts(file, name, first, rows, &texts, error) != 0)
        return -1;
    for (int64_t r = 0; texts && r < rows; r++)
        if (!text_is_utf8(texts[r], strlen(texts[r]))) {
            memory_destroy(texts);
            return error_set(error, EXIT_CODE_DATA,
                "%s: set /%s: row %" PRId64 " is not UTF-8: write the set anew in UTF-8, or drop it",
                file->name, h5_path(name), first + r);
        }
    *out = texts;
    return 0;
}

static int read_characters(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char *out, struct error *error)
{
    struct h5_set *set = h5_find_set(file, name, error);
    if (!set || h5_check_rows(file, set, first, rows, error) != 0)
        return -1;
    hid_t type = H5Dget_type(set->id);
    if (type < 0)
        return h5_failed(file, error, "set /%s cannot be read", set->name);
    int outcome = 0;
    if (set->shape.kind != H5_TEXT || set->shape.dimensions != 2 || H5Tis_variable_str(type) > 0 ||
        H5Tget_size(type) != 1)
        outcome = error_set(error, EXIT_CODE_DATA, "%s: set /%s should hold single characters in rows",
            file->name, set->name);
    h5_expect_values();
    if (outcome == 0 && rows && h5_read_rows(set, type, first, rows, out) != 0)
        outcome = h5_unread(file, set, first, rows, error);
    H5Tclose(type);
    return outcome;
}

int h5_read_characters(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char *out, struct error *error)
{
    h5_lock(file->name, file->bytes);
    int outcome = read_characters(file, name, first, rows, out, error);
    h5_unlock();
    return outcome;
}
