/* The plain twin of every fast routine: loops over single numbers, in the order of operations that kernel.h
 * promises. Tests compare the builds with it, bit by bit. */
#include "kernel/table.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static void plain_pack(struct panels *B, const float *W, const int64_t *row, const int64_t *column)
{
    for (size_t k = 0; k < B->K; k++)
        for (size_t c = 0; c < B->columns; c++)
            B->data[k * B->columns + c] = row[k] < 0 || column[c] < 0 ? 0 : W[row[k] + column[c]];
}

static void plain_product(const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C)
{
    for (size_t m = 0; m < M; m++)
        for (size_t c = 0; c < B->columns; c++) {
            float sum = start.data ? row_at(start, m)[c] : 0;
            for (size_t k = 0; k < B->K; k++)
                sum = fmaf(row_at(A, m)[k], B->data[k * B->columns + c], sum);
            row_at(C, m)[c] = sum;
        }
}

static void plain_outer_product(size_t N, size_t M, struct rows A, const struct outer_product *product)
{
    for (size_t n = 0; n < N; n++)
        for (size_t m = 0; m < M; m++)
            for (size_t c = 0; c < product->columns; c++) {
                int64_t row = product->row ? product->row[n] : (int64_t)n;
                float x = row < 0 ? 0 : row_at(product->X, (size_t)row)[c];
                float *C = row_at(product->C, m) + c;
                *C = fmaf(row_at(A, n)[m], x, *C);
            }
}

static void plain_outer(size_t N, size_t M, struct rows A, const struct outer_product *products,
    size_t n_products, float *sums, float *scratch)
{
    for (size_t p = 0; p < n_products; p++)
        plain_outer_product(N, M, A, &products[p]);
    for (size_t n = 0; n < N; n++)
        for (size_t m = 0; m < M; m++)
            sums[m] += row_at(A, n)[m];
}

static float plain_power_of_two(float n)
{
    return ldexpf(1, (int)n);
}

static float plain_reduce(float x, float *n)
{
    *n = rintf(x * 0x1.715476p0f);
    return fmaf(*n, -0x1.7f7d1cp-20f, fmaf(*n, -0x1.62e4p-1f, x));
}

static float plain_expm1_reduced(float r)
{
    float q = 0x1.6bec06p-10f;
    q = fmaf(q, r, 0x1.122776p-7f);
    q = fmaf(q, r, 0x1.555674p-5f);
    q = fmaf(q, r, 0x1.5554b0p-3f);
    q = fmaf(q, r, 0x1.fffffep-2f);
    return fmaf(r * r, q, r);
}

static float plain_exp(float x)
{
    if (isnan(x))
        return x;
    if (x < -87)
        return 0;
    if (x > 88)
        return INFINITY;
    float n, r = plain_reduce(x, &n), scale = plain_power_of_two(n);
    return fmaf(scale, plain_expm1_reduced(r), scale);
}

static float plain_sigmoid(float x)
{
    if (isnan(x))
        return x;
    float y = fmaxf(-87, fminf(88.9f, -x));
    float n, r = plain_reduce(y, &n), half = n > -126 ? plain_power_of_two(n - 1) : 0;
    half = fmaf(half, plain_expm1_reduced(r), half);
    return 1 / fmaf(2, half, 1);
}

static float plain_tanh(float x)
{
    if (isnan(x))
        return x;
    float y = fminf(fabsf(x), 10);
    float n, r = plain_reduce(y + y, &n), scale = plain_power_of_two(n);
    float e = fmaf(scale, plain_expm1_reduced(r), scale - 1);
    return copysignf(e / (e + 2), x);
}

static float plain_flush(float x)
{
    return fabsf(x) < 1e-30f ? 0 : x;
}

/* Place of unit u of gate `gate` in a row of `gates` interleaved gates. */
static size_t place(size_t u, size_t gate, size_t gates)
{
    return (u / KERNEL_BLOCK * gates + gate) * KERNEL_BLOCK + u % KERNEL_BLOCK;
}

static void plain_lstm_forward(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float *gates = x->gates.data + b * x->gates.stride;
            float *i = gates + place(u, 0, 4), *f = gates + place(u, 1, 4), *g = gates + place(u, 2, 4),
                  *o = gates + place(u, 3, 4);
            float c = x->c_previous.data[b * x->c_previous.stride + u];
            const float *p = x->parameters;
            *i = plain_sigmoid(p ? fmaf(p[u], c, *i) : *i);
            *f = plain_sigmoid(p ? fmaf(p[x->units + u], c, *f) : *f);
            *g = plain_tanh(*g);
            c = fmaf(*f, c, *i * *g);
            *o = plain_sigmoid(p ? fmaf(p[2 * x->units + u], c, *o) : *o);
            x->c.data[b * x->c.stride + u] = c;
            x->saved.data[b * x->saved.stride + u] = plain_tanh(c);
            x->h.data[b * x->h.stride + u] = *o * plain_tanh(c);
        }
}

