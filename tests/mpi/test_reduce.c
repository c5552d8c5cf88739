/* Sums, norms and slices at the number of ranks that mpirun gave have the bits of one process. */
#include "base/exact.h"
#include "base/memory.h"
#include "base/random.h"
#include "comm/reduce.h"
#include "comm/squares.h"
#include "support/mpi_suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 64, CUTS = 5 };

static const size_t LENGTHS[] = {1, 1023, 1024, 1025, 5000, 100000};
enum { LENGTH_COUNT = sizeof LENGTHS / sizeof *LENGTHS };

/* Cheap numbers of many sizes and both signs. */
static float leaf_value(uint64_t leaf, uint64_t i)
{
    uint64_t x = (leaf + 1) * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 30)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return ldexpf((float)(int32_t)x, (int)(x >> 32 & 15) - 40);
}

static void add_leaves(struct tree_sums *sums, size_t length, struct error *error)
{
    for (size_t leaf = sums->first; leaf < sums->end; leaf++) {
        float *vector = tree_sums_leaf(sums, error);
        if (!vector)
            comm_fatal(mpi_suite_comm(), -1, error->code, "%s", error->text);
        for (size_t i = 0; i < length; i++)
            vector[i] = leaf_value(leaf, i);
        tree_sums_add(sums);
    }
}

/* Even; all on the first; all on the last; one a rank as far as they go, the rest on the last; random. */
static void cut(int kind, size_t n, size_t ranks, size_t *ranges)
{
    ranges[0] = 0;
    for (size_t r = 1; r < ranks; r++) {
        size_t at = (size_t[CUTS]){
            r * n / ranks, n, 0, r < n ? r : n, (size_t)random_below(n + 1, n, RANDOM_TEST, ranks, r)}[kind];
        ranges[r] = at > ranges[r - 1] ? at : ranges[r - 1];
    }
    ranges[ranks] = n;
}

/* One process's sum and norm, and the ranks' own. */
struct reduction {
    const struct comm *comm;
    size_t length, first, count;
    struct node node;
    struct reduce *reduce;
    struct tree_sums whole;
    float *slice, *vector; /* slice: one float more than it needs, as a sentinel; vector: the node's */
};

/* Every so many ranks are a node; 0: all. */
static void start_nodes(struct reduction *problem, size_t length, size_t leaves, int ranks_per_node)
{
    struct error error = {0};
    char number[16], warning[200];
    size_t room = reduce_room(length) * sizeof *problem->vector;
    *problem = (struct reduction){.comm = mpi_suite_comm(), .length = length};
    snprintf(number, sizeof number, "%d", ranks_per_node);
    setenv("RNN_RANKS_PER_NODE", number, 1);
    struct node_size size = reduce_size(length, leaves, problem->comm->ranks);
    size.once += room;
    mpi_assert(node_init(&problem->node, problem->comm, size, warning, sizeof warning, &error) == 0);
    problem->vector = node_take(&problem->node, room);
    problem->reduce = reduce_create(&problem->node, length, leaves, &error);
    mpi_assert(problem->reduce != NULL);
    reduce_get_slice(problem->reduce, &problem->first, &problem->count);
    tree_sums_init(&problem->whole, reduce_room(length));
    problem->slice = memory_create(problem->count + 1, sizeof *problem->slice, NULL);
    mpi_assert(problem->slice != NULL);
    problem->slice[problem->count] = 77;
}

static void start(struct reduction *problem, size_t length)
{
    start_nodes(problem, length, 1, 0);
}

static void finish(struct reduction *problem)
{
    reduce_destroy(problem->reduce);
    node_finish(&problem->node);
    tree_sums_finish(&problem->whole);
    memory_destroy(problem->slice);
}

