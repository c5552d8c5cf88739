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

const struct cell_kind cell_lru = {.gates = 2,
    .lacks_bias = 1,
    .has_memory = 1,
    .saves_values = 1,
    .mixes_states = 1,
    .input_names = input_names,
    .unit_weights = sizeof tensors / sizeof *tensors,
    .unit_tensors = tensors,
    .unit_numbers = NUMBERS,
    .pack_unit = pack_unit,
    .chain_unit = chain_unit,
    .takes_timescale = 1,
    .forward = forward,
    .backward = backward};