static void plain_lstm_backward(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float *gates = x->step.gates.data + b * x->step.gates.stride;
            float *pi = gates + place(u, 0, 4), *pf = gates + place(u, 1, 4), *pg = gates + place(u, 2, 4),
                  *po = gates + place(u, 3, 4);
            float i = *pi, f = *pf, g = *pg, o = *po, t = x->step.saved.data[b * x->step.saved.stride + u];
            float dh = x->dh.data[b * x->dh.stride + u], *dc_place = x->dc.data + b * x->dc.stride + u;
            float dc = fmaf(dh * o, fmaf(-t, t, 1), *dc_place);
            const float *p = x->step.parameters;
            *po = plain_flush(dh * t * (o * (1 - o)));
            dc = p ? fmaf(p[2 * x->step.units + u], *po, dc) : dc;
            *pi = plain_flush(dc * g * (i * (1 - i)));
            *pf =
                plain_flush(dc * x->step.c_previous.data[b * x->step.c_previous.stride + u] * (f * (1 - f)));
            *pg = plain_flush(dc * i * fmaf(-g, g, 1));
            float dc_previous = p ? fmaf(p[u], *pi, dc * f) : dc * f;
            *dc_place = plain_flush(p ? fmaf(p[x->step.units + u], *pf, dc_previous) : dc_previous);
        }
}

static void plain_gru_forward(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float *gates = x->gates.data + b * x->gates.stride;
            const float *recurrent = x->recurrent.data + b * x->recurrent.stride;
            float *r = gates + place(u, 0, 3), *z = gates + place(u, 1, 3), *n = gates + place(u, 2, 3);
            float un = recurrent[place(u, 2, 3)];
            *r = plain_sigmoid(*r + recurrent[place(u, 0, 3)]);
            *z = plain_sigmoid(*z + recurrent[place(u, 1, 3)]);
            *n = plain_tanh(fmaf(*r, un, *n));
            x->saved.data[b * x->saved.stride + u] = un;
            x->h.data[b * x->h.stride + u] =
                fmaf(*z, x->h_previous.data[b * x->h_previous.stride + u] - *n, *n);
        }
}

static void plain_gru_backward(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float *gates = x->step.gates.data + b * x->step.gates.stride,
                  *recurrent = x->step.recurrent.data + b * x->step.recurrent.stride;
            size_t pr = place(u, 0, 3), pz = place(u, 1, 3), pn = place(u, 2, 3);
            float r = gates[pr], z = gates[pz], n = gates[pn], dh = x->dh.data[b * x->dh.stride + u];
            float *dh_previous = x->dh_previous.data + b * x->dh_previous.stride + u;
            float dn = plain_flush(dh * (1 - z) * fmaf(-n, n, 1));
            float dz = plain_flush(
                dh * (x->step.h_previous.data[b * x->step.h_previous.stride + u] - n) * (z * (1 - z)));
            float dr = plain_flush(dn * x->step.saved.data[b * x->step.saved.stride + u] * (r * (1 - r)));
            gates[pr] = recurrent[pr] = dr;
            gates[pz] = recurrent[pz] = dz;
            gates[pn] = dn;
            recurrent[pn] = plain_flush(dn * r);
            *dh_previous = plain_flush(fmaf(dh, z, *dh_previous));
        }
}

static void plain_tanh_forward(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++)
            x->h.data[b * x->h.stride + u] = plain_tanh(x->gates.data[b * x->gates.stride + u]);
}

static void plain_tanh_backward(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float h = x->step.h.data[b * x->step.h.stride + u];
            x->step.gates.data[b * x->step.gates.stride + u] =
                plain_flush(x->dh.data[b * x->dh.stride + u] * fmaf(-h, h, 1));
        }
}

static void plain_relu_forward(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float a = x->gates.data[b * x->gates.stride + u];
            x->h.data[b * x->h.stride + u] = a < 0 ? 0 : a;
        }
}

static void plain_relu_backward(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float dh = x->dh.data[b * x->dh.stride + u];
            x->step.gates.data[b * x->step.gates.stride + u] =
                x->step.h.data[b * x->step.h.stride + u] > 0 ? plain_flush(dh) : 0;
        }
}

static void plain_tanh_array(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_tanh(x[i]);
}

static void plain_sigmoid_array(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_sigmoid(x[i]);
}

