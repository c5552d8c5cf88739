#include "ckpt/status.h"

#include "base/clean.h"
#include "base/file.h"
#include "base/memory.h"
#include "ckpt/rundir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int status_write(const char *directory, const struct run_status *status, struct error *error)
{
    char text[1280], reason[sizeof status->reason];
    snprintf(reason, sizeof reason, "%s", status->reason);
    int n = snprintf(text, sizeof text, "state=%s\nstep=%" PRId64 "\nreason=%s\nrun=%s\n", status->state,
        status->step, text_clean(reason), status->run);
    return rundir_write_file(directory, "status", text, (size_t)n, error);
}

/* Takes "KEY=VALUE" and the end of its line off the text, which it moves behind it. Returns 0 where it is not
 * what stands there. */
static int take_line(const char **text, const char *key, char *value, size_t size)
{
    size_t n = strlen(key), length = strcspn(*text, "\n");
    if (length < n || memcmp(*text, key, n) != 0 || (*text)[length] != '\n')
        return 0;
    snprintf(value, size, "%.*s", (int)(length - n), *text + n);
    *text += length + 1;
    return 1;
}

static int parse(const char *text, struct run_status *status)
{
    char step[32];
    int end = 0;
    if (!take_line(&text, "state=", status->state, sizeof status->state) ||
        !take_line(&text, "step=", step, sizeof step) ||
        !take_line(&text, "reason=", status->reason, sizeof status->reason))
        return -1;
    take_line(&text, "run=", status->run, sizeof status->run);
    if (strspn(status->run, "0123456789abcdef") != sizeof status->run - 1)
        status->run[0] = 0;
    return status->state[0] && strspn(status->state, "abcdefghijklmnopqrstuvwxyz") == strlen(status->state) &&
            sscanf(step, "%" SCNd64 "%n", &status->step, &end) == 1 && !step[end] && status->step >= 0
        ? 0
        : -1;
}

int status_read(const char *directory, struct run_status *status, struct error *error)
{
    char path[DIRECTORY_PATH], text[2048];
    size_t size;
    struct run_status found = {.state = ""};
    snprintf(path, sizeof path, "%s/status", directory);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    char *bytes = file_read(path, "the status of a run", &size, error);
    if (!bytes)
        return -1;
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), bytes);
    memory_destroy(bytes);
    if (parse(text, &found) != 0)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has no state, step and reason: it tells people and scripts only: the run writes it anew "
            "when it goes on",
            path);
    *status = found;
    return 1;
}

void status_find_run(struct own *own)
{
    struct run_status status;
    if (status_read(own->directory, &status, NULL) == 1)
        snprintf(own->run, sizeof own->run, "%s", status.run);
    own->known = metrics_last_step(own->directory);
}
