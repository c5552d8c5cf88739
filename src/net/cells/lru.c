/* The linear recurrent unit (Orvieto et al. 2023, "Resurrecting recurrent neural networks for long
 * sequences"), H complex states: v = lambda . v' + exp(gamma_log) . (B x), lambda = exp(-exp(nu) + i
 * exp(theta)), which is stable whatever nu is. What the layer gives is made of Re v and -Im v, the h and c of
 * its step, by net/mixing.h. */
#include "net/cells/cell.h"

#include "base/mathematics.h"

#include <math.h>

/* |lambda| and its angle at the start: a ring (section 3.4 there). */
#define SMALLEST 0.9
#define LARGEST 0.999
#define MOST_PHASE (MATH_PI / 10)

static void forward(const struct kernel *kernel, const struct cell_step *step)
{
    kernel->lru_forward(step);
}

static void backward(const struct kernel *kernel, const struct cell_gradient *gradient)
{
    kernel->lru_backward(gradient);
}

/* |lambda|^2, even between the squares of the smallest and the largest (lemma 3.2 there). With a timescale
 * the largest forgets in so many steps all but 1/e of a state. */
static double square_of(double drawn, double timescale)
{
    double largest = timescale > 0 ? math_exp(-1 / timescale) : LARGEST;
    double smallest = largest < SMALLEST ? largest : SMALLEST;
    return smallest * smallest + drawn * (largest * largest - smallest * smallest);
}

/* |lambda| = exp(-exp(nu)) */
static double start_nu(double drawn, double timescale)
{
    return math_log(-math_log(square_of(drawn, timescale)) / 2);
}

static double start_theta(double drawn, double timescale)
{
    (void)timescale;
    return math_log(MOST_PHASE * drawn);
}

/* sqrt(1 - |lambda|^2), with which a state is as large as what comes in. */
static double start_gamma_log(double drawn, double timescale)
{
    return math_log(1 - square_of(drawn, timescale)) / 2;
}

/* What a step takes: five numbers as kernel/cells/lru.c has them, then exp(nu) and exp(theta) for the chain.
 * An angle beyond what our cosine takes is turned back first. */
enum { L, K, G, L_REST, K_REST, DECAY, PHASE, NUMBERS };

static void pack_unit(const float *weights, size_t H, float *numbers, size_t Hp)
{
    double decay = math_exp((double)weights[0]), phase = math_exp((double)weights[H]);
    double size = math_exp(-decay), turned = fmod(phase, 2 * MATH_PI);
    double l = size * math_cos(turned), k = size * math_cos(turned - MATH_PI / 2);
    numbers[L * Hp] = (float)l;
    numbers[K * Hp] = (float)k;
    numbers[G * Hp] = (float)math_exp((double)weights[2 * H]);
    numbers[L_REST * Hp] = (float)(l - (double)numbers[L * Hp]);
    numbers[K_REST * Hp] = (float)(k - (double)numbers[K * Hp]);
    numbers[DECAY * Hp] = (float)decay;
    numbers[PHASE * Hp] = (float)phase;
}

/* d nu = -exp(nu) (l dl + k dk); d theta = exp(theta) (l dk - k dl); d gamma_log = g dg */
static void chain_unit(const float *numbers, float *sums, size_t Hp)
{
    double l = (double)numbers[L * Hp], k = (double)numbers[K * Hp];
    double dl = (double)sums[0], dk = (double)sums[Hp];
    sums[0] = (float)(-(double)numbers[DECAY * Hp] * (l * dl + k * dk));
    sums[Hp] = (float)((double)numbers[PHASE * Hp] * (l * dk - k * dl));
    sums[2 * Hp] *= numbers[G * Hp];
}

static const struct unit_tensor tensors[] = {
    {"nu", start_nu, 0}, {"theta", start_theta, 0}, {"gamma_log", start_gamma_log, 2}};
static const char *const input_names[] = {"B_re", "B_im"};
static const struct cell_mixing mixing = {
    .from_h = "C_re", .from_c = "C_im", .from_inputs = "D", .gate = "gate"};

static const char *const plain_c_tensors[] = {"B_re_l@", "B_im_l@", "nu_l@", "theta_l@", "gamma_log_l@",
    "C_re_l@", "C_im_l@", "D_l@", "gate_l@.weight", "gate_l@.bias", NULL};
