/* Values as people write them in a configuration and on a command line, and back: numbers, sizes, durations,
 * intervals, lists. Nothing depends on the locale. Blanks around a value are skipped. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config.h"

#include <stddef.h>
#include <stdint.h>

enum value_state {
    VALUE_OK,
    VALUE_MALFORMED, /* not of this kind at all */
    VALUE_OVERFLOW   /* of this kind, but beyond what the type holds */
};

/* Each fills its output only with VALUE_OK. */
enum value_state value_read_integer(const char *text, int64_t *n);      /* "-12" */
enum value_state value_read_unsigned(const char *text, uint64_t *n);    /* a minus sign is VALUE_OVERFLOW */
enum value_state value_read_real(const char *text, double *x);          /* "1e-3"; no hex, inf or nan */
enum value_state value_read_bytes(const char *text, size_t *bytes);     /* "256 MiB"; 0 needs no unit */
enum value_state value_read_seconds(const char *text, double *seconds); /* "10 minutes"; 0 needs no unit */
enum value_state value_read_interval(const char *text, int64_t *n, enum interval *unit); /* "5 steps" */
enum value_state value_read_clock(const char *text, int64_t *seconds);                   /* [DD-]HH:MM:SS */

/* Cuts the next item (at most size - 1 bytes of it) off a list separated by blanks or commas and moves *list
 * behind it. 0 where there is none left. */
int value_next_item(const char **list, char *item, size_t size);

/* The text that reads back to exactly the same value. All return the length that the whole text has, as
 * snprintf does. Reals take as few digits as that needs. */
size_t value_write_real(double x, char *text, size_t size);
size_t value_write_bytes(size_t bytes, char *text, size_t size);
size_t value_write_seconds(double seconds, char *text, size_t size);
size_t value_write_interval(int64_t n, enum interval unit, char *text, size_t size);

/* A value as it can stand in a message: cut after some 60 bytes, control characters as '?'. */
enum { VALUE_SHOWN = 80 };
const char *value_show(const char *value, char shown[VALUE_SHOWN]);

#endif
