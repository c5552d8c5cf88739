/* The cells. Forward: the two affine maps W x + b and U m + c, then the cell's own equations. Backward: the
 * derivatives by those two affine maps (they differ for the GRU's third gate alone), then what they mean for
 * weights, input and earlier state. Equations: torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN (PyTorch 1.13);
 * peepholes: Gers, Schraudolph and Schmidhuber 2002, the output gate looking at the new state. */
#include "cell.h"

#include "reference.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#undef I /* is the number of inputs here, as everywhere */
#define UNIT _Complex_I

size_t reference_gates(enum cell cell)
{
    return cell == CELL_LSTM ? 4 : cell == CELL_GRU ? 3 : cell == CELL_MINGRU || cell == CELL_LRU ? 2 : 1;
}

int reference_cell_sees_all(enum cell cell)
{
    return cell != CELL_INDRNN && cell != CELL_MINGRU && cell != CELL_LRU;
}

size_t reference_state_parts(enum cell cell)
{
    return cell == CELL_LRU ? 2 : 1;
}

int reference_has_memory(enum cell cell)
{
    return cell == CELL_LSTM || cell == CELL_LRU;
}

static double sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

static void forward_lstm(size_t H, const double *a, const double *r, const double *p,
    const double *state_before, const struct reference_step *step)
{
    double *i = step->gate, *f = i + H, *g = f + H, *o = g + H;
    for (size_t h = 0; h < H; h++) {
        i[h] = sigmoid(a[h] + r[h] + (p ? p[h] * state_before[h] : 0));
        f[h] = sigmoid(a[H + h] + r[H + h] + (p ? p[H + h] * state_before[h] : 0));
        g[h] = tanh(a[2 * H + h] + r[2 * H + h]);
        step->state[h] = f[h] * state_before[h] + i[h] * g[h];
        o[h] = sigmoid(a[3 * H + h] + r[3 * H + h] + (p ? p[2 * H + h] * step->state[h] : 0));
        step->h[h] = o[h] * tanh(step->state[h]);
    }
}

static void forward_gru(
    size_t H, const double *a, const double *u, const double *h_before, const struct reference_step *step)
{
    double *r = step->gate, *z = r + H, *n = z + H;
    for (size_t h = 0; h < H; h++) {
        r[h] = sigmoid(a[h] + u[h]);
        z[h] = sigmoid(a[H + h] + u[H + h]);
        n[h] = tanh(a[2 * H + h] + r[h] * u[2 * H + h]);
        step->h[h] = (1 - z[h]) * n[h] + z[h] * h_before[h];
    }
}

static void forward_rnn(
    enum cell cell, size_t H, const double *a, const double *r, const struct reference_step *step)
{
    for (size_t h = 0; h < H; h++) {
        double sum = a[h] + r[h];
        step->gate[h] = cell == CELL_RNN ? tanh(sum) : sum > 0 ? sum : 0;
        step->h[h] = step->gate[h];
    }
}

/* Li et al. 2018, equation 3. */
static void forward_indrnn(
    size_t H, const double *a, const double *u, const double *h_before, const struct reference_step *step)
{
    for (size_t h = 0; h < H; h++) {
        double sum = a[h] + u[h] * h_before[h];
        step->h[h] = sum > 0 ? sum : 0;
    }
}

/* Feng et al. 2024, section 3.1.3. */
static void forward_mingru(
    size_t H, const double *a, const double *h_before, const struct reference_step *step)
{
    double *z = step->gate, *n = z + H;
    for (size_t h = 0; h < H; h++) {
        z[h] = sigmoid(a[h]);
        n[h] = a[H + h];
        step->h[h] = (1 - z[h]) * h_before[h] + z[h] * n[h];
    }
}

/* lambda = exp(-exp(nu) + i exp(theta)) of unit h. */
static double complex lambda_of(const struct cell_weights *weights, size_t h)
{
    return cexp(-exp(weights->nu[h]) + UNIT * exp(weights->theta[h]));
}

