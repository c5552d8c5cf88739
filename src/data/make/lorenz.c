/* The Lorenz system (Lorenz, "Deterministic nonperiodic flow", J. Atmos. Sci. 20, 1963, equations 25 to 27)
 * with sigma 10, rho 28, beta 8/3, seen through noise: a smoothing problem.
 *
 * Every tenth step, beginning with the first, x is observed with Gaussian noise of deviation 1; y and z never
 * are. The targets are the true x, y, z at every step. Between two observations, 0.2 units of time apart, the
 * orbit may change wings, so the observations after a step say as much about it as those before.
 *
 * The system is integrated by the classical Runge-Kutta method with step 0.02: its order 4 holds the local
 * error near 1e-5, far below the noise, and it needs only sums and products, which round alike everywhere.
 * (The orbit is chaotic: one different rounding would give another dataset after a hundred steps of spin-up.)
 *
 * Everything is stored at about unit variance: x / 8, y / 9, (z - 23.5) / 8.6, observations / 8. */
#include "data/make/make.h"

static const double SIGMA = 10, RHO = 28, BETA = 8.0 / 3;
static const double STEP = 0.02, NOISE = 1;
enum { OBSERVE_EVERY = 10, SPIN_UP = 1000 };

static const double input_scale[2] = {8, 1}, input_shift[2] = {0, 0};
static const double target_scale[3] = {8, 9, 8.6}, target_shift[3] = {0, 0, 23.5};

static void slope(const double state[3], double out[3])
{
    double x = state[0], y = state[1], z = state[2];
    out[0] = SIGMA * (y - x);
    out[1] = x * (RHO - z) - y;
    out[2] = x * y - BETA * z;
}

/* The slope at state + step * along. */
static void slope_ahead(const double state[3], double step, const double along[3], double out[3])
{
    double ahead[3];
    for (int i = 0; i < 3; i++)
        ahead[i] = state[i] + step * along[i];
    slope(ahead, out);
}

void make_lorenz_step(double step, double state[3])
{
    double k1[3], k2[3], k3[3], k4[3];
    slope(state, k1);
    slope_ahead(state, step / 2, k1, k2);
    slope_ahead(state, step / 2, k2, k3);
    slope_ahead(state, step, k3, k4);
    for (int i = 0; i < 3; i++)
        state[i] += step / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

/* Starts from a random point near the attractor, and goes on long enough to forget it. */
static void start(struct make_draw *draw, double state[3])
{
    state[0] = -15 + 30 * make_draw_uniform(draw);
    state[1] = -15 + 30 * make_draw_uniform(draw);
    state[2] = 5 + 35 * make_draw_uniform(draw);
    for (int step = 0; step < SPIN_UP; step++)
        make_lorenz_step(STEP, state);
}

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    double state[3];
    start(draw, state);
    for (size_t t = 0; t < sequence->T; t++) {
        float *input = sequence->inputs + 2 * t, *value = sequence->values + 3 * t;
        int observed = t % OBSERVE_EVERY == 0;
        double observation = observed ? state[0] + NOISE * make_draw_normal(draw) : 0;
        input[0] = (float)(observation / input_scale[0]);
        input[1] = (float)observed;
        for (int i = 0; i < 3; i++)
            value[i] = (float)((state[i] - target_shift[i]) / target_scale[i]);
        make_lorenz_step(STEP, state);
    }
}

static const char *const feature_names[] = {"observation", "observed"};
static const char *const target_names[] = {"x", "y", "z"};

const struct dataset_kind make_lorenz = {
    .name = "lorenz",
    .summary = "the state of the Lorenz system from noisy observations of x",
    .title = "Lorenz system: the state at every step from noisy observations of x at every tenth",
    .shortest = 100,
    .longest = 300,
    .sequences = 1000,
    .features = 2,
    .target_per_frame = 1,
    .values = 3,
    .feature_names = feature_names,
    .target_names = target_names,
    .input_scale = input_scale,
    .input_shift = input_shift,
    .target_scale = target_scale,
    .target_shift = target_shift,
    .fill = fill,
};
