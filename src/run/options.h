/* The command line of rnn-train. Strings are those of argv, kept by reference. Usage errors have
 * EXIT_CODE_USAGE and name the option and what is allowed. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "pass/options.h"

struct train_options {
    enum options_ask ask; /* where it is not ASK_NOTHING, nothing else has been looked at */
    const char *config;
    char *config_of_run;    /* owned; NULL unless the command line names a run directory for its config.ini */
    struct option_list set; /* "SECTION.KEY=VALUE", in order; for config_read */
    const char *run;        /* NULL: see options_run_directory */
    int fresh;
    const char *init; /* NULL: none */
    int new_head;     /* of these weights all but the head */
    int accept_changed_data;
    int64_t max_time;       /* seconds; 0: none given */
    int plan;               /* print the plan and exit ... */
    int64_t plan_ranks;     /* ... for that many ranks; 0: for as many as run */
    int64_t ranks_per_node; /* with --plan: so many of them on a node; 0: not given */
    const char *machine;    /* with --plan: a file of rnn-bench --machine to predict by; NULL: none */
    int check;
    int trial;          /* make two steps and write nothing: --try */
    const char *verify; /* NULL: train; else the file or run to look at, and no config */
    int verbosity;      /* -v counts up, -q down */
    enum progress_style progress;
    int64_t stop_exit_code; /* EXIT_CODE_OK unless given */
};

extern const struct option_table train_option_table;

/* Reads a command line, which may be reordered. On success the caller owes train_options_finish; on failure
 * the options stay as they were, and the return value is -1. */
int train_options_parse(struct train_options *options, int argc, char **argv, struct error *error);
void train_options_finish(struct train_options *options);

/* Finds where the run lives: at --run; else, for the config.ini of a run, its folder; else "runs/" and the
 * name of the configuration without ".ini". */
int options_run_directory(const struct train_options *options, char *path, size_t size, struct error *error);

#endif
