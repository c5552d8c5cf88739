/* When a SLURM job ends. The job's end is asked of squeue, as a job is told its limit nowhere else, and it
 * may be changed while the job is in the queue. What squeue says does not matter enough to wait for long, or
 * to fail. */
#include "base/clock.h"
#include "base/log.h"
#include "comm/launcher.h"
#include "run/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double patience = 5; /* seconds for squeue */

extern char **environ;

/* Returns the process id, or -1 where there is no such program. SLURM_TIME_FORMAT makes times come in one
 * form, whatever the user likes. */
static pid_t start_squeue(const char *job, int output)
{
    char *const words[] = {
        (char *)"squeue", (char *)"-h", (char *)"-j", (char *)job, (char *)"-o", (char *)"%e", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    setenv("SLURM_TIME_FORMAT", "standard", 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, words[0], &actions, NULL, words, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* Reads what comes until the end of the file, the limit, or the size. */
static void read_text(int input, double limit, char *text, size_t size)
{
    size_t used = 0;
    for (ssize_t n = 1; n > 0 && used + 1 < size; used += n > 0 ? (size_t)n : 0) {
        struct pollfd ready = {.fd = input, .events = POLLIN};
        double rest = limit - clock_now();
        n = rest > 0 && poll(&ready, 1, (int)(rest * 1000) + 1) == 1
            ? read(input, text + used, size - used - 1)
            : 0;
    }
    text[used] = 0;
}

static void ask_squeue(const char *job, char *text, size_t size)
{
    int ends[2];
    *text = 0;
    if (pipe(ends) != 0)
        return;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t pid = start_squeue(job, ends[1]);
    close(ends[1]);
    if (pid > 0) {
        read_text(ends[0], clock_now() + patience, text, size);
        kill(pid, SIGKILL); /* it has said all, or takes too long */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
}

/* Reads "2024-05-06T07:08:09" as local time. Returns 0 where it is another text, as for jobs without an end.
 */
static time_t read_time(const char *text)
{
    struct tm local = {.tm_isdst = -1};
    int length = 0;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &local.tm_year, &local.tm_mon, &local.tm_mday,
            &local.tm_hour, &local.tm_min, &local.tm_sec, &length) != 6 ||
        text[length + (int)strspn(text + length, " \n")])
        return 0;
    local.tm_year -= 1900;
    local.tm_mon--;
    time_t at = mktime(&local);
    return at > 0 ? at : 0;
}

double limits_find_job_end(void)
{
    const char *job = launcher_get()->queue_name;
    char text[128];
    if (!*job)
        return 0;
    ask_squeue(job, text, sizeof text);
    time_t end = read_time(text);
    if (!end) {
        log_line(LOG_INFO,
            "squeue tells no end of job %s: give --max-time, or it will be killed at its limit", job);
        return 0;
    }
    log_line(LOG_INFO, "job %s ends in %.0f seconds: the run stops with a checkpoint before that", job,
        (double)end - clock_calendar());
    return (double)end;
}
