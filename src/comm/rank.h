/* This process among those of the job, and the library that connects them. */
#ifndef COMM_RANK_H
#define COMM_RANK_H

#include <stddef.h>

struct watch;
struct last_words;

/* Filled by comm_start (comm/comm.h). */
struct comm {
    int rank, ranks;
    char host[64];
    struct watch *watch;           /* NULL until comm_watch */
    struct last_words *last_words; /* NULL until comm_before_end */
};

void comm_version(char *text, size_t size); /* "Open MPI 4.1.4", before or after MPI starts */

#endif
