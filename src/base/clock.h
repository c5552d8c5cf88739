/* Seconds of a clock that never goes back, and of the calendar. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>

double clock_now(void);      /* monotonic */
double clock_calendar(void); /* since 1970 */

/* Writes the calendar's time now, in UTC, "2024-05-06T07:08:09Z". */
void clock_write_calendar(char *text, size_t size);

#endif
