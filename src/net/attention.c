/* Keys, queries and the combination are products over all rows at once. Scores and contexts are computed
 * sequence by sequence, all queries of one together, where its rows lie (kernel/attend.c). Additive attention
 * computes its tanh twice, for there is one per query, frame and unit: too many to keep.
 */
#include "net/attention.h"

#include <math.h>
#include <string.h>

const char *const attention_names[] = {
    [ATTENTION_ADDITIVE] = "additive", [ATTENTION_DOT] = "dot", [ATTENTION_NONE] = "none", NULL};

/* Makes a matrix of a run of columns of W, whose rows are `stride` long. */
static void init_columns(
    struct matrix *matrix, size_t offset, size_t stride, struct extent outputs, struct extent inputs)
{
    matrix_init(matrix, offset, outputs, inputs, 1);
    matrix->stride = stride;
}

static void init_matrices(
    struct attention_layer *a, struct extent encoder, size_t S, const struct attention_place *place)
{
    size_t stride = S + extent_true(encoder);
    matrix_init(&a->key, place->key, a->keyed, encoder, 1);
    if (a->kind == ATTENTION_ADDITIVE)
        matrix_init(&a->query, place->query, a->keyed, a->units, 1);
    init_columns(&a->combine[0], place->combine, stride, a->units, a->units);
    init_columns(&a->combine[1], place->combine + S, stride, a->units, encoder);
}

void attention_init(struct attention_layer *a, enum attention kind, size_t S, size_t A, struct extent encoder,
    struct attention_place place)
{
    size_t K = kind == ATTENTION_ADDITIVE ? A : S;
    *a = (struct attention_layer){.kind = kind,
        .units = {.parts = 1, .size = S, .interleave = 1},
        .keyed = {.parts = 1, .size = K, .interleave = 1},
        .key_bias_offset = place.key_bias,
        .energy_offset = place.energy,
        .combine_bias_offset = place.combine_bias,
        .tensors = place.tensors};
    a->Sp = extent_padded(a->units);
    a->Kp = extent_padded(a->keyed);
    a->Fp = extent_padded(encoder);
    a->S_stride = kernel_stride(a->Sp);
    a->K_stride = kernel_stride(a->Kp);
    a->F_stride = kernel_stride(a->Fp);
    init_matrices(a, encoder, S, &place);
}

void attention_take_panels(struct attention_layer *a, struct arena *arena)
{
    matrix_take_panels(&a->key, arena);
    if (a->kind == ATTENTION_ADDITIVE)
        matrix_take_panels(&a->query, arena);
    matrix_take_panels(&a->combine[0], arena);
    matrix_take_panels(&a->combine[1], arena);
    a->key_bias = arena_take(arena, a->Kp, sizeof *a->key_bias);
    a->energy = arena_take(arena, a->Kp, sizeof *a->energy);
    a->combine_bias = arena_take(arena, a->Sp, sizeof *a->combine_bias);
}

void attention_pack(struct attention_layer *a, const struct packing *packing)
{
    matrix_pack(&a->key, packing);
    matrix_pack(&a->combine[0], packing);
    matrix_pack(&a->combine[1], packing);
    if (a->kind == ATTENTION_ADDITIVE)
        matrix_pack(&a->query, packing);
    if (!packing_is_first(packing))
        return;
    const float *weights = packing->weights;
    memset(a->combine_bias, 0, a->Sp * sizeof(float));
    bias_add(a->units, weights + a->combine_bias_offset, a->combine_bias);
    if (a->kind != ATTENTION_ADDITIVE)
        return;
    memset(a->key_bias, 0, a->Kp * sizeof(float));
    memset(a->energy, 0, a->Kp * sizeof(float));
    bias_add(a->keyed, weights + a->key_bias_offset, a->key_bias);
    bias_add(a->keyed, weights + a->energy_offset, a->energy);
}

