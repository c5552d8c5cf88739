/* Sums without rounding: any order, any dealing to processes, one rounding. */
#include "base/exact.h"
#include "base/random.h"
#include "support/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 500, WORLDS = 200 };

/* A number of any sign, and of any exponent in [low, high). */
static double draw(uint64_t world, uint64_t i, int low, int high)
{
    double size = ldexp(1 + random_uniform(7, RANDOM_TEST, world, 3 * i),
        low + (int)random_below((uint64_t)(high - low), 7, RANDOM_TEST, world, 3 * i + 1));
    return random_below(2, 7, RANDOM_TEST, world, 3 * i + 2) ? size : -size;
}

static double sum_in_order(const double *values, size_t n)
{
    uint64_t sum[EXACT_WORDS] = {0};
    for (size_t i = 0; i < n; i++)
        exact_add(sum, values[i]);
    return exact_round(sum);
}

static void assert_same_bits(double got, double want)
{
    ck_assert_msg(memcmp(&got, &want, sizeof want) == 0, "%a instead of %a", got, want);
}

/* Half a unit in the last place of a double: the least that the next one is away, on the side of zero. */
static double half_unit(double value)
{
    double size = fabs(value);
    return (nextafter(size, INFINITY) - size) / 2;
}

START_TEST(a_sum_does_not_depend_on_order_or_on_processes)
{
    for (uint64_t world = 0; world < WORLDS; world++) {
        double values[NUMBERS];
        int64_t order[NUMBERS];
        uint64_t ranks[3][EXACT_WORDS] = {0};
        for (uint64_t i = 0; i < NUMBERS; i++)
            values[i] = draw(world, i, world % 2 ? -1074 : -40, world % 2 ? 1000 : 40);
        double want = sum_in_order(values, NUMBERS);
        random_permutation(8, RANDOM_TEST, world, NUMBERS, order);
        for (size_t i = 0; i < NUMBERS; i++) {
            exact_add(ranks[i % 3], values[order[i]]);
            if (i % 50 == world % 50)
                exact_carry(ranks[i % 3]);
        }
        for (size_t w = 0; w < EXACT_WORDS; w++)
            ranks[0][w] += ranks[1][w] + ranks[2][w];
        assert_same_bits(exact_round(ranks[0]), want);
    }
}
END_TEST

/* What is left after taking off the result is at most half a unit of its last place. */
START_TEST(a_sum_is_rounded_once)
{
    for (uint64_t world = 0; world < WORLDS; world++) {
        uint64_t sum[EXACT_WORDS] = {0};
        for (uint64_t i = 0; i < NUMBERS; i++)
            exact_add(sum, draw(world, i, -300, world % 2 ? 300 : -200));
        double result = exact_round(sum);
        exact_add(sum, -result);
        ck_assert_double_le(fabs(exact_round(sum)), half_unit(result));
    }
}
END_TEST

START_TEST(sums_of_integers_are_those_of_integers)
{
    for (uint64_t world = 0; world < WORLDS; world++) {
        uint64_t sum[EXACT_WORDS] = {0};
        int64_t want = 0;
        for (uint64_t i = 0; i < NUMBERS; i++) {
            int64_t value = (int64_t)random_below(1u << 30, 9, RANDOM_TEST, world, i) - (1 << 29);
            exact_add(sum, (double)value);
            want += value;
        }
        assert_same_bits(exact_round(sum), (double)want);
    }
}
END_TEST

START_TEST(cancellation_leaves_what_a_plain_sum_loses)
{
    const double values[] = {0x1p1000, 3, -0x1p-1074, 0x1p53, -0x1p1000, -0x1p53};
    assert_same_bits(sum_in_order(values, 6), 3);
    const double least[] = {DBL_MAX, 0x1p-1074, -DBL_MAX};
    assert_same_bits(sum_in_order(least, 3), 0x1p-1074);
    const double normal[] = {DBL_MIN, -0x1p-1074, DBL_MIN};
    assert_same_bits(sum_in_order(normal, 3), 0x1.fffffffffffffp-1022);
}
END_TEST

START_TEST(ties_go_to_even_and_anything_more_does_not)
{
    const double down[] = {1, 0x1p-53}, up[] = {1 + 0x1p-52, 0x1p-53}, more[] = {1, 0x1p-53, 0x1p-1074};
    assert_same_bits(sum_in_order(down, 2), 1);
    assert_same_bits(sum_in_order(up, 2), 1 + 0x1p-51);
    assert_same_bits(sum_in_order(more, 3), 1 + 0x1p-52);
    const double less[] = {-1, -0x1p-53, 0x1p-1074};
    assert_same_bits(sum_in_order(less, 3), -1);
}
END_TEST

START_TEST(a_sum_beyond_all_doubles_is_infinite_and_comes_back)
{
    uint64_t sum[EXACT_WORDS] = {0};
    for (int i = 0; i < 100000; i++)
        exact_add(sum, -DBL_MAX);
    assert_same_bits(exact_round(sum), -INFINITY);
    for (int i = 0; i < 99999; i++)
        exact_add(sum, DBL_MAX);
    assert_same_bits(exact_round(sum), -DBL_MAX);
}
END_TEST

START_TEST(infinite_numbers_and_nan_stay)
{
    const double plus[] = {1, INFINITY, -DBL_MAX}, minus[] = {-INFINITY, DBL_MAX};
    const double both[] = {INFINITY, -INFINITY}, nan[] = {INFINITY, NAN, 2, NAN};
    ck_assert_double_eq(sum_in_order(plus, 3), INFINITY);
    ck_assert_double_eq(sum_in_order(minus, 2), -INFINITY);
    ck_assert_double_nan(sum_in_order(both, 2));
    ck_assert_double_nan(sum_in_order(nan, 4));
    uint64_t sum[EXACT_WORDS] = {0};
    for (int i = 0; i < 4; i++)
        exact_add(sum, nan[i]);
    ck_assert_uint_eq(exact_count_nan(sum), 2);
}
END_TEST

START_TEST(a_sum_of_nothing_is_plus_zero)
{
    const double zeros[] = {-0.0, -0.0};
    assert_same_bits(sum_in_order(zeros, 0), 0.0);
    assert_same_bits(sum_in_order(zeros, 2), 0.0);
    const double gone[] = {5, -5};
    assert_same_bits(sum_in_order(gone, 2), 0.0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exact");
    TCase *exact = tcase_create("exact");
    tcase_add_test(exact, a_sum_does_not_depend_on_order_or_on_processes);
    tcase_add_test(exact, a_sum_is_rounded_once);
    tcase_add_test(exact, sums_of_integers_are_those_of_integers);
    tcase_add_test(exact, cancellation_leaves_what_a_plain_sum_loses);
    tcase_add_test(exact, ties_go_to_even_and_anything_more_does_not);
    tcase_add_test(exact, a_sum_beyond_all_doubles_is_infinite_and_comes_back);
    tcase_add_test(exact, infinite_numbers_and_nan_stay);
    tcase_add_test(exact, a_sum_of_nothing_is_plus_zero);
    suite_add_tcase(suite, exact);
    return suite_run(suite);
}