static double complex state_of(size_t H, const double *state, size_t h)
{
    return state[h] - UNIT * state[H + h];
}

/* C of unit h by state k. */
static double complex C_of(size_t H, const struct cell_weights *weights, size_t h, size_t k)
{
    return weights->C_re[h * H + k] + UNIT * weights->C_im[h * H + k];
}

/* y [H] = Re(C v) + D x */
static void mix_lru(const struct cell_shape *shape, const struct cell_weights *weights, const double *state,
    const double *x, double *y)
{
    size_t H = shape->H;
    for (size_t h = 0; h < H; h++) {
        y[h] = 0;
        for (size_t k = 0; k < H; k++)
            y[h] += creal(C_of(H, weights, h, k) * state_of(H, state, k));
        for (size_t i = 0; i < shape->I; i++)
            y[h] += weights->D[h * shape->I + i] * x[i];
    }
}

/* Orvieto et al. 2023, equation 5 and section 3.4, with a gate behind. */
static void forward_lru(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const double *a, const struct reference_step *step)
{
    size_t H = shape->H;
    double *y = step->recurrent, *open = y + H;
    for (size_t h = 0; h < H; h++) {
        double complex input = exp(weights->gamma_log[h]) * (a[h] + UNIT * a[H + h]);
        double complex v = lambda_of(weights, h) * state_of(H, past->state, h) + input;
        step->gate[h] = a[h];
        step->gate[H + h] = a[H + h];
        step->state[h] = creal(v);
        step->state[H + h] = -cimag(v);
    }
    mix_lru(shape, weights, step->state, past->x, y);
    for (size_t h = 0; h < H; h++) {
        open[h] = weights->gate_bias[h];
        for (size_t k = 0; k < H; k++)
            open[h] += weights->gate[h * H + k] * y[k];
        open[h] = sigmoid(open[h]);
        step->h[h] = y[h] * open[h];
    }
}

void reference_cell_forward(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step)
{
    size_t I = shape->I, H = shape->H, rows = reference_gates(shape->cell) * H;
    double *a = reference_numbers(rows);
    for (size_t k = 0; k < rows; k++) {
        a[k] = weights->b ? weights->b[k] : 0;
        for (size_t i = 0; i < I; i++)
            a[k] += weights->W[k * I + i] * past->x[i];
        step->recurrent[k] = weights->U ? weights->c[k] : 0;
        for (size_t h = 0; h < H && weights->U; h++)
            step->recurrent[k] += weights->U[k * H + h] * past->m[h];
    }
    if (shape->cell == CELL_LSTM)
        forward_lstm(H, a, step->recurrent, weights->p, past->state, step);
    else if (shape->cell == CELL_GRU)
        forward_gru(H, a, step->recurrent, past->h, step);
    else if (shape->cell == CELL_INDRNN)
        forward_indrnn(H, a, weights->u, past->h, step);
    else if (shape->cell == CELL_MINGRU)
        forward_mingru(H, a, past->h, step);
    else if (shape->cell == CELL_LRU)
        forward_lru(shape, weights, past, a, step);
    else
        forward_rnn(shape->cell, H, a, step->recurrent, step);
    free(a);
}

/* The three below: da [G*H] by W x + b, dr [G*H] by U m + c; dh and dstate become what reaches t-1 without
 * passing through U. */
static void backward_lstm(size_t H, const double *p, const double *state_before,
    const struct reference_step *step, double *dh, double *dstate, double *da, double *dr, double *dp)
{
    const double *i = step->gate, *f = i + H, *g = f + H, *o = g + H;
    for (size_t h = 0; h < H; h++) {
        double squashed = tanh(step->state[h]);
        da[3 * H + h] = dh[h] * squashed * o[h] * (1 - o[h]);
        double dc = dstate[h] + dh[h] * o[h] * (1 - squashed * squashed);
        if (p)
            dc += da[3 * H + h] * p[2 * H + h];
        da[h] = dc * g[h] * i[h] * (1 - i[h]);
        da[H + h] = dc * state_before[h] * f[h] * (1 - f[h]);
        da[2 * H + h] = dc * i[h] * (1 - g[h] * g[h]);
        dstate[h] = dc * f[h];
        dh[h] = 0;
        if (p) {
            dstate[h] += da[h] * p[h] + da[H + h] * p[H + h];
            dp[h] += da[h] * state_before[h];
            dp[H + h] += da[H + h] * state_before[h];
            dp[2 * H + h] += da[3 * H + h] * step->state[h];
        }
    }
    for (size_t k = 0; k < 4 * H; k++)
        dr[k] = da[k];
}

