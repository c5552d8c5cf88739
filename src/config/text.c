/* This file writes a configuration as text, compares two of them, and gives one what it lacks of another: key
 * by key over the table, each value in its one spelling, so that equal values are equal bytes. */
#include "base/text.h"
#include "base/memory.h"
#include "config/key_rules.h"
#include "config/reading.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A text has `used` bytes; what does not fit is only counted. */
struct config_text {
    char *bytes;
    size_t size, used;
};

static void add(struct config_text *text, const char *a, const char *b, const char *c)
{
    size_t room = text->used < text->size ? text->size - text->used : 0;
    text->used += (size_t)snprintf(room ? text->bytes + text->used : NULL, room, "%s%s%s", a, b, c);
}

static void write_keys(const struct config *config, int with_paths, struct config_text *text)
{
    add(text, "; configuration of a run of rnn-train, complete\n", "", "");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (i == 0 || strcmp(key->section, config_keys[i - 1].section) != 0)
            add(text, "\n[", key->section, "]\n");
        if (key->type == KEY_PATHS && !with_paths)
            continue;
        add(text, key->name, " = ", "");
        size_t room = text->used < text->size ? text->size - text->used : 0;
        text->used += key_write(key, config, room ? text->bytes + text->used : NULL, room);
        add(text, "\n", "", "");
    }
}

char *config_write(const struct config *config, int with_paths, struct error *error)
{
    struct config_text text = {0};
    write_keys(config, with_paths, &text);
    size_t size = text.used + 1;
    text = (struct config_text){memory_create(size, 1, error), size, 0};
    if (text.bytes)
        write_keys(config, with_paths, &text);
    assert(!text.bytes || text.used + 1 == size);
    return text.bytes;
}

static int must_agree(const struct config_key *key, const struct config *now, const struct config *saved)
{
    int depends =
        now->train.optim.schedule == SCHEDULE_COSINE || saved->train.optim.schedule == SCHEDULE_COSINE;
    return key->resume == RESUME_REFUSED || (key->resume == RESUME_EPOCHS && depends);
}

/* A list of another length than there are layers is shown as it was given. */
static void compare_key(
    const struct config_key *key, const struct config *now, const struct config *saved, struct faults *faults)
{
    char value[CONFIG_VALUE_MOST], old[CONFIG_VALUE_MOST];
    struct config as_given = *now;
    size_t items = now->keys[key - config_keys].items;
    if (key_is_for_each_layer(key) && items > 1)
        as_given.model.layers = items;
    key_write(key, &as_given, value, sizeof value);
    key_write(key, saved, old, sizeof old);
    if (strcmp(value, old) == 0)
        return;
    char shown[TEXT_SHOWN], old_shown[TEXT_SHOWN];
    faults_add(faults, EXIT_CODE_DATA,
        "%s.%s = %s, but the run was started with %s%s: put that back, or start over with --fresh, or start "
        "another run (-o) from its weights with --init",
        key->section, key->name, text_show(value, shown), text_show(old, old_shown),
        key->resume == RESUME_EPOCHS ? " and its schedule depends on it" : "");
}

size_t config_compare(const struct config *config, const char *saved, struct faults *faults)
{
    size_t before = faults->count;
    struct config old;
    if (config_read_saved(&old, saved, faults) == 0)
        for (size_t i = 0; i < config_key_count; i++)
            if (key_is_given(&config->keys[i]) && must_agree(&config_keys[i], config, &old))
                compare_key(&config_keys[i], config, &old, faults);
    config_finish(&old);
    return faults->count - before;
}

static void inherit_key(
    const struct config_key *key, struct config *config, const struct config *old, struct faults *faults)
{
    char value[CONFIG_VALUE_MOST], was[CONFIG_VALUE_MOST];
    char was_shown[TEXT_SHOWN];
    struct key_state *state = &config->keys[key - config_keys];
    key_write(key, config, was, sizeof was);
    key_write(key, old, value, sizeof value);
    if (strcmp(value, was) == 0)
        return;
    const char *why = key_read(key, value, "", config, &state->items);
    assert(!why && "what a key writes it reads");
    (void)why;
    state->inherited = 1;
    text_show(value, state->shown);
    if (faults)
        faults_warn(faults, "%s.%s = %s, as the run was begun with, and not %s, as is the default here",
            key->section, key->name, state->shown, text_show(was, was_shown));
}

void config_inherit(struct config *config, const char *saved, struct faults *faults)
{
    struct config old;
    struct faults unsaid;
    faults_init(&unsaid, 0, NULL, NULL); /* config_compare says them */
    if (config_read_saved(&old, saved, &unsaid) == 0)
        for (size_t i = 0; i < config_key_count; i++)
            if (!key_is_given(&config->keys[i]) && config_keys[i].type != KEY_PATHS) {
                inherit_key(&config_keys[i], config, &old, faults);
                config_yield(config);
            }
    config_finish(&old);
}
