/* Which file is open, and whether it still is what it was. */
#define _GNU_SOURCE /* utimensat with nanoseconds */

#include "base/identity.h"
#include "support/folder.h"
#include "support/suite.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char path[600];
static int descriptor; /* of the file that each test begins with */
static struct file_identity before;

/* The times of a file move with the clock of the system, which ticks some hundred times a second. */
static void await_tick(void)
{
    struct timespec begun, now;
    clock_gettime(CLOCK_REALTIME_COARSE, &begun);
    do
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    while (now.tv_nsec == begun.tv_nsec && now.tv_sec == begun.tv_sec);
}

static void make_file(void)
{
    folder_make();
    snprintf(path, sizeof path, "%s", in_folder("data"));
    write_file(path, "some bytes", 10);
    descriptor = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(file_identify(descriptor, &before), 0);
    await_tick();
}

static void remove_file(void)
{
    close(descriptor);
    folder_remove();
}

/* What is said of a change, "" for none. */
static const char *describe(int *same)
{
    static char text[160];
    struct file_identity now;
    text[0] = '\0';
    ck_assert_int_eq(file_identify(descriptor, &now), 0);
    *same = file_is_same(&before, &now);
    ck_assert_int_eq(file_describe_change(&before, &now, path, text, sizeof text), *text != 0);
    return text;
}

static void expect_change(const char *beginning)
{
    int same;
    const char *text = describe(&same);
    ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0, "%s", text);
    ck_assert_int_eq(same, 0);
}

static void expect_none(void)
{
    int same;
    const char *text = describe(&same);
    ck_assert_msg(*text == 0, "%s", text);
}

static void set_modified(int64_t seconds, int64_t nanoseconds)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {(time_t)seconds, (long)nanoseconds}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(a_file_that_is_read_stays_what_it_is)
{
    char byte;
    int same;
    ck_assert_int_eq(pread(descriptor, &byte, 1, 3), 1);
    ck_assert_str_eq(describe(&same), "");
    ck_assert_int_eq(same, 1);
}
END_TEST

START_TEST(a_file_that_is_cut_off_or_grows_has_changed)
{
    ck_assert_int_eq(truncate(path, 7), 0);
    expect_change("its size went from 10 to 7 bytes");
    ck_assert_int_eq(truncate(path, 11), 0);
    expect_change("its size went from 10 to 11 bytes");
}
END_TEST

START_TEST(a_file_that_is_written_to_has_changed_though_its_size_has_not)
{
    ck_assert_int_eq(pwrite(descriptor, "S", 1, 0), 1);
    expect_change("it was written to: its time of modification went from ");
}
END_TEST

/* As by a program that copies times with the content. */
START_TEST(a_time_that_was_set_back_after_writing_does_not_hide_it)
{
    ck_assert_int_eq(pwrite(descriptor, "S", 1, 0), 1);
    set_modified(before.modified[0], before.modified[1]);
    expect_change("its time of modification was set back after a change at ");
}
END_TEST

/* Each is looked at alone: what it is after one is what it was before the next. */
static void expect_none_and_go_on(void)
{
    expect_none();
    ck_assert_int_eq(file_identify(descriptor, &before), 0);
    await_tick();
}

START_TEST(another_name_mode_owner_or_place_is_no_change)
{
    ck_assert_int_eq(link(path, in_folder("link")), 0);
    expect_none_and_go_on();
    ck_assert_int_eq(unlink(in_folder("link")), 0);
    expect_none_and_go_on();
    ck_assert_int_eq(chmod(path, 0400), 0);
    expect_none_and_go_on();
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
        expect_none_and_go_on();
        ck_assert_int_eq(chown(path, (uid_t)-1, 12345), 0);
        expect_none_and_go_on();
    }
    ck_assert_int_eq(rename(path, in_folder("moved")), 0);
    expect_none_and_go_on();
}
END_TEST

/* Whoever has it open reads on what it was. */
START_TEST(a_file_that_another_was_renamed_over_has_not_changed)
{
    write_file(in_folder("new"), "other bytes", 11);
    ck_assert_int_eq(rename(in_folder("new"), path), 0);
    expect_none();
    ck_assert_int_eq(unlink(path), 0);
    expect_none();
}
END_TEST

