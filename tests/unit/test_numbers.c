/* Numbers and lists as people write them, and names that they nearly wrote. */
#include "base/array.h"
#include "base/numbers.h"
#include "base/random.h"
#include "base/suggestion.h"
#include "base/text.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(reals_read_back_bit_by_bit_in_few_digits)
{
    static const double nice[] = {0.001, 0.1, 1e-8, 3, 0.3, 123.25, 0, 100, 1200000, 1e-4};
    static const char *const spelled[] = {
        "0.001", "0.1", "1e-08", "3", "0.3", "123.25", "0", "100", "1200000", "0.0001"};
    char text[64];
    for (size_t i = 0; i < sizeof nice / sizeof *nice; i++) {
        number_write_real(nice[i], text, sizeof text);
        ck_assert_str_eq(text, spelled[i]);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        uint32_t bits[4];
        random_block(1, RANDOM_TEST, 0, i, bits);
        double x = ldexp(random_uniform(1, RANDOM_TEST, 1, i), (int)(bits[0] % 600) - 300), back = -1;
        number_write_real(x, text, sizeof text);
        ck_assert_int_eq(number_read_real(text, &back), NUMBER_OK);
        ck_assert_msg(memcmp(&x, &back, sizeof x) == 0, "%s", text);
        number_write_seconds(x, text, sizeof text);
        if (x < 1e300) {
            ck_assert_int_eq(number_read_seconds(text, &back), NUMBER_OK);
            ck_assert_msg(memcmp(&x, &back, sizeof x) == 0, "%s of %a", text, x);
        }
    }
    number_write_seconds(90, text, sizeof text);
    ck_assert_str_eq(text, "90 seconds");
    number_write_seconds(120, text, sizeof text);
    ck_assert_str_eq(text, "2 minutes");
    number_write_seconds(0, text, sizeof text);
    ck_assert_str_eq(text, "0 seconds");
    number_write_bytes(0, text, sizeof text);
    ck_assert_str_eq(text, "0 bytes");
    number_write_bytes(1025, text, sizeof text);
    ck_assert_str_eq(text, "1025 bytes");
    number_write_bytes((size_t)3 << 30, text, sizeof text);
    ck_assert_str_eq(text, "3 GiB");
}
END_TEST

static const struct {
    const char *text;
    enum number_state state;
    int64_t number;
} integers[] = {
    {"12", NUMBER_OK, 12},
    {" -12\t", NUMBER_OK, -12},
    {"+0", NUMBER_OK, 0},
    {"9223372036854775807", NUMBER_OK, INT64_MAX},
    {"9223372036854775808", NUMBER_OVERFLOW, 0},
    {"99999999999999999999999", NUMBER_OVERFLOW, 0},
    {"", NUMBER_MALFORMED, 0},
    {"-", NUMBER_MALFORMED, 0},
    {"0x10", NUMBER_MALFORMED, 0},
    {"1e3", NUMBER_MALFORMED, 0},
    {"1 2", NUMBER_MALFORMED, 0},
};

START_TEST(whole_numbers_are_decimal_and_fit)
{
    int64_t n = -77;
    ck_assert_int_eq(number_read_integer(integers[_i].text, &n), integers[_i].state);
    ck_assert_int_eq(n, integers[_i].state == NUMBER_OK ? integers[_i].number : -77);
}
END_TEST

