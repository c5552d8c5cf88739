/* --verify takes a folder for a run, and anything else for a checkpoint. There is no MPI in it: it is for a
 * login node and for a file whose run is elsewhere. */
#include "ckpt/verify.h"
#include "ckpt/place.h"
#include "cmd/program.h"
#include "config/config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void print_line(void *context, const char *line)
{
    puts(line);
}

static void keep_first(void *context, const char *text)
{
    struct error *error = context;
    if (!error->code)
        error_set(error, EXIT_CODE_DATA, "%s", text);
}

static void verify_config(const char *directory, struct verdict *verdict)
{
    char path[PATH_MAX + 16];
    struct config config;
    struct error error = {0};
    struct faults faults;
    snprintf(path, sizeof path, "%s/config.ini", directory);
    faults_init(&faults, 1, keep_first, &error);
    config_init(&config);
    if (config_read(&config, path, 0, NULL, &faults) == 0) {
        verify_report(verdict, 0, path, "can be read");
    } else {
        const char *text = error.text;
        if (strncmp(text, path, strlen(path)) == 0)
            text += strlen(path) + strspn(text + strlen(path), ": ");
        verify_report(verdict, faults.code, path, "%s: it is written anew when the run goes on", text);
    }
    config_finish(&config);
}

int program_verify(const char *path)
{
    struct stat status;
    struct verdict verdict = {.say = print_line};
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        if (place_look(path) == PLACE_RUN) {
            verify_config(path, &verdict);
            verify_run(path, &verdict);
        } else {
            verify_report(
                &verdict, EXIT_CODE_DATA, path, "holds no run: name a run directory or a checkpoint");
        }
    } else {
        verify_checkpoint(path, &verdict);
    }
    return verdict.code;
}
