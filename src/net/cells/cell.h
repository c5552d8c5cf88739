/* Cells: what a recurrent layer computes at each step (docs/network.md). Each is a struct cell_kind in
 * a file of this folder, its arithmetic in one of kernel/cells/, and a line of the list there, which both
 * folders have in common.
 *
 * All have W_ih x of every gate, h, and a recurrence: a product W_hh h' of what all units gave before, or
 * weights by which each unit meets its own state before, or both. H units, G gates. */
#ifndef NET_CELLS_CELL_H
#define NET_CELLS_CELL_H

#include "kernel/kernel.h"
#include "net/types.h"

/* A gate by which a cell keeps or takes in: `sign` 1 where it does so by a large sum, -1 by a small one; 0:
 * the cell has no such gate. */
struct cell_gate {
    size_t gate;
    int sign;
};

/* A tensor [H] of one number for each unit: that which `start` makes of a number drawn between 0 and 1 and of
 * net_config.timescale. The number drawn is that of the tensor `shares` places before, 0: its own. */
struct unit_tensor {
    const char *name;
    double (*start)(double drawn, double timescale);
    size_t shares;
};

/* The operator of ONNX that is this cell. Gate g of its tensors is gate order[g] of ours, and row g of the
 * unit weights is row unit_order[g]. */
struct cell_onnx {
    const char *op;
    const char *activation; /* NULL: that of the operator itself */
    int linear_before_reset;
    size_t order[4], unit_order[3];
};

/* Names of the tensors by which a layer's outputs are made of h, c and the inputs, and of the gate that these
 * pass, which has a weight and a bias. */
struct cell_mixing {
    const char *from_h, *from_c, *from_inputs, *gate;
};

struct cell_kind {
    size_t gates;        /* G */
    int lacks_bias;      /* There is no b_ih. */
    int has_memory;      /* A state c goes from step to step beside h. */
    int has_product;     /* There are W_hh and b_hh. Without, nothing can stand between h' and the cell. */
    int separates_terms; /* W_hh h' + b_hh is not added to the sums: the cell wants it by itself. */
    int saves_values;    /* Forward leaves H values of a row for backward, cell_step.saved. */

    /* States are no outputs: these are made of h, c and the inputs (net/mixing.h), for many frames at once.
     * Of such a cell `saved` is the gradient by c, and dh_previous goes from step to step as dc does. NULL:
     * the outputs are h. */
    const struct cell_mixing *mixing;

    /* W_ih is tensors of these names, one for each gate; NULL: one tensor, weight_ih. */
    const char *const *input_names;

    /* Tensor unit_weight [unit_weights][H], by which units meet their own states; 0: there is none. */
    size_t unit_weights;
    const char *unit_weight;
    int unit_weights_are_peepholes; /* They are there only with net_config.peepholes. */
    int unit_weights_are_bounded;   /* None is beyond net_config.recurrent_max in size. */

    /* In place of that so many tensors, from which unit_numbers of each unit follow that a step takes in
     * place of the weights. pack_unit makes them of a unit's weights, H apart, and puts them Hp apart;
     * chain_unit makes of the sums of a unit, Hp apart, which backward has added to cell_gradient.sums, the
     * gradient by its weights in their place. */
    const struct unit_tensor *unit_tensors;
    size_t unit_numbers;
    void (*pack_unit)(const float *weights, size_t H, float *numbers, size_t Hp);
    void (*chain_unit)(const float *numbers, float *sums, size_t Hp);

    /* What the starting biases of net_config.forget_bias and timescale are for: the gate that keeps the
     * state, and one that takes in beside it. usual_forget_bias is the start of the first where neither is
     * given; not given itself, it starts as the others do. */
    struct cell_gate keeps, takes;
    struct net_choice usual_forget_bias;
    int takes_timescale; /* It starts by net_config.timescale: by these gates, or by its unit tensors. */

    /* All rows of a step. Which members of the structs are there follows from the answers above. */
    void (*forward)(const struct kernel *kernel, const struct cell_step *step);
    void (*backward)(const struct kernel *kernel, const struct cell_gradient *gradient);

    /* The step as plain C, for networks that are exported as such (model/export_c.c): the body of a function
     * whose parameters are given there, and the tensors that it takes as w[0], w[1] and so on, by their names
     * with @ in place of the layer, and NULL at the end. One that a network does not have is a null pointer.
     */
    const char *plain_c;
    const char *const *plain_c_tensors;
    const struct cell_onnx *onnx; /* NULL: there is no such operator */

    /* The step as nodes of ONNX (model/onnx_text.h), for layers that no operator is. onnx_inputs makes the
     * sums `a` [frames, sequences, G H] of the inputs `x`; NULL: they are W_ih x + b_ih. onnx_step makes
     * `h_next` [sequences, H], and where there is a memory `c_next`, of `a`, `h`, `c`, what the recurrent
     * product sees, `m`, and cell_count_unit_numbers of each unit, `unit` [n, H], where unit weights that the
     * network does without are zeroes. onnx_outputs makes the layer's rows `y` of all frames' `h`, `c` and
     * `x`; NULL: they are h. */
    const char *onnx_inputs, *onnx_step, *onnx_outputs;

    /* Without unit tensors: adds the gradient by the unit weights to sums, [units] each and parameters_stride
     * apart, of a step as backward left it, with the gradients by the sums of the gates in place of the
     * gates. */
    void (*add_unit_gradients)(const struct cell_step *step, float *sums);
};

/* One of each, by enum cell. */
extern const struct cell_kind *const cell_kinds[];

static inline const struct cell_kind *cell_of(const struct net_config *config)
{
    return cell_kinds[config->cell];
}

/* Are there unit weights in the recurrent layers of this network? In those of a decoder peepholes are not. */
static inline int cell_has_unit_weights(const struct cell_kind *kind, int peepholes)
{
    return kind->unit_weights > 0 && (peepholes || !kind->unit_weights_are_peepholes);
}

/* How many numbers of each unit a step takes. */
static inline size_t cell_count_unit_numbers(const struct cell_kind *kind)
{
    return kind->unit_tensors ? kind->unit_numbers : kind->unit_weights;
}

#endif
