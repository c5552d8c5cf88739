/* The command lines of rnn-train and rnn-predict. Strings are those of argv, kept by reference. */
#ifndef PASS_OPTIONS_H
#define PASS_OPTIONS_H

#include "base/error.h"
#include "net/net.h"

#include <stddef.h>
#include <stdint.h>

/* Not `enum progress`: ckpt/checkpoint.h has a struct of that name. */
enum progress_style { PROGRESS_AUTO, PROGRESS_LINE, PROGRESS_LOG };

/* What is asked for instead of the program's work. */
enum options_ask { ASK_NOTHING, ASK_HELP, ASK_VERSION };

struct train_options {
    enum options_ask ask; /* where it is not ASK_NOTHING, nothing else has been looked at */
    const char *config;
    size_t sets;
    const char **set; /* [sets] "SECTION.KEY=VALUE", in order; for config_read. The array is ours */
    const char *run;  /* NULL: see options_run_directory */
    int fresh;
    const char *init;   /* NULL: none */
    int64_t max_time;   /* seconds; 0: none given */
    int plan;           /* print the plan and exit ... */
    int64_t plan_ranks; /* ... for that many ranks; 0: for as many as run */
    int check;
    const char *verify; /* NULL: train; else the file or run to look at, and no config */
    int verbosity;      /* -v counts up, -q down */
    enum progress_style progress;
    int stop_exit_code; /* EXIT_CODE_OK unless given */
};

struct predict_options {
    enum options_ask ask;
    const char *checkpoint, *dataset; /* dataset: NULL with `generate` */
    const char *output;               /* NULL: none is written */
    int64_t batch; /* sequences that a rank computes at a time; 0: the microbatch of the checkpoint's run */
    int64_t beam;  /* hypotheses kept; 0: none was asked for */
    int64_t generate;   /* frames or labels to make of each sequence; 0: evaluate */
    double temperature; /* of drawing; above 0 */
    uint64_t seed;      /* of drawing */
    const char *prime;  /* set to go on from; NULL: none */
    size_t cache;       /* bytes per rank */
    double watchdog;    /* seconds after which a rank that does not answer ends all; 0: never */
    int verbosity;
    enum progress_style progress;
};

enum { BENCH_MOST_ROUNDS = 1000, BENCH_MOST_SETS = 64 };

struct bench_options {
    enum options_ask ask;
    int kernel; /* the kernel alone */
    enum cell cell;
    enum output output; /* of classes: per frame, or labels of a sequence */
    size_t sets;
    const char *set[BENCH_MOST_SETS]; /* "SECTION.KEY=VALUE" */
    int64_t labels;                   /* of a sequence; nothing where there is one for each frame */
    int64_t inputs, hidden, layers, directions, classes;
    int64_t frames, shortest; /* of a sequence: the longest, the shortest */
    int64_t batch, microbatch;
    int64_t steps, rounds; /* steps of a round */
};

/* Reads a command line with getopt_long, which may reorder argv. Usage errors have EXIT_CODE_USAGE and name
 * the option and what is allowed. Not for several threads at a time. */
int train_options_parse(struct train_options *options, int argc, char **argv, struct error *error);
void train_options_finish(struct train_options *options);
int predict_options_parse(struct predict_options *options, int argc, char **argv, struct error *error);

int bench_options_parse(struct bench_options *options, int argc, char **argv, struct error *error);

/* The texts of --help, ending in a newline. */
const char *train_options_help(void);
const char *predict_options_help(void);
const char *bench_options_help(void);

/* Where the run lives: --run; else, for the config.ini of a run, its folder; else "runs/" and the name of the
 * configuration without ".ini". */
int options_run_directory(const struct train_options *options, char *path, size_t size, struct error *error);

#endif
