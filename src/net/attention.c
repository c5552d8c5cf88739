/* Keys, queries and the combination are products over all rows at once. Scores and contexts are loops over
 * the frames of one sequence, query by query, those of a sequence together so that its keys and outputs stay
 * in a near cache. Additive attention computes its tanh twice, for there is one per query, frame and unit:
 * too many to keep.
 */
#include "net/attention.h"

#include <string.h>

/* A matrix that is a run of columns of W, whose rows are `stride` long. */
static int init_columns(struct matrix *matrix, size_t offset, size_t stride, struct side outputs,
    struct side inputs, struct error *error)
{
    if (matrix_init(matrix, offset, outputs, inputs, 1, error))
        return -1;
    for (size_t r = 0; r < matrix->rows; r++)
        if (matrix->row[r] >= 0)
            matrix->row[r] = matrix->row[r] / (int64_t)matrix->stride * (int64_t)stride;
    matrix->stride = stride;
    return 0;
}

static int init_matrices(struct attention_layer *a, struct side encoder, size_t S,
    const struct attention_place *place, struct error *error)
{
    size_t stride = S + side_true(encoder);
    if (matrix_init(&a->key, place->key, a->keyed, encoder, 1, error))
        return -1;
    if (a->kind == ATTENTION_ADDITIVE && matrix_init(&a->query, place->query, a->keyed, a->units, 1, error))
        return -1;
    if (init_columns(&a->combine[0], place->combine, stride, a->units, a->units, error))
        return -1;
    return init_columns(&a->combine[1], place->combine + S, stride, a->units, encoder, error);
}

int attention_init(struct attention_layer *a, enum attention kind, size_t S, size_t A, struct side encoder,
    struct attention_place place, struct error *error)
{
    size_t K = kind == ATTENTION_ADDITIVE ? A : S;
    *a = (struct attention_layer){.kind = kind,
        .units = {.parts = 1, .size = S, .interleave = 1},
        .keyed = {.parts = 1, .size = K, .interleave = 1},
        .key_bias_offset = place.key_bias,
        .energy_offset = place.energy,
        .combine_bias_offset = place.combine_bias};
    a->Sp = side_padded(a->units);
    a->Kp = side_padded(a->keyed);
    a->Fp = side_padded(encoder);
    a->S_stride = kernel_stride(a->Sp);
    a->K_stride = kernel_stride(a->Kp);
    a->F_stride = kernel_stride(a->Fp);
    a->key_bias = memory_create(a->Kp, sizeof(float), error);
    a->energy = memory_create(a->Kp, sizeof(float), error);
    a->combine_bias = memory_create(a->Sp, sizeof(float), error);
    if (!a->key_bias || !a->energy || !a->combine_bias || init_matrices(a, encoder, S, &place, error)) {
        attention_finish(a);
        return -1;
    }
    return 0;
}

void attention_finish(struct attention_layer *a)
{
    matrix_finish(&a->key);
    matrix_finish(&a->query);
    matrix_finish(&a->combine[0]);
    matrix_finish(&a->combine[1]);
    memory_destroy(a->key_bias);
    memory_destroy(a->energy);
    memory_destroy(a->combine_bias);
    *a = (struct attention_layer){0};
}

size_t attention_bytes(const struct attention_layer *a)
{
    return matrix_bytes(&a->key) + matrix_bytes(&a->query) + matrix_bytes(&a->combine[0]) +
        matrix_bytes(&a->combine[1]);
}

void attention_pack(struct attention_layer *a, const struct kernel *kernel, const float *weights)
{
    matrix_pack(&a->key, kernel, weights);
    matrix_pack(&a->combine[0], kernel, weights);
    matrix_pack(&a->combine[1], kernel, weights);
    memset(a->combine_bias, 0, a->Sp * sizeof(float));
    bias_add(a->units, weights + a->combine_bias_offset, a->combine_bias);
    if (a->kind != ATTENTION_ADDITIVE)
        return;
    matrix_pack(&a->query, kernel, weights);
    memset(a->key_bias, 0, a->Kp * sizeof(float));
    memset(a->energy, 0, a->Kp * sizeof(float));
    bias_add(a->keyed, weights + a->key_bias_offset, a->key_bias);
    bias_add(a->keyed, weights + a->energy_offset, a->energy);
}

