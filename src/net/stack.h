/* The recurrent layers one upon the other, and what brings the inputs to them.
 *
 *     x(t) -> [embedding, or noise] -> [input layers] -> y_-1;  y_0 = h_0;
 *     layer l runs on dropout([LN](y_(l-1))), y_l = h_l [+ y_(l-1)], l = 1 .. L-1 -> rows of the frames
 *
 * With L = 0 the rows are those of the input layers, or the inputs. docs/network.md has the equations. N
 * frames and B sequences of a microbatch. Buffers are of the workspace, taken by stack_take_workspace before
 * forward and valid until backward is done. */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "net/dense_layers.h"
#include "net/embedding.h"
#include "net/norm.h"
#include "net/pass.h"
#include "net/recurrent.h"

/* A recurrent layer: its directions, and their outputs joined. */
struct layer {
    struct extent inputs, outputs; /* of what it sees, of h and y */
    size_t D, stride;              /* directions; of h and y */
    struct recurrent direction[2];
    size_t first;     /* of its tensors, those of `norm` before those of the directions */
    struct norm norm; /* zeroes: none */
    int drops;        /* 1: dropout in training */
    int residual;     /* 1: y is h + the y before it */
    /* Workspace. */
    int saves; /* 1: its directions take turns with those of other layers (net/recurrent.h), and so does `in`
                */
    float *in; /* [N][stride of the layer before] norm and dropout of the y before; NULL: that y itself */
    float *h;  /* [N + B][stride]; rows N ..: of the states that sequences start from */
    float *y;  /* [N][stride] with residual, else h */
    float *dY; /* [N + B][stride] gradient by y, which is also that by h */
};

struct stack {
    const struct net_config *config; /* the net's */
    struct embedding embedding;      /* zeroes: none */
    struct dense_layers input;
    size_t end; /* of its tensors, which are the first of the net's */
    size_t L;
    struct layer *layer;      /* [L] */
    struct extent outputs;    /* of stack_output */
    int one_hot;              /* 1: nothing is between the inputs and stack_output, and they are symbols */
    int needs_input_gradient; /* 1: something has parameters, and stack_gradient is asked for */

    /* Workspace. */
    int saves;    /* 1: some layers do, and the gradients by all layers' y share their places */
    float *X;     /* [N][X_stride] embedded or noisy inputs; NULL: those of the microbatch */
    float *dX;    /* with an embedding that is trained, the gradient by X; else NULL */
    float *carry; /* with residual: [N][widest stride] a layer's dY on its way past the layer */
    size_t X_stride;
};

/* Declares the tensors of the layers that the configuration asks for, and sets these up. The configuration is
 * read as long as the stack is used. */
int stack_init(
    struct stack *stack, const struct net_config *config, struct parameters *parameters, struct error *error);
void stack_finish(struct stack *stack); /* takes zeroes */
void stack_take_panels(struct stack *stack, struct arena *arena);
void stack_pack(struct stack *stack, const struct packing *packing);

/* (stack_workspace.c) */
void stack_take_workspace(
    struct stack *stack, const struct pass *pass, const struct net_saving *saving, struct arena *arena);

/* Makes *saving, from one of zeroes on, the next to be tried: each takes more time and, mostly, less memory
 * than the one before. Returns 0 where there is none. (stack_workspace.c) */
int stack_save_more(
    const struct stack *stack, const struct microbatch *microbatch, struct net_saving *saving);

/* How a team of so many members computes layer l, and the most members of a team that have something to do in
 * any layer. Layers between h' and W_hh, which would meet several times a step, are left to one member. */
enum net_sharing stack_find_sharing(const struct stack *stack, size_t l, size_t members);
size_t stack_count_employed(const struct stack *stack);

void stack_forward(struct stack *stack, const struct pass *pass);

/* What a dense layer on the outputs of the stack sees; name and outputs are the caller's to add. */
struct dense_shape stack_output_shape(const struct stack *stack);

/* What forward gave: rows of `outputs` of the microbatch's frames, or the microbatch's symbols. */
struct dense_input stack_output(const struct stack *stack, const struct microbatch *microbatch);

/* Is anything trained below layer l, of the layers before it and what brings the inputs to them? l = L: of
 * all. */
int stack_trains_below(const struct stack *stack, const struct pass *pass, size_t l);

/* Where the gradient by the rows of stack_output is to be put before backward, with their stride; NULL: it is
 * not wanted, as the first function says before the workspace is taken. */
int stack_wants_gradient(const struct stack *stack, const struct pass *pass);
float *stack_gradient(const struct stack *stack, const struct pass *pass);

/* Destroys the gradient by the outputs. Below the lowest layer that is trained nothing is computed. */
void stack_backward(struct stack *stack, const struct pass *pass);

/* See net_measure_flow. */
void stack_measure_flow(struct stack *stack, const struct pass *pass, const struct net_flow *flow);

#endif
