#include "config/reading.h"

#include <stdio.h>

enum { PLACE = 700 };

struct key_state *reading_state_of(struct config_reading *reading, const struct config_key *key)
{
    return &reading->keys[key - config_keys];
}

const char *reading_name_given(const struct config_key *key, int former, char name[READING_NAME])
{
    snprintf(name, READING_NAME, "%s.%s", key->section, key->name);
    return former ? key->former : name;
}

/* Writes "FILE:12: train.lr = 0.1", "--set train.lr=0.1", or "FILE: train.lr = 0.001 (the default)". */
static void place(const struct config_reading *reading, const struct config_key *key, char text[PLACE])
{
    const struct key_state *state = &reading->keys[key - config_keys];
    char name[READING_NAME];
    if (state->override)
        snprintf(text, PLACE, "--set %s=%s", reading_name_given(key, state->former, name), state->shown);
    else if (state->line)
        snprintf(text, PLACE, "%.400s:%d: %s = %s", reading->name, state->line,
            reading_name_given(key, state->former, name), state->shown);
    else
        snprintf(text, PLACE, "%.400s: %s.%s = %s (the default)", reading->name, key->section, key->name,
            key->initial);
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
    return !reading->keys[key_find(section, name) - config_keys].faulty;
}
