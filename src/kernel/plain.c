/* The plain twins of all routines but those of cells: loops over single numbers, in the order of operations
 * that kernel.h promises. Tests compare the builds with it, bit by bit. */
#include "kernel/plain.h"

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column)
{
    for (size_t k = 0; k < B->K; k++)
        for (size_t c = B->from; c < (B->to ? B->to : B->columns); c++)
            B->data[k * B->columns + c] = row[k] < 0 || column[c] < 0 ? 0 : W[row[k] + column[c]];
}

void BUILD(product)(const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C)
{
    for (size_t m = 0; m < M; m++)
        for (size_t c = B->from; c < (B->to ? B->to : B->columns); c++) {
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

void BUILD(outer)(size_t N, size_t M, struct rows A, const struct outer_product *products, size_t n_products,
    float *sums, float *scratch)
{
    for (size_t p = 0; p < n_products; p++)
        plain_outer_product(N, M, A, &products[p]);
    for (size_t n = 0; n < N; n++)
        for (size_t m = 0; m < M; m++)
            sums[m] += row_at(A, n)[m];
}

void BUILD(tanh_array)(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_tanh(x[i]);
}

void BUILD(sigmoid_array)(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_sigmoid(x[i]);
}

void BUILD(exp_array)(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = plain_exp(x[i]);
}

void BUILD(gate)(size_t n, float *s, const float *y, float *out)
{
    for (size_t i = 0; i < n; i++) {
        s[i] = plain_sigmoid(s[i]);
        out[i] = s[i] * y[i];
    }
}

void BUILD(gate_backward)(size_t n, float *s, const float *y, float *dy)
{
    for (size_t i = 0; i < n; i++) {
        float open = s[i], d = dy[i];
        s[i] = plain_flush(d * y[i] * (open * (1 - open)));
        dy[i] = plain_flush(d * open);
    }
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

void BUILD(dots)(size_t width, struct picked x, struct picked y, struct rows out)
{
    for (size_t i = 0; i < x.n; i++)
        for (size_t j = 0; j < y.n; j++) {
            float lane[KERNEL_BLOCK] = {0};
            for (size_t c = 0; c < width; c++)
                lane[c % KERNEL_BLOCK] = fmaf(plain_row(x, i)[c], plain_row(y, j)[c], lane[c % KERNEL_BLOCK]);
            row_at(out, i)[j] = plain_add_lanes(lane);
        }
}

void BUILD(mix)(const struct mixture *mixture)
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

void BUILD(additive)(size_t width, const float *energy, struct picked q, struct picked k, struct rows out)
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

void BUILD(additive_backward)(const struct additive_gradient *s)
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

float BUILD(softmax)(size_t n, float *x, float *largest)
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

void BUILD(reflect)(const struct reflections *all, size_t first, size_t columns, double *Q)
{
    size_t n = all->n;
    for (size_t c = 0; c < columns; c++) {
        for (size_t i = 0; i < n; i++)
            Q[i * columns + c] = i == first + c;
        for (size_t k = n; k-- > 0;) {
            const double *v = all->v + reflections_place(n, k),
                         *factor = all->factors + reflections_place(n, k);
            double w = 0;
            for (size_t i = k; i < n; i++)
                w += v[i - k] * Q[i * columns + c];
            for (size_t i = k; i < n; i++)
                Q[i * columns + c] -= factor[i - k] * w;
        }
    }
}

void BUILD(uniforms)(const struct random_key *key, uint64_t first, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = random_uniform(key->seed, key->stream, key->high, first + i);
}

double BUILD(burst)(size_t rounds, float *out)
{
    *out = 0;
    for (size_t r = 0; r < rounds; r++)
        *out = fmaf(*out, 0.999f, 0.001f);
    return 2.0 * (double)rounds;
}
