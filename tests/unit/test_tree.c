/* The tree, against its definition written down as a recursion: over n leaves the left subtree takes the
 * largest power of two below n. And the sum of squares, against its lanes written down one by one. */
#include "base/memory.h"
#include "base/random.h"
#include "comm/squares.h"
#include "comm/tree.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEAVES = 70, MOST_RANKS = 9, LENGTH = 37 };

static size_t left_size(size_t n)
{
    size_t size = 1;
    while (2 * size < n)
        size *= 2;
    return size;
}

/* Largest nodes of the subtree [first, end) within [from, to), by descent. */
static size_t list_recursively(
    size_t first, size_t end, size_t from, size_t to, struct tree_node *nodes, size_t count)
{
    if (end <= from || to <= first)
        return count;
    if (from <= first && end <= to) {
        nodes[count] = (struct tree_node){first, end};
        return count + 1;
    }
    size_t middle = first + left_size(end - first);
    count = list_recursively(first, middle, from, to, nodes, count);
    return list_recursively(middle, end, from, to, nodes, count);
}

static float sum_recursively(const float *leaves, size_t first, size_t end)
{
    if (end - first == 1)
        return leaves[first];
    size_t middle = first + left_size(end - first);
    float left = sum_recursively(leaves, first, middle), right = sum_recursively(leaves, middle, end);
    return left + right;
}

START_TEST(nodes_of_a_range_are_those_of_the_definition)
{
    for (size_t n = 1; n <= MOST_LEAVES; n++)
        for (size_t first = 0; first <= n; first++)
            for (size_t end = first; end <= n; end++) {
                struct tree_node got[TREE_MOST_NODES], want[MOST_LEAVES];
                size_t count = tree_list_nodes(n, first, end, got);
                ck_assert_uint_eq(count, first < end ? list_recursively(0, n, first, end, want, 0) : 0);
                for (size_t i = 0; i < count; i++) {
                    ck_assert_uint_eq(got[i].first, want[i].first);
                    ck_assert_uint_eq(got[i].end, want[i].end);
                }
            }
}
END_TEST

START_TEST(vectors_counted_are_vectors_used)
{
    for (size_t n = 1; n <= MOST_LEAVES; n++)
        for (size_t first = 0; first <= n; first++)
            for (size_t end = first; end <= n; end++) {
                size_t most = 0;
                struct tree_node nodes[MOST_LEAVES];
                for (size_t leaf = first; leaf < end; leaf++) {
                    size_t held = leaf > first ? list_recursively(0, n, first, leaf, nodes, 0) : 0;
                    most = held + 1 > most ? held + 1 : most;
                }
                ck_assert_uint_eq(tree_count_vectors(n, first, end), most);
            }
}
END_TEST

/* Numbers of many sizes and both signs: another order of addition gives other bits. */
static float leaf_value(uint64_t seed, size_t leaf, size_t i)
{
    double u = random_uniform(seed, RANDOM_TEST, leaf, 2 * i);
    double size = random_uniform(seed, RANDOM_TEST, leaf, 2 * i + 1);
    return (float)ldexp(u - 0.5, (int)(size * 12));
}

/* Of every second leaf some elements go ahead of the others. */
static void add_range(struct tree_sums *sums, uint64_t seed, size_t n, size_t first, size_t end)
{
    struct error error = {0};
    tree_sums_start(sums, n, first, end);
    for (size_t leaf = first; leaf < end; leaf++) {
        float *vector = tree_sums_leaf(sums, &error);
        ck_assert_ptr_nonnull(vector);
        size_t ahead = (leaf + n) % 2 ? leaf % (LENGTH + 1) : LENGTH;
        for (size_t i = 0; i < LENGTH; i++) {
            ck_assert_float_eq(vector[i], 0);
            vector[i] = i < ahead ? 0 : leaf_value(seed, leaf, i);
        }
        if (ahead < LENGTH)
            tree_sums_add_ahead(sums, ahead);
        for (size_t i = 0; i < ahead; i++)
            vector[i] = leaf_value(seed, leaf, i);
        tree_sums_add(sums);
    }
}

/* Random cuts, empty ranges and ranks beyond the leaves among them. */
static void cut(uint64_t seed, size_t n, size_t ranks, size_t *ranges)
{
    ranges[0] = 0;
    for (size_t r = 1; r < ranks; r++) {
        size_t cut = (size_t)random_below(n + 1, seed, RANDOM_TEST, 1000 + n, r);
        size_t at = r;
        for (; at > 1 && ranges[at - 1] > cut; at--)
            ranges[at] = ranges[at - 1];
        ranges[at] = cut;
    }
    ranges[ranks] = n;
}

static void check_cut(struct tree_sums *sums, uint64_t seed, size_t n, size_t ranks, const float *want)
{
    size_t ranges[MOST_RANKS + 1];
    struct tree_fold fold;
    cut(seed, n, ranks, ranges);
    tree_fold_start(&fold, n, LENGTH);
    for (size_t r = 0; r < ranks; r++) {
        add_range(&sums[r], seed, n, ranges[r], ranges[r + 1]);
        struct tree_node listed[TREE_MOST_NODES];
        ck_assert_uint_eq(sums[r].fold.held, tree_list_nodes(n, ranges[r], ranges[r + 1], listed));
        for (size_t j = 0; j < sums[r].fold.held; j++) {
            ck_assert_int_eq(memcmp(&listed[j], &sums[r].fold.nodes[j], sizeof listed[j]), 0);
            tree_fold_add(&fold, listed[j], sums[r].fold.vectors[j]);
        }
    }
    ck_assert_uint_eq(fold.held, 1);
    ck_assert_int_eq(memcmp(fold.vectors[0], want, LENGTH * sizeof *want), 0);
}

