/* What rnn-predict --generate does. */
#ifndef PREDICT_GENERATE_H
#define PREDICT_GENERATE_H

#include "predict/context.h"

/* Generates a dataset on rank 0, writes it, and prints the line about it. All ranks must call it, and all get
 * the same outcome. */
int predict_generate(struct predict *predict, struct error *error);

#endif