static void backward_gru(
    size_t H, const double *h_before, const struct reference_step *step, double *dh, double *da, double *dr)
{
    const double *r = step->gate, *z = r + H, *n = z + H, *u = step->recurrent;
    for (size_t h = 0; h < H; h++) {
        double dn = dh[h] * (1 - z[h]) * (1 - n[h] * n[h]);
        da[h] = dn * u[2 * H + h] * r[h] * (1 - r[h]);
        da[H + h] = dh[h] * (h_before[h] - n[h]) * z[h] * (1 - z[h]);
        da[2 * H + h] = dn;
        dr[h] = da[h];
        dr[H + h] = da[H + h];
        dr[2 * H + h] = dn * r[h];
        dh[h] = dh[h] * z[h];
    }
}

static void backward_rnn(
    enum cell cell, size_t H, const struct reference_step *step, double *dh, double *da, double *dr)
{
    for (size_t h = 0; h < H; h++) {
        double y = step->h[h];
        da[h] = dh[h] * (cell == CELL_RNN ? 1 - y * y : y > 0 ? 1 : 0);
        dr[h] = da[h];
        dh[h] = 0;
    }
}

static void backward_indrnn(size_t H, const double *u, const double *h_before,
    const struct reference_step *step, double *dh, double *da, double *du)
{
    for (size_t h = 0; h < H; h++) {
        da[h] = step->h[h] > 0 ? dh[h] : 0;
        du[h] += da[h] * h_before[h];
        dh[h] = da[h] * u[h];
    }
}

static void backward_mingru(
    size_t H, const double *h_before, const struct reference_step *step, double *dh, double *da)
{
    const double *z = step->gate, *n = z + H;
    for (size_t h = 0; h < H; h++) {
        da[h] = dh[h] * (n[h] - h_before[h]) * z[h] * (1 - z[h]);
        da[H + h] = dh[h] * z[h];
        dh[h] = dh[h] * (1 - z[h]);
    }
}

/* dh [H] by what the gate gave becomes dy [H], by y. */
static void backward_lru_gate(size_t H, const struct cell_weights *weights, const struct reference_step *step,
    const double *dh, double *dy, const struct cell_weights *gradient)
{
    const double *y = step->recurrent, *open = y + H;
    for (size_t h = 0; h < H; h++)
        dy[h] = dh[h] * open[h];
    for (size_t h = 0; h < H; h++) {
        double da = dh[h] * y[h] * open[h] * (1 - open[h]);
        gradient->gate_bias[h] += da;
        for (size_t k = 0; k < H; k++) {
            gradient->gate[h * H + k] += da * y[k];
            dy[k] += weights->gate[h * H + k] * da;
        }
    }
}

/* dv [H] by the states from dy [H]. Of a complex number z, dz is the derivative by its real part and, times
 * i, that by its imaginary part: of z = a b, da = conj(b) dz. */
static void backward_lru_mix(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct reference_step *step, const double *x, const double *dy, double complex *dv,
    const struct cell_weights *gradient)
{
    size_t H = shape->H;
    for (size_t h = 0; h < H; h++) {
        for (size_t k = 0; k < H; k++) {
            double complex dC = conj(state_of(H, step->state, k)) * dy[h];
            gradient->C_re[h * H + k] += creal(dC);
            gradient->C_im[h * H + k] += cimag(dC);
            dv[k] += conj(C_of(H, weights, h, k)) * dy[h];
        }
        for (size_t i = 0; i < shape->I; i++)
            gradient->D[h * shape->I + i] += dy[h] * x[i];
    }
}

