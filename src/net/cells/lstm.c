/* The long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and
 * Cummins 2000), gates i f g o, and peepholes p_i, p_f, p_o from the memory to the gates (Gers, Schraudolph
 * and Schmidhuber 2002): c = f . c' + i . g, h = o . tanh(c). */
#include "net/cells/cell.h"

static void forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->lstm_forward(step);
}

static void backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->lstm_backward(gradient);
}

/* dp_i = sum of da_i . c', dp_f = sum of da_f . c', dp_o = sum of da_o . c, row by row. */
static void add_peephole_gradients(const struct cell_step *step, float *sums)
{
    size_t units = step->units, stride = step->parameters_stride;
    for (size_t b = 0; b < step->count; b++) {
        const float *da = rows_from(step->gates, b).data, *c = rows_from(step->c, b).data;
        const float *c_before = rows_from(step->c_previous, b).data;
        for (size_t u = 0; u < units; u++) {
            const float *block = da + u / KERNEL_BLOCK * 4 * KERNEL_BLOCK + u % KERNEL_BLOCK;
            sums[u] += block[0] * c_before[u];
            sums[stride + u] += block[KERNEL_BLOCK] * c_before[u];
            sums[2 * stride + u] += block[3 * KERNEL_BLOCK] * c[u];
        }
    }
}

static const char *const plain_c_tensors[] = {
    "weight_ih_l@", "weight_hh_l@", "bias_ih_l@", "bias_hh_l@", "peephole_l@", NULL};
static const char plain_c[] =
    "const float *p = w[4];\n"
    "float *u = s + 4 * H;\n"
    "rnn_affine(w[0], w[2], x, I, 4 * H, s);\n"
    "rnn_affine(w[1], w[3], m, H, 4 * H, u);\n"
    "for (size_t j = 0; j < H; j++) {\n"
    "    float i = rnn_logistic(s[j] + u[j] + (p ? p[j] * c[j] : 0));\n"
    "    float f = rnn_logistic(s[H + j] + u[H + j] + (p ? p[H + j] * c[j] : 0));\n"
    "    c[j] = f * c[j] + i * tanhf(s[2 * H + j] + u[2 * H + j]);\n"
    "    float o = rnn_logistic(s[3 * H + j] + u[3 * H + j] + (p ? p[2 * H + j] * c[j] : 0));\n"
    "    y[j] = h[j] = o * tanhf(c[j]);\n"
    "}\n";

static const char onnx_step[] = "product = Gemm <transB = 1> (m, weight_hh_l@, bias_hh_l@)\n"
                                "sum = Add (a, product)\n"
                                "i_sum, f_sum, g_sum, o_sum = Split <axis = -1> (sum)\n"
                                "p_i, p_f, p_o = Split <axis = 0> (unit)\n"
                                "i_seen = Mul (p_i, c)\n"
                                "i_all = Add (i_sum, i_seen)\n"
                                "i = Sigmoid (i_all)\n"
                                "f_seen = Mul (p_f, c)\n"
                                "f_all = Add (f_sum, f_seen)\n"
                                "f = Sigmoid (f_all)\n"
                                "g = Tanh (g_sum)\n"
                                "kept = Mul (f, c)\n"
                                "new = Mul (i, g)\n"
                                "c_next = Add (kept, new)\n"
                                "o_seen = Mul (p_o, c_next)\n"
                                "o_all = Add (o_sum, o_seen)\n"
                                "o = Sigmoid (o_all)\n"
                                "shown = Tanh (c_next)\n"
                                "h_next = Mul (o, shown)\n";

static const struct cell_onnx onnx = {.op = "LSTM", .order = {0, 3, 1, 2}, .unit_order = {0, 2, 1}};

const struct cell_kind cell_lstm = {.gates = 4,
    .has_memory = 1,
    .has_product = 1,
    .saves_values = 1,
    .unit_weights = 3,
    .unit_weight = "peephole",
    .unit_weights_are_peepholes = 1,
    .keeps = {.gate = 1, .sign = 1},
    .takes = {.gate = 0, .sign = 1},
    .usual_forget_bias = {.given = 1, .number = 1}, /* Jozefowicz, Zaremba and Sutskever 2015 */
    .takes_timescale = 1,
    .onnx = &onnx,
    .onnx_step = onnx_step,
    .plain_c = plain_c,
    .plain_c_tensors = plain_c_tensors,
    .forward = forward,
    .backward = backward,
    .add_unit_gradients = add_peephole_gradients};
