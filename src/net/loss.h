/* Losses of rows of outputs: what they make of the last layer's sums, their value, and their gradient
 * (docs/network.md, "From the last layer to y(t)").
 *
 * R rows of O outputs, `stride` floats apart; row r of the targets belongs to row r of the outputs. */
#ifndef NET_LOSS_H
#define NET_LOSS_H

#include "kernel/kernel.h"
#include "net/microbatch.h"
#include "net/net.h"

/* Classes or values, as the loss wants them. */
struct targets {
    const int32_t *classes; /* [R]; below 0: no target */
    const float *values;    /* [R][values_stride] */
    size_t values_stride;
};

static inline struct targets targets_of_microbatch(const struct microbatch *microbatch)
{
    return (struct targets){.classes = microbatch->classes,
        .values = microbatch->values,
        .values_stride = microbatch->values_stride};
}

/* Sums into outputs in place: softmax and logistic function, or nothing. With targets, score[r] is the row's
 * loss, error and counts; score NULL: no targets. A row without a target scores zeroes. Of the configuration:
 * loss, class_weight, label_smoothing, huber_delta; a class beyond the class weights has a weight of 1. */
void loss_forward(const struct net_config *config, const struct kernel *kernel, size_t R, size_t O,
    float *outputs, size_t stride, struct targets targets, struct net_score *score);

/* Outputs into the gradient of the summed losses by the sums, in place; padding becomes zero, and so do rows
 * without a target. */
void loss_backward(const struct net_config *config, size_t R, size_t O, float *outputs, size_t stride,
    struct targets targets);

#endif