static double squares_of_one_process(const float *vector, size_t length)
{
    uint64_t sum[EXACT_WORDS] = {0};
    for (size_t i = 0; i < length; i += REDUCE_BLOCK)
        exact_add(sum, squares_sum_block(vector + i, length - i < REDUCE_BLOCK ? length - i : REDUCE_BLOCK));
    return exact_round(sum);
}

static void add_whole(struct reduction *p, size_t n)
{
    struct error error = {0};
    tree_sums_start(&p->whole, n, 0, n);
    add_leaves(&p->whole, p->length, &error);
}

static void check_step(struct reduction *p, const size_t *ranges, size_t n)
{
    struct error error = {0};
    struct tree_sums *sums = reduce_start(p->reduce, ranges, n, (struct team){p->node.place, 1}, &error);
    mpi_assert(sums && sums->first == ranges[p->node.place] && sums->end == ranges[p->node.place + 1]);
    add_leaves(sums, p->length, &error);
    float *slice = reduce_slices(p->reduce, &error);
    mpi_assert(slice != NULL);
    const float *want = p->whole.vectors[0];
    mpi_assert(memcmp(slice, want + p->first, p->count * sizeof *want) == 0);

    double squares = reduce_squares(p->reduce, slice);
    mpi_assert(squares == squares_of_one_process(want, p->length) && squares > 0);

    memcpy(p->vector + p->first, slice, p->count * sizeof *p->vector);
    reduce_gather(p->reduce, p->vector);
    mpi_assert(memcmp(p->vector, want, reduce_room(p->length) * sizeof *want) == 0);
    node_meet(&p->node); /* all have looked */
}

/* Steps of many leaves make more room than was reserved. */
START_TEST(slices_norm_and_gather_have_the_bits_of_one_process)
{
    static const size_t leaves[] = {1, 2, 13, 3, 8, 5};
    for (int ranks_per_node = 0; ranks_per_node <= 3; ranks_per_node++)
        for (size_t k = 0; k < LENGTH_COUNT; k++) {
            struct reduction problem;
            start_nodes(&problem, LENGTHS[k], 4, ranks_per_node);
            for (size_t l = 0; l < sizeof leaves / sizeof *leaves; l++) {
                add_whole(&problem, leaves[l]);
                for (int kind = 0; kind < CUTS; kind++) {
                    size_t ranges[MOST_RANKS + 1];
                    cut(kind, leaves[l], (size_t)problem.comm->ranks, ranges);
                    check_step(&problem, ranges, leaves[l]);
                }
            }
            finish(&problem);
        }
}
END_TEST

/* Of short messages each piece has the same size; of these there are as many pieces as there may be, and the
 * last one is shorter. */
START_TEST(long_slices_travel_whole)
{
    struct reduction p;
    size_t ranges[MOST_RANKS + 1];
    int ranks = mpi_suite_comm()->ranks;
    for (int ranks_per_node = 1; ranks_per_node <= 2; ranks_per_node++) {
        start_nodes(&p, (size_t)ranks * 520 * REDUCE_BLOCK - 7, 2, ranks_per_node);
        cut(0, 2, (size_t)ranks, ranges);
        add_whole(&p, 2);
        check_step(&p, ranges, 2);
        finish(&p);
    }
}
END_TEST

START_TEST(slices_cover_the_vector_in_whole_blocks)
{
    for (size_t k = 0; k < LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k]);
        const struct comm *comm = p.comm;
        double firsts[MOST_RANKS] = {0}, counts[MOST_RANKS] = {0};
        size_t blocks = reduce_room(LENGTHS[k]) / REDUCE_BLOCK, even = blocks / (size_t)comm->ranks;
        mpi_assert(p.first + p.count == LENGTHS[k] || p.count % REDUCE_BLOCK == 0);
        mpi_assert(reduce_room(p.count) / REDUCE_BLOCK - even <= 1);
        firsts[comm->rank] = (double)p.first;
        counts[comm->rank] = (double)p.count;
        comm_sum(comm, firsts, MOST_RANKS);
        comm_sum(comm, counts, MOST_RANKS);
        double next = 0;
        for (int r = 0; r < comm->ranks; r++) {
            mpi_assert(firsts[r] == next);
            next += counts[r];
        }
        mpi_assert(next == (double)LENGTHS[k]);
        finish(&p);
    }
}
END_TEST

