/* The programs behind their command lines. All ranks call, unless it says otherwise. */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

#include "run/options.h"

/* Runs rnn-train: trains, or with --plan, --check or --try prints what it would do. `command` is the command
 * line as one text. Starts and ends MPI. Returns the exit code, equal on all ranks. */
int program_train(const struct train_options *options, const char *command);

/* Runs --verify FILE|RUN: prints a line per file on standard output. Returns EXIT_CODE_OK where all are
 * sound, else the code of the first that is not. One process calls, without MPI. */
int program_verify(const char *path);

/* What a program does first of all: opens the standard streams, says who speaks, and that of the processes
 * started together only the first speaks of the command line. streams_end is due. */
void program_begin(const char *program);

/* Complains about the command line, and returns the exit code. */
int program_refuse(const struct error *error);

/* Prints what --help, --version or --completion asks for, once. */
void program_answer(const char *program, enum options_ask ask, const struct option_table *table);

#endif
