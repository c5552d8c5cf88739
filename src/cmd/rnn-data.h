/* What the files of the program rnn-data share. */
#ifndef CMD_RNN_DATA_H
#define CMD_RNN_DATA_H

#include "base/error.h"

/* Prints what a dataset file holds to standard output, in a dozen lines. */
int info_print(const char *path, struct error *error);

#endif
