/* Runs a command from a test: mpirun, our programs, HDF5's tools.
 *
 * The command gets standard input from /dev/null, its output goes to unlinked temporary files (so a command
 * that writes much, or leaves a child behind, never blocks the test), and it leads a session of its own and
 * has a variable of its own in its environment, by one of which every process it started is found again. A
 * failure of this harness itself (no temporary file, no fork) fails the test.
 */
#ifndef TESTS_SUPPORT_COMMAND_H
#define TESTS_SUPPORT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct command {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH where it has no slash */
    const char *const
        *environment; /* "NAME=value" on top of the caller's, "NAME" to remove; ends with NULL; or NULL */
    const char *directory; /* to run in; NULL: the caller's */
    double seconds;        /* time limit on a quick machine (command_patience); must be positive */
};

struct command_result {
    int status;      /* exit code; 128 + number when a signal ended it; 127 when it could not be executed */
    bool timed_out;  /* the limit came first and everything was killed */
    int left_behind; /* live processes of it a moment after it had ended; they have been killed */
    char *output;    /* standard output and error, each with a zero byte behind it; the result owns them */
    char *errors;
    size_t output_size;
    size_t errors_size;
};

/* Times a limit that holds on a quick machine: what Check gives its tests (CK_TIMEOUT_MULTIPLIER), for what
 * is waited for in them. scripts/test sets it to what meson gives test programs. */
double command_patience(void);

/* Runs and waits. At the limit every process of the command is killed by its id. */
void command_run(const struct command *command, struct command_result *result);

/* The same from a list of words: command_call(&result, 60, "h5ls", "-r", path, NULL). */
void command_call(struct command_result *result, double seconds, ...) __attribute__((sentinel));

void command_result_finish(struct command_result *result);

/* A command in the background. The clock of its limit starts here. */
struct command_process {
    pid_t pid;    /* also its session; 0 once it has been waited for */
    double begun; /* when: by this its processes are known */
    double deadline;
    int output; /* file descriptors */
    int errors;
};

void command_start(const struct command *command, struct command_process *process);

/* A signal to the command itself (mpirun hands SIGTERM and SIGUSR1 on to its ranks). */
void command_signal(const struct command_process *process, int number);

/* A signal to one process of the command, which may have ended since it was seen. False where it has, also
 * where another process has its number by now. */
bool command_signal_one(const struct command_process *process, pid_t pid, int number);

/* SIGKILL to the command and to every process of its session, as when the machine loses power. */
void command_kill(const struct command_process *process);

/* Fills pids with the live processes of the command, itself among them, in rising order; at most
 * `most`. Returns how many there are, which may be more than `most`. */
int command_processes(const struct command_process *process, pid_t *pids, int most);

/* The process of a rank, of whatever program; 0: not found. */
pid_t command_find_rank(const struct command_process *process, int rank);

/* Waits until the text has appeared in standard output (a `number` of times). False when the command ended,
 * or the seconds passed, times command_patience, without. */
bool command_await_output(
    const struct command_process *process, const char *text, int number, double seconds);

/* Waits for the end, up to the limit, and gives the result. */
void command_wait(struct command_process *process, struct command_result *result);

#endif
