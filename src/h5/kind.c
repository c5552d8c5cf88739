/* What the elements of a set or an attribute are. numpy's booleans, which h5py writes as an enumeration of
 * FALSE = 0 and TRUE = 1, are integers like others; any other enumeration gives its numbers meanings that
 * nobody here asks for, and is refused. */
#include "h5/internal.h"

#include <string.h>

int h5_is_sound(hid_t type)
{
    size_t bits = 8 * H5Tget_size(type);
    H5T_class_t class = H5Tget_class(type);
    int number = class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
    return bits > 0 && (!number || (size_t)H5Tget_offset(type) + H5Tget_precision(type) <= bits);
}

/* Is member m of an enumeration on integers of type `base` of this name and value? */
static int is_member(hid_t type, hid_t base, unsigned m, const char *name, int64_t value)
{
    int64_t room[H5_MOST_BYTES / sizeof(int64_t)] = {0};
    char *found = H5Tget_member_name(type, m);
    int same = found && strcmp(found, name) == 0 && H5Tget_member_value(type, m, room) >= 0 &&
        H5Tconvert(base, H5T_NATIVE_INT64, 1, room, NULL, H5P_DEFAULT) >= 0 && room[0] == value;
    H5free_memory(found);
    return same;
}

static int is_boolean(hid_t type)
{
    if (H5Tget_class(type) != H5T_ENUM || H5Tget_nmembers(type) != 2 || H5Tget_size(type) > H5_MOST_BYTES)
        return 0;
    hid_t base = H5Tget_super(type);
    int boolean = base >= 0 && H5Tget_class(base) == H5T_INTEGER && is_member(type, base, 0, "FALSE", 0) &&
        is_member(type, base, 1, "TRUE", 1);
    if (base >= 0)
        H5Tclose(base);
    return boolean;
}

/* What is neither a number nor text. */
static const char *name_other(H5T_class_t class)
{
    switch (class) {
    case H5T_TIME:
        return "times";
    case H5T_BITFIELD:
        return "bit fields";
    case H5T_OPAQUE:
        return "opaque bytes";
    case H5T_COMPOUND:
        return "compounds of several members";
    case H5T_REFERENCE:
        return "references";
    case H5T_ENUM:
        return "an enumeration other than FALSE = 0 and TRUE = 1";
    case H5T_VLEN:
        return "lists of variable length";
    case H5T_ARRAY:
        return "arrays";
    default:
        return "values of an unknown type";
    }
}

enum h5_kind h5_kind_of(hid_t type, const char **what)
{
    H5T_class_t class = H5Tget_class(type);
    enum h5_kind kind = H5_OTHER;
    *what = "numbers whose bits lie beyond their bytes";
    if (!h5_is_sound(type))
        return kind;
    if (class == H5T_INTEGER || is_boolean(type))
        kind = H5_INTEGER;
    else if (class == H5T_FLOAT)
        kind = H5_FLOAT;
    else if (class == H5T_STRING)
        kind = H5_TEXT;
    *what = kind == H5_INTEGER ? "integers"
        : kind == H5_FLOAT     ? "real numbers"
        : kind == H5_TEXT      ? "text"
                               : name_other(class);
    H5Eclear2(H5E_DEFAULT);
    return kind;
}
