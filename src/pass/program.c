#include "pass/program.h"

#include "base/log.h"

#include <signal.h>

void program_start(struct comm *comm, const char *program, int verbosity)
{
    comm_start(comm, program);
    int level = LOG_WARNING + verbosity + (verbosity < 0); /* -q leaves out progress, -qq warnings too */
    log_set_level((enum log_level)(level < LOG_ERROR ? LOG_ERROR : level));
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error of writing */
    signal(SIGPIPE, SIG_IGN); /* so is a reader of what is printed that has gone away: the work goes on */
}