START_TEST(moments_survive_the_way_to_rank_0_and_back)
{
    for (size_t k = 0; k < LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k]);
        size_t room = reduce_room(p.length);
        int root = p.comm->rank == 0, same = 1;
        if (p.node.rank == 0)
            memset(p.vector, 0xff, room * sizeof *p.vector);
        node_meet(&p.node);
        reduce_spread(p.reduce, root ? p.vector : NULL, p.slice); /* garbage, also beyond the length */
        mpi_assert(p.count == 0 || isnan(p.slice[0]));
        for (size_t i = 0; i < p.count; i++)
            p.slice[i] = leaf_value(1, p.first + i);
        reduce_collect(p.reduce, p.slice, root ? p.vector : NULL);
        for (size_t i = 0; i < room && root; i++)
            same &= p.vector[i] == (i < p.length ? leaf_value(1, i) : 0);
        mpi_assert(same);

        memset(p.slice, 0xff, p.count * sizeof *p.slice);
        reduce_spread(p.reduce, root ? p.vector : NULL, p.slice);
        for (size_t i = 0; i < p.count; i++)
            same &= p.slice[i] == leaf_value(1, p.first + i);
        mpi_assert(same);
        mpi_assert(p.slice[p.count] == 77);
        finish(&p);
    }
}
END_TEST

START_TEST(a_value_that_is_not_finite_shows_in_the_norm)
{
    for (size_t k = 0; k < LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k]);
        size_t at = p.length - 1;
        int mine = at >= p.first && at < p.first + p.count;
        memset(p.slice, 0, p.count * sizeof *p.slice);
        mpi_assert(reduce_squares(p.reduce, p.slice) == 0);
        if (mine)
            p.slice[at - p.first] = NAN;
        mpi_assert(isnan(reduce_squares(p.reduce, p.slice)));
        if (mine)
            p.slice[at - p.first] = -INFINITY;
        mpi_assert(isinf(reduce_squares(p.reduce, p.slice)));
        finish(&p);
    }
}
END_TEST

START_TEST(a_rank_keeps_room_for_its_slice_of_other_nodes_sums_alone)
{
    struct reduction p;
    size_t ranges[MOST_RANKS + 1], n = 13, parts = 0;
    start_nodes(&p, 10000, n, 2);
    size_t slice = reduce_room(p.count) * sizeof(float);
    cut(4, n, (size_t)p.comm->ranks, ranges);
    struct tree_node listed[TREE_MOST_NODES];
    for (int index = 0; index < p.node.nodes; index++)
        parts += tree_list_nodes(
            n, ranges[p.node.first_place[index]], ranges[p.node.first_place[index + 1]], listed);
    add_whole(&p, n);
    check_step(&p, ranges, n);
    mpi_assert(reduce_bytes(p.reduce) == (p.comm->ranks == 1 ? 0 : p.node.nodes == 1 ? 1 : parts) * slice);
    finish(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reduce");
    TCase *slices = tcase_create("slices");
    tcase_add_test(slices, slices_cover_the_vector_in_whole_blocks);
    tcase_add_test(slices, slices_norm_and_gather_have_the_bits_of_one_process);
    tcase_add_test(slices, long_slices_travel_whole);
    tcase_add_test(slices, moments_survive_the_way_to_rank_0_and_back);
    tcase_add_test(slices, a_value_that_is_not_finite_shows_in_the_norm);
    tcase_add_test(slices, a_rank_keeps_room_for_its_slice_of_other_nodes_sums_alone);
    suite_add_tcase(suite, slices);
    return mpi_suite_run(suite, "test_reduce", 100);
}
