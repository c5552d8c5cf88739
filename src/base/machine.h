/* What this process takes of memory, and what the machine has. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

size_t machine_count_processors(void); /* that are on line; at least 1 */

/* The processors that this process may run on, a bit each; all bits are set where the system does not say. */
enum { MACHINE_SET_WORDS = 64 };
void machine_find_processors(uint64_t set[static MACHINE_SET_WORDS]);

/* Memory of this process that is resident, bytes. */
struct machine_use {
    size_t own;    /* its own pages */
    size_t files;  /* pages of programs and libraries */
    size_t shared; /* memory shared with other processes */
};

/* Returns -1 where the system does not say. */
int machine_read_use(struct machine_use *use);

/* What processes of this machine may take together. */
struct machine_memory {
    size_t bytes;
    char limit[128]; /* what it is: "memory of the machine", "limit of SLURM (--mem)", ... */
};

/* Finds the least of the memory of the machine, the limits of the control groups that this process is in, and
 * what SLURM gives the job on this node. `root` is the folder where proc/ and sys/ are: "" but in tests.
 * Returns -1 where none of these is known. */
int machine_find_memory(const char *root, struct machine_memory *memory);

/* Finds what is free of the memory that processes share (/dev/shm). Returns -1 where there is none. */
int machine_find_shared_memory(size_t *bytes);

#endif