void attention_lay(struct attention_layer *a, const struct kernel *kernel, struct arena *arena, size_t N,
    size_t T, size_t R, int training)
{
    int additive = a->kind == ATTENTION_ADDITIVE;
    a->T_stride = kernel_stride(grain_stride(T));
    a->keys = arena_take(arena, N * a->K_stride, sizeof(float));
    a->queries = additive ? arena_take(arena, R * a->K_stride, sizeof(float)) : NULL;
    a->alpha = arena_take(arena, R * a->T_stride, sizeof(float));
    a->context = arena_take(arena, R * a->F_stride, sizeof(float));
    a->tanh = arena_take(arena, a->Kp, sizeof(float));
    if (!training)
        return;
    a->dkeys = arena_take(arena, N * a->K_stride, sizeof(float));
    a->dqueries = additive ? arena_take(arena, R * a->K_stride, sizeof(float)) : NULL;
    a->dcontext = arena_take(arena, R * a->F_stride, sizeof(float));
    a->dalpha = arena_take(arena, a->T_stride, sizeof(float));
    a->denergy = arena_take(arena, 2 * a->Kp, sizeof(float));
    size_t widest = a->Kp > a->Sp ? a->Kp : a->Sp;
    a->dW = arena_take(arena, widest * (a->Sp + a->Fp), sizeof(float));
    a->sums = arena_take(arena, widest, sizeof(float));
    a->scratch = arena_take(arena, kernel->outer_floats, sizeof(float));
}

