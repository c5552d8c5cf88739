/* What rnn-predict does without --generate. */
#ifndef PREDICT_EVALUATE_H
#define PREDICT_EVALUATE_H

#include "predict/imported.h"
#include "predict/model.h"
#include "predict/options.h"

/* All ranks call, and all get the same outcome. Runs the model over the dataset of the options, writes the
 * outputs where options->output says so, and prints the line about them. What was imported loses its name
 * once all have it open. */
int predict_evaluate(const struct predict_options *options, const struct comm *comm,
    struct predict_model *model, struct predict_imported *imported, struct error *error);

#endif
