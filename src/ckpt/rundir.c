/* Which files a run directory has, and which of them may go.
 *
 * A checkpoint is removed only after a newer one is safely there. Checkpoints of later steps than the one
 * just written are those that a resume found damaged and passed over; they go too. */
#include "ckpt/rundir.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is it the temporary file of one that a run writes? */
static int is_temporary(const char *name)
{
    static const char *const written[] = {"best.h5", "status", "config.ini", "metrics.csv", "probe"};
    char base[64];
    size_t n = temporary_base(name);
    if (n == 0 || n >= sizeof base)
        return 0;
    memcpy(base, name + 1, n);
    base[n] = 0;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (strcmp(base, written[i]) == 0)
            return 1;
    return directory_find_step(base) >= 0;
}

void rundir_checkpoint_path(const char *directory, int64_t step, char *path, size_t size)
{
    int length = snprintf(path, size, "%s/", directory);
    if (length < (int)size)
        directory_name_step(step, path + length, size - (size_t)length);
}

static int create_folders(const char *directory, struct error *error)
{
    struct error why;
    if (!*directory || strlen(directory) >= DIRECTORY_PATH)
        return error_set(error, EXIT_CODE_IO, "'%s': is no name for a directory", directory);
    if (file_make_folder(directory, &why) == 0)
        return 0;
    return error_set(error, (enum exit_code)why.code, "%s: choose another run directory (-o)", why.text);
}

int rundir_create(const char *directory, struct error *error)
{
    char probe[DIRECTORY_PATH + TEMPORARY_NAME], temporary[TEMPORARY_NAME];
    if (create_folders(directory, error) != 0)
        return -1;
    temporary_name("probe", temporary);
    snprintf(probe, sizeof probe, "%s/%s", directory, temporary);
    int descriptor = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return error_set(error, EXIT_CODE_IO,
            "%s: no file can be created in it: %s: change its permissions or choose another run directory "
            "(-o)",
            directory, strerror(errno));
    close(descriptor);
    unlink(probe);
    return 0;
}

