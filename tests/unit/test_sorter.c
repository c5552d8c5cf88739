/* Sorting on the disk: what goes in comes out in order, be it one piece or several. */
#include "data/import/sorter.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 2000 }; /* of a record: a piece of 8 MiB has some four thousand */

/* Numbers in an order that looks like none: each from 0 to n - 1 once, for an n that 7919 does not divide. */
static int64_t shuffled(int64_t i, int64_t n)
{
    return i * 7919 % n;
}

static void sort_and_check(int64_t n)
{
    static char record[BYTES], wanted[BYTES];
    char path[500];
    struct error error = {0};
    snprintf(path, sizeof path, "%s", in_folder("x.h5"));
    struct import_sorter sorter = {.bytes = BYTES, .spool.path = path};
    for (int64_t i = 0; i < n; i++) {
        int64_t number = shuffled(i, n);
        struct import_sort_key key = {number / 100, (double)(number % 100) - 50, i};
        memset(record, (int)(number % 251), sizeof record);
        ck_assert_msg(import_sorter_add(&sorter, &key, record, &error) == 0, "%s", error.text);
    }
    for (int64_t number = 0; number < n; number++) {
        struct import_sort_key key;
        ck_assert_int_eq(import_sorter_next(&sorter, &key, record, &error), 1);
        ck_assert_int_eq(key.sequence, number / 100);
        ck_assert(key.order == (double)(number % 100) - 50);
        ck_assert_int_eq(shuffled(key.line, n), number);
        memset(wanted, (int)(number % 251), sizeof wanted);
        ck_assert_mem_eq(record, wanted, sizeof record);
    }
    struct import_sort_key key;
    ck_assert_int_eq(import_sorter_next(&sorter, &key, record, &error), 0);
    import_sorter_finish(&sorter);
}

START_TEST(what_fits_and_what_does_not_comes_in_order)
{
    static const int64_t numbers[] = {0, 1, 2, 100, 4154, 4155, 20001};
    sort_and_check(numbers[_i]);
}
END_TEST

static Suite *suite_make(void)
{
    Suite *suite = suite_create("sorter");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, folder_make, folder_remove);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, what_fits_and_what_does_not_comes_in_order, 0, 7);
    suite_add_tcase(suite, all);
    return suite;
}

int main(void)
{
    return suite_run(suite_make());
}
