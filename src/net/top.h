/* What is above the recurrent layers or a decoder: output layers and the head, on any rows.
 *
 *     rows of some extent -> [output layers] -> head -> sums, which losses take
 *
 * R rows. Buffers are of the workspace, taken by top_take_workspace before forward and valid until backward
 * is done. */
#ifndef NET_TOP_H
#define NET_TOP_H

#include "net/dense_layers.h"
#include "net/pass.h"
#include "net/types.h"

struct top {
    struct dense_layers output;
    struct dense head;
    size_t stride; /* of outputs */

    /* Workspace. */
    float *outputs; /* [R][stride] sums of the head; before backward, in their place the gradient by them */
};

/* Declares the tensors of the layers that the configuration asks for, and sets these up. `first` describes
 * what they see; its name and outputs are not looked at. */
int top_init(struct top *top, const struct net_config *config, const struct dense_shape *first,
    struct parameters *parameters, struct error *error);
void top_finish(struct top *top); /* takes zeroes */
void top_take_panels(struct top *top, struct arena *arena);
void top_pack(struct top *top, const struct packing *packing);
void top_take_workspace(struct top *top, const struct pass *pass, struct arena *arena, size_t R);

/* Of a team each member computes its rows. */
void top_forward(struct top *top, const struct pass *pass, size_t R, struct dense_input in);

/* dX, with the stride of the inputs, is overwritten; NULL: not wanted. Each member of a team has its rows of
 * the gradient by the sums; behind this all of dX is there, and its part of the gradients by the weights. */
void top_backward(struct top *top, const struct pass *pass, size_t R, struct dense_input in, float *dX);

#endif
