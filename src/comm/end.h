/* The end of the whole job from one rank, and that of a process that may hang. */
#ifndef COMM_END_H
#define COMM_END_H

#include "comm/rank.h"

#include <stdint.h>

/* Something went wrong on this rank alone: one line with rank, host and step (negative: none), then all ranks
 * end with `code`; where MPI has not started (comm NULL) this process does. It does not return. */
_Noreturn void comm_fatal(const struct comm *comm, int64_t step, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* From now on comm_fatal of this rank calls `tell` before the job ends, with what it was called with;
 * whatever that does, the process ends within seconds. It must not communicate. NULL: no more. All is kept by
 * reference. */
struct last_words {
    void (*tell)(void *context, int64_t step, int code, const char *text);
    void *context;
};
void comm_before_end(struct comm *comm, struct last_words *words);

/* Standard error of a rank is a pipe to its launcher, which the end of the job may reach before the last
 * line: Open MPI 5 then drops the line. So what was written is first seen to have been read, and gets a
 * moment to be handed on. Nothing is waited for where standard error is no pipe. */
void end_let_launcher_read(void);

/* Within this folder: the process ends with `code` after so many seconds, whatever it does then, unless
 * alarm(0) comes before. What there is to say was said. */
void end_after(double seconds, int code);

#endif
