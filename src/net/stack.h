/* The recurrent layers one upon the other, and what brings the inputs to them.
 *
 *     x(t) -> [embedding] -> recurrent layer 0 -> ... -> recurrent layer L-1 -> rows of the frames
 *
 * N frames and B sequences of a grain. Buffers are of the workspace, laid by stack_lay before forward and
 * valid until backward is done. */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "net/dense.h"
#include "net/embedding.h"
#include "net/recurrent.h"

struct net;

/* A recurrent layer: its directions, and their outputs joined. */
struct layer {
    size_t D, stride; /* directions; of Y, which holds D times Hp */
    struct recurrent direction[2];
    /* Workspace. */
    float *Y, *dY;  /* [N + B][stride]; rows N ..: of the states that sequences start from */
    float *dropped; /* [N][stride] what the layer above sees: Y with dropout; NULL: Y itself */
};

struct stack {
    const struct net_config *config; /* the net's */
    size_t L;
    struct layer layer[NET_MOST_LAYERS];
    struct embedding embedding; /* zeroes: none */
    struct side outputs;        /* of stack_output */

    /* Workspace. */
    float *X, *dX; /* embedded inputs [N][embedding.stride] and the gradient by them */
};

/* Of the net's configuration and parameters. */
int stack_init(struct stack *stack, const struct net *net, struct error *error);
void stack_finish(struct stack *stack);        /* takes zeroes */
size_t stack_bytes(const struct stack *stack); /* of panels */
void stack_pack(struct stack *stack, const struct kernel *kernel, const float *weights);
void stack_set_times(struct stack *stack, double *times); /* see net/times.h */

void stack_lay(
    struct stack *stack, const struct kernel *kernel, struct arena *arena, size_t B, size_t N, int training);

void stack_forward(
    struct stack *stack, const struct kernel *kernel, const struct net_pass *pass, const struct grain *grain);

/* What forward gave: rows of `outputs` of the grain's frames. */
struct dense_input stack_output(const struct stack *stack, const struct grain *grain);

/* Where the gradient by these rows is to be put before backward, with their stride. */
float *stack_gradient(const struct stack *stack);

/* Destroys the gradient by the outputs. */
void stack_backward(struct stack *stack, const struct kernel *kernel, const struct net_pass *pass,
    const struct grain *grain, float *gradient);

#endif
