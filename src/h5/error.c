/* HDF5's error stack turned into one line. The stack is walked from its inner end: the innermost message says
 * what happened ("inflate() failed"), the outer ones only who asked. */
#include "h5/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct innermost {
    char *text;
    size_t size;
    enum exit_code code;
};

/* HDF5 1.14 drops what a filter said. Its bytes are damaged then, unless there is no memory for anybody. */
static int filter_had_no_memory(const H5E_error2_t *entry)
{
    return entry->maj_num == H5E_PLINE && entry->min_num == H5E_READERROR && !h5_asks_too_much(0);
}

static herr_t take_innermost(unsigned n, const H5E_error2_t *entry, void *context)
{
    struct innermost *innermost = context;
    if (n == 0) {
        snprintf(innermost->text, innermost->size, "%s", entry->desc ? entry->desc : "");
        if (entry->maj_num == H5E_IO || entry->maj_num == H5E_VFL)
            innermost->code = EXIT_CODE_IO;
        else if (entry->maj_num == H5E_RESOURCE || entry->min_num == H5E_NOSPACE ||
            filter_had_no_memory(entry))
            innermost->code = EXIT_CODE_INTERNAL;
    }
    return 0;
}

enum exit_code h5_innermost(char *text, size_t size)
{
    struct innermost innermost = {text, size, EXIT_CODE_DATA};
    text[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &innermost);
    H5Eclear2(H5E_DEFAULT);
    return innermost.code;
}

const char h5_memory_remedy[] = "out of memory: a smaller data.cache, train.microbatch or model.hidden, or "
                                "fewer ranks a node, leave more";

int h5_asks_too_much(uint64_t bytes)
{
    enum { FEW = 16 << 20, MANY = 256 << 20 };
    size_t needed = bytes > MANY ? MANY : bytes < FEW ? FEW : (size_t)bytes;
    void *volatile block = malloc(needed); /* volatile, or a compiler may leave both calls out */
    int has = block != NULL;
    free(block);
    return has;
}

int h5_failed(const struct h5_file *file, struct error *error, const char *format, ...)
{
    char what[512], why[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    enum exit_code code = h5_innermost(why, sizeof why);
    const char *name = file ? file->name : "HDF5 image";
    if (code == EXIT_CODE_INTERNAL && file && !file->in_memory && h5_asks_too_much(file->bytes))
        code = EXIT_CODE_DATA;
    if (code == EXIT_CODE_INTERNAL)
        return error_set(error, code, "%s: %s (HDF5: %s): %s", name, what, why, h5_memory_remedy);
    return error_set(
        error, code, "%s: %s%s%s%s", name, what, why[0] ? " (HDF5: " : "", why, why[0] ? ")" : "");
}
