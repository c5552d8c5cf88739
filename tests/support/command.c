#define _GNU_SOURCE /* syscall */

/* Polls instead of sleeping on SIGCHLD: a test program has handlers of Check's own, and five milliseconds do
 * not matter here. Processes are found by their session in /proc/PID/stat, and since some launchers give
 * their ranks sessions of their own (Hydra of MPICH), by a variable that all inherit, in /proc/PID/environ.
 * Killing is repeated until none is left, since a process may fork between being seen and being killed; one
 * may end there, too, and its number be another's, who is asked anew by a handle to what has the number. */
#include "support/command.h"

#include "base/clock.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 64 };

#define MARK "RNN_TEST_COMMAND" /* names the command that a process belongs to */
enum { MARK_BYTES = 80 };

/* Writes "MARK=..." of a command: its process id alone may be another's in a container on the same machine,
 * whose processes are seen here, too. */
static void write_mark(char mark[MARK_BYTES], pid_t pid, const struct command_process *process)
{
    snprintf(mark, MARK_BYTES, MARK "=%ld.%.9f", (long)pid, process->begun);
}

static void pause_briefly(void)
{
    struct timespec moment = {.tv_nsec = 5000000};
    nanosleep(&moment, NULL);
}

static int temporary_file(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/rnn-command-XXXXXX", folder && *folder ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0)
        ck_abort_msg("%s: %s", path, strerror(errno));
    unlink(path);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
}

/* The session of a live process from the text of its stat file: "PID (NAME) STATE PPID PGRP SESSION ...",
 * where NAME may hold anything. 0 for a zombie or a process that has gone. */
