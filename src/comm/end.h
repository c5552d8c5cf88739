/* The end of the whole job from one rank, and that of a process that may hang. */
#ifndef COMM_END_H
#define COMM_END_H

#include "comm/rank.h"

#include <stdint.h>

/* Something went wrong on this rank alone: one line with rank, host and step (negative: none), then all ranks
 * end with `code`. It does not return. */
_Noreturn void comm_fatal(const struct comm *comm, int64_t step, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Within this folder: the process ends with `code` after so many seconds, whatever it does then, unless
 * alarm(0) comes before. What there is to say was said. */
void end_after(double seconds, int code);

#endif
