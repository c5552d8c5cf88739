/* Opening, closing, and what is in a file.
 *
 * Before HDF5 sees a path the file is opened and its signature looked for here, because HDF5 answers "unable
 * to open file" to a file that is missing, forbidden, empty, a folder or a picture alike. The signature
 * stands at byte 0, 512, 1024, 2048 and so on (a file may begin with a block of the user's). */
#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "h5/buffer.h"
#include "h5/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIGNATURE_BYTES = 8, LEAST_BYTES = 48, METADATA_BYTES = 1 << 20 };

static const char signature[SIGNATURE_BYTES] = {(char)0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* Where the signature stands, or -1. */
static int64_t find_signature(int descriptor, int64_t bytes)
{
    for (int64_t at = 0; at + SIGNATURE_BYTES <= bytes; at = at ? 2 * at : 512) {
        char found[SIGNATURE_BYTES];
        if (pread(descriptor, found, sizeof found, at) == sizeof found &&
            memcmp(found, signature, sizeof found) == 0)
            return at;
    }
    return -1;
}

static int check_contents(int descriptor, const char *path, uint64_t *bytes, struct error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (status.st_size == 0)
        return error_set(error, EXIT_CODE_DATA, "%s: is empty, not an HDF5 file", path);
    int64_t at = find_signature(descriptor, status.st_size);
    if (at < 0)
        return error_set(error, EXIT_CODE_DATA, "%s: is not an HDF5 file", path);
    if (status.st_size < at + LEAST_BYTES)
        return error_set(error, EXIT_CODE_DATA, "%s: is truncated (%lld bytes): copy it again", path,
            (long long)status.st_size);
    *bytes = (uint64_t)status.st_size;
    return 0;
}

int h5_has_signature(const char *path)
{
    int descriptor = file_open(path, "an HDF5 file", NULL);
    int has = descriptor >= 0 && find_signature(descriptor, SIGNATURE_BYTES) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return has;
}

static int check_file(const char *path, uint64_t *bytes, struct error *error)
{
    int descriptor = file_open(path, "an HDF5 file", error);
    if (descriptor < 0)
        return -1;
    int outcome = check_contents(descriptor, path, bytes, error);
    close(descriptor);
    return outcome;
}

/* The lock is held. */
static void file_destroy(struct h5_file *file)
{
    for (size_t i = 0; i < file->sets; i++)
        h5_close_set(&file->set[i]);
    if (file->link_access >= 0)
        H5Pclose(file->link_access);
    if (file->id >= 0)
        H5Fclose(file->id);
    free(file->set);
    free(file->name);
    memory_destroy(file);
}

/* The lock is held. */
static struct h5_file *file_create(const char *name, size_t cache, struct error *error)
{
    struct h5_file *file = memory_create(1, sizeof *file, error);
    if (!file)
        return NULL;
    *file = (struct h5_file){.id = -1, .descriptor = -1, .cache_left = cache, .name = strdup(name)};
    file->link_access = H5Pcreate(H5P_LINK_ACCESS);
    if (!file->name || file->link_access < 0 || h5_refuse_links(file, file->link_access) != 0) {
        h5_failed(NULL, error, "HDF5 cannot be started");
        file_destroy(file);
        return NULL;
    }
    return file;
}

/* This has to be called before anything else of HDF5, which would clear the error stack. */
static int refuse_to_open(const char *name, int in_memory, struct error *error)
{
    char why[256];
    enum exit_code code = h5_innermost(why, sizeof why);
    if (code == EXIT_CODE_INTERNAL && !in_memory) {
        if (!h5_asks_too_much(0))
            return error_set(error, code, "%s: cannot be opened (HDF5: %s): %s", name, why, h5_memory_remedy);
        code = EXIT_CODE_DATA;
    }
    if (strstr(why, "lock file"))
        return error_set(error, EXIT_CODE_IO,
            "%s: HDF5 cannot lock it (%s): set HDF5_USE_FILE_LOCKING=FALSE in the environment, or end the "
            "program that writes it",
            name, why);
    if (strstr(why, "truncated"))
        return error_set(error, EXIT_CODE_DATA, "%s: is truncated: copy it again (HDF5: %s)", name, why);
    return error_set(error, code, "%s: %sHDF5 cannot open it (HDF5: %s)", name,
        code == EXIT_CODE_DATA ? "is damaged, " : "", why);
}

/* HDF5 takes no lock on the file then, which parallel file systems refuse. */
static hid_t access_without_lock(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0)
        H5Pset_fapl_sec2(access); /* whatever HDF5_DRIVER says: it has a descriptor */
#ifdef HAVE_H5PSET_FILE_LOCKING
    if (access >= 0)
        H5Pset_file_locking(access, 0, 1);
#else
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
#endif
    return access;
}

/* A read from a set in one piece takes the bytes that it asks for: by default HDF5 fetches 64 KiB beside a
 * sequence of 160 bytes. */
static void read_what_is_asked(hid_t access)
{
    if (access >= 0)
        H5Pset_sieve_buf_size(access, 0);
}

/* HDF5 keeps headers, and where chunks lie, in a cache that grows to 32 MiB as they are in the file, which
 * are some eight times as much in memory. Here it does not grow beyond METADATA_BYTES; reading one again
 * takes a few microseconds. */
static void bound_metadata(hid_t access)
{
    H5AC_cache_config_t config = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (access < 0 || H5Pget_mdc_config(access, &config) < 0)
        return;
    config.set_initial_size = 1;
    config.initial_size = config.max_size = config.min_size = METADATA_BYTES;
    config.incr_mode = H5C_incr__off;
    config.flash_incr_mode = H5C_flash_incr__off;
    config.decr_mode = H5C_decr__off;
    H5Pset_mdc_config(access, &config);
}

