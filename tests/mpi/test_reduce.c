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

static void fill(float *vector, uint64_t leaf, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        vector[i] = leaf_value(leaf, i);
}

/* Of the last leaf the elements from reduce_ahead on go ahead, if any, where this rank tells so. */
static void add_leaves(struct tree_sums *sums, size_t length, struct reduce *tells, struct error *error)
{
    for (size_t leaf = sums->first; leaf < sums->end; leaf++) {
        size_t cut = tells && leaf + 1 == sums->end ? reduce_ahead(tells) : 0;
        float *vector = tree_sums_leaf(sums, error);
        if (!vector)
            comm_fatal(mpi_suite_comm(), -1, error->code, "%s", error->text);
        fill(vector, leaf, cut, length);
        if (cut) {
            tree_sums_add_ahead(sums, cut);
            reduce_tell(tells);
            for (int i = 0; i < 3; i++)
                reduce_look(tells);
            fill(vector, leaf, 0, cut);
        }
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
    size_t length, slices;
    struct reduce_slice slice[REDUCE_MOST_PARTS];
    size_t count; /* of all slices, one after the other */
    struct node node;
    struct reduce *reduce;
    struct tree_sums whole;
    float *own, *vector; /* own: one float more than slices need, as a sentinel; vector: the node's */
};

/* Every so many ranks are a node; 0: all. */
static void start_nodes(
    struct reduction *problem, size_t length, size_t cut_at, size_t leaves, int ranks_per_node)
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
    problem->reduce = reduce_create(&problem->node, length, cut_at, leaves, &error);
    mpi_assert(problem->reduce != NULL);
    problem->slices = reduce_get_slices(problem->reduce, problem->slice);
    mpi_assert(problem->slices == 1 || (problem->node.nodes > 1 && 0 < cut_at && cut_at < length));
    tree_sums_init(&problem->whole, reduce_room(length));
    const struct reduce_slice *last = &problem->slice[problem->slices - 1];
    problem->count = last->at + last->count;
    problem->own = memory_create(problem->count + 1, sizeof *problem->own, NULL);
    mpi_assert(problem->own != NULL);
    problem->own[problem->count] = 77;
    for (size_t p = 0; p < problem->slices; p++)
        problem->slice[p].sum = problem->own + problem->slice[p].at;
}

/* Two parts where `parted`, if there are several nodes and enough blocks. */
static void start(struct reduction *problem, size_t length, int parted)
{
    start_nodes(problem, length, parted ? length / 3 : 0, 1, parted ? 2 : 0);
}

static void finish(struct reduction *problem)
{
    reduce_destroy(problem->reduce);
    node_finish(&problem->node);
    tree_sums_finish(&problem->whole);
    memory_destroy(problem->own);
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
    add_leaves(&p->whole, p->length, NULL, &error);
}

static int has_leaves(const size_t *ranges, int ranks)
{
    int all = 1;
    for (int place = 0; place < ranks; place++)
        all &= ranges[place] < ranges[place + 1];
    return all;
}

/* Who tells that its upper part is done: nobody; every second rank; all. */
enum { TOLD_BY = 3 };

static struct tree_sums *start_step(struct reduction *p, const size_t *ranges, size_t n)
{
    struct error error = {0};
    struct tree_sums *sums = reduce_start(p->reduce, ranges, n, (struct team){p->node.place, 1}, &error);
    mpi_assert(sums && sums->first == ranges[p->node.place] && sums->end == ranges[p->node.place + 1]);
    mpi_assert((reduce_ahead(p->reduce) > 0) == (p->slices == 2 && has_leaves(ranges, p->comm->ranks)));
    return sums;
}

