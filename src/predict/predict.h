/* The program rnn-predict. */
#ifndef PREDICT_PREDICT_H
#define PREDICT_PREDICT_H

#include "predict/options.h"

/* Evaluates a dataset and writes its outputs, or generates one, as the options say. It starts and ends MPI,
 * so all ranks must call it. It returns the exit code. */
int predict_run(const struct predict_options *options);

#endif
