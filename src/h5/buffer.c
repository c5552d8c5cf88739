/* HDF5's core driver asks callbacks for its memory, if it is given any. For reading they hand it the caller's
 * image again and again, whoever asks for a copy. For building they are realloc, and at the end, instead of
 * freeing, remember where the file lies. New memory is cleared, so that gaps in the file are always zero. */
#include "h5/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { INCREMENT = 1 << 20 /* bytes by which a file grows */ };

static void *lend(size_t size, H5FD_file_image_op_t operation, void *context)
{
    return context;
}

static void *copy_nothing(
    void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *context)
{
    return to;
}

static void *refuse_growth(void *block, size_t size, H5FD_file_image_op_t operation, void *context)
{
    return NULL;
}

static herr_t keep(void *block, H5FD_file_image_op_t operation, void *context)
{
    return 0;
}

static void *same_context(void *context)
{
    return context;
}

static herr_t keep_context(void *context)
{
    return 0;
}

/* Every call clears the error stack, also one that cleans up after a failure. */
static void close_list(hid_t list)
{
    hid_t stack = H5Eget_current_stack();
    H5Pclose(list);
    H5Eset_current_stack(stack);
}

/* What lies in memory needs no sieve buffer, of which HDF5 gives each open set one of up to 64 KiB. */
static hid_t list_access(H5FD_file_image_callbacks_t *callbacks)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_fapl_core(access, INCREMENT, 0) >= 0 && H5Pset_sieve_buf_size(access, 0) >= 0 &&
        H5Pset_file_image_callbacks(access, callbacks) >= 0)
        return access;
    close_list(access);
    return -1;
}

hid_t h5_buffer_open(const char *name, const void *image, size_t size)
{
    void *block = (void *)(uintptr_t)image; /* opened for reading: nothing is written to it */
    H5FD_file_image_callbacks_t callbacks = {
        lend, copy_nothing, refuse_growth, keep, same_context, keep_context, block};
    hid_t file = -1, access = list_access(&callbacks);
    if (access >= 0 && H5Pset_file_image(access, block, size) >= 0)
        file = H5Fopen(name, H5F_ACC_RDONLY, access);
    close_list(access);
    return file;
}

static void *allocate(size_t size, H5FD_file_image_op_t operation, void *context)
{
    struct h5_buffer *buffer = context;
    buffer->bytes = calloc(1, size);
    buffer->size = size;
    return buffer->bytes;
}

static void *copy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *context)
{
    return memcpy(to, from, size);
}

static void *grow(void *block, size_t size, H5FD_file_image_op_t operation, void *context)
{
    struct h5_buffer *buffer = context;
    char *wider = realloc(block, size);
    if (!wider)
        return NULL;
    if (size > buffer->size)
        memset(wider + buffer->size, 0, size - buffer->size);
    buffer->bytes = wider;
    buffer->size = size;
    return wider;
}

static herr_t hand_over(void *block, H5FD_file_image_op_t operation, void *context)
{
    struct h5_buffer *buffer = context;
    buffer->kept = block == buffer->bytes;
    return 0;
}

hid_t h5_buffer_create(const char *name, hid_t creation, struct h5_buffer *buffer)
{
    H5FD_file_image_callbacks_t callbacks = {
        allocate, copy, grow, hand_over, same_context, keep_context, buffer};
    hid_t file = -1, access = list_access(&callbacks);
    if (access >= 0 && (!buffer->metadata || H5Pset_meta_block_size(access, buffer->metadata) >= 0))
        file = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
    close_list(access);
    return file;
}
