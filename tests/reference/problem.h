/* Random networks with random sequences, for comparing the production code with the reference: the same
 * numbers for both, in double for the one, packed into microbatches of float for the other (every number is a
 * float's value, so nothing is lost on the way). */
#ifndef TESTS_REFERENCE_PROBLEM_H
#define TESTS_REFERENCE_PROBLEM_H

#include "net/microbatch.h"
#include "reference.h"

#include <stddef.h>
#include <stdint.h>

struct problem {
    struct net_config config;
    size_t sequences;
    struct reference_sequence *sequence; /* [sequences], with targets that fit the loss */
    size_t P;
    double *weights; /* [P], in the reference's order */
};

/* Random sequences of these lengths (in any order) and random weights, a pure function of the arguments.
 * Class targets are drawn from all classes, sigmoid targets from [0, 1], some of them exactly 0 or 1; other
 * values from (-1, 1). Labels of ctc are of any number that the frames have a path for, also 0. */
void problem_init(struct problem *problem, const struct net_config *config, size_t sequences,
    const int32_t *length, uint64_t seed);
void problem_finish(struct problem *problem);

/* Turns about a third of the classes into -1, or of the values into NaN, no target, and all of the last
 * sequence but one's. */
void problem_drop_targets(struct problem *problem, uint64_t seed);

/* Gives the targets weights of 0, 1/2, 1 and 3/2. */
void problem_weigh_targets(struct problem *problem, uint64_t seed);

/* n lengths from 1 to `most`, 1 and `most` among them where n allows, falling, a pure function of seed. */
void problem_draw_lengths(size_t n, int32_t most, uint64_t seed, int32_t *length);

/* The format of its microbatches, and a microbatch of sequences chosen[0 .. B-1] (falling lengths), or of as
 * much as its excerpt says of them, with their targets; failing ends the program. */
struct microbatch_format problem_format(const struct problem *problem);
void problem_fill_microbatch(
    const struct problem *problem, size_t B, const int64_t *chosen, struct microbatch *microbatch);

/* The tensor of this name in a list of `tensors`, or NULL. */
const struct parameter *problem_find(size_t tensors, const struct parameter *list, const char *name);

/* Moves a flat vector between the reference's order and another one with the same names: production's. Ends
 * the program where a name is missing. P floats that belong to no tensor become 0. */
void problem_to_floats(const struct problem *problem, const double *vector, size_t tensors,
    const struct parameter *list, size_t P, float *floats);
void problem_to_doubles(const struct problem *problem, const float *floats, size_t tensors,
    const struct parameter *list, double *vector);

/* Largest difference between got and want (both [P] in the reference's order), each as a fraction of the
 * largest magnitude of its tensor in want plus `floor`; `worst` gets the tensor's name. Not a number where
 * got is not finite. */
double problem_compare(
    const struct problem *problem, const double *got, const double *want, double floor, char worst[64]);

#endif
