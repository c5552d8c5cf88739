/* The edit distance against its definition as a recursion, and on words. */
#include "base/edit_distance.h"
#include "reference/ctc.h"
#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <string.h>

static size_t pick(uint64_t seed, uint64_t index, size_t n)
{
    return (size_t)random_below(n, seed, RANDOM_TEST, 11, index);
}

static size_t distance(const int32_t *a, size_t A, const int32_t *b, size_t B)
{
    size_t scratch[64];
    return edit_distance(a, A, b, B, scratch);
}

static size_t distance_of_words(const char *a, const char *b)
{
    int32_t x[32], y[32];
    for (size_t i = 0; a[i]; i++)
        x[i] = a[i];
    for (size_t i = 0; b[i]; i++)
        y[i] = b[i];
    return distance(x, strlen(a), y, strlen(b));
}

START_TEST(words_are_so_many_edits_apart)
{
    ck_assert_uint_eq(distance_of_words("", ""), 0);
    ck_assert_uint_eq(distance_of_words("", "abc"), 3);
    ck_assert_uint_eq(distance_of_words("abc", ""), 3);
    ck_assert_uint_eq(distance_of_words("kitten", "sitting"), 3);
    ck_assert_uint_eq(distance_of_words("abcd", "bcda"), 2);
    ck_assert_uint_eq(distance_of_words("same", "same"), 0);
    ck_assert_uint_eq(distance_of_words("aaaa", "bbbb"), 4);
}
END_TEST

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The definition. */
static size_t edit_recursively(const int32_t *a, size_t A, const int32_t *b, size_t B)
{
    if (A == 0 || B == 0)
        return A + B;
    if (a[0] == b[0])
        return edit_recursively(a + 1, A - 1, b + 1, B - 1);
    size_t deleted = edit_recursively(a + 1, A - 1, b, B);
    size_t inserted = edit_recursively(a, A, b + 1, B - 1);
    size_t substituted = edit_recursively(a + 1, A - 1, b + 1, B - 1);
    return 1 + least(deleted, least(inserted, substituted));
}

START_TEST(edits_are_those_of_the_definition)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        size_t A = pick(seed, 1, 8), B = pick(seed, 2, 8);
        int32_t a[8], b[8];
        for (size_t i = 0; i < 8; i++) {
            a[i] = (int32_t)pick(seed, 10 + i, 3);
            b[i] = (int32_t)pick(seed, 20 + i, 3);
        }
        ck_assert_uint_eq(distance(a, A, b, B), edit_recursively(a, A, b, B));
        ck_assert_uint_eq(distance(a, A, b, B), reference_edit_distance(a, A, b, B));
        ck_assert_uint_eq(distance(a, A, b, B), distance(b, B, a, A));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit_distance");
    TCase *cases = tcase_create("edit_distance");
    tcase_add_test(cases, words_are_so_many_edits_apart);
    tcase_add_test(cases, edits_are_those_of_the_definition);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
