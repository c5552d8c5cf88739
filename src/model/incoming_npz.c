/* A .npz of NumPy (NEP 1, numpy/lib/format): a zip file with a member NAME.npy for each tensor, in 32-bit or
 * 64-bit floats by rows. A member is read once name and shape are those of a parameter, whose size it then
 * has. */
#include "model/incoming.h"

#include <string.h>

static int recognizes(const unsigned char *bytes, size_t size)
{
    return size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

#ifdef HAVE_LIBZIP

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <zip.h>

enum { HEADER_BYTES = 4096, NAME_BYTES = 128 };

/* A member that is being read. */
struct member {
    const struct incoming *incoming;
    struct zip_file *file;
    uint64_t size, read;   /* bytes of all, and those that were read */
    char name[NAME_BYTES]; /* of the tensor */
    char header[HEADER_BYTES];
};

static int refuse(const struct member *member, const char *what, struct error *error)
{
    return error_set(
        error, EXIT_CODE_DATA, "%s: member %s.npy %s", member->incoming->path, member->name, what);
}

static int read_exactly(struct member *member, void *bytes, uint64_t n, struct error *error)
{
    if (n > member->size - member->read || zip_fread(member->file, bytes, n) != (zip_int64_t)n)
        return refuse(member, "ends too early, or is damaged: save it again", error);
    member->read += n;
    return 0;
}

/* Reads what stands before the numbers: its text into member->header. */
static int read_header(struct member *member, struct error *error)
{
    unsigned char start[8], length[4] = {0};
    if (read_exactly(member, start, sizeof start, error) != 0)
        return -1;
    if (memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3)
        return refuse(member, "is no array of NumPy: leave it out", error);
    if (read_exactly(member, length, start[6] == 1 ? 2 : 4, error) != 0)
        return -1;
    uint32_t n = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 | (uint32_t)length[3] << 24;
    if (n >= HEADER_BYTES)
        return refuse(member, "has a header of an impossible length: save it again", error);
    member->header[n] = 0;
    return read_exactly(member, member->header, n, error);
}

/* Returns what stands behind a key of the header, or "". */
static const char *find_entry(const struct member *member, const char *key)
{
    const char *at = strstr(member->header, key);
    at = at ? at + strlen(key) : "";
    return at + strspn(at, " :");
}

static int take_shape(const struct member *member, struct incoming_tensor *tensor, struct error *error)
{
    const char *at = find_entry(member, "'shape'");
    if (*at++ != '(')
        return refuse(member, "has no shape: save it again", error);
    while (*(at += strspn(at, " ,")) != ')') {
        char *end;
        if (*at < '0' || *at > '9' || tensor->dimensions == INCOMING_MOST_DIMENSIONS)
            return refuse(member, "has a shape that no tensor of ours has", error);
        tensor->size[tensor->dimensions++] = strtoull(at, &end, 10);
        at = end;
    }
    return 0;
}

static int take_description(const struct member *member, struct incoming_tensor *tensor, struct error *error)
{
    const char *type = find_entry(member, "'descr'");
    tensor->bytes = strncmp(type, "'<f4'", 5) == 0 ? 4 : strncmp(type, "'<f8'", 5) == 0 ? 8 : 0;
    if (!tensor->bytes)
        return refuse(member,
            "is of a type that is not read: little-endian floats of 32 or 64 bits are: save it as such",
            error);
    if (take_shape(member, tensor, error) != 0)
        return -1;
    if (strncmp(find_entry(member, "'fortran_order'"), "False", 5) != 0 && tensor->dimensions > 1)
        return refuse(member, "lies by columns: save numpy.ascontiguousarray of it", error);
    return 0;
}

/* Only whoever reads beyond the last byte is told of a wrong checksum. */
static int check_end(const struct member *member, struct error *error)
{
    char beyond;
    return zip_fread(member->file, &beyond, 1) == 0
        ? 0
        : refuse(member, "does not have its checksum, it is damaged: save it again", error);
}

/* Reads the numbers and takes them. */
static int take_values(
    struct incoming *incoming, struct member *member, struct incoming_tensor *tensor, struct error *error)
{
    const struct parameter *p = incoming_find(incoming, tensor, error);
    if (!p)
        return -1;
    if (member->size - member->read != p->count * tensor->bytes)
        return refuse(member, "does not have the bytes that its shape takes: save it again", error);
    char *values = memory_create(p->count, tensor->bytes, error);
    tensor->values = values;
    int failed = !values || read_exactly(member, values, p->count * tensor->bytes, error) != 0 ||
        check_end(member, error) != 0 || incoming_take(incoming, tensor, error) != 0;
    memory_destroy(values);
    return failed ? -1 : 0;
}

static int take_member(struct incoming *incoming, struct zip *archive, uint64_t index, struct error *error)
{
    struct member member = {.incoming = incoming};
    struct incoming_tensor tensor = {.name = member.name};
    struct zip_stat stat;
    if (zip_stat_index(archive, index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) ||
        !(stat.valid & ZIP_STAT_NAME))
        return error_set(error, EXIT_CODE_DATA, "%s: is damaged: %s", incoming->path, zip_strerror(archive));
    size_t n = strlen(stat.name);
    if (!text_ends_in(stat.name, ".npy") || n - 4 >= NAME_BYTES)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has a member %.100s, which is no array of ours: leave it out", incoming->path, stat.name);
    memcpy(member.name, stat.name, n - 4);
    member.size = stat.size;
    member.file = zip_fopen_index(archive, index, 0);
    if (!member.file)
        return refuse(&member, zip_strerror(archive), error);
    int failed = read_header(&member, error) != 0 || take_description(&member, &tensor, error) != 0 ||
        take_values(incoming, &member, &tensor, error) != 0;
    zip_fclose(member.file);
    return failed ? -1 : 0;
}

static int read_npz(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    struct zip_error why;
    zip_error_init(&why);
    struct zip_source *source = zip_source_buffer_create(bytes, size, 0, &why);
    struct zip *archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
    int failed = 0;
    if (!archive) {
        error_set(error, EXIT_CODE_DATA, "%s: is no .npz, or damaged: %s", incoming->path,
            zip_error_strerror(&why));
        zip_error_fini(&why);
        zip_source_free(source);
        return -1;
    }
    zip_error_fini(&why);
    zip_int64_t n = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < n && !failed; i++)
        failed = take_member(incoming, archive, (uint64_t)i, error) != 0;
    zip_discard(archive);
    return failed ? -1 : 0;
}

#else

static int read_npz(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE,
        "%s: this program was built without libzip, which reads .npz files: build it with libzip",
        incoming->path);
}

#endif

const struct incoming_kind incoming_npz = {"a .npz file", .recognizes = recognizes, .read = read_npz};