static hid_t open_path(const char *path, struct error *error)
{
    hid_t access = access_without_lock();
    read_what_is_asked(access);
    bound_metadata(access);
    hid_t id = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (id < 0)
        refuse_to_open(path, 0, error);
    H5Pclose(access);
    return id;
}

/* HDF5 takes two images of one name for the same file, hence the address in it; below /dev/null nothing on
 * disk can have that name. */
static hid_t open_image(const struct h5_file *file, const void *image, size_t size, struct error *error)
{
    char name[64];
    snprintf(name, sizeof name, "/dev/null/image-%p", (const void *)file);
    hid_t id = h5_buffer_open(name, image, size);
    if (id < 0)
        refuse_to_open(file->name, 1, error);
    return id;
}

/* The lock is held. */
static int take_descriptor(struct h5_file *file, struct error *error)
{
    int *descriptor = NULL;
    if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&descriptor) < 0 || !descriptor)
        return h5_failed(file, error, "HDF5 does not say what it has opened");
    file->descriptor = *descriptor;
    return 0;
}

/* `image` NULL: the file of that name and size. */
static struct h5_file *open_locked(
    const char *name, const void *image, uint64_t size, size_t cache, struct error *error)
{
    struct h5_file *file = file_create(name, cache, error);
    if (!file)
        return NULL;
    file->in_memory = image != NULL;
    file->id = image ? open_image(file, image, (size_t)size, error) : open_path(name, error);
    file->bytes = size;
    if (file->id >= 0 && (image || take_descriptor(file, error) == 0))
        return file;
    file_destroy(file);
    return NULL;
}

struct h5_file *h5_open(const char *path, size_t cache, struct error *error)
{
    uint64_t bytes = 0;
    if (check_file(path, &bytes, error) != 0)
        return NULL;
    h5_lock(path, bytes);
    struct h5_file *file = open_locked(path, NULL, bytes, cache, error);
    h5_unlock();
    return file;
}

struct h5_file *h5_open_image(const void *image, size_t size, const char *name, struct error *error)
{
    if (size < LEAST_BYTES || memcmp(image, signature, sizeof signature) != 0) {
        error_set(error, EXIT_CODE_DATA, "%s: is not an HDF5 file", name);
        return NULL;
    }
    h5_lock(name, size);
    struct h5_file *file = open_locked(name, image, size, 0, error);
    h5_unlock();
    return file;
}

void h5_close(struct h5_file *file)
{
    if (!file)
        return;
    h5_lock(file->name, file->bytes);
    file_destroy(file);
    h5_unlock();
}

const char *h5_name(const struct h5_file *file)
{
    return file->name;
}

int h5_identify(const struct h5_file *file, struct file_identity *identity, struct error *error)
{
    if (file_identify(file->descriptor, identity) == 0)
        return 0;
    return error_set(error, EXIT_CODE_IO, "%s: cannot be looked at any more: %s: see to its disk or server",
        file->name, strerror(errno));
}

size_t h5_count_cache(const struct h5_file *file)
{
    return file->cache_room;
}

int h5_has(struct h5_file *file, const char *name)
{
    h5_lock(file->name, file->bytes);
    int there = h5_exists(file, name);
    h5_unlock();
    return there;
}

struct names {
    char **name;
    size_t count, room;
    hid_t link_access;
};

static int keep_name(struct names *names, const char *name)
{
    char **wider = array_grow(names->name, &names->room, names->count, sizeof *wider);
    if (!wider)
        return -1;
    names->name = wider;
    char *copy = strdup(name);
    if (!copy)
        return -1;
    names->name[names->count++] = copy;
    return 0;
}

/* HDF5 calls this. Links are kept too: whoever reads through one is told why not. */
static herr_t take_name(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct names *names = context;
    if (info->type == H5L_TYPE_HARD) {
        hid_t object = H5Oopen(group, name, names->link_access);
        if (object < 0)
            return -1;
        H5I_type_t type = H5Iget_type(object);
        H5Oclose(object);
        if (type != H5I_DATASET)
            return 0;
    }
    return keep_name(names, name);
}

static int list_names(struct h5_file *file, const char *group, struct names *names, struct error *error)
{
    const char *path = *h5_path(group) ? h5_path(group) : "/";
    if (!h5_exists(file, group))
        return error_set(error, EXIT_CODE_DATA, "%s: has no group /%s", file->name, h5_path(group));
    file->elsewhere = 0;
    hid_t id = H5Gopen2(file->id, path, file->link_access);
    if (id < 0)
        return h5_unopened(file, "group", h5_path(group), error);
    int outcome = 0;
    if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, take_name, names) < 0)
        outcome = h5_failed(file, error, "group /%s cannot be listed", h5_path(group));
    H5Gclose(id);
    return outcome;
}

int h5_list(struct h5_file *file, const char *group, int (*each)(void *context, const char *name),
    void *context, struct error *error)
{
    struct names names = {.link_access = file->link_access};
    h5_lock(file->name, file->bytes);
    int outcome = list_names(file, group, &names, error);
    h5_unlock();
    for (size_t i = 0; outcome == 0 && i < names.count; i++)
        outcome = each(context, names.name[i]);
    for (size_t i = 0; i < names.count; i++)
        free(names.name[i]);
    free(names.name);
    return outcome;
}

void h5_version(char *text, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    h5_lock(NULL, 0);
    H5get_libversion(&major, &minor, &release);
    h5_unlock();
    snprintf(text, size, "HDF5 %u.%u.%u", major, minor, release);
}
