/* The command line of rnn-bench. Strings are those of argv, kept by reference. Usage errors have
 * EXIT_CODE_USAGE and name the option and what is allowed. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "base/options.h"
#include "net/net.h"

enum { BENCH_MOST_ROUNDS = 1000 };

struct bench_options {
    enum options_ask ask;
    int kernel;          /* the kernel alone */
    const char *machine; /* not NULL: the machine, whose constants go into this file */
    enum cell cell;
    enum output output;     /* of classes: per frame, or labels of a sequence */
    struct option_list set; /* "SECTION.KEY=VALUE" */
    int64_t labels;         /* of a sequence; nothing where there is one for each frame */
    int64_t inputs, hidden, layers, directions, classes;
    int64_t frames, shortest; /* of a sequence: the longest, the shortest */
    int64_t batch, microbatch;
    size_t memory;         /* train.activation_memory */
    int64_t steps, rounds; /* steps of a round */
};

extern const struct option_table bench_option_table;

/* Reads a command line, which may be reordered. On success the caller owes bench_options_finish; on failure
 * the options stay as they were, and the return value is -1. */
int bench_options_parse(struct bench_options *options, int argc, char **argv, struct error *error);
void bench_options_finish(struct bench_options *options);

#endif
