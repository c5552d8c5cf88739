#include "data/import/bundle.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBZIP
#include <zip.h>

static int open_archive(struct import_bundle *bundle)
{
    int why, descriptor = file_open(bundle->path, "a .npz file", import_error(bundle->import));
    if (descriptor < 0)
        return -1;
    bundle->archive = zip_fdopen(descriptor, 0, &why); /* which takes the descriptor over */
    if (bundle->archive)
        return 0;
    close(descriptor);
    zip_error_t error;
    zip_error_init_with_code(&error, why);
    import_refuse(bundle->import, "is no .npz file: %s", zip_error_strerror(&error));
    zip_error_fini(&error);
    return -1;
}

static zip_int64_t find_member(const struct import_bundle *bundle, const char *name)
{
    char member[128];
    snprintf(member, sizeof member, "%s.npy", name);
    return zip_name_locate(bundle->archive, member, 0);
}
#else
static int open_archive(struct import_bundle *bundle)
{
    return import_refuse(bundle->import, "this program was built without libzip, which reads .npz files");
}
#endif

int import_bundle_open(struct import_bundle *bundle, struct import *import, const char *path)
{
    struct stat status;
    *bundle = (struct import_bundle){.import = import, .path = path};
    if (stat(path, &status))
        return import_refuse_reading(import);
    return S_ISDIR(status.st_mode) ? 0 : open_archive(bundle);
}

void import_bundle_close(struct import_bundle *bundle)
{
#ifdef HAVE_LIBZIP
    if (bundle->archive)
        zip_discard(bundle->archive);
#endif
    *bundle = (struct import_bundle){0};
}

/* The path of an array, the caller's (memory_destroy); NULL without memory. */
static char *name_path(const struct import_bundle *bundle, const char *name)
{
    size_t room = strlen(bundle->path) + strlen(name) + 8;
    char *path = memory_create(room, 1, import_error(bundle->import));
    if (path)
        snprintf(path, room, "%s/%s.npy", bundle->path, name);
    return path;
}

int import_bundle_has(const struct import_bundle *bundle, const char *name)
{
#ifdef HAVE_LIBZIP
    if (bundle->archive)
        return find_member(bundle, name) >= 0;
#endif
    char *path = name_path(bundle, name);
    int there = path && access(path, F_OK) == 0;
    memory_destroy(path);
    return there;
}

int import_bundle_open_array(const struct import_bundle *bundle, const char *name, struct import_array *array)
{
    char *path = name_path(bundle, name);
    if (!path)
        return -1;
    int failed = 0;
#ifdef HAVE_LIBZIP
    if (bundle->archive)
        failed = import_array_open_member(
            array, bundle->import, path, bundle->archive, (zip_uint64_t)find_member(bundle, name));
#endif
    if (!bundle->archive)
        failed = import_array_open(array, bundle->import, path);
    memory_destroy(path);
    return failed;
}
