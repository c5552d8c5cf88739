/* Attributes: one value each, or a few integers, of an object named by its path. */
#include "base/memory.h"
#include "base/text.h"
#include "h5/internal.h"

enum wanted { WANT_INTEGER, WANT_INTEGERS, WANT_DOUBLE, WANT_TEXT };

static const char *const wanted_name[] = {"an integer", "integers", "a number", "a text"};

/* Where several integers go. */
struct integers {
    int64_t *values;
    int most, n;
};

static int fits(enum h5_kind kind, enum wanted wanted)
{
    switch (wanted) {
    case WANT_INTEGER:
    case WANT_INTEGERS:
        return kind == H5_INTEGER;
    case WANT_DOUBLE:
        return kind == H5_INTEGER || kind == H5_FLOAT;
    default:
        return kind == H5_TEXT;
    }
}

/* Are there as many values as can be taken? */
static int counts(hssize_t n, enum wanted wanted, void *out)
{
    if (wanted != WANT_INTEGERS)
        return n == 1;
    struct integers *integers = out;
    if (n < 1 || n > integers->most)
        return 0;
    integers->n = (int)n;
    return 1;
}

/* Reads a text in the string type of the file; *out is the caller's. Returns -1 on failure. */
static int read_string(hid_t attribute, hid_t type, char **out)
{
    if (H5Tis_variable_str(type) > 0) {
        char *text = NULL;
        if (H5Aread(attribute, type, &text) < 0)
            return -1;
        *out = text_copy(text ? text : "", NULL);
        H5free_memory(text);
        return *out ? 0 : -1;
    }
    size_t width = H5Tget_size(type);
    char *text = memory_create(width + 1, 1, NULL);
    if (!text || H5Aread(attribute, type, text) < 0) {
        memory_destroy(text);
        return -1;
    }
    text[h5_text_length(text, width, H5Tget_strpad(type))] = 0;
    *out = text;
    return 0;
}

static int read_value(hid_t attribute, hid_t type, enum wanted wanted, void *out)
{
    switch (wanted) {
    case WANT_INTEGER:
        return H5Aread(attribute, H5T_NATIVE_INT64, out) < 0 ? -1 : 0;
    case WANT_INTEGERS:
        return H5Aread(attribute, H5T_NATIVE_INT64, ((struct integers *)out)->values) < 0 ? -1 : 0;
    case WANT_DOUBLE:
        return H5Aread(attribute, H5T_NATIVE_DOUBLE, out) < 0 ? -1 : 0;
    default:
        return read_string(attribute, type, out);
    }
}

static int read_attribute(struct h5_file *file, const char *object, const char *name, hid_t attribute,
    enum wanted wanted, void *out, struct error *error)
{
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const char *what = "";
    int outcome = 1;
    if (type < 0 || space < 0)
        outcome = h5_failed(file, error, "attribute %s of /%s cannot be read", name, object);
    else if (!fits(h5_kind_of(type, &what), wanted))
        outcome = error_set(error, EXIT_CODE_DATA,
            "%s: attribute %s of /%s should be %s, but holds %s: write it anew", file->name, name, object,
            wanted_name[wanted], what);
    else if (!counts(H5Sget_simple_extent_npoints(space), wanted, out))
        outcome = error_set(error, EXIT_CODE_DATA,
            "%s: attribute %s of /%s should be %s, but has %lld values: write it anew", file->name, name,
            object, wanted_name[wanted], (long long)H5Sget_simple_extent_npoints(space));
    else if ((uint64_t)H5Tget_size(type) > file->bytes)
        outcome = error_set(error, EXIT_CODE_DATA,
            "%s: attribute %s of /%s is larger than the file: it is damaged", file->name, name, object);
    else if (read_value(attribute, type, wanted, out) != 0)
        outcome = h5_failed(file, error, "attribute %s of /%s cannot be read", name, object);
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    return outcome;
}

static int find_attribute(struct h5_file *file, const char *object, const char *name, enum wanted wanted,
    void *out, struct error *error)
{
    object = h5_path(object);
    if (!h5_exists(file, object))
        return 0;
    file->elsewhere = 0;
    hid_t id = H5Oopen(file->id, *object ? object : "/", file->link_access);
    if (id < 0)
        return h5_unopened(file, "object", object, error);
    int outcome = 0;
    htri_t there = H5Aexists(id, name);
    hid_t attribute = there > 0 ? H5Aopen(id, name, H5P_DEFAULT) : -1;
    if (attribute >= 0) {
        outcome = read_attribute(file, object, name, attribute, wanted, out, error);
        H5Aclose(attribute);
    } else if (there) {
        outcome = h5_failed(file, error, "attribute %s of /%s cannot be opened", name, object);
    }
    H5Oclose(id);
    return outcome;
}

static int get_attribute(struct h5_file *file, const char *object, const char *name, enum wanted wanted,
    void *out, struct error *error)
{
    h5_lock(file->name, file->bytes);
    int outcome = find_attribute(file, object, name, wanted, out, error);
    h5_unlock();
    return outcome;
}

int h5_attribute_integer(
    struct h5_file *file, const char *object, const char *name, int64_t *value, struct error *error)
{
    return get_attribute(file, object, name, WANT_INTEGER, value, error);
}

int h5_attribute_integers(struct h5_file *file, const char *object, const char *name, int64_t *values,
    int most, struct error *error)
{
    struct integers integers = {values, most, 0};
    int outcome = get_attribute(file, object, name, WANT_INTEGERS, &integers, error);
    return outcome > 0 ? integers.n : outcome;
}

int h5_attribute_double(
    struct h5_file *file, const char *object, const char *name, double *value, struct error *error)
{
    return get_attribute(file, object, name, WANT_DOUBLE, value, error);
}

int h5_attribute_text(
    struct h5_file *file, const char *object, const char *name, char **text, struct error *error)
{
    return get_attribute(file, object, name, WANT_TEXT, text, error);
}
