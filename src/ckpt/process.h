/* Which process is it, and does it live? */
#ifndef CKPT_PROCESS_H
#define CKPT_PROCESS_H

/* A process as others can tell it from every other. Its number alone does not: numbers are used again. */
struct process {
    char host[64];
    char space[32]; /* of process numbers: a container has its own */
    char boot[40];  /* of the machine */
    char job[32];
    long number;
    long long start; /* ticks since boot; 0 unknown */
};

/* Describes this process, which belongs to the SLURM job of this name; an empty name stands for none. */
void process_self(struct process *process, const char *job);
int process_same(const struct process *a, const struct process *b);

/* Can this process here see whether that one lives: same host, same space of numbers? */
int process_visible(const struct process *self, const struct process *other);

/* Does a process that is visible run? One that has ended and that nobody has waited for does not. */
int process_alive(const struct process *self, const struct process *other);

#endif
