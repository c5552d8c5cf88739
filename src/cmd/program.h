/* The programs behind their command lines. All ranks call; returns the exit code, equal on all. */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

#include "run/options.h"

/* rnn-train: trains, or with --plan or --check tells. `command` is the command line as one text. Starts and
 * ends MPI. */
int program_train(const struct train_options *options, const char *command);

/* --verify FILE|RUN: a line per file on standard output; EXIT_CODE_OK: all sound, else that of the first that
 * is not. One process calls, without MPI. */
int program_verify(const char *path);

/* "rnn-train 0.2.0 (...)": a line with the versions of MPI, HDF5 and compiler, and the instruction set. */
void program_print_version(const char *program);

/* What a program does first of all: says who speaks, and that of the processes started together only the
 * first speaks of the command line. */
void program_begin(const char *program);

/* Complains about the command line, and returns the exit code. */
int program_refuse(const struct error *error);

/* Prints the text of --help or --version, once. */
void program_answer(const char *program, enum options_ask ask, const struct option_table *table);

#endif
