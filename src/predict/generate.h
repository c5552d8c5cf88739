/* What rnn-predict --generate does. */
#ifndef PREDICT_GENERATE_H
#define PREDICT_GENERATE_H

#include "predict/model.h"
#include "predict/options.h"

/* All ranks call, and all get the same outcome. Generates a dataset on rank 0, writes it, and prints the line
 * about it. */
int predict_generate(const struct predict_options *options, const struct comm *comm,
    const struct predict_model *model, struct error *error);

#endif
