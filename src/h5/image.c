/* A file built in memory: HDF5's core driver without a file behind it, whose bytes are taken when all is in.
 *
 * Equal calls give equal bytes because objects keep no times, gaps are zero (h5/buffer.c), and because the
 * library's default bounds write the oldest formats that serve, which every reader knows. The first failure
 * is kept and the calls after it do nothing, so that a caller writes a file as a plain list of statements and
 * asks once, at the end. */
#include "h5/image.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFLATE_ABOVE = 64 << 10,  /* bytes of a set */
    CHUNK_BYTES = 256 << 10,   /* about */
    MOST_CHUNK_BYTES = 4 << 20 /* a row above it is not chunked */
};

void h5_image_fail(struct h5_image *image, const char *what, const char *name)
{
    h5_failed(NULL, &image->error, "%s %s cannot be written", what, name);
    image->error.code = EXIT_CODE_INTERNAL;
}

hid_t h5_image_timeless(hid_t class)
{
    hid_t creation = H5Pcreate(class);
    if (creation >= 0 && H5Pset_obj_track_times(creation, 0) < 0) {
        H5Pclose(creation);
        return -1;
    }
    return creation;
}

static hid_t create_file(struct h5_image *image)
{
    char name[64];
    snprintf(name, sizeof name, "/dev/null/image-%p", (void *)image);
    hid_t creation = h5_image_timeless(H5P_FILE_CREATE);
    hid_t file = creation < 0 ? -1 : h5_buffer_create(name, creation, &image->buffer);
    if (file >= 0)
        H5Pclose(creation);
    return file;
}

struct h5_image *h5_image_create_with(size_t metadata, struct error *error)
{
    struct h5_image *image = memory_create(1, sizeof *image, error);
    if (!image)
        return NULL;
    image->buffer.metadata = metadata;
    h5_lock(NULL, 0);
    image->file = create_file(image);
    image->group_creation = image->file < 0 ? -1 : h5_image_timeless(H5P_GROUP_CREATE);
    int made = image->file >= 0 && image->group_creation >= 0;
    if (!made) {
        h5_failed(NULL, error, "cannot be created");
        if (error)
            error->code = EXIT_CODE_INTERNAL;
    }
    h5_unlock();
    if (made)
        return image;
    h5_image_destroy(image);
    return NULL;
}

struct h5_image *h5_image_create(struct error *error)
{
    return h5_image_create_with(0, error);
}

void h5_image_deflate(struct h5_image *image, int level)
{
    h5_lock(NULL, 0);
    image->deflate = H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0 ? level : 0;
    h5_unlock();
}

void h5_image_group(struct h5_image *image, const char *name)
{
    if (image->error.code)
        return;
    h5_lock(NULL, 0);
    hid_t group = H5Gcreate2(image->file, name, H5P_DEFAULT, image->group_creation, H5P_DEFAULT);
    if (group < 0)
        h5_image_fail(image, "group", name);
    else
        H5Gclose(group);
    h5_unlock();
}

/* A set that is to be written. */
struct written_values {
    int dimensions;
    const int64_t *size;
    hid_t in_file, in_memory; /* types */
    const void *values;
};

static void cut_chunks(const struct h5_image *image, const struct written_values *values, hid_t creation)
{
    size_t row = H5Tget_size(values->in_file);
    if (!image->deflate || values->dimensions < 1 || values->dimensions > 2)
        return;
    if (values->dimensions == 2)
        row *= (size_t)values->size[1];
    if (row == 0 || row > MOST_CHUNK_BYTES || (size_t)values->size[0] <= DEFLATE_ABOVE / row)
        return;
    hsize_t chunk[2] = {CHUNK_BYTES / row ? CHUNK_BYTES / row : 1, 1};
    if (chunk[0] > (hsize_t)values->size[0])
        chunk[0] = (hsize_t)values->size[0];
    if (values->dimensions == 2)
        chunk[1] = (hsize_t)values->size[1];
    H5Pset_chunk(creation, values->dimensions, chunk);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, (unsigned)image->deflate);
}

hid_t h5_image_space(int dimensions, const int64_t *size)
{
    hsize_t sizes[H5_MOST_DIMENSIONS];
    if (dimensions == 0)
        return H5Screate(H5S_SCALAR);
    if (dimensions < 0 || dimensions > H5_MOST_DIMENSIONS)
        return -1;
    for (int d = 0; d < dimensions; d++)
        sizes[d] = (hsize_t)size[d];
    return H5Screate_simple(dimensions, sizes, NULL);
}

static int write_set(struct h5_image *image, const char *name, const struct written_values *values)
{
    hid_t space = h5_image_space(values->dimensions, values->size),
          creation = h5_image_timeless(H5P_DATASET_CREATE);
    hid_t set = -1;
    int outcome = -1;
    if (space >= 0 && creation >= 0) {
        cut_chunks(image, values, creation);
        set = H5Dcreate2(image->file, name, values->in_file, space, H5P_DEFAULT, creation, H5P_DEFAULT);
        if (set >= 0 && H5Dwrite(set, values->in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values->values) >= 0)
            outcome = 0;
    }
    if (outcome != 0)
        h5_image_fail(image, "set", name);
    if (set >= 0)
        H5Dclose(set);
    if (creation >= 0)
        H5Pclose(creation);
    if (space >= 0)
        H5Sclose(space);
    return outcome;
}

/* Numbers as a caller hands them over. */
struct numbers {
    int dimensions;
    const int64_t *size;
    enum h5_number type;
    const void *values;
};