static void check_step(struct reduction *p, const size_t *ranges, size_t n, int told_by)
{
    struct error error = {0};
    int tells = told_by == 2 || (told_by == 1 && p->comm->rank % 2 == 1);
    struct reduce_slice slices[REDUCE_MOST_PARTS];
    add_leaves(start_step(p, ranges, n), p->length, tells ? p->reduce : NULL, &error);
    reduce_complete(p->reduce, slices);
    reduce_abandon(p->reduce); /* which has nothing to do */
    const float *want = p->whole.vectors[0];
    for (size_t i = 0; i < p->slices; i++) {
        mpi_assert(slices[i].first == p->slice[i].first && slices[i].count == p->slice[i].count);
        mpi_assert(memcmp(slices[i].sum, want + slices[i].first, slices[i].count * sizeof *want) == 0);
    }

    double squares = reduce_squares(p->reduce, slices);
    mpi_assert(squares == squares_of_one_process(want, p->length) && squares > 0);

    for (size_t i = 0; i < p->slices; i++)
        memcpy(p->vector + slices[i].first, slices[i].sum, slices[i].count * sizeof *p->vector);
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
            start_nodes(&problem, LENGTHS[k], 0, 4, ranks_per_node);
            for (size_t l = 0; l < sizeof leaves / sizeof *leaves; l++) {
                add_whole(&problem, leaves[l]);
                for (int kind = 0; kind < CUTS; kind++) {
                    size_t ranges[MOST_RANKS + 1];
                    cut(kind, leaves[l], (size_t)problem.comm->ranks, ranges);
                    check_step(&problem, ranges, leaves[l], 0);
                }
            }
            finish(&problem);
        }
}
END_TEST

/* Leaves for all ranks, or not; told by all, some or none; and steps that are abandoned in between, by ranks
 * that have told and by others. */
START_TEST(what_goes_ahead_has_the_bits_of_what_does_not)
{
    static const size_t leaves[] = {64, 13, 70, 5}, cuts[] = {1, 1024, 2000, 9000};
    size_t ranges[MOST_RANKS + 1];
    struct error error = {0};
    for (int ranks_per_node = 1; ranks_per_node <= 3; ranks_per_node++)
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
            struct reduction p;
            start_nodes(&p, 9300, cuts[k], 8, ranks_per_node);
            mpi_assert(p.slices == 1 + (size_t)(p.node.nodes > 1));
            for (int told_by = 0; told_by < TOLD_BY; told_by++)
                for (size_t l = 0; l < sizeof leaves / sizeof *leaves; l++) {
                    add_whole(&p, leaves[l]);
                    cut(l % 2 ? 3 : 0, leaves[l], (size_t)p.comm->ranks, ranges);
                    check_step(&p, ranges, leaves[l], told_by);
                    struct tree_sums *sums = start_step(&p, ranges, leaves[l]);
                    if (p.comm->rank % 3 < told_by)
                        add_leaves(sums, p.length, p.reduce, &error);
                    reduce_abandon(p.reduce);
                }
            finish(&p);
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
        start_nodes(&p, (size_t)ranks * 520 * REDUCE_BLOCK - 7, 0, 2, ranks_per_node);
        cut(0, 2, (size_t)ranks, ranges);
        add_whole(&p, 2);
        check_step(&p, ranges, 2, 0);
        finish(&p);
    }
}
END_TEST

/* Slices of a part lie side by side, and parts too. */
START_TEST(slices_cover_the_vector_in_whole_blocks)
{
    for (size_t k = 0; k < 2 * LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k / 2], k % 2);
        const struct comm *comm = p.comm;
        double next = 0;
        for (size_t i = 0; i < p.slices; i++) {
            double firsts[MOST_RANKS] = {0}, counts[MOST_RANKS] = {0}, begin = next;
            const struct reduce_slice *slice = &p.slice[i];
            mpi_assert(slice->first + slice->count == p.length || slice->count % REDUCE_BLOCK == 0);
            firsts[comm->rank] = (double)slice->first;
            counts[comm->rank] = (double)slice->count;
            comm_sum(comm, firsts, MOST_RANKS);
            comm_sum(comm, counts, MOST_RANKS);
            for (int r = 0; r < comm->ranks; r++) {
                mpi_assert(counts[r] == 0 || firsts[r] == next);
                next += counts[r];
            }
            size_t blocks = reduce_room((size_t)(next - begin)) / REDUCE_BLOCK;
            size_t even = blocks / (size_t)comm->ranks;
            mpi_assert(reduce_room(slice->count) / REDUCE_BLOCK - even <= 1);
        }
        mpi_assert(next == (double)p.length);
        finish(&p);
    }
}
END_TEST