static int is_ours(const char *name)
{
    static const char *const ours[] = {"config.ini", "metrics.csv", "best.h5", "status"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return 1;
    return directory_find_step(name) >= 0;
}

static void find_run(void *context, const char *name)
{
    int *found = context;
    *found |= is_ours(name) && strcmp(name, "status") != 0;
}

int rundir_holds_run(const char *directory)
{
    int found = 0;
    directory_walk(directory, find_run, &found);
    return found;
}

struct removal {
    const char *directory;
    int temporary_only;
    int why; /* errno of the first failure */
    char failed[256];
};

static void remove_ours(void *context, const char *name)
{
    struct removal *removal = context;
    char path[DIRECTORY_PATH];
    if (!is_temporary(name) && (removal->temporary_only || !is_ours(name)))
        return;
    snprintf(path, sizeof path, "%s/%s", removal->directory, name);
    if (unlink(path) != 0 && errno != ENOENT && !removal->why) {
        removal->why = errno;
        snprintf(removal->failed, sizeof removal->failed, "%s", name);
    }
}

int rundir_clear(const char *directory, struct error *error)
{
    struct removal removal = {.directory = directory};
    int why = directory_walk(directory, remove_ours, &removal);
    if (why && why != ENOENT)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", directory, strerror(why));
    if (removal.why)
        return error_set(error, EXIT_CODE_IO, "%s/%s: cannot be removed: %s", directory, removal.failed,
            strerror(removal.why));
    return 0;
}

int rundir_write_file(
    const char *directory, const char *name, const void *bytes, size_t size, struct error *error)
{
    struct error why = {.code = EXIT_CODE_IO};
    char path[DIRECTORY_PATH];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    errno = ENAMETOOLONG;
    if (length < (int)sizeof path && file_replace(path, bytes, size, &why) == 0)
        return 0;
    int no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return error_set(error, (enum exit_code)why.code,
        "%s/%s: cannot be written (%zu bytes): %s: what was there before is untouched; %s", directory, name,
        size, strerror(errno),
        no_room ? "make room, then run the same command again"
                : "see that the directory can be written to, then run the same command again");
}

static int write_checkpoint(
    const char *directory, const char *name, const struct checkpoint *checkpoint, struct error *error)
{
    void *bytes;
    size_t size;
    if (checkpoint_encode(checkpoint, &bytes, &size, error) != 0)
        return error_prefix(error, "%s/%s: ", directory, name);
    int outcome = rundir_write_file(directory, name, bytes, size, error);
    memory_destroy(bytes);
    return outcome;
}

/* What cannot be removed stays: the checkpoint is safe, and that is what counts. */
static void prune(const char *directory, int64_t step, int64_t anchor, int64_t keep)
{
    struct steps steps;
    struct removal removal = {.directory = directory, .temporary_only = 1};
    if (directory_list_steps(directory, &steps, NULL) != 0)
        return;
    int64_t kept = 0;
    for (size_t i = 0; i < steps.count; i++) {
        char path[DIRECTORY_PATH];
        int keeps = steps.step[i] <= step && kept < (keep > 1 ? keep : 1);
        kept += keeps;
        keeps |= steps.step[i] == anchor;
        rundir_checkpoint_path(directory, steps.step[i], path, sizeof path);
        if (!keeps)
            unlink(path);
    }
    free(steps.step);
    directory_walk(directory, remove_ours, &removal);
}

int rundir_forget_later(const char *directory, int64_t step, struct error *error)
{
    struct steps steps;
    if (directory_list_steps(directory, &steps, error) != 0)
        return -1;
    int outcome = 0;
    for (size_t i = 0; outcome == 0 && i < steps.count; i++) {
        char path[DIRECTORY_PATH];
        rundir_checkpoint_path(directory, steps.step[i], path, sizeof path);
        if (steps.step[i] > step && unlink(path) != 0)
            outcome = error_set(error, EXIT_CODE_IO, "%s: cannot be removed: %s", path, strerror(errno));
    }
    free(steps.step);
    if (outcome == 0 && file_sync_folder(directory) != 0)
        outcome = error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s", directory, strerror(errno));
    return outcome;
}

int rundir_save(const char *directory, const struct checkpoint *checkpoint, int64_t keep, struct error *error)
{
    char name[64];
    directory_name_step(checkpoint->progress.step, name, sizeof name);
    if (write_checkpoint(directory, name, checkpoint, error) != 0)
        return -1;
    prune(directory, checkpoint->progress.step, checkpoint->progress.anchor, keep);
    return 0;
}

int rundir_save_best(const char *directory, const struct checkpoint *checkpoint, struct error *error)
{
    return write_checkpoint(directory, "best.h5", checkpoint, error);
}

/* Reads the checkpoint of a step, which must be what its name says. */
static int load(const char *directory, int64_t step, struct checkpoint *checkpoint, struct error *error)
{
    char path[DIRECTORY_PATH];
    rundir_checkpoint_path(directory, step, path, sizeof path);
    struct checkpoint read;
    checkpoint_init(&read);
    if (checkpoint_read(path, CHECKPOINT_SEALED, &read, error) != 0)
        return -1;
    if (read.progress.step != step) {
        error_set(error, EXIT_CODE_DATA, "%s: holds step %" PRId64 ", not what its name says", path,
            read.progress.step);
        checkpoint_finish(&read);
        return -1;
    }
    *checkpoint = read;
    return 0;
}

int rundir_load_step(const char *directory, int64_t step, struct checkpoint *checkpoint, struct error *error)
{
    char path[DIRECTORY_PATH];
    rundir_checkpoint_path(directory, step, path, sizeof path);
    if (access(path, F_OK) != 0)
        return 0;
    return load(directory, step, checkpoint, error) == 0 ? 1 : -1;
}

int rundir_load_newest(const char *directory, struct checkpoint *checkpoint,
    void (*skipped)(void *context, const char *text), void *context, struct error *error)
{
    struct steps steps;
    if (directory_list_steps(directory, &steps, error) != 0)
        return -1;
    int outcome = 0;
    for (size_t i = 0; outcome == 0 && i < steps.count; i++) {
        struct error why = {0};
        if (load(directory, steps.step[i], checkpoint, &why) == 0) {
            outcome = 1;
        } else if (why.code == EXIT_CODE_INTERNAL || why.code == EXIT_CODE_IO) {
            /* neither says that the file is damaged, and going back would remove it */
            outcome = -1;
            if (error)
                *error = why;
        } else {
            skipped(context, why.text);
        }
    }
    if (outcome == 0 && steps.count)
        outcome = error_set(error, EXIT_CODE_DATA,
            "%s: none of its %zu checkpoints is valid: start over with --fresh, or begin a new run with the "
            "weights of another checkpoint by --init (%s/best.h5, if it is there)",
            directory, steps.count, directory);
    free(steps.step);
    return outcome;
}

int rundir_write_status(
    const char *directory, const char *state, int64_t step, const char *reason, struct error *error)
{
    char text[1280], flat[1024];
    snprintf(flat, sizeof flat, "%s", reason ? reason : "");
    for (char *c = flat; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    int n = snprintf(text, sizeof text, "state=%s\nstep=%" PRId64 "\nreason=%s\n", state, step, flat);
    return rundir_write_file(directory, "status", text, (size_t)n, error);
}
