/* Which process is it, and does it live? */
#ifndef CKPT_PROCESS_H
#define CKPT_PROCESS_H

/* A process as others can tell it from every other: numbers are used again. */
struct process {
    char host[64];
    char space[32]; /* of process numbers: a container has its own */
    char boot[40];  /* of the machine */
    char job[32];
    long number;
    long long start; /* ticks since boot; 0 unknown */
};

/* This process, in the SLURM job of this name; empty: in none. */
void process_self(struct process *process, const char *job);
int process_same(const struct process *a, const struct process *b);

/* Can this process here see whether that one lives: same host, same space of numbers? */
int process_visible(const struct process *self, const struct process *other);
/* Of a visible one: 1 while it runs. A dead one that nobody has waited for does not run. */
int process_alive(const struct process *self, const struct process *other);

#endif
