/* The cell of Elman 1990: h = f(W_ih x + b_ih + W_hh h' + b_hh), f tanh or, in rnn-relu, max(x, 0). */
#include "net/cells/cell.h"

static void tanh_forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->tanh_forward(step);
}

static void tanh_backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->tanh_backward(gradient);
}

static void relu_forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->relu_forward(step);
}

static void relu_backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->relu_backward(gradient);
}

const struct cell_kind cell_rnn = {
    .gates = 1, .has_product = 1, .forward = tanh_forward, .backward = tanh_backward};
const struct cell_kind cell_rnn_relu = {
    .gates = 1, .has_product = 1, .forward = relu_forward, .backward = relu_backward};
