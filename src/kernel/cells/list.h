/* The arithmetic of cells: CELL(name of its functions name_forward and name_backward in struct kernel, its
 * source file without the ending). The file defines both twice: for the instruction sets, and below that
 * plainly. */
CELL(lstm, lstm)
CELL(gru, gru)
CELL(tanh, rnn)
CELL(relu, rnn)
