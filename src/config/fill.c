/* A configuration is filled in three passes: defaults, the file, the overrides; each value overwrites the one
 * before. What only shows when all are known is checked later (key_rules.c), and reported at the place where
 * the key got its value. */
#include "config/fill.h"

#include "base/text.h"
#include "config/ini.h"
#include "config/key_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WHERE = 500 };

/* No value of any key begins and ends with the same quote, and a path is the only one that could. */
static int is_quoted(const char *value)
{
    size_t n = strlen(value);
    return n > 1 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0];
}

/* Takes the value, or with `more` adds it to what the key has. */
static void take_value(struct config_reading *reading, const struct config_key *key, const char *value,
    const char *directory, int more)
{
    struct key_state *state = reading_state_of(reading, key);
    text_show(value, state->shown);
    const char *why = is_quoted(value) ? "quotes are part of a value: leave them out"
        : more                         ? key_add(key, value, reading->config, &state->items)
                                       : key_read(key, value, directory, reading->config, &state->items);
    if (!why)
        return;
    char allowed[300], what[400];
    key_allowed(key, allowed, sizeof allowed);
    snprintf(what, sizeof what, "%s: allowed is %s", why, allowed);
    reading_fault(reading, key->section, key->name, what);
}

static void fault_unknown_section(struct config_reading *reading, const char *where, const char *section)
{
    char shown[TEXT_SHOWN], meant[100], all[200];
    key_suggest_section(section, meant, sizeof meant);
    key_list_sections(all, sizeof all);
    faults_add(reading->faults, EXIT_CODE_DATA, "%s: unknown section [%s]%s: there are %s", where,
        text_show(section, shown), meant, all);
}

static void fault_unknown_key(
    struct config_reading *reading, const char *where, const char *section, const char *name)
{
    char shown[TEXT_SHOWN], meant[100], all[500];
    key_suggest_name(section, name, meant, sizeof meant);
    key_list_names(section, all, sizeof all);
    faults_add(reading->faults, EXIT_CODE_DATA, "%s: unknown key %s%s: [%s] has %s", where,
        text_show(name, shown), meant, section, all);
}

/* Finds the key of this name, or that once had it: *former is 1 then. */
static const struct config_key *find_key(const char *section, const char *name, int *former)
{
    const struct config_key *key = key_find(section, name);
    *former = !key;
    return key ? key : key_find_former(section, name);
}

static void warn_of_former_name(
    struct config_reading *reading, const char *where, const struct config_key *key)
{
    if (reading_state_of(reading, key)->former)
        faults_warn(reading->faults, "%s: %s is called %s.%s now: rename it", where, key->former,
            key->section, key->name);
}

static void take_section(void *context, const char *section, int line)
{
    struct config_reading *reading = context;
    if (key_section_exists(section))
        return;
    char where[WHERE];
    snprintf(where, sizeof where, "%.400s:%d", reading->config->name, line);
    fault_unknown_section(reading, where, section);
}

/* Takes a line of a key: the only one, or one of several of a list of weights. */
static void take_key(
    struct config_reading *reading, const struct config_key *key, int former, const char *value, int line)
{
    struct key_state *state = reading_state_of(reading, key);
    char where[WHERE], name[READING_NAME], before[READING_NAME];
    snprintf(where, sizeof where, "%.400s:%d", reading->config->name, line);
    if (state->line && key->type != KEY_WEIGHTS) {
        faults_add(reading->faults, EXIT_CODE_DATA, "%s: %s stands in line %d already%s%s: leave one of them",
            where, reading_name_given(key, former, name), state->line, state->former == former ? "" : " as ",
            state->former == former ? "" : reading_name_given(key, state->former, before));
        return;
    }
    int more = state->line > 0;
    state->line = line;
    state->former = former;
    take_value(reading, key, value, reading->directory, more);
    warn_of_former_name(reading, where, key);
}

