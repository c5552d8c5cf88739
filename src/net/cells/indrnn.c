/* The independently recurrent cell (Li et al. 2018): h = max(W_ih x + b_ih + u . h', 0), each unit with a
 * weight u of its own for its past. What a unit has of its state after T steps is u^T of it, so u is held
 * within a bound, 2^(1/T) for sequences of T steps (section 3.2 there). */
#include "net/cells/cell.h"

#include <string.h>

static void forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->indrnn_forward(step);
}

static void backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->indrnn_backward(gradient);
}

/* du = sum of da . h', row by row. A block of units meets all rows before the next one, so that its sums stay
 * in registers. */
static void add_gradients(const struct cell_step *step, float *sums)
{
    for (size_t u = 0; u < step->units; u += KERNEL_BLOCK) {
        float sum[KERNEL_BLOCK];
        memcpy(sum, sums + u, sizeof sum);
        for (size_t b = 0; b < step->count; b++) {
            const float *da = row_at(step->gates, b) + u, *before = row_at(step->h_previous, b) + u;
            for (size_t i = 0; i < KERNEL_BLOCK; i++)
                sum[i] += da[i] * before[i];
        }
        memcpy(sums + u, sum, sizeof sum);
    }
}

static const char *const plain_c_tensors[] = {"weight_ih_l@", "bias_ih_l@", "u_l@", NULL};
static const char plain_c[] = "rnn_affine(w[0], w[1], x, I, H, s);\n"
                              "for (size_t j = 0; j < H; j++)\n"
                              "    y[j] = h[j] = fmaxf(s[j] + w[2][j] * h[j], 0);\n";

static const char onnx_step[] = "kept = Mul (unit, h)\n"
                                "sum = Add (a, kept)\n"
                                "h_next = Relu (sum)\n";

const struct cell_kind cell_indrnn = {.gates = 1,
    .unit_weights = 1,
    .unit_weight = "u",
    .unit_weights_are_bounded = 1,
    .plain_c = plain_c,
    .plain_c_tensors = plain_c_tensors,
    .onnx_step = onnx_step,
    .forward = forward,
    .backward = backward,
    .add_unit_gradients = add_gradients};
