#include "net/net.h"

const char *const cell_names[] = {
    [CELL_RNN] = "rnn", [CELL_RNN_RELU] = "rnn-relu", [CELL_LSTM] = "lstm", [CELL_GRU] = "gru", NULL};
const char *const output_names[] = {[OUTPUT_FRAME] = "frame", [OUTPUT_SEQUENCE] = "sequence", NULL};
const char *const loss_names[] = {
    [LOSS_SOFTMAX] = "softmax", [LOSS_SIGMOID] = "sigmoid", [LOSS_MSE] = "mse", NULL};
