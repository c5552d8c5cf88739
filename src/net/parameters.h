/* The table of a network's parameters. Each layer declares its tensors when it is set up, in PyTorch's order,
 * and keeps the offsets that they have in the flat vector. Private to this folder. */
#ifndef NET_PARAMETERS_H
#define NET_PARAMETERS_H

#include "base/error.h"
#include "kernel/kernel.h"
#include "net/types.h"

enum starting_rule { STARTS_UNIFORM, STARTS_NORMAL, STARTS_ORTHOGONAL, STARTS_CONSTANT };

/* The values that training starts from. */
struct starting {
    enum starting_rule rule;
    double number; /* uniform: in (-number, number); constant: the number itself */
    size_t blocks; /* orthogonal: of so many square matrices one upon another each */

    /* Changes what the rule gave of a vector of `blocks` times n values; NULL: nothing does. */
    void (*adjust)(size_t n, float *values);
};

struct parameters {
    size_t n, room, count; /* tensors, room for them; P */
    struct parameter *list;
    struct starting *starting; /* of each */
    int failed;                /* 1: there was no memory for one, and the table is of no use */
};

void parameters_finish(struct parameters *parameters); /* takes zeroes */

/* Puts a tensor behind those declared before; returns its offset. columns 0: a vector [rows]. */
size_t parameters_declare(struct parameters *parameters, size_t rows, size_t columns,
    struct starting starting, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The pieces that starting weights are made in; see net_get_piece and net_start_piece. */
int parameters_get_piece(const struct parameters *parameters, size_t i, struct net_piece *piece);
int parameters_start(const struct parameters *parameters, const struct kernel *kernel,
    const struct net_piece *piece, uint64_t seed, const struct net_life *life, float *weights,
    struct error *error);

/* As PyTorch starts layers of so many inputs: uniform within 1 / sqrt(inputs). */
struct starting starting_uniform(size_t inputs);

#endif
