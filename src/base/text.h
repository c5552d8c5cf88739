/* Texts: copies, lists as people write them, and how a text from outside is shown in a message. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"

#include <stddef.h>

/* Cuts the next item (at most size - 1 bytes of it) off a list separated by blanks or commas and moves *list
 * behind it. Returns 0 where there is none left. */
int text_next_item(const char **list, char *item, size_t size);

/* A copy of the text, the caller's (memory_destroy); NULL and an error without memory. */
char *text_copy(const char *text, struct error *error);

/* Are these bytes UTF-8 as RFC 3629 has it: no character longer than needed, no surrogates, nothing beyond
 * U+10FFFF? */
int text_is_utf8(const char *text, size_t bytes);

/* Does the text end in `end`, with something before it? */
int text_ends_in(const char *text, const char *end);

/* The text as it can stand in a message: it is cut after some 60 bytes, and control characters become '?'.
 * Returns `shown`. */
enum { TEXT_SHOWN = 80 };
const char *text_show(const char *text, char shown[TEXT_SHOWN]);

#endif