static pid_t session_of(const char *pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[size < 0 ? 0 : size] = 0;
    const char *behind_name = strrchr(text, ')');
    char state;
    int session;
    if (!behind_name || sscanf(behind_name + 1, " %c %*d %*d %d", &state, &session) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : (pid_t)session;
}

/* Does the environment that a process began with hold this text, "NAME=value"? */
static bool has_variable(const char *pid, const char *want)
{
    static char text[1 << 17]; /* more than the environment of a test */
    char path[64];
    size_t length = strlen(want) + 1;
    snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = 0, got;
    while (file >= 0 && (got = read(file, text + size, sizeof text - 1 - (size_t)size)) > 0)
        size += got;
    if (file >= 0)
        close(file);
    text[size] = 0;
    for (const char *at = text; at < text + size; at += strlen(at) + 1)
        if (strncmp(at, want, length) == 0)
            return true;
    return false;
}

static bool belongs_to(const struct command_process *process, const char *pid)
{
    char mark[MARK_BYTES];
    pid_t session = session_of(pid);
    write_mark(mark, process->pid, process);
    return session == process->pid || (session && has_variable(pid, mark));
}

pid_t command_find_rank(const struct command_process *process, int rank)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK"};
    pid_t pids[64];
    int count = command_processes(process, pids, 64);
    for (int i = 0; i < count && i < 64; i++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char pid[24], want[64];
            snprintf(pid, sizeof pid, "%ld", (long)pids[i]);
            snprintf(want, sizeof want, "%s=%d", names[n], rank);
            if (has_variable(pid, want))
                return pids[i];
        }
    return 0;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

int command_processes(const struct command_process *process, pid_t *pids, int most)
{
    DIR *folder = opendir("/proc");
    ck_assert_msg(folder != NULL, "/proc: %s", strerror(errno));
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (isdigit((unsigned char)entry->d_name[0]) && belongs_to(process, entry->d_name)) {
            if (count < most)
                pids[count] = (pid_t)atoi(entry->d_name);
            count++;
        }
    closedir(folder);
    if (pids)
        qsort(pids, (size_t)(count < most ? count : most), sizeof *pids, compare_pids);
    return count;
}

/* A handle to the process that has this number now. -1: kernels before Linux 5.3 have none, and a number must
 * do; -2: there is no such process. */
static int open_process(pid_t pid)
{
#ifdef SYS_pidfd_open
    int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    if (handle < 0 && errno != ENOSYS && errno != EPERM)
        return -2;
    return handle;
#else
    return -1;
#endif
}

static int signal_process(int handle, pid_t pid, int number)
{
#ifdef SYS_pidfd_open
    if (handle >= 0)
        return (int)syscall(SYS_pidfd_send_signal, handle, number, NULL, 0);
#endif
    return kill(pid, number);
}

bool command_signal_one(const struct command_process *process, pid_t pid, int number)
{
    char text[24];
    int handle = pid > 0 ? open_process(pid) : -2;
    if (handle == -2)
        return false;
    snprintf(text, sizeof text, "%ld", (long)pid);
    bool sent = belongs_to(process, text) && signal_process(handle, pid, number) == 0;
    if (handle >= 0)
        close(handle);
    return sent;
}

/* Returns how many were there at first. */
static int kill_session(const struct command_process *process)
{
    enum { MOST = 1024, ROUNDS = 400 };
    pid_t pids[MOST];
    int first = -1;
    for (int round = 0; round < ROUNDS; round++) {
        int count = command_processes(process, pids, MOST);
        if (first < 0)
            first = count;
        if (!count)
            break;
        for (int i = 0; i < count && i < MOST; i++)
            command_signal_one(process, pids[i], SIGKILL);
        pause_briefly();
    }
    return first;
}

/* Where the MPI at hand takes a library to give cores away (tests/mpi/give_way.c), it comes before what the
 * test preloads. */
static void give_cores_away(void)
{
    static char value[8192];
    const char *library = getenv("GIVE_WAY_LIBRARY"), *others = getenv("LD_PRELOAD");
    if (!library)
        return;
    snprintf(value, sizeof value, "LD_PRELOAD=%s%s%s", library, others ? ":" : "", others ? others : "");
    putenv(value);
}

/* Between fork and exec. The child dies with the test that started it, also when Check ends that test. */
static void become(const struct command *command, const struct command_process *process)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    char mark[MARK_BYTES];
    write_mark(mark, getpid(), process);
    putenv(mark);
    signal(SIGHUP, SIG_DFL); /* the tests themselves may run under nohup */
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(process->output, 1) < 0 || dup2(process->errors, 2) < 0)
        _exit(127);
    for (const char *const *text = command->environment; text && *text; text++)
        if (strchr(*text, '='))
            putenv((char *)*text);
        else
            unsetenv(*text);
    give_cores_away();
    if (command->directory && chdir(command->directory) < 0)
        dprintf(2, "%s: %s\n", command->directory, strerror(errno));
    else {
        execvp(command->argv[0], (char *const *)command->argv);
        dprintf(2, "%s: %s\n", command->argv[0], strerror(errno));
    }
    _exit(127);
}

/* A child that has no session of its own yet is not found among the processes of the command, as if that had
 * ended already. */
static void await_session(pid_t pid)
{
    siginfo_t ended = {0};
    while (getsid(pid) != pid && waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == 0)
        pause_briefly();
}

double command_patience(void)
{
    const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
    double times = text ? strtod(text, NULL) : 1;
    return times > 1 ? times : 1;
}

void command_start(const struct command *command, struct command_process *process)
{
    ck_assert_msg(command->seconds > 0, "a command needs a time limit");
    process->output = temporary_file();
    process->errors = temporary_file();
    process->begun = clock_now();
    process->deadline = process->begun + command->seconds * command_patience();
    fflush(NULL);
    process->pid = fork();
    if (process->pid < 0)
        ck_abort_msg("fork: %s", strerror(errno));
    if (process->pid == 0)
        become(command, process);
    await_session(process->pid);
}

void command_signal(const struct command_process *process, int number)
{
    ck_assert_msg(process->pid > 0, "the command has ended");
    ck_assert_msg(kill(process->pid, number) == 0, "signal %d: %s", number, strerror(errno));
}

void command_kill(const struct command_process *process)
{
    ck_assert_msg(process->pid > 0, "the command has ended");
    kill(process->pid, SIGKILL);
    kill_session(process);
}

