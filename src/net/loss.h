/* Losses of rows of outputs: what they make of the last layer's sums, their value, and their gradient.
 *
 * R rows of O outputs, `stride` floats apart; row r of the targets belongs to row r of the outputs. */
#ifndef NET_LOSS_H
#define NET_LOSS_H

#include "base/grain.h"
#include "kernel/kernel.h"
#include "net/net.h"

/* Sums into outputs in place: softmax and logistic function, or nothing (mse). With targets, score[r] is the
 * row's loss, error and count; score NULL: no targets. */
void loss_forward(enum loss loss, const struct kernel *kernel, size_t R, size_t O, float *outputs,
    size_t stride, const struct grain *grain, struct net_score *score);

/* Outputs into the gradient of the summed losses by the sums, in place; padding becomes zero. */
void loss_backward(
    enum loss loss, size_t R, size_t O, float *outputs, size_t stride, const struct grain *grain);

#endif
