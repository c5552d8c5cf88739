/* The gated recurrent unit (Cho et al. 2014) as PyTorch has it, gates r z n:
 * n = tanh(W_in x + b_in + r . (W_hn h' + b_hn)), h = (1 - z) . n + z . h'. Since r multiplies the recurrent
 * product of n alone, that product stays apart from the rest of the sums. */
#include "net/cells/cell.h"

static void forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->gru_forward(step);
}

static void backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->gru_backward(gradient);
}

const struct cell_kind cell_gru = {.gates = 3,
    .has_product = 1,
    .separates_terms = 1,
    .saves_values = 1,
    .keeps = {.gate = 1, .sign = 1},
    .takes_timescale = 1,
    .forward = forward,
    .backward = backward};
