/* The cells, in the order of messages and documents: CELL(enumerator, name in files, its struct cell_kind,
 * its source file without the ending). */
CELL(RNN, "rnn", rnn, rnn)
CELL(RNN_RELU, "rnn-relu", rnn_relu, rnn)
CELL(LSTM, "lstm", lstm, lstm)
CELL(GRU, "gru", gru, gru)
