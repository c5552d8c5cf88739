/* Networks of every cell and output, without options and with all of them, each with a microbatch, for tests
 * that make a pass in other ways than the usual one. Failing ends the program. */
#ifndef TESTS_REFERENCE_SCENE_H
#define TESTS_REFERENCE_SCENE_H

#include "subject.h"

/* A cell has so many scenes with an output: with and without options, in one direction and both. */
enum { SCENE_CELLS = 7, SCENE_OUTPUTS = 4, SCENE_KINDS = 2 * 2, SCENE_ROWS = 4 };

extern const int32_t scene_lengths[SCENE_ROWS];

/* A net on a microbatch, whose weights are those of its start and a little beside them, so that none is 0. */
struct scene {
    struct problem problem;
    struct subject subject;
    struct microbatch microbatch;
    struct net_pass pass;
    struct result whole; /* where all is kept */
};

/* test: cell times SCENE_KINDS, and which of these. */
void scene_init(struct scene *scene, int test, enum output output);
void scene_finish(struct scene *scene);

#endif