START_TEST(sums_have_the_bits_of_the_definition_for_any_cut)
{
    struct tree_sums sums[MOST_RANKS];
    for (size_t r = 0; r < MOST_RANKS; r++)
        tree_sums_init(&sums[r], LENGTH);
    for (size_t n = 1; n <= MOST_LEAVES; n++) {
        float want[LENGTH], leaves[MOST_LEAVES];
        for (size_t i = 0; i < LENGTH; i++) {
            for (size_t leaf = 0; leaf < n; leaf++)
                leaves[leaf] = leaf_value(n, leaf, i);
            want[i] = sum_recursively(leaves, 0, n);
        }
        for (size_t ranks = 1; ranks <= MOST_RANKS; ranks++)
            check_cut(sums, n, n, ranks, want);
    }
    for (size_t r = 0; r < MOST_RANKS; r++)
        tree_sums_finish(&sums[r]);
}
END_TEST

START_TEST(another_order_would_have_other_bits)
{
    /* else the test above could not fail */
    size_t differing = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        float leaves[MOST_LEAVES], sum = 0;
        for (size_t leaf = 0; leaf < MOST_LEAVES; leaf++)
            sum += leaves[leaf] = leaf_value(1, leaf, i);
        differing += sum != sum_recursively(leaves, 0, MOST_LEAVES);
    }
    ck_assert_uint_gt(differing, LENGTH / 2);
}
END_TEST

START_TEST(a_fresh_rank_allocates_as_many_vectors_as_counted)
{
    for (size_t n = 1; n <= 40; n++)
        for (size_t first = 0; first < n; first += 3)
            for (size_t end = first; end <= n; end++) {
                struct tree_sums sums;
                tree_sums_init(&sums, LENGTH);
                add_range(&sums, 1, n, first, end);
                ck_assert_uint_eq(sums.room, tree_count_vectors(n, first, end));
                tree_sums_finish(&sums);
            }
}
END_TEST

START_TEST(sums_need_one_vector_a_level_and_one_more)
{
    for (size_t n = 1; n <= 4096; n *= 2) {
        size_t levels = 0;
        while ((size_t)1 << levels < n)
            levels++;
        ck_assert_uint_eq(tree_count_vectors(n, 0, n), levels + 1);
    }
}
END_TEST

START_TEST(no_memory_for_a_leaf_is_an_error)
{
    struct tree_sums sums;
    struct error error = {0};
    tree_sums_init(&sums, SIZE_MAX / 2);
    tree_sums_start(&sums, 1, 0, 1);
    ck_assert_ptr_null(tree_sums_leaf(&sums, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_INTERNAL);
    tree_sums_finish(&sums);
    tree_sums_finish(&sums);
}
END_TEST

START_TEST(squares_go_through_sixteen_lanes)
{
    for (size_t n = 0; n <= 100; n++) {
        float values[100];
        double lanes[16] = {0};
        for (size_t i = 0; i < n; i++) {
            values[i] = leaf_value(3, n, i);
            lanes[i % 16] += (double)values[i] * values[i];
        }
        double eight[8], four[4];
        for (size_t k = 0; k < 8; k++)
            eight[k] = lanes[k] + lanes[k + 8];
        for (size_t k = 0; k < 4; k++)
            four[k] = eight[k] + eight[k + 4];
        double want = (four[0] + four[2]) + (four[1] + four[3]);
        double got = squares_sum_block(values, n);
        ck_assert_int_eq(memcmp(&got, &want, sizeof want), 0);
    }
}
END_TEST

START_TEST(squares_of_finite_floats_are_finite_and_others_are_not)
{
    float values[] = {3e38f, -3e38f, 1};
    ck_assert_double_eq_tol(squares_sum_block(values, 3) / 1.8e77, 1, 1e-6);
    values[1] = NAN;
    ck_assert(isnan(squares_sum_block(values, 3)));
    values[1] = -INFINITY;
    ck_assert(isinf(squares_sum_block(values, 3)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tree");
    TCase *tree = tcase_create("tree");
    tcase_set_timeout(tree, 60);
    tcase_add_test(tree, nodes_of_a_range_are_those_of_the_definition);
    tcase_add_test(tree, vectors_counted_are_vectors_used);
    tcase_add_test(tree, sums_have_the_bits_of_the_definition_for_any_cut);
    tcase_add_test(tree, another_order_would_have_other_bits);
    tcase_add_test(tree, a_fresh_rank_allocates_as_many_vectors_as_counted);
    tcase_add_test(tree, sums_need_one_vector_a_level_and_one_more);
    tcase_add_test(tree, no_memory_for_a_leaf_is_an_error);
    tcase_add_test(tree, squares_go_through_sixteen_lanes);
    tcase_add_test(tree, squares_of_finite_floats_are_finite_and_others_are_not);
    suite_add_tcase(suite, tree);
    return suite_run(suite);
}