void attention_take_workspace(
    struct attention_layer *a, const struct pass *pass, struct arena *arena, size_t R, size_t U)
{
    size_t N = pass->microbatch->N, T = pass->microbatch->T;
    int additive = a->kind == ATTENTION_ADDITIVE;
    a->T_stride = kernel_stride(microbatch_stride(T));
    a->keys = arena_take(arena, N * a->K_stride, sizeof(float));
    a->queries = additive ? arena_take(arena, R * a->K_stride, sizeof(float)) : NULL;
    a->alpha = arena_take(arena, R * a->T_stride, sizeof(float));
    a->context = arena_take(arena, R * a->F_stride, sizeof(float));
    a->frame = arena_take(arena, T, sizeof *a->frame);
    if (!pass->options.training)
        return;
    a->dkeys = arena_take(arena, N * a->K_stride, sizeof(float));
    a->dqueries = additive ? arena_take(arena, R * a->K_stride, sizeof(float)) : NULL;
    a->dcontext = arena_take(arena, R * a->F_stride, sizeof(float));
    a->dalpha = arena_take(arena, U * a->T_stride, sizeof(float));
    a->denergy = arena_take(arena, a->Kp, sizeof(float));
    size_t widest = a->Kp > a->Sp ? a->Kp : a->Sp;
    a->dW = arena_take(arena, widest * (a->Sp + a->Fp), sizeof(float));
    a->sums = arena_take(arena, widest, sizeof(float));
    a->scratch = arena_take(arena, pass->kernel->outer_floats, sizeof(float));
}

void attention_set_keys(struct attention_layer *a, const struct pass *pass, size_t N, struct rows Y)
{
    pass_product(pass, &a->key.forward, N, Y, as_rows(a->key_bias, 0), as_rows(a->keys, a->K_stride));
}

/* The queries of one sequence and its frames, as rows of matrices that are set later. */
struct group {
    size_t first; /* place of its first query in their order */
    struct picked queries, frames;
};

static size_t query_at(const struct attention_queries *queries, size_t i)
{
    return queries->order ? (size_t)queries->order[i] : i;
}

/* The group that starts with the i-th query of the order. */
static struct group find_group(
    const struct attention_layer *a, const struct attention_queries *queries, size_t i)
{
    const struct microbatch *microbatch = queries->microbatch;
    int32_t b = queries->row[query_at(queries, i)];
    struct group group = {.first = i,
        .queries = {.row = queries->order ? queries->order + i : NULL, .first = i},
        .frames = {.n = (size_t)microbatch->length[b], .row = a->frame}};
    while (i < queries->R && queries->row[query_at(queries, i)] == b)
        i++;
    group.queries.n = i - group.first;
    for (size_t t = 0; t < group.frames.n; t++)
        a->frame[t] = (int32_t)microbatch_frame(microbatch, (size_t)b, t);
    return group;
}

/* The same rows of this matrix. */
static struct picked rows_in(struct picked picked, struct rows matrix)
{
    picked.rows = matrix;
    return picked;
}

/* What scores compare with keys. */
static struct rows compared(const struct attention_layer *a, const struct attention_queries *queries)
{
    if (a->kind == ATTENTION_ADDITIVE)
        return as_rows(a->queries, a->K_stride);
    return queries->d;
}

/* Computes alpha and the contexts of a group. */
static void attend(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const struct group *group)
{
    const struct kernel *kernel = pass->kernel;
    struct picked q = rows_in(group->queries, compared(a, queries)),
                  keys = rows_in(group->frames, as_rows(a->keys, a->K_stride));
    struct rows alpha = as_rows(a->alpha + group->first * a->T_stride, a->T_stride);
    if (a->kind == ATTENTION_ADDITIVE)
        kernel->additive(a->Kp, a->energy, q, keys, alpha);
    else
        kernel->dots(a->Kp, q, keys, alpha);
    float largest;
    for (size_t u = 0; u < q.n; u++)
        kernel->softmax(keys.n, row_at(alpha, u), &largest);
    kernel->mix(&(struct mixture){.width = a->Fp,
        .weights = alpha.data,
        .row = alpha.stride,
        .step = 1,
        .x = rows_in(group->frames, queries->Y),
        .y = rows_in(group->queries, as_rows(a->context, a->F_stride))});
}