START_TEST(moments_survive_the_way_to_rank_0_and_back)
{
    for (size_t k = 0; k < 2 * LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k / 2], k % 2);
        size_t room = reduce_room(p.length);
        int root = p.comm->rank == 0, same = 1;
        if (p.node.rank == 0)
            memset(p.vector, 0xff, room * sizeof *p.vector);
        node_meet(&p.node);
        reduce_spread(p.reduce, root ? p.vector : NULL, p.own); /* garbage, also beyond the length */
        mpi_assert(p.count == 0 || isnan(p.own[0]));
        for (size_t i = 0; i < p.slices; i++)
            for (size_t j = 0; j < p.slice[i].count; j++)
                p.slice[i].sum[j] = leaf_value(1, p.slice[i].first + j);
        reduce_collect(p.reduce, p.own, root ? p.vector : NULL);
        for (size_t i = 0; i < room && root; i++)
            same &= p.vector[i] == (i < p.length ? leaf_value(1, i) : 0);
        mpi_assert(same);

        memset(p.own, 0xff, p.count * sizeof *p.own);
        reduce_spread(p.reduce, root ? p.vector : NULL, p.own);
        for (size_t i = 0; i < p.slices; i++)
            for (size_t j = 0; j < p.slice[i].count; j++)
                same &= p.slice[i].sum[j] == leaf_value(1, p.slice[i].first + j);
        mpi_assert(same);
        mpi_assert(p.own[p.count] == 77);
        finish(&p);
    }
}
END_TEST

START_TEST(a_value_that_is_not_finite_shows_in_the_norm)
{
    for (size_t k = 0; k < 2 * LENGTH_COUNT; k++) {
        struct reduction p;
        start(&p, LENGTHS[k / 2], k % 2);
        const struct reduce_slice *slice = &p.slice[p.slices - 1];
        size_t at = p.length - 1;
        int mine = at >= slice->first && at < slice->first + slice->count;
        memset(p.own, 0, p.count * sizeof *p.own);
        mpi_assert(reduce_squares(p.reduce, p.slice) == 0);
        if (mine)
            slice->sum[at - slice->first] = NAN;
        mpi_assert(isnan(reduce_squares(p.reduce, p.slice)));
        if (mine)
            slice->sum[at - slice->first] = -INFINITY;
        mpi_assert(isinf(reduce_squares(p.reduce, p.slice)));
        finish(&p);
    }
}
END_TEST

START_TEST(a_rank_keeps_room_for_its_slice_of_other_nodes_sums_alone)
{
    struct reduction p;
    size_t ranges[MOST_RANKS + 1], n = 13, parts = 0;
    start_nodes(&p, 10000, 0, n, 2);
    size_t slice = reduce_room(p.count) * sizeof(float);
    cut(4, n, (size_t)p.comm->ranks, ranges);
    struct tree_node listed[TREE_MOST_NODES];
    for (int index = 0; index < p.node.nodes; index++)
        parts += tree_list_nodes(
            n, ranges[p.node.first_place[index]], ranges[p.node.first_place[index + 1]], listed);
    add_whole(&p, n);
    check_step(&p, ranges, n, 0);
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
    tcase_add_test(slices, what_goes_ahead_has_the_bits_of_what_does_not);
    tcase_add_test(slices, long_slices_travel_whole);
    tcase_add_test(slices, moments_survive_the_way_to_rank_0_and_back);
    tcase_add_test(slices, a_value_that_is_not_finite_shows_in_the_norm);
    tcase_add_test(slices, a_rank_keeps_room_for_its_slice_of_other_nodes_sums_alone);
    suite_add_tcase(suite, slices);
    return mpi_suite_run(suite, "test_reduce", 100);
}
