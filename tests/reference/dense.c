/* Backward of the normalization: with s = sqrt(variance + 1e-5), u = (y - mean) / s and du = dz . weight,
 *
 *     dy_k = sum over j of du_j d u_j / d y_k = (du_k - mean(du) - u_k mean(du . u)) / s
 *
 * since d mean / d y_k = 1 / n and d s / d y_k = u_k / n. */
#include "dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reference_dense_forward(const struct reference_dense *dense, size_t rows, const double *x, double *y)
{
    size_t O = dense->outputs, I = dense->inputs;
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < O; o++) {
            y[r * O + o] = dense->b[o];
            for (size_t i = 0; i < I; i++)
                y[r * O + o] += dense->W[o * I + i] * x[r * I + i];
        }
}

void reference_dense_backward(const struct reference_dense *dense, size_t rows, const double *x,
    const double *dy, double *dx, const struct reference_dense *gradient)
{
    size_t O = dense->outputs, I = dense->inputs;
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < O; o++) {
            gradient->b[o] += dy[r * O + o];
            for (size_t i = 0; i < I; i++) {
                gradient->W[o * I + i] += dy[r * O + o] * x[r * I + i];
                dx[r * I + i] += dense->W[o * I + i] * dy[r * O + o];
            }
        }
}

void reference_squash(size_t n, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = tanh(y[i]);
}

void reference_unsquash(size_t n, const double *y, double *dy)
{
    for (size_t i = 0; i < n; i++)
        dy[i] *= 1 - y[i] * y[i];
}

void reference_chain_init(
    struct chain *chain, const char *name, size_t n, const size_t *sizes, size_t inputs, size_t rows)
{
    *chain = (struct chain){.name = name, .n = n, .rows = rows};
    for (size_t k = 0; k <= n; k++) {
        chain->width[k] = k ? sizes[k - 1] : inputs;
        chain->v[k] = reference_numbers(rows * chain->width[k]);
    }
}

void reference_chain_finish(struct chain *chain)
{
    for (size_t k = 0; k <= chain->n; k++)
        free(chain->v[k]);
}

static struct reference_dense dense_of(
    const struct chain *chain, const struct reference_names *names, double *flat, size_t k)
{
    return (struct reference_dense){.outputs = chain->width[k + 1],
        .inputs = chain->width[k],
        .W = reference_tensor(names, flat, "%s.%zu.weight", chain->name, k),
        .b = reference_tensor(names, flat, "%s.%zu.bias", chain->name, k)};
}

void reference_chain_forward(struct chain *chain, const struct reference_names *names, double *weights)
{
    for (size_t k = 0; k < chain->n; k++) {
        struct reference_dense dense = dense_of(chain, names, weights, k);
        reference_dense_forward(&dense, chain->rows, chain->v[k], chain->v[k + 1]);
        reference_squash(chain->rows * dense.outputs, chain->v[k + 1]);
    }
}

double *reference_chain_backward(const struct chain *chain, const struct reference_names *names,
    double *weights, const double *dy, double *gradient)
{
    size_t rows = chain->rows, last = rows * chain->width[chain->n];
    double *dv = reference_numbers(last);
    memcpy(dv, dy, last * sizeof *dv);
    for (size_t k = chain->n; k-- > 0;) {
        struct reference_dense dense = dense_of(chain, names, weights, k);
        struct reference_dense ddense = dense_of(chain, names, gradient, k);
        double *dx = reference_numbers(rows * dense.inputs);
        reference_unsquash(rows * dense.outputs, chain->v[k + 1], dv);
        reference_dense_backward(&dense, rows, chain->v[k], dv, dx, &ddense);
        free(dv);
        dv = dx;
    }
    return dv;
}

/* u [n] of one row; returns s. */
static double standardize(size_t n, const double *y, double *u)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++)
        mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (y[i] - mean) * (y[i] - mean) / (double)n;
    double s = sqrt(variance + 1e-5);
    for (size_t i = 0; i < n; i++)
        u[i] = (y[i] - mean) / s;
    return s;
}

void reference_norm_forward(
    size_t rows, size_t n, const double *weight, const double *bias, const double *y, double *z)
{
    for (size_t r = 0; r < rows; r++) {
        standardize(n, y + r * n, z + r * n);
        for (size_t i = 0; i < n; i++)
            z[r * n + i] = z[r * n + i] * weight[i] + bias[i];
    }
}

void reference_norm_backward(size_t rows, size_t n, const double *weight, const double *y, const double *dz,
    double *dy, double *dweight, double *dbias)
{
    double *u = reference_numbers(n);
    for (size_t r = 0; r < rows; r++) {
        double s = standardize(n, y + r * n, u), mean = 0, product = 0;
        for (size_t i = 0; i < n; i++) {
            double du = dz[r * n + i] * weight[i];
            dweight[i] += dz[r * n + i] * u[i];
            dbias[i] += dz[r * n + i];
            mean += du / (double)n;
            product += du * u[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++)
            dy[r * n + i] += (dz[r * n + i] * weight[i] - mean - u[i] * product) / s;
    }
    free(u);
}
