/* A reading of a configuration under way knows where each key got its value, and reports faults at that
 * place.
 */
#ifndef CONFIG_READING_H
#define CONFIG_READING_H

#include "config/config.h"
#include "config/keys.h"

struct config_reading {
    struct config *config; /* whose name messages have */
    struct faults *faults;
    const char *directory; /* that paths of its text are relative to */
};

/* Returns what is kept of a key. */
struct key_state *reading_state_of(const struct config_reading *reading, const struct config_key *key);

/* Has the user given the key a value? */
int key_is_given(const struct key_state *state);

/* Returns "SECTION.NAME", or the key's former name; it stands in `name`, if need be. */
enum { READING_NAME = 80 };
const char *reading_name_given(const struct config_key *key, int former, char name[READING_NAME]);

/* Reports a fault of the value that a key was given, at its place. */
void reading_fault(struct config_reading *reading, const char *section, const char *name, const char *what);

/* Has the key no fault yet? */
int reading_is_sound(const struct config_reading *reading, const char *section, const char *name);

#endif