static void plain_exp_array(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_exp(x[i]);
}

static size_t plain_place(struct picked picked, size_t i)
{
    return picked.row ? (size_t)picked.row[i] : picked.first + i;
}

static float *plain_row(struct picked picked, size_t i)
{
    return row_at(picked.rows, plain_place(picked, i));
}

static float plain_add_lanes(float lane[KERNEL_BLOCK])
{
    for (size_t half = KERNEL_BLOCK / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

static void plain_dots(size_t width, struct picked x, struct picked y, struct rows out)
{
    for (size_t i = 0; i < x.n; i++)
        for (size_t j = 0; j < y.n; j++) {
            float lane[KERNEL_BLOCK] = {0};
            for (size_t c = 0; c < width; c++)
                lane[c % KERNEL_BLOCK] = fmaf(plain_row(x, i)[c], plain_row(y, j)[c], lane[c % KERNEL_BLOCK]);
            row_at(out, i)[j] = plain_add_lanes(lane);
        }
}

static void plain_mix(const struct mixture *mixture)
{
    for (size_t m = 0; m < mixture->y.n; m++)
        for (size_t c = 0; c < mixture->width; c++) {
            float *out = plain_row(mixture->y, m) + c, sum = mixture->add ? *out : 0;
            for (size_t n = 0; n < mixture->x.n; n++) {
                float weight = mixture->weights[m * mixture->row + n * mixture->step];
                sum = fmaf(weight, plain_row(mixture->x, n)[c], sum);
            }
            *out = sum;
        }
}

static void plain_additive(
    size_t width, const float *energy, struct picked q, struct picked k, struct rows out)
{
    for (size_t i = 0; i < q.n; i++)
        for (size_t j = 0; j < k.n; j++) {
            float lane[KERNEL_BLOCK] = {0};
            for (size_t c = 0; c < width; c++) {
                float t = plain_tanh(plain_row(q, i)[c] + plain_row(k, j)[c]);
                lane[c % KERNEL_BLOCK] = fmaf(energy[c], t, lane[c % KERNEL_BLOCK]);
            }
            row_at(out, i)[j] = plain_add_lanes(lane);
        }
}

static void plain_additive_backward(const struct additive_gradient *s)
{
    for (size_t c = 0; c < s->width; c++)
        for (size_t i = 0; i < s->q.n; i++) {
            float dq = 0, denergy = 0;
            for (size_t j = 0; j < s->k.n; j++) {
                float t = plain_tanh(plain_row(s->q, i)[c] + plain_row(s->k, j)[c]);
                float d = row_at(s->dscore, i)[j], da = fmaf(-(d * t), t, d) * s->energy[c];
                float *dk = row_at(s->dK, plain_place(s->k, j)) + c;
                denergy += d * t;
                dq += da;
                *dk = i == 0 ? da : *dk + da;
            }
            row_at(s->dQ, plain_place(s->q, i))[c] = dq;
            s->denergy[c] += denergy;
        }
}

static float plain_softmax(size_t n, float *x, float *largest)
{
    *largest = x[0];
    for (size_t c = 1; c < n; c++)
        if (x[c] > *largest)
            *largest = x[c];
    float lane[KERNEL_BLOCK] = {0};
    for (size_t c = 0; c < n; c++) {
        x[c] = plain_exp(x[c] - *largest);
        lane[c % KERNEL_BLOCK] += x[c];
    }
    float sum = plain_add_lanes(lane);
    for (size_t c = 0; c < n; c++)
        x[c] /= sum;
    return sum;
}

static void plain_burst(size_t rounds, float *out)
{
    for (*out = 0; rounds > 0; rounds--)
        *out = fmaf(*out, 0.999f, 0.001f);
}

const struct kernel kernel_plain = {
    .name = "plain",
    .lanes = 1,
    .outer_floats = 1,
    .pack = plain_pack,
    .product = plain_product,
    .outer = plain_outer,
    .dots = plain_dots,
    .mix = plain_mix,
    .additive = plain_additive,
    .additive_backward = plain_additive_backward,
    .lstm_forward = plain_lstm_forward,
    .lstm_backward = plain_lstm_backward,
    .gru_forward = plain_gru_forward,
    .gru_backward = plain_gru_backward,
    .tanh_forward = plain_tanh_forward,
    .tanh_backward = plain_tanh_backward,
    .relu_forward = plain_relu_forward,
    .relu_backward = plain_relu_backward,
    .tanh_array = plain_tanh_array,
    .sigmoid_array = plain_sigmoid_array,
    .exp_array = plain_exp_array,
    .softmax = plain_softmax,
    .burst_operations = 2,
    .burst = plain_burst,
};