/* Files are little-endian wherever they are written. */
static hid_t file_type(enum h5_number number)
{
    switch (number) {
    case H5_FLOAT32:
        return H5T_IEEE_F32LE;
    case H5_FLOAT64:
        return H5T_IEEE_F64LE;
    case H5_INT32:
        return H5T_STD_I32LE;
    default:
        return H5T_STD_I64LE;
    }
}

static void add_set(struct h5_image *image, const char *name, const struct numbers *numbers)
{
    if (image->error.code)
        return;
    h5_lock(NULL, 0);
    write_set(image, name,
        &(struct written_values){numbers->dimensions, numbers->size, file_type(numbers->type),
            h5_memory_type(numbers->type), numbers->values});
    h5_unlock();
}

void h5_image_floats(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const float *values)
{
    add_set(image, name, &(struct numbers){dimensions, size, H5_FLOAT32, values});
}

void h5_image_doubles(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const double *values)
{
    add_set(image, name, &(struct numbers){dimensions, size, H5_FLOAT64, values});
}

void h5_image_int32(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const int32_t *values)
{
    add_set(image, name, &(struct numbers){dimensions, size, H5_INT32, values});
}

void h5_image_int64(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const int64_t *values)
{
    add_set(image, name, &(struct numbers){dimensions, size, H5_INT64, values});
}

hid_t h5_image_text_type(size_t width)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, width) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
            H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

/* The texts side by side, each in `width` bytes; NULL where there is no memory. */
static char *pack_texts(int64_t rows, const char *const *texts, size_t *width)
{
    *width = 1;
    for (int64_t r = 0; r < rows; r++)
        if (strlen(texts[r]) > *width)
            *width = strlen(texts[r]);
    char *block = memory_create((size_t)rows, *width, NULL);
    for (int64_t r = 0; block && r < rows; r++)
        memcpy(block + (size_t)r * *width, texts[r], strlen(texts[r]));
    return block;
}

void h5_image_texts(struct h5_image *image, const char *name, int64_t rows, const char *const *texts)
{
    if (image->error.code)
        return;
    size_t width;
    char *block = pack_texts(rows, texts, &width);
    h5_lock(NULL, 0);
    hid_t type = block ? h5_image_text_type(width) : -1;
    if (type >= 0) {
        write_set(image, name, &(struct written_values){1, &rows, type, type, block});
        H5Tclose(type);
    } else {
        h5_image_fail(image, "set", name);
    }
    h5_unlock();
    memory_destroy(block);
}

static void add_attribute(struct h5_image *image, const char *object, const char *name, hid_t in_file,
    hid_t in_memory, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR), id = H5Oopen(image->file, object, H5P_DEFAULT);
    hid_t attribute = id < 0 ? -1 : H5Acreate2(id, name, in_file, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, in_memory, value) < 0)
        h5_image_fail(image, "attribute", name);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (id >= 0)
        H5Oclose(id);
    H5Sclose(space);
}

static void add_number(
    struct h5_image *image, const char *object, const char *name, enum h5_number number, const void *value)
{
    if (image->error.code)
        return;
    h5_lock(NULL, 0);
    add_attribute(image, object, name, file_type(number), h5_memory_type(number), value);
    h5_unlock();
}

void h5_image_attribute_int32(struct h5_image *image, const char *object, const char *name, int32_t value)
{
    add_number(image, object, name, H5_INT32, &value);
}

void h5_image_attribute_int64(struct h5_image *image, const char *object, const char *name, int64_t value)
{
    add_number(image, object, name, H5_INT64, &value);
}

void h5_image_attribute_double(struct h5_image *image, const char *object, const char *name, double value)
{
    add_number(image, object, name, H5_FLOAT64, &value);
}

void h5_image_attribute_text(struct h5_image *image, const char *object, const char *name, const char *text)
{
    if (image->error.code)
        return;
    h5_lock(NULL, 0);
    hid_t type = h5_image_text_type(*text ? strlen(text) : 1);
    if (type >= 0) {
        add_attribute(image, object, name, type, type, text);
        H5Tclose(type);
    } else {
        h5_image_fail(image, "attribute", name);
    }
    h5_unlock();
}

/* Closes the file, whose memory is ours from then on: as much of it as the file is long, and the room. */
static int take_bytes(struct h5_image *image, void **bytes, size_t *size, struct error *error)
{
    ssize_t n = H5Fflush(image->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(image->file, NULL, 0);
    herr_t closed = n < 0 ? -1 : H5Fclose(image->file);
    if (closed < 0)
        return h5_failed(NULL, error, "cannot be finished");
    image->file = -1;
    assert(image->buffer.kept && (size_t)n <= image->buffer.size);
    char *block = realloc(image->buffer.bytes, (size_t)n + H5_IMAGE_ROOM);
    if (!block)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory: no block of %zd bytes to be had", n);
    image->buffer.kept = 0;
    memset(block + n, 0, H5_IMAGE_ROOM);
    *bytes = block;
    *size = (size_t)n;
    return 0;
}

int h5_image_finish(struct h5_image *image, void **bytes, size_t *size, struct error *error)
{
    int outcome = -1;
    if (image->error.code) {
        error_set(error, (enum exit_code)image->error.code, "%s", image->error.text);
    } else {
        h5_lock(NULL, 0);
        outcome = take_bytes(image, bytes, size, error);
        h5_unlock();
    }
    h5_image_destroy(image);
    return outcome;
}

void h5_image_destroy(struct h5_image *image)
{
    if (!image)
        return;
    h5_lock(NULL, 0);
    if (image->group_creation >= 0)
        H5Pclose(image->group_creation);
    if (image->file >= 0)
        H5Fclose(image->file);
    h5_unlock();
    if (image->buffer.kept)
        memory_destroy(image->buffer.bytes);
    memory_destroy(image);
}
