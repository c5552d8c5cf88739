/* Seconds of a clock that never goes back, and of the calendar. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);      /* monotonic */
double clock_calendar(void); /* since 1970 */

#endif