void attention_forward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, float *out)
{
    const struct kernel *kernel = pass->kernel;
    size_t R = queries->R;
    if (a->kind == ATTENTION_ADDITIVE)
        pass_product(
            pass, &a->query.forward, R, queries->d, (struct rows){0}, as_rows(a->queries, a->K_stride));
    for (size_t i = 0; i < R && !pass_is_unwanted(pass);) {
        struct group group = find_group(a, queries, i);
        attend(a, pass, queries, &group);
        i += group.queries.n;
    }
    pass_product(
        pass, &a->combine[0].forward, R, queries->d, as_rows(a->combine_bias, 0), as_rows(out, a->S_stride));
    pass_product(pass, &a->combine[1].forward, R, as_rows(a->context, a->F_stride), as_rows(out, a->S_stride),
        as_rows(out, a->S_stride));
    for (size_t n = 0; n < R; n++)
        kernel->tanh_array(a->Sp, out + n * a->S_stride);
}

/* Adds the gradients by the parameters of the combination, da being that by its sums. */
static void combine_gradient(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, struct rows da)
{
    float *dW[2] = {a->dW, a->dW + a->Sp * a->Sp};
    struct outer_product products[] = {{.columns = a->Sp, .X = queries->d, .C = as_rows(dW[0], a->Sp)},
        {.columns = a->Fp, .X = as_rows(a->context, a->F_stride), .C = as_rows(dW[1], a->Fp)}};
    memset(a->dW, 0, a->Sp * (a->Sp + a->Fp) * sizeof(float));
    memset(a->sums, 0, a->Sp * sizeof(float));
    const struct outer_sums sums = {products, 2, a->sums, a->scratch};
    pass_outer(pass, queries->R, a->Sp, da, &sums);
    for (size_t i = 0; i < 2; i++)
        matrix_add_gradient(&a->combine[i], (struct range){0, a->combine[i].rows}, dW[i], pass->gradient);
    bias_add_gradient(a->units, (struct range){0, extent_padded(a->units)}, a->sums,
        pass->gradient + a->combine_bias_offset);
}

/* Turns dout into da of the combination, and backpropagates that to dd, dcontext and the parameters. */
static void combine_backward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const float *out, float *dout, float *dd)
{
    const struct kernel *kernel = pass->kernel;
    size_t R = queries->R;
    kernel->tanh_backward(&(struct cell_gradient){.step = {.count = R,
                                                      .units = a->Sp,
                                                      .gates = as_rows(dout, a->S_stride),
                                                      .h = as_rows(out, a->S_stride)},
        .dh = as_rows(dout, a->S_stride)});
    pass_product(pass, &a->combine[0].backward, R, as_rows(dout, a->S_stride), (struct rows){0},
        as_rows(dd, queries->d.stride));
    pass_product(pass, &a->combine[1].backward, R, as_rows(dout, a->S_stride), (struct rows){0},
        as_rows(a->dcontext, a->F_stride));
    if (pass_trains(pass, a->tensors))
        combine_gradient(a, pass, queries, as_rows(dout, a->S_stride));
}

/* Turns the gradient by alpha into that by the scores. What has all but vanished becomes zero: see vec_flush.
 */
static void softmax_backward(size_t T, const float *alpha, float *dalpha)
{
    float sum = 0;
    for (size_t t = 0; t < T; t++)
        sum += alpha[t] * dalpha[t];
    for (size_t t = 0; t < T; t++) {
        float slope = alpha[t] * (dalpha[t] - sum);
        dalpha[t] = fabsf(slope) < 1e-30f ? 0 : slope;
    }
}

/* Backpropagates the scores of a group to dkeys of its frames and to its queries, in dd or dqueries. */
static void score_backward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const struct group *group, float *dd)
{
    struct rows dscore = as_rows(a->dalpha, a->T_stride), dkeys = as_rows(a->dkeys, a->K_stride);
    struct picked q = rows_in(group->queries, compared(a, queries)),
                  keys = rows_in(group->frames, as_rows(a->keys, a->K_stride));
    if (a->kind == ATTENTION_ADDITIVE) {
        pass->kernel->additive_backward(&(struct additive_gradient){.width = a->Kp,
            .energy = a->energy,
            .q = q,
            .k = keys,
            .dscore = dscore,
            .dQ = as_rows(a->dqueries, a->K_stride),
            .dK = dkeys,
            .denergy = a->denergy});
        return;
    }
    struct mixture by_query = {.width = a->Kp,
        .weights = dscore.data,
        .row = dscore.stride,
        .step = 1,
        .x = keys,
        .y = rows_in(q, as_rows(dd, queries->d.stride)),
        .add = 1};
    struct mixture by_key = {.width = a->Kp,
        .weights = dscore.data,
        .row = 1,
        .step = dscore.stride,
        .x = q,
        .y = rows_in(keys, dkeys)};
    pass->kernel->mix(&by_query);
    pass->kernel->mix(&by_key);
}