START_TEST(a_number_without_sign_is_never_negative)
{
    uint64_t n = 7;
    ck_assert_int_eq(number_read_unsigned("18446744073709551615", &n), NUMBER_OK);
    ck_assert_uint_eq(n, UINT64_MAX);
    ck_assert_int_eq(number_read_unsigned("18446744073709551616", &n), NUMBER_OVERFLOW);
    ck_assert_int_eq(number_read_unsigned("-1", &n), NUMBER_OVERFLOW);
    ck_assert_int_eq(number_read_unsigned("-0", &n), NUMBER_OK);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(sizes_and_durations_carry_their_unit)
{
    size_t bytes = 1;
    double seconds = 1;
    int64_t n = 1;
    enum interval unit = INTERVAL_EPOCHS;
    ck_assert(number_read_bytes("256 MiB", &bytes) == NUMBER_OK && bytes == (size_t)256 << 20);
    ck_assert(number_read_bytes("0", &bytes) == NUMBER_OK && bytes == 0);
    ck_assert_int_eq(number_read_bytes("256", &bytes), NUMBER_MALFORMED);
    ck_assert_int_eq(number_read_bytes("16777216 TiB", &bytes), NUMBER_OVERFLOW);
    ck_assert(number_read_seconds("1.5 hours", &seconds) == NUMBER_OK && seconds == 5400);
    ck_assert_int_eq(number_read_seconds("5", &seconds), NUMBER_MALFORMED);
    ck_assert(number_read_interval("5 steps", &n, &unit) == NUMBER_OK && n == 5 && unit == INTERVAL_STEPS);
    ck_assert_int_eq(number_read_interval("5", &n, &unit), NUMBER_MALFORMED);
    ck_assert(number_read_clock("2-12:00:01", &n) == NUMBER_OK && n == 60 * 3600 + 1);
    ck_assert_int_eq(number_read_clock("12:60:00", &n), NUMBER_MALFORMED);
    ck_assert_int_eq(number_read_clock("12:00", &n), NUMBER_MALFORMED);
}
END_TEST

START_TEST(a_list_is_cut_at_blanks_and_commas)
{
    const char *list = " a,bb ,\tccccc,";
    char item[4];
    ck_assert(text_next_item(&list, item, sizeof item) && strcmp(item, "a") == 0);
    ck_assert(text_next_item(&list, item, sizeof item) && strcmp(item, "bb") == 0);
    ck_assert(text_next_item(&list, item, sizeof item) && strcmp(item, "ccc") == 0);
    ck_assert(!text_next_item(&list, item, sizeof item));
}
END_TEST

START_TEST(what_is_shown_is_short_and_harmless)
{
    char shown[TEXT_SHOWN], longer[200];
    ck_assert_str_eq(text_show("a\tb\033[1m", shown), "a?b?[1m");
    /* A cut between the bytes of a character would leave half of it. */
    memset(longer, 'x', sizeof longer);
    strcpy(longer + 59, "\xc3\xa4 and more");
    ck_assert_uint_eq(strlen(text_show(longer, shown)), 59 + 3);
}
END_TEST

START_TEST(the_nearest_name_is_meant)
{
    static const char *const names[] = {"fresh", "verbose", "progress", "q"};
    static const char *const written[][2] = {
        {"fesh", "fresh"}, {"verbos", "verbose"}, {"progres", "progress"}, {"hidden", NULL}, {"", "q"}};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        struct suggestion suggestion = {.written = written[i][0]};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            suggestion_offer(&suggestion, names[k]);
        ck_assert_pstr_eq(suggestion.meant, written[i][1]);
    }
    struct suggestion longest = {.written = "a-name-that-is-longer-than-any-name-that-we-know-of"};
    ck_assert(!suggestion_offer(&longest, longest.written));
}
END_TEST

START_TEST(an_array_grows_with_what_it_holds)
{
    size_t room = 0, *array = NULL;
    for (size_t i = 0; i < 1000; i++) {
        array = array_grow(array, &room, i, sizeof *array);
        ck_assert(array && room > i);
        array[i] = i;
    }
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(array[i], i);
    free(array);
    room = SIZE_MAX / 4;
    ck_assert_ptr_null(array_grow(NULL, &room, room, 8));
    ck_assert_uint_eq(room, SIZE_MAX / 4);
}
END_TEST

START_TEST(an_array_makes_room_for_many_items_at_once)
{
    size_t room = 0;
    char *array = array_reserve(NULL, &room, 0, 1), *moved;
    ck_assert_msg(array, "also no items have a place");
    moved = array_reserve(array, &room, 1000, 1);
    ck_assert(moved && room >= 1000);
    memset(moved, 'x', 1000);
    size_t before = room;
    ck_assert_ptr_eq(array_reserve(moved, &room, before, 1), moved);
    ck_assert_uint_eq(room, before);
    moved = array_reserve(moved, &room, before + 1, 1);
    ck_assert(moved && room >= 2 * before && moved[999] == 'x');
    before = room;
    ck_assert_ptr_null(array_reserve(moved, &room, SIZE_MAX / 8 + 1, 8));
    ck_assert_uint_eq(room, before);
    free(moved);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("numbers");
    TCase *cases = tcase_create("numbers");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, reals_read_back_bit_by_bit_in_few_digits);
    tcase_add_loop_test(cases, whole_numbers_are_decimal_and_fit, 0, sizeof integers / sizeof *integers);
    tcase_add_test(cases, a_number_without_sign_is_never_negative);
    tcase_add_test(cases, sizes_and_durations_carry_their_unit);
    tcase_add_test(cases, a_list_is_cut_at_blanks_and_commas);
    tcase_add_test(cases, what_is_shown_is_short_and_harmless);
    tcase_add_test(cases, the_nearest_name_is_meant);
    tcase_add_test(cases, an_array_grows_with_what_it_holds);
    tcase_add_test(cases, an_array_makes_room_for_many_items_at_once);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
