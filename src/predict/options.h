/* The command line of rnn-predict. Strings are those of argv, kept by reference. Usage
 * errors have EXIT_CODE_USAGE and name the option and what is allowed. */
#ifndef PREDICT_OPTIONS_H
#define PREDICT_OPTIONS_H

#include "data/import/import.h"
#include "pass/options.h"

#include <stdio.h>

enum predict_format_of {
#define PREDICT_FORMAT(enumerator, name) PREDICT_##enumerator,
#include "predict/list.h"
#undef PREDICT_FORMAT
    PREDICT_FORMATS
};

struct predict_options {
    enum options_ask ask;
    const char *checkpoint;
    char *const *dataset;          /* paths of the files of the set, then NULL; NULL with `generate` */
    const char *import_name;       /* of the kind of these files; NULL: they are datasets */
    const char *output;            /* "-": standard output; NULL: none is written */
    enum predict_format_of format; /* of the output */
    int64_t batch; /* sequences that a rank computes at a time; 0: the microbatch of the checkpoint's run */
    int64_t beam;  /* hypotheses kept; 0: none was asked for */
    int gradient_flow;  /* 1: measure how far back gradients reach, in place of evaluating */
    int64_t generate;   /* frames or labels to make of each sequence; 0: evaluate */
    double temperature; /* of drawing; above 0 */
    uint64_t seed;      /* of drawing */
    const char *prime;  /* set to go on from; NULL: none */
    size_t cache;       /* bytes per rank */
    double watchdog;    /* seconds after which a rank that does not answer ends all; 0: never */
    int verbosity;
    enum progress_style progress;
    /* What follows from the command line; the options own the memory. */
    const struct import_kind *import; /* of import_name */
    void *import_options;             /* of that kind */
    const struct option_table *table; /* all options that there are, those of the kind too, */
    void *target;                     /* and where their values are: for options_describe */
};

/* The options without those of a kind to import. */
extern const struct option_table predict_option_table;

/* Reads a command line, which may be reordered. On success the caller owes predict_options_finish; on failure
 * the options stay as they were, and the return value is -1. */
int predict_options_parse(struct predict_options *options, int argc, char **argv, struct error *error);
void predict_options_finish(struct predict_options *options);

/* Where the figures go that are printed: standard output, unless that is for the output itself. */
FILE *predict_report_stream(const struct predict_options *options);

#endif
