/* Random decoders with random encoder outputs and targets, every number a float's value. */
#ifndef TESTS_REFERENCE_DECODER_PROBLEM_H
#define TESTS_REFERENCE_DECODER_PROBLEM_H

#include "decoder.h"

struct decoder_problem {
    struct net_config config;
    struct net *net; /* whose table of parameters names the weights */
    struct reference_decoder decoder;
    size_t P, sequences;
    double *weights;                   /* [P] */
    struct reference_targets *targets; /* [sequences] */
};

/* Sequences of length[s] frames (falling, where they go into a microbatch) and target_length[s] targets.
 * Failing ends the program. */
void decoder_problem_init(struct decoder_problem *problem, const struct net_config *config, size_t sequences,
    const int32_t *length, const int32_t *target_length, uint64_t seed);
void decoder_problem_finish(struct decoder_problem *problem);

/* Largest difference of two gradients [P], each as a fraction of the largest magnitude of its tensor in want
 * plus `floor`; of the tensors "decoder.", "attention.", "output." and "head." alone. `worst`: its name. */
double decoder_problem_compare(const struct decoder_problem *problem, const double *got, const double *want,
    double floor, const char **worst);

#endif
