/* A file is read before it would be replaced, removed or counted, and not again afterwards: what this process
 * wrote or found to be the run's is known by its step, and what is somebody else's by its file, as long as
 * that does not change. So a save costs no more than writing, but for the first one. */
#include "ckpt/own.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "ckpt/checkpoint.h"
#include "ckpt/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANY_STEP = -1 };

void own_finish(struct own *own)
{
    free(own->noted.step);
    own->noted = (struct steps){0};
    free(own->others.file);
    own->others = (struct others){0};
}

/* A process is told from every other by what the lock says of it, and it begins one run at a time. */
void own_begin_run(struct own *own)
{
    char text[512];
    struct process self;
    own->others.count = 0; /* they were compared with another run */
    process_self(&self, "");
    int n = snprintf(text, sizeof text, "%s %s %s %ld %lld %.6f %.9f", self.host, self.boot, self.space,
        self.number, self.start, clock_calendar(), clock_now());
    snprintf(own->run, sizeof own->run, "%016" PRIx64, hash_bytes(text, (size_t)n));
}

/* Reads the file, which should be of this step. */
static int is_ours(const struct own *own, const char *path, int64_t step)
{
    struct checkpoint found;
    struct error error = {0};
    checkpoint_init(&found);
    int outcome = checkpoint_read(path, CHECKPOINT_SEALED, &found, &error);
    const char *run = found.provenance.run;
    int ours;
    if (outcome != 0)
        ours = outcome != CHECKPOINT_NEWER && error.code == EXIT_CODE_DATA && step <= own->known;
    else if (step != ANY_STEP && found.progress.step != step)
        ours = 0;
    else if (run && *run)
        ours = strcmp(run, own->run) == 0;
    else
        ours = found.progress.step <= own->known;
    checkpoint_finish(&found);
    return ours;
}

/* Returns where the step stands among those that are known, or their number. */
static size_t find_noted(const struct own *own, int64_t step)
{
    size_t i = 0;
    while (i < own->noted.count && own->noted.step[i] != step)
        i++;
    return i;
}

/* Without memory the file is read again when its time has come. */
void own_note(struct own *own, int64_t step)
{
    struct steps *noted = &own->noted;
    if (find_noted(own, step) < noted->count)
        return;
    int64_t *wider = array_grow(noted->step, &noted->room, noted->count, sizeof *wider);
    if (!wider)
        return;
    noted->step = wider;
    noted->step[noted->count++] = step;
}

/* Returns -1 where the file cannot be opened. */
static int identify(const char *path, struct file_identity *identity)
{
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int failed = descriptor < 0 || file_identify(descriptor, identity);
    if (descriptor >= 0)
        close(descriptor);
    return failed ? -1 : 0;
}

static int is_noted_other(const struct own *own, const struct file_identity *file)
{
    for (size_t i = 0; i < own->others.count; i++)
        if (own->others.file[i].device == file->device && file_is_same(&own->others.file[i], file))
            return 1;
    return 0;
}

/* Without memory the file is read again. */
static void note_other(struct own *own, const struct file_identity *file)
{
    struct others *others = &own->others;
    struct file_identity *wider = array_grow(others->file, &others->room, others->count, sizeof *wider);
    if (!wider)
        return;
    others->file = wider;
    others->file[others->count++] = *file;
}

/* The identity is taken before the file is read: what changes meanwhile is read again. */
int own_checkpoint(struct own *own, int64_t step)
{
    char path[DIRECTORY_PATH];
    struct file_identity file;
    if (find_noted(own, step) < own->noted.count)
        return 1;
    directory_step_path(own->directory, step, path, sizeof path);
    if (identify(path, &file) || is_noted_other(own, &file))
        return 0;
    if (is_ours(own, path, step)) {
        own_note(own, step);
        return 1;
    }
    note_other(own, &file);
    return 0;
}

int own_remove(struct own *own, int64_t step)
{
    char path[DIRECTORY_PATH];
    size_t place = find_noted(own, step);
    directory_step_path(own->directory, step, path, sizeof path);
    if (unlink(path) != 0)
        return -1;
    if (place < own->noted.count)
        own->noted.step[place] = own->noted.step[--own->noted.count];
    return 0;
}

static int is_there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Gives the file the first name that is free. */
static int set_aside(const struct own *own, const char *path, struct error *error)
{
    char other[DIRECTORY_PATH + 40], text[2 * DIRECTORY_PATH + 200];
    int number = 1;
    do
        snprintf(other, sizeof other, "%s.kept-%d", path, number++);
    while (is_there(other));
    if (rename(path, other) != 0)
        return error_set(error, EXIT_CODE_IO,
            "%s: was not written by this run and stands in its way: it cannot be renamed: %s: move it away",
            path, strerror(errno));
    snprintf(text, sizeof text,
        "%.400s: was not written by this run, which needs the name: it is called %.400s now", path, other);
    if (own->warn)
        own->warn(own->context, text);
    return 0;
}

int own_claim_step(struct own *own, int64_t step, struct error *error)
{
    char path[DIRECTORY_PATH];
    directory_step_path(own->directory, step, path, sizeof path);
    return is_there(path) && !own_checkpoint(own, step) ? set_aside(own, path, error) : 0;
}

int own_claim_best(struct own *own, struct error *error)
{
    char path[DIRECTORY_PATH];
    snprintf(path, sizeof path, "%s/best.h5", own->directory);
    if (!own->best_is_ours && is_there(path) && !is_ours(own, path, ANY_STEP) &&
        set_aside(own, path, error) != 0)
        return -1;
    own->best_is_ours = 1;
    return 0;
}