static char *read_whole(int file, size_t *size)
{
    struct stat status;
    ck_assert_msg(fstat(file, &status) == 0, "fstat: %s", strerror(errno));
    char *text = malloc((size_t)status.st_size + 1);
    ck_assert_ptr_nonnull(text);
    size_t done = 0;
    while (done < (size_t)status.st_size) {
        ssize_t got = pread(file, text + done, (size_t)status.st_size - done, (off_t)done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    text[done] = 0;
    *size = done;
    return text;
}

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* Leaves the exit status for command_wait. */
static bool has_ended(const struct command_process *process)
{
    siginfo_t info = {0};
    ck_assert_msg(waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0, "waitid: %s",
        strerror(errno));
    return info.si_pid != 0;
}

bool command_await_output(const struct command_process *process, const char *text, int number, double seconds)
{
    ck_assert_msg(process->pid > 0 && *text, "the command has ended, or there is nothing to wait for");
    for (double limit = clock_now() + seconds * command_patience();;) {
        bool last = has_ended(process) || clock_now() > limit;
        size_t size;
        char *so_far = read_whole(process->output, &size);
        bool found = occurrences(so_far, text) >= number;
        free(so_far);
        if (found || last)
            return found;
        pause_briefly();
    }
}

/* Has the process been sent TERM or KILL, and only not been given a core yet to obey? */
static bool is_ending(pid_t pid)
{
    char path[64], line[256];
    unsigned long long pending = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "ShdPnd: %llx", &pending) == 1)
            break;
    if (file)
        fclose(file);
    return pending & (1ULL << (SIGTERM - 1) | 1ULL << (SIGKILL - 1));
}

/* mpirun may be gone before the ranks that it has sent TERM to: on a busy machine of one job in twenty a rank
 * was seen that waited for a core, the signal pending. Such a one is not left behind, and is waited for
 * longer. */
static void give_a_moment(const struct command_process *process)
{
    enum { MOMENT_SECONDS = 3, MOST_SECONDS = 30, MOST = 64 };
    double start = clock_now();
    for (;;) {
        pid_t pids[MOST];
        int count = command_processes(process, pids, MOST), ending = 0;
        for (int i = 0; i < count && i < MOST; i++)
            ending += is_ending(pids[i]);
        if (!count || clock_now() - start > (ending ? MOST_SECONDS : MOMENT_SECONDS))
            return;
        pause_briefly();
    }
}

void command_wait(struct command_process *process, struct command_result *result)
{
    ck_assert_msg(process->pid > 0, "the command has ended");
    *result = (struct command_result){0};
    while (!has_ended(process) && !result->timed_out) {
        result->timed_out = clock_now() > process->deadline;
        pause_briefly();
    }
    if (result->timed_out)
        command_kill(process);
    else
        give_a_moment(process);
    /* Before the command is waited for, as until then its process id belongs to nobody else. */
    result->left_behind = kill_session(process);
    int status;
    pid_t ended = waitpid(process->pid, &status, 0);
    ck_assert_msg(ended == process->pid, "waitpid: %s", strerror(errno));
    result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    process->pid = 0;
    result->output = read_whole(process->output, &result->output_size);
    result->errors = read_whole(process->errors, &result->errors_size);
    close(process->output);
    close(process->errors);
}

void command_run(const struct command *command, struct command_result *result)
{
    struct command_process process;
    command_start(command, &process);
    command_wait(&process, result);
}

void command_call(struct command_result *result, double seconds, ...)
{
    const char *words[MOST_WORDS + 1];
    int count = 0;
    va_list arguments;
    va_start(arguments, seconds);
    while (count <= MOST_WORDS && (words[count] = va_arg(arguments, const char *)))
        count++;
    va_end(arguments);
    ck_assert_msg(count > 0 && count <= MOST_WORDS, "a command of %d words", count);
    command_run(&(struct command){.argv = words, .seconds = seconds}, result);
}

void command_result_finish(struct command_result *result)
{
    free(result->output);
    free(result->errors);
    *result = (struct command_result){0};
}
