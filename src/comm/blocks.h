/* Ranges of blocks of a vector, and how they are dealt. Pure arithmetic. */
#ifndef COMM_BLOCKS_H
#define COMM_BLOCKS_H

struct blocks {
    int first, count;
};

/* Returns which of these blocks falls to `which` of so many, each of whom has as many as the others or one
 * more: the first of them, or in the second function the last. */
struct blocks blocks_deal(struct blocks all, int to, int which);
struct blocks blocks_deal_back(struct blocks all, int to, int which);

/* Returns the blocks that are in both, which may be none: then the count is 0. */
struct blocks blocks_overlap(struct blocks a, struct blocks b);

#endif