/* n is a multiple of 16; 16 sums, added by halves. */
static float dot(size_t n, const float *x, const float *y)
{
    float lane[KERNEL_BLOCK] = {0};
    for (size_t i = 0; i < n; i += KERNEL_BLOCK)
        for (size_t l = 0; l < KERNEL_BLOCK; l++)
            lane[l] += x[i + l] * y[i + l];
    for (size_t half = KERNEL_BLOCK / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* y += factor x */
static void add_scaled(size_t n, float factor, const float *restrict x, float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* tanh(q + k(t)) into a->tanh. */
static void squash_sum(
    const struct attention_layer *a, const struct kernel *kernel, const float *q, const float *key)
{
    for (size_t k = 0; k < a->Kp; k++)
        a->tanh[k] = q[k] + key[k];
    kernel->tanh_array(a->Kp, a->tanh);
}

void attention_set_keys(
    struct attention_layer *a, const struct kernel *kernel, size_t N, const float *Y, size_t Y_stride)
{
    kernel->product(&a->key.forward, N, Y, Y_stride, a->key_bias, 0, a->keys, a->K_stride);
}

/* What the score compares with keys: row n. */
static const float *query_row(
    const struct attention_layer *a, const struct attention_queries *queries, size_t n)
{
    return a->kind == ATTENTION_ADDITIVE ? a->queries + n * a->K_stride : queries->d + n * queries->d_stride;
}

/* alpha and context of query n. */
static void attend(const struct attention_layer *a, const struct kernel *kernel,
    const struct attention_queries *queries, size_t n)
{
    size_t b = (size_t)queries->row[n], T = (size_t)queries->grain->length[b];
    const float *q = query_row(a, queries, n);
    float *alpha = a->alpha + n * a->T_stride, *context = a->context + n * a->F_stride;
    for (size_t t = 0; t < T; t++) {
        const float *key = a->keys + grain_frame(queries->grain, b, t) * a->K_stride;
        if (a->kind == ATTENTION_ADDITIVE) {
            squash_sum(a, kernel, q, key);
            alpha[t] = dot(a->Kp, a->energy, a->tanh);
        } else {
            alpha[t] = dot(a->Kp, q, key);
        }
    }
    float largest;
    kernel->softmax(T, alpha, &largest);
    memset(context, 0, a->Fp * sizeof *context);
    for (size_t t = 0; t < T; t++)
        add_scaled(
            a->Fp, alpha[t], queries->Y + grain_frame(queries->grain, b, t) * queries->Y_stride, context);
}

void attention_forward(const struct attention_layer *a, const struct kernel *kernel,
    const struct attention_queries *queries, float *out)
{
    size_t R = queries->R;
    if (a->kind == ATTENTION_ADDITIVE)
        kernel->product(
            &a->query.forward, R, queries->d, queries->d_stride, NULL, 0, a->queries, a->K_stride);
    for (size_t i = 0; i < R; i++)
        attend(a, kernel, queries, queries->order ? (size_t)queries->order[i] : i);
    kernel->product(
        &a->combine[0].forward, R, queries->d, queries->d_stride, a->combine_bias, 0, out, a->S_stride);
    kernel->product(&a->combine[1].forward, R, a->context, a->F_stride, out, a->S_stride, out, a->S_stride);
    for (size_t n = 0; n < R; n++)
        kernel->tanh_array(a->Sp, out + n * a->S_stride);
}

/* da of the combination in dout: into dd, dcontext and the gradient. */
static void combine_backward(const struct attention_layer *a, const struct kernel *kernel,
    const struct attention_queries *queries, const float *out, float *dout, float *dd, float *gradient)
{
    size_t R = queries->R;
    for (size_t n = 0; n < R; n++)
        for (size_t i = n * a->S_stride; i < n * a->S_stride + a->Sp; i++)
            dout[i] *= 1 - out[i] * out[i];
    kernel->product(&a->combine[0].backward, R, dout, a->S_stride, NULL, 0, dd, queries->d_stride);
    kernel->product(&a->combine[1].backward, R, dout, a->S_stride, NULL, 0, a->dcontext, a->F_stride);
    float *dW[2] = {a->dW, a->dW + a->Sp * a->Sp};
    struct outer_side sides[] = {
        {.columns = a->Sp, .X = queries->d, .X_stride = queries->d_stride, .C = dW[0], .C_stride = a->Sp},
        {.columns = a->Fp, .X = a->context, .X_stride = a->F_stride, .C = dW[1], .C_stride = a->Fp}};
    memset(a->dW, 0, a->Sp * (a->Sp + a->Fp) * sizeof(float));
    memset(a->sums, 0, a->Sp * sizeof(float));
    kernel->outer(R, a->Sp, dout, a->S_stride, sides, 2, a->sums, a->scratch);
    matrix_add_gradient(&a->combine[0], dW[0], gradient);
    matrix_add_gradient(&a->combine[1], dW[1], gradient);
    bias_add_gradient(a->units, a->sums, gradient + a->combine_bias_offset);
}

/* One frame's score of one additive query: its gradient dscore into dq, dkey and the energy's. */
static void additive_backward(const struct attention_layer *a, const struct kernel *kernel, float dscore,
    const float *q, const float *key, float *restrict dq, float *restrict dkey)
{
    squash_sum(a, kernel, q, key);
    const float *restrict squashed = a->tanh, *restrict energy = a->energy;
    float *restrict denergy = a->denergy;
    for (size_t k = 0; k < a->Kp; k++) {
        float slope = dscore * energy[k] * (1 - squashed[k] * squashed[k]);
        denergy[k] += dscore * squashed[k];
        dq[k] += slope;
        dkey[k] += slope;
    }
}

/* From dcontext of query n into dY, dkeys and its own dq [Kp]. */
static void attend_backward(const struct attention_layer *a, const struct kernel *kernel,
    const struct attention_queries *queries, size_t n, float *dq, float *dY)
{
    size_t b = (size_t)queries->row[n], T = (size_t)queries->grain->length[b];
    const float *q = query_row(a, queries, n), *alpha = a->alpha + n * a->T_stride;
    const float *dcontext = a->dcontext + n * a->F_stride;
    float sum = 0;
    for (size_t t = 0; t < T; t++) {
        size_t place = grain_frame(queries->grain, b, t) * queries->Y_stride;
        a->dalpha[t] = dot(a->Fp, dcontext, queries->Y + place);
        sum += alpha[t] * a->dalpha[t];
        add_scaled(a->Fp, alpha[t], dcontext, dY + place);
    }
    memset(a->denergy, 0, a->Kp * sizeof(float));
    for (size_t t = 0; t < T; t++) {
        size_t place = grain_frame(queries->grain, b, t) * a->K_stride;
        float dscore = alpha[t] * (a->dalpha[t] - sum);
        if (a->kind == ATTENTION_ADDITIVE) {
            additive_backward(a, kernel, dscore, q, a->keys + place, dq, a->dkeys + place);
        } else {
            add_scaled(a->Kp, dscore, a->keys + place, dq);
            add_scaled(a->Kp, dscore, q, a->dkeys + place);
        }
    }
    add_scaled(a->Kp, 1, a->denergy, a->denergy + a->Kp);
}

/* Gradient by a matrix W from dy [R] of what it made of X [R], and by the bias beside it where there is one.
 */
static void matrix_gradient(const struct attention_layer *a, const struct kernel *kernel,
    const struct matrix *W, size_t R, const float *X, size_t X_stride, const float *dy, float *gradient)
{
    struct outer_side side = {
        .columns = W->columns, .X = X, .X_stride = X_stride, .C = a->dW, .C_stride = W->columns};
    memset(a->dW, 0, W->rows * W->columns * sizeof(float));
    memset(a->sums, 0, W->rows * sizeof(float));
    kernel->outer(R, W->rows, dy, a->K_stride, &side, 1, a->sums, a->scratch);
    matrix_add_gradient(W, a->dW, gradient);
}

void attention_backward(const struct attention_layer *a, const struct kernel *kernel,
    const struct attention_queries *queries, const float *out, float *dout, float *dd, float *dY,
    float *gradient)
{
    int additive = a->kind == ATTENTION_ADDITIVE;
    size_t N = queries->grain->N, R = queries->R;
    combine_backward(a, kernel, queries, out, dout, dd, gradient);
    memset(a->dkeys, 0, N * a->K_stride * sizeof(float));
    memset(a->denergy, 0, 2 * a->Kp * sizeof(float));
    if (additive)
        memset(a->dqueries, 0, R * a->K_stride * sizeof(float));
    for (size_t i = 0; i < R; i++) {
        size_t n = queries->order ? (size_t)queries->order[i] : i;
        float *dq = additive ? a->dqueries + n * a->K_stride : dd + n * queries->d_stride;
        attend_backward(a, kernel, queries, n, dq, dY);
    }
    if (additive) {
        kernel->product(
            &a->query.backward, R, a->dqueries, a->K_stride, dd, queries->d_stride, dd, queries->d_stride);
        matrix_gradient(a, kernel, &a->query, R, queries->d, queries->d_stride, a->dqueries, gradient);
        bias_add_gradient(a->keyed, a->denergy + a->Kp, gradient + a->energy_offset);
    }
    kernel->product(&a->key.backward, N, a->dkeys, a->K_stride, dY, queries->Y_stride, dY, queries->Y_stride);
    matrix_gradient(a, kernel, &a->key, N, queries->Y, queries->Y_stride, a->dkeys, gradient);
    if (additive)
        bias_add_gradient(a->keyed, a->sums, gradient + a->key_bias_offset);
}
