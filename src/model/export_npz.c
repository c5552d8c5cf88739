/* A .npz of NumPy: a zip file with a member NAME.npy for each tensor, stored as it is. Times are those of the
 * beginning of zip's calendar, so that equal weights make equal files. */
#include "model/export.h"

#ifdef HAVE_LIBZIP

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { NPY_HEADER = 128 }; /* bytes: a multiple of 64, and enough for two sizes */

static int refuse_memory(struct error *error)
{
    return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
}

/* Writes the header of NumPy's format 1.0 for 32-bit floats by rows. */
static void write_header(const struct parameter *p, char header[NPY_HEADER])
{
    char shape[64];
    if (p->dimensions == 2)
        snprintf(shape, sizeof shape, "(%zu, %zu)", p->size[0], p->size[1]);
    else
        snprintf(shape, sizeof shape, "(%zu,)", p->size[0]);
    static const char magic[] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, NPY_HEADER - 10, 0};
    memset(header, ' ', NPY_HEADER);
    memcpy(header, magic, sizeof magic);
    int n = snprintf(header + sizeof magic, NPY_HEADER - sizeof magic,
        "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape);
    header[sizeof magic + (size_t)n] = ' ';
    header[NPY_HEADER - 1] = '\n';
}

static int refuse_archive(struct zip *archive, struct error *error)
{
    return error_set(error, EXIT_CODE_INTERNAL, "the .npz cannot be made: %s", zip_strerror(archive));
}

/* Adds a member, whose bytes the archive owns. */
static int add_tensor(
    struct zip *archive, const struct checkpoint *checkpoint, const struct parameter *p, struct error *error)
{
    char name[sizeof p->name + 8];
    size_t size = NPY_HEADER + p->count * sizeof(float);
    char *bytes = malloc(size);
    if (!bytes)
        return refuse_memory(error);
    write_header(p, bytes);
    memcpy(bytes + NPY_HEADER, checkpoint->weights + p->offset, p->count * sizeof(float));
    struct zip_source *source = zip_source_buffer(archive, bytes, size, 1);
    if (!source) {
        free(bytes);
        return refuse_archive(archive, error);
    }
    snprintf(name, sizeof name, "%s.npy", p->name);
    zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return refuse_archive(archive, error);
    }
    if (zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 0x21, 0) != 0)
        return refuse_archive(archive, error);
    return 0;
}

/* Writes the bytes of a finished archive to the file. */
static int write_source(struct zip_source *source, const char *path, struct error *error)
{
    struct zip_stat stat;
    char *bytes = NULL;
    zip_stat_init(&stat);
    if (zip_source_stat(source, &stat) == 0 && stat.valid & ZIP_STAT_SIZE)
        bytes = memory_create(stat.size, 1, error);
    if (!bytes)
        return refuse_memory(error);
    int failed = zip_source_open(source) != 0;
    if (!failed)
        failed = zip_source_read(source, bytes, stat.size) != (zip_int64_t)stat.size;
    zip_source_close(source);
    int outcome = failed ? refuse_memory(error)
                         : store_write_pieces(path, &(struct file_piece){bytes, stat.size}, 1, error);
    memory_destroy(bytes);
    return outcome;
}

static int write_npz(const struct stored *stored, const char *path, struct error *error)
{
    const struct checkpoint *checkpoint = &stored->checkpoint;
    struct zip_error why;
    zip_error_init(&why);
    struct zip_source *source = zip_source_buffer_create(NULL, 0, 0, &why);
    struct zip *archive = source ? zip_open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
    zip_error_fini(&why);
    if (!archive) {
        zip_source_free(source);
        return refuse_memory(error);
    }
    zip_source_keep(source);
    int failed = 0;
    for (size_t i = 0; i < checkpoint->parameters && !failed; i++)
        failed = add_tensor(archive, checkpoint, &checkpoint->parameter[i], error) != 0;
    if (!failed && zip_close(archive) != 0)
        failed = refuse_archive(archive, error) != 0;
    else if (!failed)
        archive = NULL;
    if (archive)
        zip_discard(archive);
    int outcome = failed ? -1 : write_source(source, path, error);
    zip_source_free(source);
    return outcome;
}

#else

static int write_npz(const struct stored *stored, const char *path, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE,
        "%s: this program was built without libzip, which writes .npz files: build it with libzip, or export "
        "to safetensors",
        path);
}

#endif

const struct export_kind export_npz = {"weights for NumPy", write_npz};
