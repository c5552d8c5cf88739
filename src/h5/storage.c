/* Whether the values of a set are there to be read: in this file, all of them, in no more memory than the
 * bytes of the file can be worth. HDF5 asks none of this before values are read, and reads what was never
 * written as zeroes, or leaves what lies in memory. */
#include "h5/internal.h"

enum { MOST_RATIO = 1100, SMALL_BYTES = 16 << 20 };

static int64_t count_elements(const struct h5_shape *shape)
{
    int64_t n = 1;
    for (int d = 0; d < shape->dimensions; d++)
        n *= shape->size[d];
    return n;
}

/* Whoever reads asks for memory by the shape, HDF5 by the chunk: neither may say more than the bytes that are
 * there can hold. Deflate makes 1032 bytes of one at most; below `SMALL_BYTES` it does not matter. */
static int check_size(
    const struct h5_file *file, const struct h5_set *set, uint64_t stored, struct error *error)
{
    uint64_t whole = (uint64_t)count_elements(&set->shape) * set->shape.bytes, chunk = h5_chunk_bytes(set);
    int possible = !set->chunk[0] || chunk > 0;
    if (stored > file->bytes)
        stored = file->bytes;
    if (possible && (whole <= SMALL_BYTES || whole / MOST_RATIO <= stored) &&
        (chunk <= SMALL_BYTES || chunk / MOST_RATIO <= stored))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: set /%s of an impossible size: the file has too few bytes for it: it is damaged", file->name,
        set->name);
}

/* ---- chunks that were never written ---- */

/* Moves to the next chunk, in order of rows; returns 0 behind the last one. */
static int go_on(const struct h5_set *set, hsize_t *start)
{
    for (int d = set->shape.dimensions - 1; d >= 0; d--) {
        start[d] += set->chunk[d];
        if (start[d] < (hsize_t)set->shape.size[d])
            return 1;
        start[d] = 0;
    }
    return 0;
}

/* The first row of the first chunk that is not there. */
static hsize_t find_unwritten(const struct h5_set *set)
{
    hsize_t start[H5_MOST_DIMENSIONS] = {0}, bytes;
    do {
        bytes = 0;
        if (H5Dget_chunk_storage_size(set->id, start, &bytes) < 0 || bytes == 0)
            break;
    } while (go_on(set, start));
    H5Eclear2(H5E_DEFAULT);
    return start[0];
}

/* Did whoever made the set say what stands where nothing was written? HDF5's own zero says nothing, and with
 * a fill time of never not even the set's value is read there, but whatever lies in memory. */
static int has_fill_value(hid_t creation)
{
    H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
    H5D_fill_time_t when = H5D_FILL_TIME_NEVER;
    return H5Pfill_value_defined(creation, &defined) >= 0 && H5Pget_fill_time(creation, &when) >= 0 &&
        defined == H5D_FILL_VALUE_USER_DEFINED && when != H5D_FILL_TIME_NEVER;
}

static int check_chunks(
    const struct h5_file *file, const struct h5_set *set, hid_t creation, struct error *error)
{
    hsize_t all = h5_count_chunks(set), written = 0;
    if (all == 0 || has_fill_value(creation))
        return 0;
    if (H5Dget_num_chunks(set->id, set->space, &written) < 0)
        return h5_failed(file, error, "set /%s: its chunks cannot be counted", set->name);
    if (written >= all)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: set /%s: %llu of its %llu chunks were never written, the first of them from row %llu on: write "
        "them, or give the set a fill value of its own that may stand there (fillvalue of h5py)",
        file->name, set->name, (unsigned long long)(all - written), (unsigned long long)all,
        (unsigned long long)find_unwritten(set));
}

/* ---- all of it ---- */

int h5_check_storage(
    const struct h5_file *file, const struct h5_set *set, hid_t creation, struct error *error)
{
    if (H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) > 0)
        return error_set(error, EXIT_CODE_DATA,
            "%s: set /%s keeps its values in another file: only what lies in the file itself is read; copy "
            "them in (h5repack)",
            file->name, set->name);
    uint64_t stored = H5Dget_storage_size(set->id);
    if (count_elements(&set->shape) > 0 && stored == 0)
        return error_set(
            error, EXIT_CODE_DATA, "%s: set /%s was never written: it has no values", file->name, set->name);
    if (check_size(file, set, stored, error) != 0)
        return -1;
    if (check_chunks(file, set, creation, error) != 0)
        return -1;
    return stored ? h5_check_filters(file, set, creation, error) : 0;
}
