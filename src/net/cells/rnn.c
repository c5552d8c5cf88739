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

static const char *const plain_c_tensors[] = {
    "weight_ih_l@", "weight_hh_l@", "bias_ih_l@", "bias_hh_l@", NULL};
static const char tanh_plain_c[] = "rnn_affine(w[0], w[2], x, I, H, s);\n"
                                   "rnn_affine(w[1], w[3], m, H, H, s + H);\n"
                                   "for (size_t j = 0; j < H; j++)\n"
                                   "    y[j] = h[j] = tanhf(s[j] + s[H + j]);\n";
static const char relu_plain_c[] = "rnn_affine(w[0], w[2], x, I, H, s);\n"
                                   "rnn_affine(w[1], w[3], m, H, H, s + H);\n"
                                   "for (size_t j = 0; j < H; j++)\n"
                                   "    y[j] = h[j] = fmaxf(s[j] + s[H + j], 0);\n";

static const char tanh_onnx_step[] = "product = Gemm <transB = 1> (m, weight_hh_l@, bias_hh_l@)\n"
                                     "sum = Add (a, product)\n"
                                     "h_next = Tanh (sum)\n";
static const char relu_onnx_step[] = "product = Gemm <transB = 1> (m, weight_hh_l@, bias_hh_l@)\n"
                                     "sum = Add (a, product)\n"
                                     "h_next = Relu (sum)\n";

static const struct cell_onnx tanh_onnx = {.op = "RNN"};
static const struct cell_onnx relu_onnx = {.op = "RNN", .activation = "Relu"};

const struct cell_kind cell_rnn = {.gates = 1,
    .has_product = 1,
    .onnx = &tanh_onnx,
    .onnx_step = tanh_onnx_step,
    .plain_c = tanh_plain_c,
    .plain_c_tensors = plain_c_tensors,
    .forward = tanh_forward,
    .backward = tanh_backward};
const struct cell_kind cell_rnn_relu = {.gates = 1,
    .has_product = 1,
    .onnx = &relu_onnx,
    .onnx_step = relu_onnx_step,
    .plain_c = relu_plain_c,
    .plain_c_tensors = plain_c_tensors,
    .forward = relu_forward,
    .backward = relu_backward};
