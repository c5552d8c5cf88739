/* Reading a configuration from texts: what config_read and config_compare share. */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

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

/* Takes the keys of a text, reporting each faulty one. */
void config_take_text(struct config_reading *reading, const char *text);

/* Takes one "SECTION.KEY=VALUE", its paths relative to `folder`. */
void config_take_override(struct config_reading *reading, const char *override, const char *folder);

/* Gives every layer its element of the lists, and checks what keys say together; with_paths asks for
 * data.train. To be called once, after all texts. */
void config_settle(struct config_reading *reading, int with_paths);

/* ---- between the files of this reading ---- */

/* A fault of the value that a key was given, told at its place. */
void config_fault_at(struct config_reading *reading, const char *section, const char *name, const char *what);

/* Has the key no fault yet? */
int config_is_sound(const struct config_reading *reading, const char *section, const char *name);

/* Keys that contradict each other, each a fault of one of them. (config_together.c) */
void config_check_together(struct config_reading *reading);

#endif