static const char plain_c[] =
    "float *real = s, *imaginary = s + H, *sum = s + 2 * H, *gate = s + 3 * H;\n"
    "rnn_affine(w[0], 0, x, I, H, real);\n"
    "rnn_affine(w[1], 0, x, I, H, imaginary);\n"
    "for (size_t j = 0; j < H; j++) {\n"
    "    double size = exp(-exp((double)w[2][j])), angle = exp((double)w[3][j]), g = exp((double)w[4][j]);\n"
    "    double l = size * cos(angle), k = size * sin(angle), re = (double)h[j], im = -(double)c[j];\n"
    "    h[j] = (float)(l * re - k * im + g * (double)real[j]);\n"
    "    c[j] = (float)-(l * im + k * re + g * (double)imaginary[j]);\n"
    "}\n"
    "rnn_affine(w[5], 0, h, H, H, sum);\n"
    "rnn_affine(w[6], 0, c, H, H, real);\n"
    "rnn_affine(w[7], 0, x, I, H, imaginary);\n"
    "for (size_t j = 0; j < H; j++)\n"
    "    sum[j] += real[j] + imaginary[j];\n"
    "rnn_affine(w[8], w[9], sum, H, H, gate);\n"
    "for (size_t j = 0; j < H; j++)\n"
    "    y[j] = sum[j] * rnn_logistic(gate[j]);\n";

static const char onnx_inputs[] = "real_weight = Transpose <perm = [1, 0]> (B_re_l@)\n"
                                  "real = MatMul (x, real_weight)\n"
                                  "imaginary_weight = Transpose <perm = [1, 0]> (B_im_l@)\n"
                                  "imaginary = MatMul (x, imaginary_weight)\n"
                                  "a = Concat <axis = -1> (real, imaginary)\n";
/* The rests of l and k go in with the smaller terms, as in kernel/cells/lru.c. */
static const char onnx_step[] = "l, k, g, l_rest, k_rest, decay, phase = Split <axis = 0> (unit)\n"
                                "real, imaginary = Split <axis = -1> (a)\n"
                                "h_l = Mul (h, l)\n"
                                "c_k = Mul (c, k)\n"
                                "h_rest = Mul (h, l_rest)\n"
                                "c_rest = Mul (c, k_rest)\n"
                                "h_in = Mul (g, real)\n"
                                "h_rests = Add (h_rest, c_rest)\n"
                                "h_small = Add (h_in, h_rests)\n"
                                "h_large = Add (h_l, c_k)\n"
                                "h_next = Add (h_large, h_small)\n"
                                "c_l = Mul (c, l)\n"
                                "h_k = Mul (h, k)\n"
                                "c_l_rest = Mul (c, l_rest)\n"
                                "h_k_rest = Mul (h, k_rest)\n"
                                "c_in = Mul (g, imaginary)\n"
                                "c_rests = Sub (c_l_rest, h_k_rest)\n"
                                "c_small = Sub (c_rests, c_in)\n"
                                "c_large = Sub (c_l, h_k)\n"
                                "c_next = Add (c_large, c_small)\n";
static const char onnx_outputs[] = "C_real = Transpose <perm = [1, 0]> (C_re_l@)\n"
                                   "C_imaginary = Transpose <perm = [1, 0]> (C_im_l@)\n"
                                   "D = Transpose <perm = [1, 0]> (D_l@)\n"
                                   "y_real = MatMul (h, C_real)\n"
                                   "y_imaginary = MatMul (c, C_imaginary)\n"
                                   "y_input = MatMul (x, D)\n"
                                   "y_states = Add (y_real, y_imaginary)\n"
                                   "sum = Add (y_states, y_input)\n"
                                   "gate_weight = Transpose <perm = [1, 0]> (gate_l@.weight)\n"
                                   "gate_product = MatMul (sum, gate_weight)\n"
                                   "gate_sum = Add (gate_product, gate_l@.bias)\n"
                                   "gate = Sigmoid (gate_sum)\n"
                                   "y = Mul (sum, gate)\n";

const struct cell_kind cell_lru = {.gates = 2,
    .lacks_bias = 1,
    .has_memory = 1,
    .saves_values = 1,
    .mixing = &mixing,
    .input_names = input_names,
    .unit_weights = sizeof tensors / sizeof *tensors,
    .unit_tensors = tensors,
    .unit_numbers = NUMBERS,
    .pack_unit = pack_unit,
    .chain_unit = chain_unit,
    .takes_timescale = 1,
    .plain_c = plain_c,
    .plain_c_tensors = plain_c_tensors,
    .onnx_inputs = onnx_inputs,
    .onnx_step = onnx_step,
    .onnx_outputs = onnx_outputs,
    .forward = forward,
    .backward = backward};
