/* What the files of the program rnn-data share. */
#ifndef CMD_RNN_DATA_H
#define CMD_RNN_DATA_H

#include "base/error.h"
#include "cmd/completion.h"

/* Prints what a dataset file holds to standard output, in a dozen lines. */
int info_print(const char *path, struct error *error);

/* Prints a configuration that fits a dataset file to standard output. */
int suggest_print(const char *path, struct error *error);

/* `rnn-data import KIND ...`: words[0] is "import". Returns the exit code. */
int import_command(int n, char **words);

/* Prints the kinds of sources, a line each, for --help. */
void import_print_kinds(void);

/* Adds the kinds of sources and what each takes; completion_finish is due, after a failure too. */
int import_complete(struct completion *completion, struct error *error);

/* Prints what --version asks for, and returns the exit code. */
int print_data_version(void);

#endif
