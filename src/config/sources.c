/* Where a configuration comes from: a file and overrides, what a program has set itself, or the text of a
 * checkpoint; and the folders that its paths are relative to. */
#include "config/config.h"

#include "base/memory.h"
#include "config/fill.h"
#include "config/ini.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void config_init(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < config_key_count; i++) {
        size_t items;
        const char *why = key_read(&config_keys[i], config_keys[i].initial, "", config, &items);
        assert(!why && "a default of the table is not allowed by the table");
        (void)why;
    }
    for (size_t i = 0; i < config_key_count; i++)
        if (key_is_for_each_layer(&config_keys[i]))
            key_spread(&config_keys[i], config);
}

void config_finish(struct config *config)
{
    memory_destroy(config->data.train);
    memory_destroy(config->data.valid);
    config->data.train = config->data.valid = NULL;
}

/* Returns the current folder, which is the caller's (memory_destroy). */
static char *current_folder(struct error *error)
{
    enum { LONGEST = 1 << 16 };
    char *folder = memory_create(LONGEST, 1, error);
    if (folder && !getcwd(folder, LONGEST)) {
        error_set(error, EXIT_CODE_IO, "cannot tell the current folder: %s", strerror(errno));
        memory_destroy(folder);
        return NULL;
    }
    return folder;
}

/* Returns the absolute folder of a file, which is the caller's. */
static char *folder_of(const char *path, const char *current, struct error *error)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = memory_create(strlen(current) + n + 3, 1, error);
    if (!folder)
        return NULL;
    if (!slash)
        strcpy(folder, current);
    else if (*path == '/')
        sprintf(folder, "%.*s", n ? (int)n : 1, path);
    else
        sprintf(folder, "%s/%.*s", strcmp(current, "/") == 0 ? "" : current, (int)n, path);
    return folder;
}

int config_read_keys(struct config *config, const char *path, size_t overrides, const char *const *override,
    struct faults *faults)
{
    struct error error = {0};
    size_t before = faults->count;
    config_init(config);
    config->name = path;
    char *current = current_folder(&error);
    char *folder = current ? folder_of(path, current, &error) : NULL;
    char *text = folder ? ini_load(path, &error) : NULL;
    if (text) {
        struct config_reading reading = {.config = config, .faults = faults, .directory = folder};
        config_take_text(&reading, text);
        for (size_t i = 0; i < overrides; i++)
            config_take_override(&reading, override[i], current);
        config_settle(&reading, 1);
    } else {
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    }
    memory_destroy(text);
    memory_destroy(folder);
    memory_destroy(current);
    return faults->count == before ? 0 : -1;
}

int config_read(struct config *config, const char *path, size_t overrides, const char *const *override,
    struct faults *faults)
{
    int failed = config_read_keys(config, path, overrides, override, faults);
    return config_check(config, faults) || failed ? -1 : 0;
}

int config_override(struct config *config, const char *name, size_t overrides, const char *const *override,
    struct faults *faults)
{
    size_t before = faults->count;
    struct config_reading reading = {.config = config, .faults = faults, .directory = "/"};
    config->name = name;
    for (size_t i = 0; i < overrides; i++)
        config_take_override(&reading, override[i], "/");
    config_settle(&reading, 0);
    config_check(config, faults);
    return faults->count == before ? 0 : -1;
}

int config_read_saved(struct config *config, const char *saved, struct faults *faults)
{
    size_t before = faults->count;
    struct config_reading reading = {.config = config, .faults = faults, .directory = "/"};
    config_init(config);
    config->name = "the checkpoint's configuration";
    config_take_text(&reading, saved);
    config_settle(&reading, 0);
    config_check(config, faults);
    return faults->count == before ? 0 : -1;
}
