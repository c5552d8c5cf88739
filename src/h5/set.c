/* How sets are found, checked, and kept open.
 *
 * Opening a set costs more than reading a sequence from it, and its chunk cache lives as long as its handle;
 * so handles stay in a table. */
#include "base/array.h"
#include "h5/internal.h"

#include <stdlib.h>
#include <string.h>

/* This fails where sizes multiply to more than memory can address. */
static int read_sizes(const struct h5_file *file, struct h5_set *set, hid_t space, struct error *error)
{
    int dimensions = H5Sget_simple_extent_ndims(space);
    hsize_t sizes[H5S_MAX_RANK] = {0};
    if (H5Sget_simple_extent_type(space) == H5S_NULL)
        return error_set(error, EXIT_CODE_DATA, "%s: set /%s has no values", file->name, set->name);
    if (dimensions < 0 || dimensions > H5_MOST_DIMENSIONS)
        return error_set(error, EXIT_CODE_DATA, "%s: set /%s has %d dimensions, at most %d are read",
            file->name, set->name, dimensions, H5_MOST_DIMENSIONS);
    if (H5Sget_simple_extent_dims(space, sizes, NULL) < 0)
        return h5_failed(file, error, "set /%s: its shape cannot be read", set->name);
    hsize_t room = INT64_MAX / (set->shape.bytes > 8 ? set->shape.bytes : 8);
    set->shape.dimensions = dimensions;
    for (int d = 0; d < dimensions; d++) {
        if (sizes[d] > room)
            return error_set(error, EXIT_CODE_DATA,
                "%s: set /%s: its shape is impossible: the file is damaged", file->name, set->name);
        set->shape.size[d] = (int64_t)sizes[d];
        if (sizes[d])
            room /= sizes[d];
    }
    return 0;
}

/* Fills shape and space of a set that is open. */
static int look_at(struct h5_file *file, struct h5_set *set, hid_t access, struct error *error)
{
    hid_t type = H5Dget_type(set->id), creation = H5Dget_create_plist(set->id);
    int outcome = 0;
    set->space = H5Dget_space(set->id);
    if (type < 0 || creation < 0 || set->space < 0) {
        outcome = h5_failed(file, error, "set /%s cannot be read", set->name);
    } else {
        set->shape.kind = h5_kind_of(type, &set->shape.what);
        set->shape.bytes = H5Tget_size(type);
        outcome = read_sizes(file, set, set->space, error);
        h5_find_chunks(set, creation);
        if (outcome == 0)
            outcome = h5_check_storage(file, set, creation, error);
        if (outcome == 0 && set->chunk[0] && h5_give_cache(file, set, creation, access) != 0)
            outcome = h5_failed(file, error, "set /%s cannot be opened", set->name);
    }
    if (type >= 0)
        H5Tclose(type);
    if (creation >= 0)
        H5Pclose(creation);
    return outcome;
}

static int open_set(struct h5_file *file, struct h5_set *set, struct error *error)
{
    if (!h5_exists(file, set->name))
        return error_set(error, EXIT_CODE_DATA, "%s: has no set /%s", file->name, set->name);
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (access < 0 || h5_refuse_links(file, access) != 0)
        return h5_failed(file, error, "set /%s cannot be opened", set->name);
    file->elsewhere = 0;
    set->id = *set->name ? H5Dopen2(file->id, set->name, access) : -1;
    int outcome =
        set->id < 0 ? h5_unopened(file, "set", set->name, error) : look_at(file, set, access, error);
    H5Pclose(access);
    return outcome;
}

void h5_close_set(struct h5_set *set)
{
    if (set->space >= 0)
        H5Sclose(set->space);
    if (set->id >= 0)
        H5Dclose(set->id);
    free(set->name);
}

static int grow_table(struct h5_file *file)
{
    struct h5_set *wider = array_grow(file->set, &file->room, file->sets, sizeof *wider);
    if (!wider)
        return -1;
    file->set = wider;
    return 0;
}

struct h5_set *h5_find_set(struct h5_file *file, const char *name, struct error *error)
{
    name = h5_path(name);
    for (size_t i = 0; i < file->sets; i++)
        if (strcmp(file->set[i].name, name) == 0)
            return &file->set[i];
    struct h5_set set = {.id = -1, .space = -1, .name = strdup(name)};
    if (!set.name || grow_table(file) != 0) {
        error_set(error, EXIT_CODE_INTERNAL, "%s: no room for a table of its sets: %s", file->name,
            h5_memory_remedy);
        free(set.name);
        return NULL;
    }
    if (open_set(file, &set, error) != 0) {
        h5_close_set(&set);
        return NULL;
    }
    file->set[file->sets] = set;
    return &file->set[file->sets++];
}

int h5_look(struct h5_file *file, const char *name, struct h5_shape *shape, struct error *error)
{
    h5_lock(file->name, file->bytes);
    const struct h5_set *set = h5_find_set(file, name, error);
    if (set)
        *shape = set->shape;
    h5_unlock();
    return set ? 0 : -1;
}

/* The lock is held. The set is not kept: it may not be one that can be read. */
static int find_length(struct h5_file *file, const char *name, int64_t *length, struct error *error)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (access < 0 || h5_refuse_links(file, access) != 0)
        return h5_failed(file, error, "set /%s cannot be opened", name);
    file->elsewhere = 0;
    hid_t id = H5Dopen2(file->id, name, access), space = id < 0 ? -1 : H5Dget_space(id);
    int outcome = 0;
    hsize_t size = 0;
    if (id < 0)
        outcome = h5_unopened(file, "set", name, error);
    else if (space < 0 || H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, &size, NULL) < 0 || size > INT64_MAX)
        outcome = error_set(error, EXIT_CODE_DATA, "%s: set /%s should have one dimension", file->name, name);
    else
        *length = (int64_t)size;
    if (space >= 0)
        H5Sclose(space);
    if (id >= 0)
        H5Dclose(id);
    H5Pclose(access);
    return outcome;
}

int h5_look_at_length(struct h5_file *file, const char *name, int64_t *length, struct error *error)
{
    h5_lock(file->name, file->bytes);
    int outcome = find_length(file, h5_path(name), length, error);
    h5_unlock();
    return outcome;
}
