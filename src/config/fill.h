/* Filling a configuration from texts: what config_read, config_override and config_read_saved share. */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "config/reading.h"

/* Takes the keys of a text, reporting each faulty one. */
void config_take_text(struct config_reading *reading, const char *text);

/* Takes one "SECTION.KEY=VALUE", its paths relative to `folder`. */
void config_take_override(struct config_reading *reading, const char *override, const char *folder);

/* Gives defaults the values that they yield to, and checks paths; with_paths asks for data.train. To be
 * called once, after all texts. */
void config_settle(struct config_reading *reading, int with_paths);

#endif
