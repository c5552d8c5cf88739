/* Names inside a file, and links.
 *
 * HDF5 follows links to other files wherever a path meets one. The callback that it asks before doing so
 * refuses, which also covers soft links that pass through such a link. */
#include "h5/internal.h"

#include <stdlib.h>
#include <string.h>

const char *h5_path(const char *name)
{
    while (*name == '/')
        name++;
    return name;
}

static herr_t refuse(const char *parent_file, const char *parent_group, const char *child_file,
    const char *child_object, unsigned *flags, hid_t access, void *context)
{
    struct h5_file *file = context;
    file->elsewhere = 1;
    return -1;
}

int h5_refuse_links(struct h5_file *file, hid_t link_access)
{
    return H5Pset_elink_cb(link_access, refuse, file) < 0 ? -1 : 0;
}

int h5_exists(struct h5_file *file, const char *name)
{
    char *prefix = strdup(h5_path(name));
    if (!prefix)
        return 0;
    int there = 1;
    file->elsewhere = 0;
    for (char *end = prefix; there && *prefix; end++) {
        end += strcspn(end, "/");
        char kept = *end;
        *end = 0;
        htri_t found = H5Lexists(file->id, prefix, file->link_access);
        there = found > 0 || file->elsewhere;
        *end = kept;
        if (!kept || file->elsewhere)
            break;
    }
    H5Eclear2(H5E_DEFAULT);
    free(prefix);
    return there;
}

int h5_unopened(struct h5_file *file, const char *kind, const char *name, struct error *error)
{
    if (file->elsewhere)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s /%s leads into another file: only what lies in the file itself is read; copy it in "
            "(h5copy, h5repack)",
            file->name, kind, name);
    return h5_failed(file, error, "%s /%s cannot be opened", kind, name);
}
