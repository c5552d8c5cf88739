/* What is above the recurrent layers or a decoder: the head, on any rows.
 *
 *     rows of some side -> head -> sums, which losses take
 *
 * R rows. Buffers are of the workspace, laid by top_lay before forward and valid until backward is done. */
#ifndef NET_TOP_H
#define NET_TOP_H

#include "net/dense.h"
#include "net/net.h"

struct net;

struct top {
    struct dense head;
    size_t stride; /* of outputs */

    /* Workspace. */
    float *outputs; /* [R][stride] sums of the head; before backward, in their place the gradient by them */
};

/* Of the net's configuration and parameters, on rows of side `inputs`. */
int top_init(struct top *top, const struct net *net, struct side inputs, struct error *error);
void top_finish(struct top *top);        /* takes zeroes */
size_t top_bytes(const struct top *top); /* of panels */
void top_pack(struct top *top, const struct kernel *kernel, const float *weights);
void top_lay(struct top *top, const struct kernel *kernel, struct arena *arena, size_t R, int training);

void top_forward(struct top *top, const struct kernel *kernel, size_t R, struct dense_input in);

/* dX, with the stride of the inputs, is overwritten. */
void top_backward(struct top *top, const struct kernel *kernel, size_t R, struct dense_input in, float *dX,
    float *gradient);

#endif
