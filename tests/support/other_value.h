/* Another value for any key of the configuration, so that a test of all keys needs no line for a new one. */
#ifndef TESTS_SUPPORT_OTHER_VALUE_H
#define TESTS_SUPPORT_OTHER_VALUE_H

#include "config/keys.h"

/* A value that differs from this one and goes with the defaults of all other keys (those of attention and of
 * decoders: where model.output = decoder). */
void other_value(const struct config_key *key, const char *value, char *text, size_t size);

#endif
