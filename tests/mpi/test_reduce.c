/* Sums, norms and slices at the number of ranks that mpirun gave have the bits of one process. */
#include "base/exact.h"
#include "base/memory.h"
#include "base/random.h"
#include "comm/reduce.h"
#include "comm/squares.h"
#include "support/mpi_suite.h"

#include <math.h>
#include <stdio.h>
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

static void add_range(
    struct tree_sums *sums, size_t length, size_t n, size_t first, size_t end, struct error *error)
{
    tree_sums_start(sums, n, first, end);
    for (size_t leaf = first; leaf < end; leaf++) {
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
    struct reduce *reduce;
    struct tree_sums sums, whole;
    float *slice, *vector; /* slice: one float more than it needs, as a sentinel */
};

static void start(struct reduction *problem, size_t length)
{
    struct error error = {0};
    *problem = (struct reduction){.comm = mpi_suite_comm(), .length = length};
    problem->reduce = reduce_create(problem->comm, length, &error);
    mpi_assert(problem->reduce != NULL);
    reduce_get_slice(problem->reduce, &problem->first, &problem->count);
    tree_sums_init(&problem->sums, reduce_room(length));
    tree_sums_init(&problem->whole, reduce_room(length));
    problem->slice = memory_create(problem->count + 1, sizeof *problem->slice, NULL);
    problem->vector = memory_create(reduce_room(length), sizeof *problem->vector, NULL);
    mpi_assert(problem->slice && problem->vector);
    problem->slice[problem->count] = 77;
}

static void finish(struct reduction *problem)
{
    reduce_destroy(problem->reduce);
    tree_sums_finish(&problem->sums);
    tree_sums_finish(&problem->whole);
    memory_destroy(problem->slice);
    memory_destroy(problem->vector);
}

static double squares_of_one_process(const float *vector, size_t length)
{
    uint64_t sum[EXACT_WORDS] = {0};
    for (size_t i = 0; i < length; i += REDUCE_BLOCK)
        exact_add(sum, squares_sum_block(vector + i, length - i < REDUCE_BLOCK ? length - i : REDUCE_BLOCK));
    return exact_round(sum);
}

static void check_step(struct reduction *p, const size_t *ranges, size_t n)
{
    struct error error = {0};
    add_range(&p->sums, p->length, n, ranges[p->comm->rank], ranges[p->comm->rank + 1], &error);
    memset(p->slice, 0xff, p->count * sizeof *p->slice);
    mpi_assert(reduce_slices(p->reduce, ranges, n, &p->sums, p->slice, &error) == 0);
    const float *want = p->whole.vectors[0];
    mpi_assert(memcmp(p->slice, want + p->first, p->count * sizeof *want) == 0);
    mpi_assert(p->slice[p->count] == 77);

    double squares = reduce_squares(p->reduce, p->slice);
    mpi_assert(squares == squares_of_one_process(want, p->length) && squares > 0);

    memset(p->vector, 0, reduce_room(p->length) * sizeof *p->vector);
    memcpy(p->vector + p->first, p->slice, p->count * sizeof *p->vector);
    reduce_gather(p->reduce, p->vector);
    mpi_assert(memcmp(p->vector, want, reduce_room(p->length) * sizeof *want) == 0);
}

START_TEST(slices_norm_and_gather_have_the_bits_of_one_process)
{
    static const size_t leaves[] = {1, 2, 13, 3, 8, 5};
    for (size_t k = 0; k < LENGTH_COUNT; k++) {
        struct reduction problem;
        struct error error = {0};
        start(&problem, LENGTHS[k]);
        for (size_t l = 0; l < sizeof leaves / sizeof *leaves; l++) {
            add_range(&problem.whole, LENGTHS[k], leaves[l], 0, leaves[l], &error);
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

START_TEST(slices_cover_the_vector_in_whole_blocks)
{
    const struct comm *comm = mpi_suite_comm();
    for (size_t k = 0; k < LENGTH_COUNT; k++) {
        struct error error = {0};
        struct reduce *reduce = reduce_create(comm, LENGTHS[k], &error);
        mpi_assert(reduce != NULL);
        double firsts[MOST_RANKS] = {0}, counts[MOST_RANKS] = {0};
        size_t first, count, blocks = reduce_room(LENGTHS[k]) / REDUCE_BLOCK, even = blocks / comm->ranks;
        reduce_get_slice(reduce, &first, &count);
        mpi_assert(first + count == LENGTHS[k] || count % REDUCE_BLOCK == 0);
        mpi_assert(reduce_room(count) / REDUCE_BLOCK - even <= 1);
        firsts[comm->rank] = (double)first;
        counts[comm->rank] = (double)count;
        comm_sum(comm, firsts, MOST_RANKS);
        comm_sum(comm, counts, MOST_RANKS);
        double next = 0;
        for (int r = 0; r < comm->ranks; r++) {
            mpi_assert(firsts[r] == next);
            next += counts[r];
        }
        mpi_assert(next == (double)LENGTHS[k]);
        reduce_destroy(reduce);
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
        memset(p.vector, 0xff, room * sizeof *p.vector);
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

START_TEST(node_sums_are_left_as_they_were)
{
    struct reduction p;
    struct error error = {0};
    size_t ranges[MOST_RANKS + 1], n = 11;
    start(&p, 3000);
    cut(0, n, (size_t)p.comm->ranks, ranges);
    add_range(&p.whole, p.length, n, 0, n, &error);
    add_range(&p.sums, p.length, n, ranges[p.comm->rank], ranges[p.comm->rank + 1], &error);
    for (int twice = 0; twice < 2; twice++) {
        mpi_assert(reduce_slices(p.reduce, ranges, n, &p.sums, p.slice, &error) == 0);
        mpi_assert(memcmp(p.slice, p.whole.vectors[0] + p.first, p.count * sizeof *p.slice) == 0);
    }
    finish(&p);
}
END_TEST

START_TEST(one_rank_may_keep_the_sum_where_it_is)
{
    struct reduction p;
    struct error error = {0};
    start(&p, 2000);
    if (p.comm->ranks == 1) {
        add_range(&p.whole, p.length, 3, 0, 3, &error);
        add_range(&p.sums, p.length, 3, 0, 3, &error);
        mpi_assert(reduce_slices(p.reduce, (size_t[]){0, 3}, 3, &p.sums, p.sums.vectors[0], &error) == 0);
        mpi_assert(memcmp(p.sums.vectors[0], p.whole.vectors[0], 2000 * sizeof(float)) == 0);
    }
    finish(&p);
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

START_TEST(bytes_are_those_of_the_largest_exchange)
{
    struct reduction p;
    struct error error = {0};
    size_t ranges[MOST_RANKS + 1], n = 13, nodes = 0, before;
    start(&p, 10000);
    before = reduce_bytes(p.reduce);
    cut(4, n, (size_t)p.comm->ranks, ranges);
    struct tree_node listed[TREE_MOST_NODES];
    for (int r = 0; r < p.comm->ranks; r++)
        nodes += tree_list_nodes(n, ranges[r], ranges[r + 1], listed);
    add_range(&p.sums, p.length, n, ranges[p.comm->rank], ranges[p.comm->rank + 1], &error);
    mpi_assert(reduce_slices(p.reduce, ranges, n, &p.sums, p.slice, &error) == 0);
    size_t slice = reduce_room(p.count) * sizeof(float), blocks = 10 * sizeof(double);
    if (p.comm->ranks == 1)
        mpi_assert(before == blocks && reduce_bytes(p.reduce) == blocks);
    else
        mpi_assert(before == slice + blocks && reduce_bytes(p.reduce) == nodes * slice + blocks);
    finish(&p);
}
END_TEST

START_TEST(a_vector_too_long_is_refused_by_all)
{
    struct error error = {0};
    struct reduce *reduce = reduce_create(mpi_suite_comm(), (size_t)1 << 50, &error);
    mpi_assert(reduce == NULL);
    mpi_assert(error.code == EXIT_CODE_INTERNAL && error.text[0]);
    reduce_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reduce");
    TCase *slices = tcase_create("slices");
    tcase_add_test(slices, slices_cover_the_vector_in_whole_blocks);
    tcase_add_test(slices, slices_norm_and_gather_have_the_bits_of_one_process);
    tcase_add_test(slices, moments_survive_the_way_to_rank_0_and_back);
    tcase_add_test(slices, node_sums_are_left_as_they_were);
    tcase_add_test(slices, one_rank_may_keep_the_sum_where_it_is);
    tcase_add_test(slices, a_value_that_is_not_finite_shows_in_the_norm);
    tcase_add_test(slices, bytes_are_those_of_the_largest_exchange);
    tcase_add_test(slices, a_vector_too_long_is_refused_by_all);
    suite_add_tcase(suite, slices);
    return mpi_suite_run(suite, "test_reduce", 100);
}
