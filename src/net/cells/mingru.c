/* The minimal gated recurrent unit (Feng et al. 2024, "Were RNNs all we needed?", section 3.1), gates z n of
 * the input alone: h = (1 - z) . h' + z . n with z = s(W_z x + b_z) and n = W_n x + b_n. */
#include "net/cells/cell.h"

static void forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->mingru_forward(step);
}

static void backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->mingru_backward(gradient);
}

static const char *const plain_c_tensors[] = {"weight_ih_l@", "bias_ih_l@", NULL};
static const char plain_c[] = "rnn_affine(w[0], w[1], x, I, 2 * H, s);\n"
                              "for (size_t j = 0; j < H; j++) {\n"
                              "    float z = rnn_logistic(s[j]);\n"
                              "    y[j] = h[j] = h[j] + z * (s[H + j] - h[j]);\n"
                              "}\n";

static const char onnx_step[] = "z_sum, n = Split <axis = -1> (a)\n"
                                "z = Sigmoid (z_sum)\n"
                                "change = Sub (n, h)\n"
                                "part = Mul (z, change)\n"
                                "h_next = Add (h, part)\n";

const struct cell_kind cell_mingru = {.gates = 2,
    .keeps = {.gate = 0, .sign = -1},
    .takes_timescale = 1,
    .plain_c = plain_c,
    .plain_c_tensors = plain_c_tensors,
    .onnx_step = onnx_step,
    .forward = forward,
    .backward = backward};
