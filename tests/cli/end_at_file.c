/* Preloaded into a program: the process sends itself the signal END_SIGNAL as soon as a file has got the name
 * END_AT_FILE. So it ends at a step, which is that of a checkpoint, however fast the machine is. */
#define _GNU_SOURCE /* syscall */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int renameat(int from, const char *old, int to, const char *new)
{
    const char *name = getenv("END_AT_FILE"), *number = getenv("END_SIGNAL");
    int outcome = (int)syscall(SYS_renameat2, from, old, to, new, 0);
    if (outcome == 0 && name && number && strcmp(new, name) == 0)
        kill(getpid(), atoi(number));
    return outcome;
}
