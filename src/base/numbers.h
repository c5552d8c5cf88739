/* Numbers as people write them in a configuration and on a command line, and back: whole and real numbers,
 * sizes, durations, intervals. Nothing depends on the locale. Blanks around a number are skipped. */
#ifndef BASE_NUMBERS_H
#define BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

enum number_state {
    NUMBER_OK,
    NUMBER_MALFORMED, /* The text is not of this kind at all. */
    NUMBER_OVERFLOW   /* It is of this kind, but beyond what the type holds. */
};

/* What an interval counts. */
enum interval { INTERVAL_EPOCHS, INTERVAL_STEPS, INTERVAL_MINUTES, INTERVALS };

/* Each fills its output only where it returns NUMBER_OK. */
enum number_state number_read_integer(const char *text, int64_t *n);   /* "-12" */
enum number_state number_read_unsigned(const char *text, uint64_t *n); /* a minus sign is NUMBER_OVERFLOW */
enum number_state number_read_real(const char *text, double *x);       /* "1e-3"; no hex, inf or nan */
enum number_state number_read_bytes(const char *text, size_t *bytes);  /* "256 MiB"; 0 needs no unit */
enum number_state number_read_seconds(const char *text, double *seconds); /* "10 minutes"; 0 needs no unit */
enum number_state number_read_interval(const char *text, int64_t *n, enum interval *unit); /* "5 steps" */
enum number_state number_read_clock(const char *text, int64_t *seconds);                   /* [DD-]HH:MM:SS */

/* Each writes the text that reads back to exactly the same value, a real with as few digits as that needs,
 * and returns the length of the whole text, as snprintf does. */
size_t number_write_real(double x, char *text, size_t size);
size_t number_write_bytes(size_t bytes, char *text, size_t size);
size_t number_write_seconds(double seconds, char *text, size_t size);
size_t number_write_interval(int64_t n, enum interval unit, char *text, size_t size);

#endif
