/* The table of a network's parameters. Each layer declares its tensors when it is set up, in PyTorch's order,
 * and keeps the offsets that they have in the flat vector. Private to this folder. */
#ifndef NET_PARAMETERS_H
#define NET_PARAMETERS_H

#include "base/error.h"
#include "kernel/kernel.h"
#include "net/types.h"

enum starting_rule {
    STARTS_UNIFORM,
    STARTS_POSITIVE,
    STARTS_NORMAL,
    STARTS_ORTHOGONAL,
    STARTS_CONSTANT,
    STARTS_MADE
};

/* A gate of a bias that starts with this number, or with a timescale so many times ln k, where it is `given`;
 * it starts as the others do where not. */
struct starting_gate {
    size_t gate;
    struct net_choice start;
};

/* The values that training starts from. */
struct starting {
    enum starting_rule rule;
    double number; /* uniform: in (-number, number); positive: in (0, number); constant: the number itself;
                    * normal: their deviation */
    double bound;  /* of the size of the tensor's weights, always; 0: none */
    size_t blocks; /* orthogonal: of so many square matrices one upon another each */

    /* made: of numbers drawn between 0 and 1, which are those of the tensor declared `shares` before */
    double (*make)(double drawn, double timescale);
    size_t shares;

    /* What stands in place of the rule's values in two gates of a bias, [n] of `gates` times n each. */
    struct starting_gate gate[2];
    size_t gates;
    double timescale; /* of `make`; of gates above 0: sums of +-ln k, k drawn for each unit between 1 and
                       * timescale - 1 */
    uint64_t timescale_key; /* of these numbers: biases that share it share each unit's k */
};

struct parameters {
    size_t n, room, count; /* tensors, room for them; P */
    struct parameter *list;
    struct starting *starting; /* of each */
    int failed;                /* 1: there was no memory for one, and the table is of no use */
};

void parameters_finish(struct parameters *parameters); /* takes zeroes */

/* Tensors of the table, those at places from .. to - 1: what a layer has declared, or several one after the
 * other. */
struct tensors {
    size_t from, to;
};

/* Is any of these tensors trained? (freeze.c) */
int parameters_train(const struct parameters *parameters, struct tensors tensors);

/* Puts a tensor behind those declared before; returns its offset. columns 0: a vector [rows]. */
size_t parameters_declare(struct parameters *parameters, size_t rows, size_t columns,
    struct starting starting, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The pieces that starting weights are made in; see net_get_piece and net_start_piece. */
int parameters_get_piece(const struct parameters *parameters, size_t i, struct net_piece *piece);
int parameters_start(const struct parameters *parameters, const struct kernel *kernel,
    const struct net_piece *piece, uint64_t seed, const struct net_life *life, float *weights,
    struct error *error);

/* Brings weights [to - from], those of the flat vector from `from` on, back within the bounds of their
 * tensors. */
void parameters_bound(const struct parameters *parameters, size_t from, size_t to, float *weights);

/* As PyTorch starts layers of so many inputs: uniform within 1 / sqrt(inputs). */
struct starting starting_uniform(size_t inputs);

#endif
