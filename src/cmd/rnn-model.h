/* What the files of rnn-model share. */
#ifndef CMD_RNN_MODEL_H
#define CMD_RNN_MODEL_H

#include "base/error.h"

/* Prints what a checkpoint is. Returns 0, or -1 and an error. */
int model_info_print(const char *path, struct error *error);

#endif