/* Backpropagates dcontext of a group to dY and dkeys of its frames and to its queries, in dd or dqueries. */
static void attend_backward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const struct group *group, float *dd, float *dY)
{
    const struct kernel *kernel = pass->kernel;
    struct rows contexts = as_rows(a->dcontext, a->F_stride), dalpha = as_rows(a->dalpha, a->T_stride);
    struct picked from = rows_in(group->queries, contexts);
    const float *alpha = a->alpha + group->first * a->T_stride;
    kernel->dots(a->Fp, from, rows_in(group->frames, queries->Y), dalpha);
    if (dY)
        kernel->mix(&(struct mixture){.width = a->Fp,
            .weights = alpha,
            .row = 1,
            .step = a->T_stride,
            .x = from,
            .y = rows_in(group->frames, as_rows(dY, queries->Y.stride))});
    for (size_t u = 0; u < from.n; u++)
        softmax_backward(group->frames.n, alpha + u * a->T_stride, row_at(dalpha, u));
    score_backward(a, pass, queries, group, dd);
}

/* Adds the gradient by a matrix W, given that by what it made of X [R], dy [R]; a->sums becomes the one by
 * the bias beside it. */
static void matrix_gradient(const struct attention_layer *a, const struct pass *pass, const struct matrix *W,
    size_t R, struct rows X, const float *dy)
{
    struct outer_product product = {.columns = W->columns, .X = X, .C = as_rows(a->dW, W->columns)};
    memset(a->dW, 0, W->rows * W->columns * sizeof(float));
    memset(a->sums, 0, W->rows * sizeof(float));
    const struct outer_sums sums = {&product, 1, a->sums, a->scratch};
    pass_outer(pass, R, W->rows, as_rows(dy, a->K_stride), &sums);
    matrix_add_gradient(W, (struct range){0, W->rows}, a->dW, pass->gradient);
}

/* Adds the gradients by the parameters of the scores, once dqueries, dkeys and denergy are there. */
static void score_gradient(
    const struct attention_layer *a, const struct pass *pass, const struct attention_queries *queries)
{
    struct range keyed = {0, extent_padded(a->keyed)};
    int additive = a->kind == ATTENTION_ADDITIVE;
    if (additive) {
        matrix_gradient(a, pass, &a->query, queries->R, queries->d, a->dqueries);
        bias_add_gradient(a->keyed, keyed, a->denergy, pass->gradient + a->energy_offset);
    }
    matrix_gradient(a, pass, &a->key, queries->microbatch->N, queries->Y, a->dkeys);
    if (additive)
        bias_add_gradient(a->keyed, keyed, a->sums, pass->gradient + a->key_bias_offset);
}

void attention_backward(const struct attention_layer *a, const struct pass *pass,
    const struct attention_queries *queries, const float *out, float *dout, float *dd, float *dY)
{
    struct rows by_d = as_rows(dd, queries->d.stride), by_Y = as_rows(dY, queries->Y.stride);
    combine_backward(a, pass, queries, out, dout, dd);
    memset(a->denergy, 0, a->Kp * sizeof(float));
    for (size_t i = 0; i < queries->R && !pass_is_unwanted(pass);) {
        struct group group = find_group(a, queries, i);
        attend_backward(a, pass, queries, &group, dd, dY);
        i += group.queries.n;
    }
    if (a->kind == ATTENTION_ADDITIVE)
        pass_product(pass, &a->query.backward, queries->R, as_rows(a->dqueries, a->K_stride), by_d, by_d);
    if (dY)
        pass_product(
            pass, &a->key.backward, queries->microbatch->N, as_rows(a->dkeys, a->K_stride), by_Y, by_Y);
    if (pass_trains(pass, a->tensors))
        score_gradient(a, pass, queries);
}
