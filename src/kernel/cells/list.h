/* The arithmetic of cells: CELL(name of its functions name_forward and name_backward of struct kernel). A
 * file of this folder defines both, for all instruction sets and, below, plainly. */
CELL(lstm)
CELL(gru)
CELL(tanh)
CELL(relu)
