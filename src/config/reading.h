/* A reading of a configuration under way knows where each key got its value, and reports faults at that
 * place.
 */
#ifndef CONFIG_READING_H
#define CONFIG_READING_H

#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"

/* Where a key got its value. */
struct key_state {
    int line;             /* of the file; 0: not there */
    const char *override; /* "SECTION.KEY=VALUE" that came last; NULL: none */
    size_t items;         /* of a list; 0: the default */
    int former;           /* the value came under the key's former name */
    int faulty;
    char shown[TEXT_SHOWN]; /* the value as it was given, for messages */
};

struct config_reading {
    struct config *config;
    struct faults *faults;
    const char *name;      /* of the text, in messages */
    const char *directory; /* that its paths are relative to */
    struct key_state keys[CONFIG_KEYS_MOST];
};

/* Returns what is kept of a key. */
struct key_state *reading_state_of(struct config_reading *reading, const struct config_key *key);

/* Returns "SECTION.NAME", or the key's former name; it stands in `name`, if need be. */
enum { READING_NAME = 80 };
const char *reading_name_given(const struct config_key *key, int former, char name[READING_NAME]);

/* Reports a fault of the value that a key was given, at its place. */
void reading_fault(struct config_reading *reading, const char *section, const char *name, const char *what);

/* Has the key no fault yet? */
int reading_is_sound(const struct config_reading *reading, const char *section, const char *name);

#endif
