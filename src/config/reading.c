#include "config/reading.h"

#include <stdio.h>

enum { PLACE = 700 };

struct key_state *reading_state_of(const struct config_reading *reading, const struct config_key *key)
{
    return &reading->config->keys[key - config_keys];
}

int key_is_given(const struct key_state *state)
{
    return state->line || state->override;
}

const char *reading_name_given(const struct config_key *key, int former, char name[READING_NAME])
{
    snprintf(name, READING_NAME, "%s.%s", key->section, key->name);
    return former ? key->former : name;
}

/* Writes "FILE:12: train.lr = 0.1", "--set train.lr=0.1", "FILE: train.lr = 0.001 (the default)", or with
 * "(as the run was begun with)". */
static void place(const struct config_reading *reading, const struct config_key *key, char text[PLACE])
{
    const struct key_state *state = reading_state_of(reading, key);
    const char *file = reading->config->name;
    char name[READING_NAME];
    if (state->override)
        snprintf(text, PLACE, "--set %s=%s", reading_name_given(key, state->former, name), state->shown);
    else if (state->line)
        snprintf(text, PLACE, "%.400s:%d: %s = %s", file, state->line,
            reading_name_given(key, state->former, name), state->shown);
    else
        snprintf(text, PLACE, "%.400s: %s.%s = %s (%s)", file, key->section, key->name,
            state->inherited ? state->shown : key->initial,
            state->inherited ? "as the run was begun with" : "the default");
}

void reading_fault(struct config_reading *reading, const char *section, const char *name, const char *what)
{
    const struct config_key *key = key_find(section, name);
    char text[PLACE];
    place(reading, key, text);
    faults_add(reading->faults, EXIT_CODE_DATA, "%s: %s", text, what);
    reading_state_of(reading, key)->faulty = 1;
}

int reading_is_sound(const struct config_reading *reading, const char *section, const char *name)
{
    return !reading_state_of(reading, key_find(section, name))->faulty;
}
