/* A name alone proves nothing but for checkpoints, whose names nobody chooses by accident: "config.ini",
 * "metrics.csv" and "status" are names that people use for files of their own. */
#include "ckpt/place.h"

#include "ckpt/directory.h"
#include "ckpt/lock.h"
#include "ckpt/metrics.h"
#include "ckpt/rows.h"
#include "ckpt/rundir.h"
#include "ckpt/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a walk over the names finds. */
struct contents {
    int checkpoints;
    char other[256]; /* the first name that is not left out of account */
};

static int counts_for_nothing(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lock") == 0 ||
        strncmp(name, ".lock.tmp-", 10) == 0 || strncmp(name, ".nfs", 4) == 0 || rundir_is_temporary(name);
}

static void take_name(void *context, const char *name)
{
    struct contents *contents = context;
    contents->checkpoints |= directory_find_step(name) >= 0;
    if (!*contents->other && !counts_for_nothing(name))
        snprintf(contents->other, sizeof contents->other, "%s", name);
}

static int begins_with_header(const char *directory)
{
    char path[DIRECTORY_PATH], line[256] = "";
    snprintf(path, sizeof path, "%s/metrics.csv", directory);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    if (descriptor < 0)
        return 0;
    ssize_t n = read(descriptor, line, sizeof line - 1);
    close(descriptor);
    size_t length = strcspn(rows_header, "\n");
    return n > (ssize_t)length && strncmp(line, rows_header, length) == 0;
}

static int has_lock(const char *directory)
{
    char story[512];
    return lock_look(directory, story, sizeof story, NULL) > 0;
}

static enum place look(const char *directory, struct contents *contents)
{
    struct run_status status;
    directory_walk(directory, take_name, contents);
    if (contents->checkpoints || begins_with_header(directory) ||
        status_read(directory, &status, NULL) == 1 || has_lock(directory))
        return PLACE_RUN;
    return *contents->other ? PLACE_OTHER : PLACE_FREE;
}

enum place place_look(const char *directory)
{
    struct contents contents = {0};
    return look(directory, &contents);
}

int place_check(const char *directory, struct error *error)
{
    struct contents contents = {0};
    if (look(directory, &contents) != PLACE_OTHER)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: is neither empty nor a run directory (it holds %s): choose another run directory (-o), or empty "
        "this one",
        directory, contents.other);
}

/* Is the last part of the path "config.ini", in this very folder? */
static int is_the_name(const char *config, const char *directory)
{
    char folder[PATH_MAX], real[PATH_MAX], want[PATH_MAX];
    const char *slash = strrchr(config, '/');
    if (strcmp(slash ? slash + 1 : config, "config.ini") != 0)
        return 0;
    int n =
        snprintf(folder, sizeof folder, "%.*s/.", slash ? (int)(slash - config) : 1, slash ? config : ".");
    return n < (int)sizeof folder && realpath(folder, real) && realpath(directory, want) &&
        strcmp(real, want) == 0;
}

int place_check_config(const char *directory, const char *config, struct error *error)
{
    char path[DIRECTORY_PATH];
    struct stat own, given;
    snprintf(path, sizeof path, "%s/config.ini", directory);
    if (lstat(path, &own) != 0 || stat(config, &given) != 0 || own.st_dev != given.st_dev ||
        own.st_ino != given.st_ino || is_the_name(config, directory))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: is %s by another name, which the run writes anew: give that name, or a copy", config, path);
}
