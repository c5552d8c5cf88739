/* The cells, in the order of messages and documents: CELL(enumerator, name in files, its struct cell_kind,
 * name of its functions name_forward and name_backward in struct kernel, its source files without the
 * ending). The file in this folder has the arithmetic, twice: for the instruction sets, and below that
 * plainly. The file in net/cells/ has the kind. */
CELL(RNN, "rnn", rnn, tanh, rnn)
CELL(RNN_RELU, "rnn-relu", rnn_relu, relu, rnn)
CELL(LSTM, "lstm", lstm, lstm, lstm)
CELL(GRU, "gru", gru, gru, gru)
CELL(INDRNN, "indrnn", indrnn, indrnn, indrnn)
CELL(MINGRU, "mingru", mingru, mingru, mingru)
CELL(LRU, "lru", lru, lru, lru)
