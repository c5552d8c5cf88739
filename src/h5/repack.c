/* What has no new layout is copied by HDF5 itself, object by object, with attributes and filters. Of a set
 * with a new one the rows go through memory in blocks of whole chunks, as they are in the file: no value is
 * converted, so that all of them stay what they were. */
#include "h5/repack.h"

#include "base/memory.h"
#include "h5/internal.h"
#include "h5/sink.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 4 << 20,
    MOST_CHUNKS_OF_BLOCK = 64 /* HDF5 describes each that a write touches in some KB */
};

/* A file on its way from one place to the other. */
struct repacking {
    struct h5_file *from;
    hid_t to;
    const struct h5_sink *sink;
    const struct h5_layout *layout;
    size_t layouts;
    struct error *error;
};

static int fail(const struct repacking *repacking, const char *what, const char *name)
{
    return h5_failed(repacking->from, repacking->error, "%s %s cannot be copied", what, name);
}

/* ---- attributes ---- */

static int write_attribute(hid_t from, hid_t to, hid_t type, hid_t space, const char *name)
{
    hssize_t items = H5Sget_simple_extent_npoints(space);
    size_t bytes = items > 0 ? (size_t)items * H5Tget_size(type) : 1;
    void *values = calloc(bytes, 1);
    hid_t copy = values ? H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    int failed = copy < 0;
    if (!failed && items > 0) {
        failed = H5Aread(from, type, values) < 0 || H5Awrite(copy, type, values) < 0;
        if (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0)
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    }
    if (copy >= 0)
        H5Aclose(copy);
    free(values);
    return failed ? -1 : 0;
}

/* The object that the attributes of another are copied to. */
struct attribute_copy {
    const struct repacking *repacking;
    const char *of; /* its name, for messages */
    hid_t to;
};

static herr_t copy_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    const struct attribute_copy *copy = context;
    hid_t from = H5Aopen(object, name, H5P_DEFAULT), type = from < 0 ? -1 : H5Aget_type(from);
    hid_t space = type < 0 ? -1 : H5Aget_space(from);
    int refers = type >= 0 && H5Tdetect_class(type, H5T_REFERENCE) > 0, failed = 1;
    if (refers)
        error_set(copy->repacking->error, EXIT_CODE_DATA,
            "%s: attribute %s of /%s refers to another object, which a copy would not have there: remove it",
            copy->repacking->from->name, name, copy->of);
    else if (space >= 0)
        failed = write_attribute(from, copy->to, type, space, name);
    if (failed && !refers)
        fail(copy->repacking, "attribute", name);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (from >= 0)
        H5Aclose(from);
    return failed ? -1 : 0;
}

static int copy_attributes(const struct repacking *repacking, hid_t from, hid_t to, const char *of)
{
    struct attribute_copy copy = {repacking, of, to};
    repacking->error->code = EXIT_CODE_OK;
    if (H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &copy) >= 0)
        return 0;
    return repacking->error->code ? -1 : fail(repacking, "attributes of", *of ? of : "/");
}

/* ---- sets with a new layout ---- */

/* One that is in the making. */
struct new_set {
    const struct h5_layout *layout;
    const struct h5_set *from;
    hid_t type, to;
    int64_t rows, block; /* of all, of a block */
    size_t row;          /* bytes */
};

static hid_t describe_layout(const struct new_set *set)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const struct h5_shape *shape = &set->from->shape;
    hsize_t chunk[H5_MOST_DIMENSIONS];
    for (int d = 0; d < shape->dimensions; d++)
        chunk[d] =
            (hsize_t)(d == 0 && set->layout->rows < shape->size[0] ? set->layout->rows : shape->size[d]);
    int failed = creation < 0 || H5Pset_obj_track_times(creation, 0) < 0 ||
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) < 0;
    if (set->layout->rows && set->rows && set->row)
        failed = failed || H5Pset_chunk(creation, shape->dimensions, chunk) < 0 ||
            (set->layout->deflate &&
                (H5Pset_shuffle(creation) < 0 ||
                    H5Pset_deflate(creation, (unsigned)set->layout->deflate) < 0));
    if (!failed)
        return creation;
    H5Pclose(creation);
    return -1;
}

/* Its cache holds one chunk: blocks are of whole ones. */
static hid_t describe_access(const struct new_set *set)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    size_t chunk = (size_t)set->layout->rows * set->row;
    if (access >= 0 && set->layout->rows && H5Pset_chunk_cache(access, 521, chunk, 1) < 0) {
        H5Pclose(access);
        return -1;
    }
    return access;
}

static int create_set(const struct repacking *repacking, struct new_set *set)
{
    hid_t creation = describe_layout(set), access = describe_access(set);
    set->to = creation < 0 || access < 0 ? -1
                                         : H5Dcreate2(repacking->to, set->from->name, set->type,
                                               set->from->space, H5P_DEFAULT, creation, access);
    int failed = set->to < 0 ? fail(repacking, "set", set->from->name) : 0;
    if (creation >= 0)
        H5Pclose(creation);
    if (access >= 0)
        H5Pclose(access);
    return failed;
}

static int write_rows(const struct new_set *set, int64_t first, int64_t rows, const void *values)
{
    hsize_t start[H5_MOST_DIMENSIONS] = {(hsize_t)first}, count[H5_MOST_DIMENSIONS] = {(hsize_t)rows};
    int dimensions = set->from->shape.dimensions;
    for (int d = 1; d < dimensions; d++)
        count[d] = (hsize_t)set->from->shape.size[d];
    hid_t space = H5Dget_space(set->to), memory = H5Screate_simple(dimensions, count, NULL);
    int failed = space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dwrite(set->to, set->type, memory, space, H5P_DEFAULT, values) < 0;
    if (memory >= 0)
        H5Sclose(memory);
    if (space >= 0)
        H5Sclose(space);
    return failed ? -1 : 0;
}

