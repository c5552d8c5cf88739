#include "net/net.h"

const char *const cell_names[] = {
    [CELL_RNN] = "rnn", [CELL_RNN_RELU] = "rnn-relu", [CELL_LSTM] = "lstm", [CELL_GRU] = "gru", NULL};
