/* Losses of rows of outputs: what they make of the last layer's sums, their value, and their gradient
 * (docs/network.md, "From the last layer to y(t)"). Each is a struct loss_kind in a file of its own, and a
 * line of net/losses/list.h.
 *
 * R rows of O outputs; row r of the targets belongs to row r of the outputs. */
#ifndef NET_LOSSES_LOSS_H
#define NET_LOSSES_LOSS_H

#include "kernel/kernel.h"
#include "net/microbatch.h"
#include "net/types.h"

#include <math.h>

/* One row of outputs and its target. */
struct loss_row {
    const struct net_config *config; /* class_weight, label_smoothing, huber_delta, quantile */
    const struct kernel *kernel;
    size_t O;           /* of the head */
    float *y;           /* [O] */
    int32_t class;      /* its target, for losses of classes; below 0 where the row has none */
    const float *value; /* its target, for losses of values, [O] or what O is a multiple of where a value
                         * takes several outputs; NaN: no target there; NULL where the row has none */
};

struct loss_kind {
    const char *name;
    int takes_classes;       /* Targets are classes, and else real values. */
    int has_errors;          /* A row is right or wrong; else its error is NaN. */
    int gives_probabilities; /* Outputs are probabilities, and else values of any size. */
    int takes_delta;         /* It reads huber_delta. */
    int takes_quantiles;     /* It reads quantile. */
    /* Targets that are real values lie between these, both included; where they are equal, any finite number
     * is a target. Outside of them the loss has no least value, so that training runs away without end. */
    float least_target, most_target;

    /* How many outputs of the head each target value takes, 1 at least; NULL: one. With several no output can
     * stand for the value itself, as a decoder and --generate need it. */
    size_t (*count_heads)(const struct net_config *config);

    /* Makes probabilities or values of the sums y in place. With a target, returns the row's loss, error and
     * counts, and zeroes without. */
    struct net_score (*forward)(const struct loss_row *row);

    /* Makes of what forward left in y, in place, the gradient of the row's loss by the sums; zeroes where a
     * class is below 0 or a value is NaN. It needs no kernel. */
    void (*backward)(const struct loss_row *row);

    /* Fills the sums y [O] for who knows of real-valued targets no more than mean and variance of each [V];
     * NULL: each output is the mean. */
    void (*guess)(size_t V, const double *mean, const double *variance, float *y);

    /* Makes of a row of outputs [O] what users are given, as many numbers, those of each target value
     * together; NULL: the outputs are that. */
    void (*present)(const struct net_config *config, const float *y, float *shown);

    /* What the outputs of a target value are called where it takes several, as users are given them: "mean".
     */
    void (*name_head)(const struct net_config *config, size_t head, char *text, size_t size);

    /* forward and present as plain C (model/export_c.c): the body of a function that makes shown [n] of the
     * sums y [n], which it may change; NULL: shown is y. */
    const char *plain_c;

    /* The same as nodes of ONNX (model/onnx_text.h), which make `outputs` of `sums`, [..., n] both; NULL:
     * outputs are the sums. */
    const char *onnx;
};

/* Is the value, which is finite, a target of this loss? */
static inline int loss_takes(const struct loss_kind *loss, float value)
{
    return loss->least_target == loss->most_target ||
        (value >= loss->least_target && value <= loss->most_target);
}

/* One of each, by enum loss. */
extern const struct loss_kind *const loss_kinds[];

static inline const struct loss_kind *loss_of(const struct net_config *config)
{
    return loss_kinds[config->loss];
}

/* Returns how many outputs of the head each target value takes. */
static inline size_t loss_count_heads(const struct net_config *config)
{
    return loss_of(config)->count_heads ? loss_of(config)->count_heads(config) : 1;
}

/* Is there a target value in this place? */
static inline int loss_has_value(const struct loss_row *row, size_t v)
{
    return !isnan(row->value[v]);
}

/* Returns the score of a row of V target values, whose loss, of those that are there, is `loss`: it counts as
 * many of the row as these are, and zeroes where there are none. */
static inline struct net_score loss_score_values(const struct loss_row *row, double loss, size_t V)
{
    size_t present = 0;
    for (size_t v = 0; v < V && row->value; v++)
        present += (size_t)loss_has_value(row, v);
    if (!present)
        return (struct net_score){0};
    double counted = (double)present / (double)V;
    return (struct net_score){.loss = loss, .errors = NAN, .counted = counted, .labels = counted};
}

/* Classes or values, as the loss wants them. */
struct targets {
    const int32_t *classes; /* [R]; below 0: no target */
    const float *values;    /* [R][values_stride]; NaN: no target there */
    size_t values_stride;
    const float *weights; /* [R], 0 and more: 0 is no target; NULL: all are 1 */
};

static inline struct targets targets_of_microbatch(const struct microbatch *microbatch)
{
    return (struct targets){.classes = microbatch->classes,
        .values = microbatch->values,
        .values_stride = microbatch->values_stride,
        .weights = microbatch->weights};
}

struct loss_rows {
    size_t R, O;
    struct rows outputs; /* [R], the caller's */
    struct targets targets;
};

/* Fills the head's sums y [V times loss_count_heads] that guess at real-valued targets without a look at the
 * inputs, by mean and variance of each target value [V]. */
void loss_guess(
    const struct net_config *config, size_t V, const double *mean, const double *variance, float *y);

/* Sums become outputs in place. With targets, score[r] is the row's loss, error and counts; with score NULL
 * the targets are not looked at. A row without a target scores zeroes. A class beyond the class weights has a
 * weight of 1. The weight of a row multiplies its loss, its error and what it counts. */
void loss_forward(const struct net_config *config, const struct kernel *kernel, const struct loss_rows *rows,
    struct net_score *score);

/* Outputs become the gradient of the summed losses by the sums, in place; padding becomes zero, and so do
 * rows without a target. */
void loss_backward(const struct net_config *config, const struct loss_rows *rows);

#endif