static void take_pair(void *context, const char *section, const char *name, const char *value, int line)
{
    struct config_reading *reading = context;
    int former;
    const struct config_key *key = find_key(section, name, &former);
    char where[WHERE], shown[TEXT_SHOWN], all[200];
    snprintf(where, sizeof where, "%.400s:%d", reading->config->name, line);
    if (key) {
        take_key(reading, key, former, value, line);
    } else if (*section == '\0') {
        key_list_sections(all, sizeof all);
        faults_add(reading->faults, EXIT_CODE_DATA,
            "%s: the key %s stands in no section: put it under one of %s", where, text_show(name, shown),
            all);
    } else if (key_section_exists(section)) {
        fault_unknown_key(reading, where, section, name);
    }
}

void config_take_text(struct config_reading *reading, const char *text)
{
    const struct ini_listener listener = {take_section, take_pair, reading};
    ini_scan(text, reading->config->name, &listener, reading->faults);
}

/* Does the same for what --set gives, of which the last counts. */
static void take_override(struct config_reading *reading, const struct config_key *key, int former,
    const char *override, const char *folder)
{
    struct key_state *state = reading_state_of(reading, key);
    char where[WHERE], shown[TEXT_SHOWN], name[READING_NAME], before[READING_NAME];
    snprintf(where, sizeof where, "--set %s", text_show(override, shown));
    if (state->override && state->former != former) {
        faults_add(reading->faults, EXIT_CODE_USAGE, "%s: %s is given as %s already: leave one of them",
            where, reading_name_given(key, former, name), reading_name_given(key, state->former, before));
        return;
    }
    state->override = override;
    state->former = former;
    take_value(reading, key, strchr(override, '=') + 1, folder, 0);
    warn_of_former_name(reading, where, key);
}

/* Copies a name without the blanks around it, as a line of a file may have them too. */
static void take_name(const char *text, size_t n, char *name, size_t size)
{
    while (n > 0 && isspace((unsigned char)*text))
        text++, n--;
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    snprintf(name, size, "%.*s", (int)n, text);
}

void config_take_override(struct config_reading *reading, const char *override, const char *folder)
{
    char section[64], name[64], where[WHERE], shown[TEXT_SHOWN];
    snprintf(where, sizeof where, "--set %s", text_show(override, shown));
    size_t to_equals = strcspn(override, "="), to_dot = strcspn(override, ".");
    if (!override[to_equals] || to_dot > to_equals) {
        faults_add(reading->faults, EXIT_CODE_USAGE, "%s: this is not SECTION.KEY=VALUE, as in train.lr=0.01",
            where);
        return;
    }
    take_name(override, to_dot, section, sizeof section);
    take_name(override + to_dot + 1, to_equals - to_dot - 1, name, sizeof name);
    int former;
    const struct config_key *key = find_key(section, name, &former);
    if (key)
        take_override(reading, key, former, override, folder);
    else if (key_section_exists(section))
        fault_unknown_key(reading, where, section, name);
    else
        fault_unknown_section(reading, where, section);
}

/* A path of an override or a folder's name may be one that a line of config.ini cannot hold. */
static void check_paths(struct config_reading *reading)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char *const *paths;
        if (key->type != KEY_PATHS || reading->config->keys[i].faulty)
            continue;
        memcpy(&paths, (const char *)reading->config + key->offset, sizeof paths);
        while (paths && *paths && ini_value_fits(*paths))
            paths++;
        if (paths && *paths)
            reading_fault(reading, key->section, key->name,
                "this would not come back from the run's config.ini, whose lines take no control characters "
                "and no ; after a blank: use another path (a symbolic link serves)");
    }
}

void config_settle(struct config_reading *reading, int with_paths)
{
    config_yield(reading->config);
    if (with_paths && reading_is_sound(reading, "data", "train") && !reading->config->data.train) {
        if (key_is_given(reading_state_of(reading, key_find("data", "train"))))
            reading_fault(reading, "data", "train", "empty: give the path of the training dataset");
        else
            faults_add(reading->faults, EXIT_CODE_DATA,
                "%.400s: data.train is missing: give the path of the training dataset, train = FILE under "
                "[data]",
                reading->config->name);
    }
    check_paths(reading);
}
