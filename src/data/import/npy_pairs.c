/* A file for each sequence: NAME.npy [T, I] or [T], and beside it NAME.target.npy, of which all files of a
 * folder have one or none. Headers are read twice: first to see what all sequences have in common. */
#include "data/import/arrays.h"

#include "base/array.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char TARGET[] = ".target.npy", ARRAY[] = ".npy";

struct npy_pairs {
    struct npy_form form;
    const struct npy_options *options;
    char **path; /* [n] of inputs, in byte order */
    size_t n, room;
    int targets_of_frames, targets_of_sequences; /* so far */
    int known;                                   /* the form is that of the files before */
};

static int compare_paths(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static int add_path(struct npy_pairs *pairs, const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char **paths = array_grow(pairs->path, &pairs->room, pairs->n, sizeof *paths);
    pairs->path = paths ? paths : pairs->path;
    char *path = paths ? malloc(room) : NULL;
    if (!path)
        return error_set(import_error(pairs->form.import), EXIT_CODE_INTERNAL, "out of memory");
    snprintf(path, room, "%s%s%s", folder, *folder ? "/" : "", name);
    pairs->path[pairs->n++] = path;
    return 0;
}

static int list_folder(struct npy_pairs *pairs, const char *folder)
{
    struct import *import = pairs->form.import;
    DIR *entries = opendir(folder);
    if (!entries)
        return import_refuse_reading(import);
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(entries));)
        if (entry->d_name[0] != '.' && text_ends_in(entry->d_name, ARRAY) &&
            !text_ends_in(entry->d_name, TARGET))
            failed = add_path(pairs, folder, entry->d_name);
    closedir(entries);
    if (!failed && pairs->n == 0)
        return import_refuse(import,
            "no arrays are in this folder: NAME.npy, or inputs.npy and input_offsets.npy, or "
            "%s.npy",
            pairs->options->x);
    qsort(pairs->path, pairs->n, sizeof *pairs->path, compare_paths);
    return failed;
}

/* The path of the targets of a sequence, the caller's (memory_destroy); NULL without memory. */
static char *name_targets(struct npy_pairs *pairs, const char *path)
{
    size_t stem = strlen(path) - strlen(ARRAY);
    char *targets = memory_create(stem + sizeof TARGET, 1, import_error(pairs->form.import));
    if (targets)
        sprintf(targets, "%.*s%s", (int)stem, path, TARGET);
    return targets;
}

/* Opens both arrays: *has where there are targets. */
static int open_both(struct npy_pairs *pairs, const char *path, struct import_array *inputs,
    struct import_array *targets, int *has)
{
    struct import *import = pairs->form.import;
    *targets = (struct import_array){0};
    if (import_array_open(inputs, import, path))
        return -1;
    char *beside = name_targets(pairs, path);
    *has = beside && access(beside, F_OK) == 0;
    int failed = !beside || (*has && import_array_open(targets, import, beside));
    memory_destroy(beside);
    return failed ? -1 : 0;
}

static int64_t count_rows(const struct import_array *array)
{
    return array->dimensions ? array->size[0] : 1;
}

/* Compares one more pair with those before. */
static int look_at(
    struct npy_pairs *pairs, const struct import_array *inputs, const struct import_array *targets, int has)
{
    struct npy_form form = {.import = pairs->form.import}, *first = &pairs->form;
    import_set_file(form.import, inputs->path);
    if (npy_form_inputs(&form, pairs->options, inputs, 1) ||
        (has && npy_form_targets(&form, pairs->options, targets, targets->dimensions ? 1 : 0)))
        return -1;
    if (!pairs->known)
        *first = form;
    pairs->known = 1;
    if (form.features != first->features || form.symbols != first->symbols ||
        form.text_symbols != first->text_symbols || form.values != first->values ||
        form.text_classes != first->text_classes || form.has_targets != first->has_targets)
        return import_refuse(form.import,
            "%s than in the files before: symbols or features, classes or values, and "
            "how many, have to be the same",
            form.has_targets != first->has_targets ? "targets are beside it, or not, other"
                                                   : "has rows of another form");
    int64_t T = count_rows(inputs), U = has ? count_rows(targets) : 0;
    pairs->targets_of_frames = pairs->targets_of_frames && T == U;
    pairs->targets_of_sequences = pairs->targets_of_sequences && U == 1;
    import_set_file(form.import, NULL);
    return 0;
}

static int add_sequence(
    struct npy_pairs *pairs, const struct import_array *opened, struct import_array *targets)
{
    struct import_array inputs = *opened;
    struct import *import = pairs->form.import;
    const char *slash = strrchr(inputs.path, '/');
    char *name = text_copy(slash ? slash + 1 : inputs.path, import_error(import));
    if (!name)
        return -1;
    name[strlen(name) - strlen(ARRAY)] = 0;
    import_set_file(import, inputs.path);
    int failed = import_begin(import, name, NULL) ||
        npy_form_add_frames(&pairs->form, &inputs, count_rows(&inputs)) ||
        (pairs->form.has_targets && npy_form_add_targets(&pairs->form, targets, count_rows(targets))) ||
        import_end(import);
    import_set_file(import, NULL);
    memory_destroy(name);
    return failed ? -1 : 0;
}

static int visit(struct npy_pairs *pairs, const char *path, int look)
{
    struct import_array inputs, targets;
    int has, failed = open_both(pairs, path, &inputs, &targets, &has);
    if (!failed)
        failed = look ? look_at(pairs, &inputs, &targets, has) : add_sequence(pairs, &inputs, &targets);
    import_set_file(pairs->form.import, NULL);
    import_array_close(&inputs);
    import_array_close(&targets);
    return failed;
}

int npy_read_pairs(struct import *import, const struct npy_options *options, const char *path)
{
    struct npy_pairs pairs = {
        .form.import = import, .options = options, .targets_of_frames = 1, .targets_of_sequences = 1};
    struct stat status;
    int failed = stat(path, &status) ? import_refuse_reading(import)
        : S_ISDIR(status.st_mode)    ? list_folder(&pairs, path)
                                     : add_path(&pairs, "", path);
    for (size_t f = 0; f < pairs.n && !failed; f++)
        failed = visit(&pairs, pairs.path[f], 1);
    enum import_targets targets = !pairs.form.has_targets ? IMPORT_NO_TARGETS
        : pairs.targets_of_frames                         ? IMPORT_PER_FRAME
        : pairs.targets_of_sequences                      ? IMPORT_PER_SEQUENCE
                                                          : IMPORT_ANY_TARGETS;
    failed = failed || npy_form_declare(&pairs.form, targets);
    for (size_t f = 0; f < pairs.n && !failed; f++)
        failed = visit(&pairs, pairs.path[f], 0);
    for (size_t f = 0; f < pairs.n; f++)
        free(pairs.path[f]);
    free(pairs.path);
    npy_form_finish(&pairs.form);
    return failed ? -1 : 0;
}