static void backward_lru(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step, double *dh, double *dstate, double *da,
    double *dx, const struct cell_weights *gradient)
{
    size_t H = shape->H;
    double *dy = reference_numbers(H);
    double complex *dv = calloc(H, sizeof *dv);
    if (!dv)
        abort();
    backward_lru_gate(H, weights, step, dh, dy, gradient);
    backward_lru_mix(shape, weights, step, past->x, dy, dv, gradient);
    for (size_t h = 0; h < H; h++) {
        double complex lambda = lambda_of(weights, h), before = state_of(H, past->state, h);
        double complex a = step->gate[h] + UNIT * step->gate[H + h];
        double gamma = exp(weights->gamma_log[h]);
        dv[h] += state_of(H, dstate, h);
        double complex dlambda = conj(before) * dv[h], dbefore = conj(lambda) * dv[h];
        gradient->nu[h] += creal(conj(-exp(weights->nu[h]) * lambda) * dlambda);
        gradient->theta[h] += creal(conj(UNIT * exp(weights->theta[h]) * lambda) * dlambda);
        gradient->gamma_log[h] += creal(conj(gamma * a) * dv[h]);
        da[h] = gamma * creal(dv[h]);
        da[H + h] = gamma * cimag(dv[h]);
        dstate[h] = creal(dbefore);
        dstate[H + h] = -cimag(dbefore);
        dh[h] = 0;
        for (size_t i = 0; i < shape->I; i++)
            dx[i] += weights->D[h * shape->I + i] * dy[h];
    }
    free(dy);
    free(dv);
}

void reference_cell_open_output(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step, double *dh, double *dstate,
    const struct cell_weights *gradient)
{
    size_t H = shape->H;
    if (shape->cell != CELL_LRU)
        return;
    double *dy = reference_numbers(H);
    double complex *dv = calloc(H, sizeof *dv);
    if (!dv)
        abort();
    backward_lru_gate(H, weights, step, dh, dy, gradient);
    backward_lru_mix(shape, weights, step, past->x, dy, dv, gradient);
    for (size_t h = 0; h < H; h++) {
        dstate[h] += creal(dv[h]);
        dstate[H + h] -= cimag(dv[h]);
        dh[h] = 0;
    }
    free(dy);
    free(dv);
}

void reference_cell_backward(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step, double *dh, double *dstate, double *dm,
    double *dx, const struct cell_weights *gradient)
{
    size_t I = shape->I, H = shape->H, rows = reference_gates(shape->cell) * H;
    double *da = reference_numbers(rows), *dr = reference_numbers(rows);
    if (shape->cell == CELL_LSTM)
        backward_lstm(H, weights->p, past->state, step, dh, dstate, da, dr, gradient->p);
    else if (shape->cell == CELL_GRU)
        backward_gru(H, past->h, step, dh, da, dr);
    else if (shape->cell == CELL_INDRNN)
        backward_indrnn(H, weights->u, past->h, step, dh, da, gradient->u);
    else if (shape->cell == CELL_MINGRU)
        backward_mingru(H, past->h, step, dh, da);
    else if (shape->cell == CELL_LRU)
        backward_lru(shape, weights, past, step, dh, dstate, da, dx, gradient);
    else
        backward_rnn(shape->cell, H, step, dh, da, dr);
    for (size_t k = 0; k < rows; k++) {
        if (weights->b)
            gradient->b[k] += da[k];
        if (weights->U)
            gradient->c[k] += dr[k];
        for (size_t i = 0; i < I; i++) {
            gradient->W[k * I + i] += da[k] * past->x[i];
            dx[i] += weights->W[k * I + i] * da[k];
        }
        for (size_t h = 0; h < H && weights->U; h++) {
            gradient->U[k * H + h] += dr[k] * past->m[h];
            dm[h] += weights->U[k * H + h] * dr[k];
        }
    }
    free(da);
    free(dr);
}
