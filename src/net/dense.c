#include "net/dense.h"

#include <string.h>

void dense_init(struct dense *dense, const struct dense_shape *shape, struct parameters *parameters)
{
    size_t outputs = extent_true(shape->outputs), inputs = extent_true(shape->inputs), first = parameters->n;
    struct starting starting = starting_uniform(inputs);
    size_t weight = parameters_declare(parameters, outputs, inputs, starting, "%s.weight", shape->name);
    *dense = (struct dense){.outputs = shape->outputs,
        .one_hot = shape->one_hot,
        .bias_offset = parameters_declare(parameters, outputs, 0, starting, "%s.bias", shape->name)};
    dense->tensors = (struct tensors){first, parameters->n};
    matrix_init(&dense->weight, weight, shape->outputs, shape->inputs, shape->needs_input_gradient);
}

void dense_take_panels(struct dense *dense, struct arena *arena)
{
    matrix_take_panels(&dense->weight, arena);
    dense->bias = arena_take(arena, dense->weight.rows, sizeof *dense->bias);
}

void dense_pack(struct dense *dense, const struct packing *packing)
{
    if (dense->one_hot)
        matrix_pack_table(&dense->weight, packing);
    else
        matrix_pack(&dense->weight, packing);
    if (!packing_is_first(packing))
        return;
    memset(dense->bias, 0, dense->weight.rows * sizeof *dense->bias);
    bias_add(dense->outputs, packing->weights + dense->bias_offset, dense->bias);
}

void dense_take_workspace(struct dense *dense, const struct pass *pass, struct arena *arena)
{
    dense->dW = arena_take(arena, dense->weight.rows * dense->weight.columns, sizeof(float));
    dense->sums = arena_take(arena, dense->weight.rows, sizeof(float));
    for (size_t i = 0; i < pass_members(pass); i++) {
        float *scratch = arena_take(arena, pass->kernel->outer_floats, sizeof *scratch);
        if (i == pass_index(pass))
            dense->scratch = scratch;
    }
}

void dense_forward(
    const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in, struct rows Y)
{
    const struct matrix *W = &dense->weight;
    size_t r, end;
    pass_deal_rows(pass, R, &r, &end);
    if (dense->one_hot)
        matrix_look_up(W, (struct range){0, W->rows}, end - r, in.symbols + r, dense->bias, rows_from(Y, r));
    else
        pass_product(
            pass, &W->forward, end - r, rows_from(in.X, r), as_rows(dense->bias, 0), rows_from(Y, r));
}

void dense_backward_inputs(
    const struct dense *dense, const struct pass *pass, size_t R, struct rows dY, struct rows dX)
{
    size_t r, end;
    if (!dX.data || dense->one_hot)
        return;
    pass_deal_rows(pass, R, &r, &end);
    pass_product(
        pass, &dense->weight.backward, end - r, rows_from(dY, r), (struct rows){0}, rows_from(dX, r));
}

void dense_add_gradient(
    const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in, struct rows dY)
{
    const struct matrix *W = &dense->weight;
    struct range own;
    pass_deal(pass, W->rows, KERNEL_BLOCK, &own.from, &own.to);
    size_t products = dense->one_hot ? 0 : 1, width = own.to - own.from;
    float *dW = dense->dW + own.from * W->columns, *sums = dense->sums + own.from;
    struct outer_product product = {.columns = W->columns, .X = in.X, .C = as_rows(dW, W->columns)};
    if (width == 0 || !pass_trains(pass, dense->tensors))
        return;
    memset(dW, 0, products * width * W->columns * sizeof *dW);
    memset(sums, 0, width * sizeof *sums);
    const struct outer_sums all = {&product, products, sums, dense->scratch};
    pass_outer(pass, R, width, as_rows(dY.data + own.from, dY.stride), &all);
    bias_add_gradient(dense->outputs, own, dense->sums, pass->gradient + dense->bias_offset);
    if (!dense->one_hot) {
        matrix_add_gradient(W, own, dense->dW, pass->gradient);
        return;
    }
    matrix_clear_symbols(W, own, dense->dW);
    matrix_sum_symbols(W, own, R, in.symbols, dY, dense->dW);
    matrix_add_symbols(W, own, dense->dW, pass->gradient);
}
