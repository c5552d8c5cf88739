/* Which files a run directory has, and which of them may go.
 *
 * A checkpoint is removed only after a newer one is safely there. Checkpoints of later steps than the one
 * just written are those that a resume found damaged and passed over; they go too, where they are the run's
 * own (ckpt/own.h). */
#include "ckpt/rundir.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/decode.h"
#include "ckpt/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int rundir_is_temporary(const char *name)
{
    static const char *const written[] = {
        "best.h5", "status", "config.ini", "metrics.csv", "gradient_flow.csv", "probe"};
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
    unlink(probe); /* of a process that was killed, or a link that would lead elsewhere */
    int descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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
    static const char *const ours[] = {"config.ini", "metrics.csv", "gradient_flow.csv", "best.h5", "status"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return 1;
    return directory_find_step(name) >= 0;
}

int rundir_has_best(const char *directory)
{
    char path[DIRECTORY_PATH];
    snprintf(path, sizeof path, "%s/best.h5", directory);
    return access(path, F_OK) == 0;
}

struct removal {
    const char *directory;
    int temporary_only, but_status;
    int why; /* errno of the first failure */
    char failed[256];
};

static void remove_ours(void *context, const char *name)
{
    struct removal *removal = context;
    char path[DIRECTORY_PATH];
    if (!rundir_is_temporary(name) && (removal->temporary_only || !is_ours(name)))
        return;
    if (removal->but_status && strcmp(name, "status") == 0)
        return;
    snprintf(path, sizeof path, "%s/%s", removal->directory, name);
    if (unlink(path) != 0 && errno != ENOENT && !removal->why) {
        removal->why = errno;
        snprintf(removal->failed, sizeof removal->failed, "%s", name);
    }
}

/* The status goes last: as long as anything of the run is there, it shows that it is a run's. */
int rundir_clear(const char *directory, struct error *error)
{
    struct removal removal = {.directory = directory, .but_status = 1};
    int why = directory_walk(directory, remove_ours, &removal);
    removal.but_status = 0;
    if (!why && !removal.why)
        why = directory_walk(directory, remove_ours, &removal);
    if (why && why != ENOENT)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", directory, strerror(why));
    if (removal.why)
        return error_set(error, EXIT_CODE_IO, "%s/%s: cannot be removed: %s", directory, removal.failed,
            strerror(removal.why));
    return 0;
}

int rundir_refuse_newer(const char *directory, struct error *error)
{
    char path[DIRECTORY_PATH];
    struct steps steps;
    if (directory_list_steps(directory, &steps, error) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/best.h5", directory);
    int newer = access(path, F_OK) == 0 ? checkpoint_refuse_newer(path, error) : 0;
    for (size_t i = 0; i < steps.count && !newer; i++) {
        directory_step_path(directory, steps.step[i], path, sizeof path);
        newer = checkpoint_refuse_newer(path, error);
    }
    free(steps.step);
    if (newer)
        error_prefix(error, "nothing was changed: --fresh would remove what a newer program wrote: ");
    return newer ? -1 : 0;
}

int rundir_write_file(
    const char *directory, const char *name, const void *bytes, size_t size, struct error *error)
{
    struct error why = {.code = EXIT_CODE_IO};
    char path[DIRECTORY_PATH];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    errno = ENAMETOOLONG;
    int outcome = length < (int)sizeof path ? file_replace(path, bytes, size, &why) : -1;
    if (outcome == 0)
        return 0;
    if (outcome == FILE_PLACED)
        return error_set(error, (enum exit_code)why.code,
            "%s; see to the disk, then run the same command again", why.text);
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

/* What cannot be removed stays: the checkpoint is safe, and that is what counts. A file that is not the run's
 * stays too, and does not count among those to keep, as the run could not go on from it. */
static void prune(struct own *own, int64_t step, int64_t anchor, int64_t keep)
{
    struct steps steps;
    struct removal removal = {.directory = own->directory, .temporary_only = 1};
    if (directory_list_steps(own->directory, &steps, NULL) != 0)
        return;
    int64_t kept = 0;
    for (size_t i = 0; i < steps.count; i++) {
        int keeps = steps.step[i] <= step && kept < (keep > 1 ? keep : 1);
        if (!own_checkpoint(own, steps.step[i]))
            continue;
        kept += keeps;
        if (!keeps && steps.step[i] != anchor)
            own_remove(own, steps.step[i]);
    }
    free(steps.step);
    directory_walk(own->directory, remove_ours, &removal);
}

int rundir_forget_later(struct own *own, int64_t step, struct error *error)
{
    struct steps steps;
    const char *directory = own->directory;
    if (directory_list_steps(directory, &steps, error) != 0)
        return -1;
    int outcome = 0;
    for (size_t i = 0; outcome == 0 && i < steps.count; i++) {
        char path[DIRECTORY_PATH];
        directory_step_path(directory, steps.step[i], path, sizeof path);
        if (steps.step[i] > step && own_checkpoint(own, steps.step[i]) && own_remove(own, steps.step[i]) != 0)
            outcome = error_set(error, EXIT_CODE_IO, "%s: cannot be removed: %s", path, strerror(errno));
    }
    free(steps.step);
    if (outcome == 0 && file_sync_folder(directory) != 0)
        outcome = error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s", directory, strerror(errno));
    return outcome;
}

int rundir_save(struct own *own, const struct checkpoint *checkpoint, int64_t keep, struct error *error)
{
    char name[64];
    int64_t step = checkpoint->progress.step;
    directory_name_step(step, name, sizeof name);
    if (own_claim_step(own, step, error) != 0 ||
        write_checkpoint(own->directory, name, checkpoint, error) != 0)
        return -1;
    own_note(own, step);
    own->has_checkpoint = 1;
    prune(own, step, checkpoint->progress.anchor, keep);
    return 0;
}

int rundir_save_best(struct own *own, const struct checkpoint *checkpoint, struct error *error)
{
    return own_claim_best(own, error) == 0 ? write_checkpoint(own->directory, "best.h5", checkpoint, error)
                                           : -1;
}

/* Reads the checkpoint of a step, which must be what its name says. Returns as checkpoint_read does. */
static int load(const struct own *own, int64_t step, struct checkpoint *checkpoint, struct error *error)
{
    char path[DIRECTORY_PATH];
    directory_step_path(own->directory, step, path, sizeof path);
    struct checkpoint read;
    checkpoint_init(&read);
    int outcome = checkpoint_read(path, CHECKPOINT_SEALED, &read, error);
    if (outcome != 0)
        return outcome;
    const char *run = read.provenance.run;
    if (read.progress.step != step)
        outcome = error_set(error, EXIT_CODE_DATA, "%s: holds step %" PRId64 ", not what its name says", path,
            read.progress.step);
    else if (*own->run && run && *run && strcmp(run, own->run) != 0)
        outcome = error_set(error, EXIT_CODE_DATA, "%s: is of another run (%s, and this directory is of %s)",
            path, run, own->run);
    if (outcome == 0)
        *checkpoint = read;
    else
        checkpoint_finish(&read);
    return outcome;
}

int rundir_load_step(const struct own *own, int64_t step, struct checkpoint *checkpoint, struct error *error)
{
    char path[DIRECTORY_PATH];
    directory_step_path(own->directory, step, path, sizeof path);
    if (access(path, F_OK) != 0)
        return 0;
    return load(own, step, checkpoint, error) == 0 ? 1 : -1;
}

static void tell_skipped(const struct own *own, const char *why)
{
    char text[1200];
    snprintf(text, sizeof text, "%s: going back to the one before it", why);
    if (own->warn)
        own->warn(own->context, text);
}

/* Loads the first of the steps that can be loaded. Returns 1, 0 where there is none, or -1 where none may be
 * looked for: the file may be sound, and going back behind it would remove it. */
static int load_first(
    const struct own *own, const struct steps *steps, struct checkpoint *checkpoint, struct error *error)
{
    for (size_t i = 0; i < steps->count; i++) {
        struct error why = {0};
        int outcome = load(own, steps->step[i], checkpoint, &why);
        if (outcome == 0)
            return 1;
        if (outcome == CHECKPOINT_NEWER)
            error_prefix(&why, "nothing was changed: ");
        if (outcome == CHECKPOINT_NEWER || why.code == EXIT_CODE_INTERNAL || why.code == EXIT_CODE_IO) {
            if (error)
                *error = why;
            return -1;
        }
        tell_skipped(own, why.text);
    }
    return 0;
}

int rundir_load_newest(struct own *own, struct checkpoint *checkpoint, struct error *error)
{
    struct steps steps;
    const char *directory = own->directory;
    if (directory_list_steps(directory, &steps, error) != 0)
        return -1;
    int outcome = load_first(own, &steps, checkpoint, error);
    if (outcome == 0 && steps.count)
        outcome = error_set(error, EXIT_CODE_DATA,
            "%s: none of its %zu checkpoints is valid: start over with --fresh, or begin a new run with the "
            "weights of another checkpoint by --init (%s/best.h5, if it is there)",
            directory, steps.count, directory);
    free(steps.step);
    if (outcome != 1)
        return outcome;
    own->has_checkpoint = 1;
    own_note(own, checkpoint->progress.step);
    if (!*own->run && checkpoint->provenance.run) {
        snprintf(own->run, sizeof own->run, "%s", checkpoint->provenance.run);
        own->others.count = 0; /* they were compared with no run */
    }
    return 1;
}
