#include "base/clock.h"

#include <time.h>

static double clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

double clock_calendar(void)
{
    return clock_read(CLOCK_REALTIME);
}

void clock_write_calendar(char *text, size_t size)
{
    time_t now = (time_t)clock_calendar();
    struct tm utc;
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}
