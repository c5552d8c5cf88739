/* The course of an import: options, sources one after the other, then the files. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/import/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_options(const struct import_kind *kind, const void *options, struct error *error)
{
    const struct import_options *own = options;
    if (kind->missing_library)
        return error_set(error, EXIT_CODE_USAGE,
            "import %s: this program was built without %s: install it with its headers, and build anew",
            kind->name, kind->missing_library);
    if (!own->output)
        return error_set(error, EXIT_CODE_USAGE, "import: where to? -o FILE is missing");
    if (own->by && !own->split)
        return error_set(error, EXIT_CODE_USAGE, "--by goes with --split SHARES, which is missing");
    if (own->title && !text_is_utf8(own->title, strlen(own->title)))
        return error_set(error, EXIT_CODE_USAGE, "--title: this text is not UTF-8");
    return kind->check ? kind->check(options, error) : 0;
}

/* ---- sources ---- */

const char *import_source(const struct import *import)
{
    return import->source;
}

void *import_state(struct import *import)
{
    return import->state;
}

void import_set_line(struct import *import, int64_t line)
{
    import->line = line;
}

void import_set_file(struct import *import, const char *path)
{
    import->file = path;
}

FILE *import_open(struct import *import)
{
    if (strcmp(import->source, "-") != 0)
        return file_open_stream(import->source, "a file to import", import->error);
    int descriptor = dup(STDIN_FILENO);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (!file)
        import_refuse_reading(import);
    return file;
}

static int is_same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int check_source(const struct import *import, const char *source, struct error *error)
{
    if (strcmp(source, "-") == 0) {
        if (import->kind->streams)
            return 0;
        return error_set(error, EXIT_CODE_USAGE,
            "import %s: standard input cannot be read as this kind: name a file", import->kind->name);
    }
    for (size_t p = 0; p < import->split.parts; p++)
        if (is_same_file(source, import->part[p].path))
            return error_set(error, EXIT_CODE_USAGE,
                "%s: is the file that is read: name another one for the output", import->part[p].path);
    return 0;
}

static int init(struct import *import, struct error *error)
{
    const struct import_options *options = import->options;
    if (import_split_init(&import->split, options->split, options->seed, error))
        return -1;
    for (size_t p = 0; p < import->split.parts; p++) {
        char *path = import_split_path(&import->split, p, options->output, error);
        if (!path || import_part_init(&import->part[p], path, error))
            return -1;
        if (options->like && is_same_file(options->like, path))
            return error_set(error, EXIT_CODE_USAGE,
                "%s: is the dataset of --like: name another file for the output", path);
    }
    if (import->kind->state) {
        import->state = memory_create(1, import->kind->state, error);
        if (!import->state)
            return -1;
    }
    if (options->pattern)
        return import_like_init_pattern(&import->like, options->pattern, error);
    return options->like ? import_like_init(&import->like, options->like, error) : 0;
}

static int read_source(struct import *import, const char *source)
{
    import->source = source;
    import->file = NULL;
    import->line = 0;
    import->has_declared = 0;
    return import->kind->read(import, import->options);
}

static int end_sources(struct import *import)
{
    import->file = NULL;
    import->line = 0;
    return import->kind->end ? import->kind->end(import, import->options) : 0;
}

static void finish(struct import *import)
{
    if (import->state && import->kind->finish)
        import->kind->finish(import->state);
    memory_destroy(import->state);
    for (size_t p = 0; p < IMPORT_MOST_PARTS; p++)
        import_part_finish(&import->part[p]);
    import_like_finish(&import->like);
    net_names_finish(&import->declared.names);
    import_vocabulary_finish(&import->symbols);
    import_vocabulary_finish(&import->classes);
    memory_destroy(import->symbol_map);
    memory_destroy(import->class_map);
    memory_destroy(import->gaps.missed);
    memory_destroy(import->gaps.sum);
    memory_destroy(import->gaps.present);
    free(import->name_hash);
}

int import_run(const struct import_kind *kind, const void *options, char *const *sources,
    void (*warn)(const char *text), struct import_result *result, struct error *error)
{
    struct import import = {.kind = kind, .options = options, .warn = warn, .error = error};
    *result = (struct import_result){0};
    int failed = check_options(kind, options, error) || init(&import, error);
    for (size_t s = 0; !failed && sources[s]; s++)
        failed = check_source(&import, sources[s], error);
    for (size_t s = 0; !failed && sources[s]; s++)
        failed = read_source(&import, sources[s]);
    failed = failed || end_sources(&import);
    if (!failed && !import.declared.source)
        failed = error_set(error, EXIT_CODE_DATA, "%s: no sequences are in what is imported", sources[0]);
    failed = failed || import_write(&import, result, error);
    finish(&import);
    return failed ? -1 : 0;
}

void import_result_finish(struct import_result *result)
{
    for (size_t f = 0; f < result->files; f++)
        memory_destroy(result->file[f].path);
    *result = (struct import_result){0};
}
