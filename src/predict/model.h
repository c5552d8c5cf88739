/* The network of a checkpoint, as all ranks get it from rank 0. */
#ifndef PREDICT_MODEL_H
#define PREDICT_MODEL_H

#include "predict/context.h"

/* Reads the checkpoint on rank 0 and gives every rank its network, with weights, and the numbers that
 * standardize its inputs. All ranks must call it, and all get the same outcome. */
int predict_load_model(struct predict *predict, struct error *error);

#endif
