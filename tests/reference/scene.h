/* Networks of every cell and output, without options and with all of them, each with a microbatch, for tests
 * that make a pass in other ways than the usual one. Failing ends the program. */
#ifndef TESTS_REFERENCE_SCENE_H
#define TESTS_REFERENCE_SCENE_H

#include "subject.h"
#include "support/suite.h"

/* A cell has so many scenes with an output: with and without options, in one direction and both. */
enum { SCENE_CELLS = 7, SCENE_OUTPUTS = 4, SCENE_KINDS = 2 * 2, SCENE_ROWS = 4 };

/* A test goes through the outputs from `test % SCENE_STEP` on in such steps: where sanitizers look on, a cell
 * meets half of them in one direction, and the others in both. */
enum { SCENE_STEP = SUITE_IS_SANITIZED ? 2 : 1 };

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
