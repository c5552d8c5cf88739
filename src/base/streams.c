/* Nobody looks at the outcome of each printf: the stream remembers a failure, and is asked once, at the end.
 * It is closed before the answer counts, since file systems of a network may tell only then that a disk is
 * full. */
#include "base/streams.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void streams_begin(void)
{
    /* The lowest free number is what open gives. Standard output is opened for reading, so that printing
     * fails. */
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

int streams_end(int code)
{
    int failed_before = ferror(stdout);
    int failed = fclose(stdout) != 0;
    if (!failed && !failed_before)
        return code;
    log_line(LOG_ERROR,
        "standard output: not all of what was printed could be written: %s: run the same command again "
        "with its output where there is room",
        failed ? strerror(errno) : "its disk is full, or its reader is gone");
    return code == EXIT_CODE_OK ? EXIT_CODE_IO : code;
}
