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

static const char *const plain_c_tensors[] = {
    "weight_ih_l@", "weight_hh_l@", "bias_ih_l@", "bias_hh_l@", NULL};
static const char plain_c[] =
    "float *u = s + 3 * H;\n"
    "rnn_affine(w[0], w[2], x, I, 3 * H, s);\n"
    "rnn_affine(w[1], w[3], m, H, 3 * H, u);\n"
    "for (size_t j = 0; j < H; j++) {\n"
    "    float r = rnn_logistic(s[j] + u[j]), z = rnn_logistic(s[H + j] + u[H + j]);\n"
    "    float n = tanhf(s[2 * H + j] + r * u[2 * H + j]);\n"
    "    y[j] = h[j] = n + z * (h[j] - n);\n"
    "}\n";

static const char onnx_step[] = "u = Gemm <transB = 1> (m, weight_hh_l@, bias_hh_l@)\n"
                                "a_r, a_z, a_n = Split <axis = -1> (a)\n"
                                "u_r, u_z, u_n = Split <axis = -1> (u)\n"
                                "r_sum = Add (a_r, u_r)\n"
                                "r = Sigmoid (r_sum)\n"
                                "z_sum = Add (a_z, u_z)\n"
                                "z = Sigmoid (z_sum)\n"
                                "let = Mul (r, u_n)\n"
                                "n_sum = Add (a_n, let)\n"
                                "n = Tanh (n_sum)\n"
                                "change = Sub (h, n)\n"
                                "part = Mul (z, change)\n"
                                "h_next = Add (n, part)\n";

static const struct cell_onnx onnx = {.op = "GRU", .linear_before_reset = 1, .order = {1, 0, 2}};

const struct cell_kind cell_gru = {.gates = 3,
    .has_product = 1,
    .separates_terms = 1,
    .saves_values = 1,
    .keeps = {.gate = 1, .sign = 1},
    .takes_timescale = 1,
    .onnx = &onnx,
    .onnx_step = onnx_step,
    .plain_c = plain_c,
    .plain_c_tensors = plain_c_tensors,
    .forward = forward,
    .backward = backward};
