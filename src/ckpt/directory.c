/* The names of checkpoints in a run directory hold their steps, with zeroes in front, so that they sort. */
#include "ckpt/directory.h"

#include "base/array.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STEP_DIGITS = 10 };

static const char before_step[] = "checkpoint-", behind_step[] = ".h5";

int64_t directory_find_step(const char *name)
{
    if (strncmp(name, before_step, sizeof before_step - 1) != 0)
        return -1;
    const char *digits = name + sizeof before_step - 1;
    size_t n = strspn(digits, "0123456789");
    if (n < STEP_DIGITS || n > 18 || strcmp(digits + n, behind_step) != 0)
        return -1;
    return strtoll(digits, NULL, 10);
}

void directory_name_step(int64_t step, char *name, size_t size)
{
    snprintf(name, size, "%s%0*" PRId64 "%s", before_step, STEP_DIGITS, step, behind_step);
}

void directory_step_path(const char *directory, int64_t step, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/", directory);
    if (length < (int)size)
        directory_name_step(step, path + length, size - (size_t)length);
}

static void find_step(void *context, const char *name)
{
    *(int *)context |= directory_find_step(name) >= 0;
}

int directory_has_step(const char *directory)
{
    int found = 0;
    directory_walk(directory, find_step, &found);
    return found;
}

int directory_walk(const char *directory, void (*each)(void *context, const char *name), void *context)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return errno;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream)))
        each(context, entry->d_name); /* may leave anything in errno */
    int outcome = errno;
    closedir(stream);
    return outcome;
}

static void take_step(void *context, const char *name)
{
    struct steps *steps = context;
    int64_t step = directory_find_step(name);
    if (step < 0)
        return;
    int64_t *wider = array_grow(steps->step, &steps->room, steps->count, sizeof *wider);
    if (!wider) {
        steps->failed = 1;
        return;
    }
    steps->step = wider;
    steps->step[steps->count++] = step;
}

static int newest_first(const void *a, const void *b)
{
    const int64_t *p = a, *q = b;
    return *p > *q ? -1 : *p < *q;
}

int directory_list_steps(const char *directory, struct steps *steps, struct error *error)
{
    *steps = (struct steps){0};
    int why = directory_walk(directory, take_step, steps);
    if ((why && why != ENOENT) || steps->failed) {
        free(steps->step);
        error_set(
            error, EXIT_CODE_IO, "%s: cannot be read: %s", directory, strerror(steps->failed ? ENOMEM : why));
        return -1;
    }
    if (steps->count)
        qsort(steps->step, steps->count, sizeof *steps->step, newest_first);
    return 0;
}

int directory_find_checkpoint(const char *named, char *path, size_t size, struct error *error)
{
    struct stat status;
    int folder = stat(named, &status) == 0 && S_ISDIR(status.st_mode);
    size_t n = strlen(named);
    while (folder && n > 1 && named[n - 1] == '/')
        n--;
    int length = snprintf(path, size, "%.*s%s", (int)n, named, folder ? "/best.h5" : "");
    if (length >= (int)size)
        return error_set(error, EXIT_CODE_IO, "%.60s...: the path is too long", named);
    if (folder && stat(path, &status) != 0 && errno == ENOENT)
        return error_set(error, EXIT_CODE_IO,
            "%s: there is no best.h5 in this folder: name a run directory that has one, or a checkpoint",
            named);
    return 0;
}
