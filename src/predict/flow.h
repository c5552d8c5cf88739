/* How far back in time the gradients of a checkpoint's network reach, on the longest sequences of a set. */
#ifndef PREDICT_FLOW_H
#define PREDICT_FLOW_H

#include "predict/imported.h"
#include "predict/model.h"
#include "predict/options.h"

/* All ranks call. Measures it (pass/flow.h), prints a line for each direction of a layer, and writes the
 * curves to options->output, if any, as rows of gradient_flow.csv. What was imported loses its name once
 * all have it open. */
int predict_flow(const struct predict_options *options, const struct comm *comm, struct predict_model *model,
    struct predict_imported *imported, struct error *error);

#endif
