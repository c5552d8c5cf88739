/* Sums over a row use 16 lanes, as the kernel's do: lane i takes the values at places i, i + 16, ... of each
 * part, part after part, and the lanes are added by halves. The variance is that of differences from the
 * mean, in a second pass: no cancellation.
 *
 * With x = (y - mean) scale and g = dz . weight:  dy = scale (g - mean(g) - x mean(g . x)). */
#include "net/norm.h"

#include <math.h>
#include <string.h>

void norm_init(struct norm *norm, struct extent extent, size_t weight_offset, size_t bias_offset)
{
    *norm = (struct norm){
        .extent = extent, .is_there = 1, .weight_offset = weight_offset, .bias_offset = bias_offset};
}

void norm_take_panels(struct norm *norm, struct arena *arena)
{
    norm->weight = arena_take(arena, extent_padded(norm->extent), sizeof *norm->weight);
    norm->bias = arena_take(arena, extent_padded(norm->extent), sizeof *norm->bias);
}

void norm_pack(struct norm *norm, const struct packing *packing)
{
    const float *weights = packing->weights;
    if (!packing_is_first(packing))
        return;
    memset(norm->weight, 0, extent_padded(norm->extent) * sizeof *norm->weight);
    memset(norm->bias, 0, extent_padded(norm->extent) * sizeof *norm->bias);
    bias_add(norm->extent, weights + norm->weight_offset, norm->weight);
    bias_add(norm->extent, weights + norm->bias_offset, norm->bias);
}

void norm_take_workspace(struct norm *norm, struct arena *arena, size_t N, int training)
{
    size_t width = training ? extent_padded(norm->extent) : 0;
    norm->mean = arena_take(arena, N, sizeof(float));
    norm->scale = arena_take(arena, N, sizeof(float));
    norm->dweight = arena_take(arena, width, sizeof(float));
    norm->dbias = arena_take(arena, width, sizeof(float));
}

struct lanes {
    float lane[KERNEL_BLOCK];
};

static float add_lanes(const struct lanes *lanes)
{
    struct lanes sum = *lanes;
    for (size_t half = KERNEL_BLOCK / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            sum.lane[i] += sum.lane[i + half];
    return sum.lane[0];
}

/* The sum over a row, whose padding holds zeroes. */
static float sum_row(size_t width, const float *y)
{
    struct lanes sum = {{0}};
    for (size_t c = 0; c < width; c += KERNEL_BLOCK)
        for (size_t i = 0; i < KERNEL_BLOCK; i++)
            sum.lane[i] += y[c + i];
    return add_lanes(&sum);
}

/* The sum of (y - mean)^2 over the real values of a row. */
static float sum_squares(struct extent extent, const float *y, float mean)
{
    struct lanes sum = {{0}};
    size_t width = extent_padded(extent) / extent.parts;
    for (size_t part = 0; part < extent.parts; part++, y += width)
        for (size_t c = 0; c < extent.size; c += KERNEL_BLOCK) {
            size_t n = extent.size - c < KERNEL_BLOCK ? extent.size - c : KERNEL_BLOCK;
            for (size_t i = 0; i < n; i++)
                sum.lane[i] += (y[c + i] - mean) * (y[c + i] - mean);
        }
    return add_lanes(&sum);
}

void norm_forward(const struct norm *norm, size_t N, struct rows Y, struct rows Z)
{
    size_t width = extent_padded(norm->extent);
    float n = (float)extent_true(norm->extent);
    for (size_t r = 0; r < N; r++) {
        const float *y = row_at(Y, r);
        float *z = row_at(Z, r);
        float mean = sum_row(width, y) / n;
        float scale = 1 / sqrtf(sum_squares(norm->extent, y, mean) / n + 1e-5f);
        for (size_t p = 0; p < width; p++)
            z[p] = (y[p] - mean) * scale * norm->weight[p] + norm->bias[p];
        norm->mean[r] = mean;
        norm->scale[r] = scale;
    }
}

/* Turns dz into dy in place, and adds its shares to dweight and dbias. Where weight is padding, g is 0. */
static void row_backward(const struct norm *norm, const float *y, float mean, float scale, float *dy)
{
    size_t width = extent_padded(norm->extent), part_width = width / norm->extent.parts;
    struct lanes sum = {{0}}, product = {{0}};
    for (size_t c = 0; c < width; c += KERNEL_BLOCK)
        for (size_t i = 0; i < KERNEL_BLOCK; i++) {
            float x = (y[c + i] - mean) * scale, dz = dy[c + i], g = dz * norm->weight[c + i];
            norm->dweight[c + i] += dz * x;
            norm->dbias[c + i] += dz;
            sum.lane[i] += g;
            product.lane[i] += g * x;
            dy[c + i] = g;
        }
    float n = (float)extent_true(norm->extent);
    float g_mean = add_lanes(&sum) / n, gx_mean = add_lanes(&product) / n;
    for (size_t part = 0; part < norm->extent.parts; part++, y += part_width, dy += part_width)
        for (size_t i = 0; i < norm->extent.size; i++)
            dy[i] = scale * (dy[i] - g_mean - (y[i] - mean) * scale * gx_mean);
}

void norm_backward(const struct norm *norm, size_t N, struct rows Y, struct rows dY, float *gradient)
{
    size_t width = extent_padded(norm->extent);
    memset(norm->dweight, 0, width * sizeof *norm->dweight);
    memset(norm->dbias, 0, width * sizeof *norm->dbias);
    for (size_t r = 0; r < N; r++)
        row_backward(norm, row_at(Y, r), norm->mean[r], norm->scale[r], row_at(dY, r));
    bias_add_gradient(norm->extent, (struct range){0, extent_padded(norm->extent)}, norm->dweight,
        gradient + norm->weight_offset);
    bias_add_gradient(norm->extent, (struct range){0, extent_padded(norm->extent)}, norm->dbias,
        gradient + norm->bias_offset);
}