static int copy_rows(const struct repacking *repacking, const struct new_set *set)
{
    void *values = memory_create((size_t)set->block * set->row + 1, 1, repacking->error);
    int failed = values == NULL;
    for (int64_t first = 0, rows; !failed && first < set->rows && set->row; first += rows) {
        rows = set->rows - first < set->block ? set->rows - first : set->block;
        if (h5_read_rows(set->from, set->type, first, rows, values))
            failed = h5_unread(repacking->from, set->from, first, rows, repacking->error);
        else if (write_rows(set, first, rows, values))
            failed = fail(repacking, "set", set->from->name);
        failed = failed || repacking->sink->error.code;
    }
    memory_destroy(values);
    return failed ? -1 : 0;
}

static void choose_block(struct new_set *set)
{
    const struct h5_shape *shape = &set->from->shape;
    int64_t chunk = set->layout->rows ? set->layout->rows : 1;
    set->rows = shape->size[0];
    set->row = shape->bytes;
    for (int d = 1; d < shape->dimensions; d++)
        set->row *= (size_t)shape->size[d];
    int64_t chunks = set->row ? BLOCK_BYTES / (int64_t)set->row / chunk : 1;
    if (set->layout->rows && chunks > MOST_CHUNKS_OF_BLOCK)
        chunks = MOST_CHUNKS_OF_BLOCK;
    set->block = (chunks ? chunks : 1) * chunk;
    if (set->block > set->rows)
        set->block = set->rows;
}

static int lay_anew(const struct repacking *repacking, const struct h5_layout *layout)
{
    struct new_set set = {.layout = layout, .to = -1, .type = -1};
    set.from = h5_find_set(repacking->from, layout->name, repacking->error);
    if (!set.from)
        return -1;
    choose_block(&set);
    set.type = H5Dget_type(set.from->id);
    int failed = set.type < 0 ? fail(repacking, "set", layout->name) : create_set(repacking, &set);
    failed = failed || copy_attributes(repacking, set.from->id, set.to, layout->name) ||
        copy_rows(repacking, &set);
    if (set.to >= 0 && H5Dclose(set.to) < 0 && !failed)
        failed = fail(repacking, "set", layout->name);
    if (set.type >= 0)
        H5Tclose(set.type);
    return failed ? -1 : 0;
}

/* ---- all of it ---- */

static herr_t copy_object(hid_t root, const char *name, const H5L_info_t *info, void *context)
{
    const struct repacking *repacking = context;
    for (size_t i = 0; i < repacking->layouts; i++)
        if (strcmp(repacking->layout[i].name, name) == 0)
            return lay_anew(repacking, &repacking->layout[i]);
    if (info->type != H5L_TYPE_HARD)
        return error_set(repacking->error, EXIT_CODE_DATA,
            "%s: /%s is a link to another place, not a set or group of its own: put a copy there, or remove "
            "it",
            repacking->from->name, name);
    if (H5Ocopy(root, name, repacking->to, name, H5P_DEFAULT, H5P_DEFAULT) < 0)
        return fail(repacking, "object", name);
    return repacking->sink->error.code ? -1 : 0;
}

static int copy_all(struct repacking *repacking)
{
    hid_t from = H5Gopen2(repacking->from->id, "/", H5P_DEFAULT);
    hid_t to = H5Gopen2(repacking->to, "/", H5P_DEFAULT);
    int failed =
        from < 0 || to < 0 ? fail(repacking, "group", "/") : copy_attributes(repacking, from, to, "");
    if (!failed && H5Literate(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_object, repacking) < 0) {
        failed = -1;
        if (!repacking->error->code)
            fail(repacking, "what is in", "/");
    }
    if (to >= 0)
        H5Gclose(to);
    if (from >= 0)
        H5Gclose(from);
    return failed;
}

static hid_t create_file(struct h5_sink *sink)
{
    hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (creation >= 0 && access >= 0 && H5Pset_obj_track_times(creation, 0) >= 0 &&
        h5_sink_use(sink, access) == 0)
        file = H5Fcreate("sink", H5F_ACC_TRUNC, creation, access);
    if (creation >= 0)
        H5Pclose(creation);
    if (access >= 0)
        H5Pclose(access);
    return file;
}

int h5_repack(struct h5_file *from, struct file_writer *to, const struct h5_layout *layout, size_t layouts,
    struct error *error)
{
    struct h5_sink sink = {.writer = to, .driver = -1};
    struct error first = {0};
    struct repacking repacking = {from, -1, &sink, layout, layouts, &first};
    h5_lock(from->name, from->bytes);
    h5_expect_values();
    repacking.to = create_file(&sink);
    int failed = repacking.to < 0 ? fail(&repacking, "file", to->path) : copy_all(&repacking);
    if (repacking.to >= 0 && H5Fclose(repacking.to) < 0 && !failed)
        failed = fail(&repacking, "file", to->path);
    h5_sink_finish(&sink);
    h5_unlock();
    if (sink.error.code)
        first = sink.error;
    if (failed || sink.error.code)
        return error_set(error, (enum exit_code)first.code, "%s", first.text);
    return 0;
}