START_TEST(a_copy_with_the_same_times_is_another_file)
{
    struct file_identity copy;
    const struct timespec times[2] = {{(time_t)before.modified[0], (long)before.modified[1]},
        {(time_t)before.modified[0], (long)before.modified[1]}};
    write_file(in_folder("copy"), "some bytes", 10);
    ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("copy"), times, 0), 0);
    int other = open(in_folder("copy"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(file_identify(other, &copy), 0);
    close(other);
    ck_assert_int_eq(file_is_same(&before, &copy), 0);
}
END_TEST

START_TEST(every_member_but_the_device_tells_files_apart)
{
    struct file_identity other = before;
    other.device++;
    ck_assert_int_eq(file_is_same(&before, &other), 1);
    int64_t *const numbers[] = {&other.size, &other.modified[0], &other.modified[1], &other.changed[0],
        &other.changed[1], (int64_t *)&other.inode};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        other = before;
        ++*numbers[i];
        ck_assert_msg(file_is_same(&before, &other) == 0, "member %zu", i);
    }
}
END_TEST

/* ---- as a text ---- */

START_TEST(an_identity_comes_back_from_its_text)
{
    const struct file_identity all[] = {before,
        {.device = UINT64_MAX,
            .inode = UINT64_MAX,
            .size = INT64_MAX,
            .modified = {INT64_MIN, 999999999},
            .changed = {INT64_MIN, 999999999}},
        {.modified = {-1, 5}, .changed = {0, 0}}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[FILE_IDENTITY_TEXT];
        struct file_identity again = {0};
        file_write_identity(&all[i], text);
        ck_assert_msg(file_read_identity(text, &again) == 0, "%s", text);
        ck_assert(file_is_same(&all[i], &again) && all[i].device == again.device);
    }
}
END_TEST

START_TEST(a_text_that_is_no_identity_is_refused_and_changes_nothing)
{
    char text[FILE_IDENTITY_TEXT], wrong[FILE_IDENTITY_TEXT + 2];
    struct file_identity untouched = {.inode = 77};
    file_write_identity(&before, text);
    for (size_t n = 0; n < strlen(text); n++) { /* cut off, and with a letter too many */
        snprintf(wrong, sizeof wrong, "%.*s", (int)n, text);
        ck_assert_msg(file_read_identity(wrong, &untouched) == -1, "%s", wrong);
        snprintf(wrong, sizeof wrong, "%.*sx%s", (int)n, text, text + n);
        ck_assert_int_eq(file_read_identity(wrong, &untouched), -1);
    }
    static const char *const others[] = {"",
        "device=1 inode=2 size=3 modified=4.5 changed=6.7",                  /* digits are missing */
        "device=1 inode=2 size=3 modified=4.000000005 changed=6.000000007 ", /* a blank too many */
        "device=+1 inode=2 size=3 modified=4.000000005 changed=6.000000007", /* a sign */
        "device=99999999999999999999 inode=2 size=3 modified=4.000000005 changed=6.000000007", /* too large */
        "inode=2 device=1 size=3 modified=4.000000005 changed=6.000000007"}; /* another order */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(file_read_identity(others[i], &untouched) == -1, "%s", others[i]);
    ck_assert_uint_eq(untouched.inode, 77);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("identity");
    tcase_add_checked_fixture(tests, make_file, remove_file);
    tcase_add_test(tests, a_file_that_is_read_stays_what_it_is);
    tcase_add_test(tests, a_file_that_is_cut_off_or_grows_has_changed);
    tcase_add_test(tests, a_file_that_is_written_to_has_changed_though_its_size_has_not);
    tcase_add_test(tests, a_time_that_was_set_back_after_writing_does_not_hide_it);
    tcase_add_test(tests, another_name_mode_owner_or_place_is_no_change);
    tcase_add_test(tests, a_file_that_another_was_renamed_over_has_not_changed);
    tcase_add_test(tests, a_copy_with_the_same_times_is_another_file);
    tcase_add_test(tests, every_member_but_the_device_tells_files_apart);
    tcase_add_test(tests, an_identity_comes_back_from_its_text);
    tcase_add_test(tests, a_text_that_is_no_identity_is_refused_and_changes_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
