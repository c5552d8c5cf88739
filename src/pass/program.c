#include "pass/program.h"

#include "base/log.h"

#include <math.h>
#include <signal.h>

int program_start(struct comm *comm, const struct comm_purpose *purpose, int verbosity)
{
    struct error error = {0};
    struct comm_purpose patient = *purpose;
    if (purpose->limit > 0)
        patient.limit = fmax(purpose->limit, PROGRAM_START_SECONDS);
    comm_start(comm, &patient, &error);
    int level = LOG_WARNING + verbosity + (verbosity < 0); /* -q leaves out progress, -qq warnings too */
    log_set_level((enum log_level)(level < LOG_ERROR ? LOG_ERROR : level));
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error of writing */
    signal(SIGPIPE, SIG_IGN); /* so is a reader of what is printed that has gone away: the work goes on */
    if (error.code && comm->rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    return error.code;
}
