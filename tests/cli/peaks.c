/* Runs a program, as mpirun starts it for each rank, and tells on standard error what the rank had at its
 * peak:
 *
 *     MEASURED_PROGRAM=rnn-train mpirun -np 2 peaks -o runs/x x.ini
 *     peak rank=0 own=9936 files=19432 shared=316
 *
 * in KiB: pages of its own, of programs and libraries, and of shared memory of all ranks together, as far as
 * this rank saw them. Ranks find each other by files in the current folder. Looking now and then would miss
 * what lasts a moment; but a process has the most before it gives something back, so it is stopped there.
 * Ends with the program's exit code, and with 126 where no process may trace another. */
#define _GNU_SOURCE /* __WALL */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long longer(long a, long b)
{
    return a > b ? a : b;
}

/* The number behind `what` in a file of a process, in KiB; 0 where there is none. */
static long read_number(pid_t process, const char *name, const char *what)
{
    char path[64], line[256];
    long number = 0;
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)process, name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0)
            number = strtol(line + strlen(what), NULL, 10);
    if (file)
        fclose(file);
    return number;
}

/* What is seen of a rank, KiB: the most of its own and of files, and the most that all ranks were seen to
 * share at a time, each page counted by as many as share it. */
struct seen {
    long own, files, shared;
};

/* The number of a rank's process is in a file of this name. */
static void name_file(int rank, char name[static 32])
{
    snprintf(name, 32, "process.%d", rank);
}

static void tell(int rank, pid_t process)
{
    char name[32];
    name_file(rank, name);
    FILE *file = fopen(name, "w");
    if (file) {
        fprintf(file, "%ld\n", (long)process);
        fclose(file);
    }
}

/* Returns what a process has of shared memory: of what ranks reserve for weights and gradients, of which
 * nothing is anybody else's, all of it where `once` is 1; of others a page's share. */
static long count_shared(pid_t process, int once)
{
    static const char own_file[] = "/dev/shm/rnn-train.";
    char path[64], line[512];
    long shared = read_number(process, "smaps_rollup", "Pss_Shmem:");
    int ours = 0;
    snprintf(path, sizeof path, "/proc/%ld/smaps", (long)process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (line[strcspn(line, " :")] == ' ') /* a mapping begins */
            ours = strstr(line, own_file) != NULL;
        else if (ours && once && strncmp(line, "Size:", 5) == 0)
            shared += strtol(line + 5, NULL, 10);
        else if (ours && strncmp(line, "Pss:", 4) == 0)
            shared -= strtol(line + 4, NULL, 10);
    }
    if (file)
        fclose(file);
    return shared;
}

static long sum_shared(int ranks)
{
    long sum = 0, process;
    for (int r = 0; r < ranks; r++) {
        char name[32];
        name_file(r, name);
        FILE *file = fopen(name, "r");
        if (file && fscanf(file, "%ld", &process) == 1)
            sum += count_shared((pid_t)process, r == 0);
        if (file)
            fclose(file);
    }
    return sum;
}

/* The kernel's counters of a process (`status`) may be off by some pages for each thread or processor, its
 * walk through the pages (`smaps_rollup`) is not. */
static void look(pid_t process, struct seen *seen)
{
    seen->own = longer(seen->own, read_number(process, "smaps_rollup", "Anonymous:"));
    seen->files = longer(seen->files, read_number(process, "status", "RssFile:"));
}

/* Twice, as a page that another rank maps meanwhile is counted by too few. */
static void look_at_all(int ranks, struct seen *seen)
{
    long shared = sum_shared(ranks), again = shared > seen->shared ? sum_shared(ranks) : shared;
    seen->shared = longer(seen->shared, shared < again ? shared : again);
}

static int number_of(const char *open_mpi, const char *mpich, int otherwise)
{
    const char *text = getenv(open_mpi) ? getenv(open_mpi) : getenv(mpich);
    return text ? atoi(text) : otherwise;
}

/* A process has the most at a moment before a call that gives memory back, or before its end. Memory that is
 * shared is given back in larger pieces than most. (Of a length the lower half is looked at: it must be below
 * 4 GiB, and the machine little-endian.) */
enum { STOP_FOR_OWN, STOP_FOR_ALL, LEAST_SHARED = 1 << 16 };

static void stop_before_less(void)
{
    const struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_brk, 4, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(
            BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])), /* a length's lower half */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LEAST_SHARED, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | STOP_FOR_ALL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | STOP_FOR_OWN),
    };
    const struct sock_fprog program = {
        .len = sizeof filter / sizeof *filter, .filter = (struct sock_filter *)filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("peaks: cannot be stopped");
        _exit(126);
    }
}

/* Starts a process that stops for this one as stop_before_less() has it, with all threads and processes that
 * it begins. */
static pid_t start_traced(const char *program, char **words)
{
    int ready[2];
    char byte = 0;
    if (pipe(ready))
        return -1;
    pid_t process = fork();
    if (process == 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1)
            _exit(126);
        close(ready[0]);
        stop_before_less();
        execv(program, words);
        perror(program);
        _exit(127);
    }
    close(ready[0]);
    int failed = process < 0 ||
        ptrace(PTRACE_SEIZE, process, NULL,
            PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) ||
        write(ready[1], &byte, 1) != 1;
    if (failed)
        perror("peaks: cannot trace");
    close(ready[1]); /* a process that waits ends */
    return failed ? -1 : process;
}

/* Goes with a traced process to its end and returns its exit code. */
static int follow(pid_t process, int ranks, struct seen *seen)
{
    int status = 0;
    pid_t stopped;
    unsigned long reason;
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status) && stopped == process)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (!WIFSTOPPED(status))
            continue; /* a thread, or a process of its own, has ended */
        /* Stops by SIGSTOP have one too. They end at once: nobody means them here. */
        int event = status >> 16;
        if (event == PTRACE_EVENT_SECCOMP) {
            look(process, seen);
            if (ptrace(PTRACE_GETEVENTMSG, stopped, NULL, &reason) == 0 && reason == STOP_FOR_ALL)
                look_at_all(ranks, seen);
        }
        ptrace(PTRACE_CONT, stopped, NULL, event ? 0L : (long)WSTOPSIG(status));
    }
    return 127;
}

int main(int argc, char **argv)
{
    const char *program = getenv("MEASURED_PROGRAM");
    int rank = number_of("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0),
        ranks = number_of("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", 1);
    struct seen seen = {0};
    if (!program || argc < 1) {
        fprintf(stderr, "peaks: MEASURED_PROGRAM must name a program\n");
        return 64;
    }
    pid_t process = start_traced(program, argv);
    if (process < 0)
        return 126;
    if (ranks > 1)
        tell(rank, process);
    int code = follow(process, ranks, &seen);
    fprintf(stderr, "peak rank=%d own=%ld files=%ld shared=%ld\n", rank, seen.own, seen.files, seen.shared);
    return code;
}
