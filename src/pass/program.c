#include "pass/program.h"

#include "base/log.h"

#include <signal.h>
#include <stdio.h>

void program_start(struct comm *comm, const char *program, int verbosity)
{
    comm_start(comm, program);
    int level = LOG_WARNING + verbosity + (verbosity < 0); /* -q leaves out progress, -qq warnings too */
    log_set_level((enum log_level)(level < LOG_ERROR ? LOG_ERROR : level));
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error of writing */
}
