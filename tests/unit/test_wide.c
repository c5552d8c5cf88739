/* Numbers with exponents of any size against those of double where double has them. */
#include "net/wide.h"
#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>

START_TEST(wide_numbers_are_those_of_double)
{
    for (uint64_t i = 0; i < 2000; i++) {
        double x = -300 * random_uniform(1, RANDOM_TEST, 5, 2 * i),
               y = -random_uniform(1, RANDOM_TEST, 5, 2 * i + 1);
        struct wide a = wide_exp(x), b = wide_exp(y);
        ck_assert(a.mantissa >= 1 && a.mantissa < 2);
        ck_assert_double_eq_tol(ldexp(a.mantissa, (int)a.exponent) / math_exp(x), 1, 1e-15);
        ck_assert_double_eq_tol(wide_log(a), x, 1e-15 - 1e-15 * x);
        ck_assert_double_eq_tol(wide_log(wide_multiply(a, b)), x + y, 1e-13);
        ck_assert_double_eq_tol(wide_log(wide_add(a, b)), log(exp(x) + exp(y)), 1e-13);
        ck_assert_int_eq(wide_less(a, b), x < y);
    }
    struct wide tiny = wide_exp(-1e6);
    ck_assert_double_eq_tol(wide_log(tiny), -1e6, 1e-8);
    ck_assert_double_eq_tol(wide_log(wide_add(tiny, tiny)), -1e6 + log(2), 1e-8);
    ck_assert_double_eq(wide_add(WIDE_ONE, tiny).mantissa, 1);
    ck_assert_double_eq(wide_log(wide_exp(0)), 0);
    ck_assert(wide_less(WIDE_ZERO, wide_exp(-1e12)));
    ck_assert_double_eq(wide_add(WIDE_ZERO, WIDE_ZERO).mantissa, 0);
    ck_assert_double_eq(wide_log(wide_add(WIDE_ZERO, WIDE_ONE)), 0);
    ck_assert_double_eq(wide_multiply(WIDE_ZERO, tiny).mantissa, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wide");
    TCase *cases = tcase_create("wide");
    tcase_add_test(cases, wide_numbers_are_those_of_double);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
