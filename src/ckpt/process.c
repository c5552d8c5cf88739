/* A process is known by what /proc says of it, where there is one: the number alone says little, since
 * numbers come again, after a reboot too, and every container counts from 1. */
#include "ckpt/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads state letter and start of a process; they are 0 where /proc does not tell. */
static void read_stat(long number, char *state, long long *start)
{
    char path[64], line[1024];
    *state = 0;
    *start = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", number);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t n = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[n] = 0;
    /* The second field, the program's name in brackets, may hold anything; the 22nd is the start. */
    const char *end = strrchr(line, ')');
    if (end)
        sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld",
            state, start);
}

static void read_line(const char *path, char *text, int size)
{
    text[0] = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(text, size, file))
        text[0] = 0;
    fclose(file);
    text[strcspn(text, "\n")] = 0;
}

/* There are to be no blanks or line ends in what becomes a line of the lock. */
static void make_word(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ')
            *text = '_';
}

void process_self(struct process *process, const char *job)
{
    *process = (struct process){.number = (long)getpid()};
    char state;
    if (gethostname(process->host, sizeof process->host) != 0)
        snprintf(process->host, sizeof process->host, "unknown");
    process->host[sizeof process->host - 1] = 0;
    ssize_t n = readlink("/proc/self/ns/pid", process->space, sizeof process->space - 1);
    process->space[n > 0 ? n : 0] = 0;
    read_line("/proc/sys/kernel/random/boot_id", process->boot, sizeof process->boot);
    snprintf(process->job, sizeof process->job, "%s", *job ? job : "none");
    read_stat(process->number, &state, &process->start);
    make_word(process->host);
    make_word(process->space);
    make_word(process->boot);
    make_word(process->job);
}

int process_same(const struct process *a, const struct process *b)
{
    return a->number == b->number && a->start == b->start && strcmp(a->host, b->host) == 0 &&
        strcmp(a->space, b->space) == 0 && strcmp(a->boot, b->boot) == 0;
}

int process_visible(const struct process *self, const struct process *other)
{
    return strcmp(self->host, other->host) == 0 && strcmp(self->space, other->space) == 0;
}

int process_alive(const struct process *self, const struct process *other)
{
    if (strcmp(self->boot, other->boot) != 0)
        return 0;
    if (other->number <= 0 || (kill((pid_t)other->number, 0) != 0 && errno == ESRCH))
        return 0;
    char state;
    long long start;
    read_stat(other->number, &state, &start);
    if (state == 'Z' || state == 'X')
        return 0;
    return !start || !other->start || start == other->start;
}
