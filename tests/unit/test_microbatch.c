#include "net/microbatch.h"
#include "support/suite.h"

#include <check.h>

START_TEST(microbatch_numbers_frames_step_by_step)
{
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    struct microbatch_format format = {.inputs = 3, .has_classes = 1, .target_per_frame = 1};
    int32_t length[] = {3, 2, 2};
    int64_t sequence[] = {7, 8, 9};
    struct error error;
    ck_assert_int_eq(microbatch_resize(&microbatch, &format, 3, length, sequence, NULL, &error), 0);
    ck_assert_uint_eq(microbatch.N, 7);
    ck_assert_uint_eq(microbatch.T, 3);
    ck_assert_int_eq(microbatch.alive[0], 3);
    ck_assert_int_eq(microbatch.alive[1], 3);
    ck_assert_int_eq(microbatch.alive[2], 1);
    ck_assert_uint_eq(microbatch.first[2], 6);
    ck_assert_uint_eq(microbatch.first[3], 7);
    ck_assert_uint_eq(microbatch.inputs_stride, 16);
    ck_assert_uint_eq(microbatch.target_rows, 7);
    ck_assert_ptr_nonnull(microbatch.classes);
    ck_assert_ptr_null(microbatch.symbols);
    ck_assert_ptr_null(microbatch.values);
    for (size_t n = 0; n < 7; n++)
        for (size_t i = 3; i < 16; i++)
            ck_assert_float_eq(microbatch.inputs[n * 16 + i], 0);
    microbatch_finish(&microbatch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("microbatch");
    TCase *cases = tcase_create("microbatch");
    tcase_add_test(cases, microbatch_numbers_frames_step_by_step);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
