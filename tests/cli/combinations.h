/* Combinations of what must not change a bit: a covering array, in which every pair of values of any two
 * factors appears that can. */
#ifndef TESTS_CLI_COMBINATIONS_H
#define TESTS_CLI_COMBINATIONS_H

#include <stddef.h>

/* A run begins on some ranks and nodes, ends there, and goes on on others. Its microbatches are those of the
 * run, so that they are the same before and after: with the ranks and nodes they make the teams. */
enum factor {
    OUTPUT,
    CELL,
    DIRECTIONS,
    ENDED,  /* by which signal */
    MEMORY, /* 0: train.activation_memory is no bound, 1: a small one */
    BEFORE_RANKS,
    BEFORE_NODES,
    BEFORE_TEAM,
    AFTER_RANKS,
    AFTER_NODES,
    AFTER_TEAM,
    FACTORS
};

enum { MOST_VALUES = 12, MOST_COMBINATIONS = 200 };

struct combination {
    int value[FACTORS]; /* numbers of values, from 0: of teams one less than members, 3 for 4 and more */
    int microbatch;
};

/* What there is to combine. Nodes are 1, 2, 3, teams of 1, 2, 3, and 4 or more members. */
struct choices {
    int outputs, cells;
    const int *ranks, *microbatches; /* each ends with 0 */
    int batch;
};

/* A number of ranks on a number of nodes: as many on each, and fewer on the last. Returns 0 where there are
 * none such. */
int ranks_of_node(int ranks, int nodes);

/* Writes combinations, of which there is room for MOST_COMBINATIONS, and returns how many there are. */
size_t combinations_choose(const struct choices *choices, struct combination *chosen);

/* Counts pairs of values that appear in some combination that is possible, and in none of the n. */
size_t combinations_count_missing(
    const struct choices *choices, const struct combination *chosen, size_t n, size_t *possible);

#endif
