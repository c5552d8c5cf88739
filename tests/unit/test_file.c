/* Files that appear whole or not at all, whole reads, and folders. */
#define _GNU_SOURCE /* O_TMPFILE */

#include "base/file.h"
#include "base/memory.h"
#include "support/sample.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[256];

/* Takes the place of the C library's for what base/file.c calls: a file system of a network, where `named`
 * is 1. */
static int named;

int openat(int in, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(more, unsigned) : 0;
    va_end(more);
    if (named && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, in, name, flags, mode);
}

static const char *in_folder(const char *name)
{
    static char path[4][600];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static void assert_holds(const char *path, const char *text)
{
    struct error error = {0};
    size_t size;
    char *bytes = file_read(path, "a text", &size, &error);
    ck_assert_msg(bytes != NULL, "%s", error.text);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_int_eq(memcmp(bytes, text, size), 0);
    memory_destroy(bytes);
}

static void write_text(const char *path, const char *text)
{
    struct error error = {0};
    ck_assert_msg(file_replace(path, text, strlen(text), &error) == 0, "%s", error.text);
}

static int has_unnamed(void)
{
    int here = open(folder, O_RDONLY | O_DIRECTORY), file = temporary_create_unnamed(here, "trial");
    if (file >= 0)
        close(file);
    close(here);
    return file >= 0;
}

START_TEST(a_replaced_file_is_the_old_one_until_the_commit)
{
    named = _i;
    struct file_writer file;
    struct error error = {0};
    const char *path = in_folder("text");
    write_text(path, "old and long");
    ck_assert_int_eq(file_begin(&file, path, &error), 0);
    ck_assert_int_eq(file_write(&file, "w", 1, 2, &error), 0);
    ck_assert_int_eq(file_write(&file, "ne", 2, 0, &error), 0);
    assert_holds(path, "old and long");
    ck_assert_int_eq(sample_count_files(folder), 1 + !has_unnamed());
    ck_assert_int_eq(file_commit(&file, &error), 0);
    assert_holds(path, "new");
    ck_assert_int_eq(sample_count_files(folder), 1);
    unlink(path);
}
END_TEST

START_TEST(an_abandoned_file_leaves_the_old_one_and_nothing_else)
{
    named = _i;
    struct file_writer file;
    struct error error = {0};
    const char *path = in_folder("text");
    write_text(path, "old");
    ck_assert_int_eq(file_begin(&file, path, &error), 0);
    ck_assert_int_eq(file_write(&file, "new", 3, 0, &error), 0);
    file_abandon(&file);
    file_abandon(&file);
    assert_holds(path, "old");
    ck_assert_int_eq(sample_count_files(folder), 1);
    unlink(path);
}
END_TEST

static void put_temporary(const char *name, const char *host, long process, int days)
{
    char temporary[300];
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = time(NULL) - (time_t)days * 86400 - 60}};
    snprintf(temporary, sizeof temporary, ".%s.tmp-%s%s%ld", name, host, *host ? "-" : "", process);
    int file = open(in_folder(temporary), O_WRONLY | O_CREAT, 0666);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(futimens(file, times), 0);
    close(file);
}

static int is_temporary_there(const char *name, const char *host, long process)
{
    char temporary[300];
    snprintf(temporary, sizeof temporary, ".%s.tmp-%s%s%ld", name, host, *host ? "-" : "", process);
    return access(in_folder(temporary), F_OK) == 0;
}

/* Begins a file, and is gone before it ends it. Returns its number. */
static pid_t kill_a_writer(const char *path)
{
    struct file_writer file;
    struct error error = {0};
    int status;
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (file_begin(&file, path, &error) == 0 && file_write(&file, "new", 3, 0, &error) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return child;
}

/* Where the file system has no files without a name, what is left goes when the next begins. */
START_TEST(a_killed_process_leaves_nothing_behind)
{
    named = _i;
    const char *path = in_folder("text");
    write_text(path, "old");
    ck_assert(!named || !has_unnamed());
    kill_a_writer(path);
    ck_assert_int_eq(sample_count_files(folder), 1 + !has_unnamed());
    kill_a_writer(path);
    ck_assert_int_eq(sample_count_files(folder), 1 + !has_unnamed());
    struct file_writer file;
    struct error error = {0};
    ck_assert_int_eq(file_begin(&file, path, &error), 0);
    file_abandon(&file);
    ck_assert_int_eq(sample_count_files(folder), 1);
    assert_holds(path, "old");
    unlink(path);
}
END_TEST

/* Of another host nobody knows whether it is alive; of one name two processes may write at a time. */
START_TEST(only_what_is_left_behind_is_swept)
{
    named = _i;
    char host[65], path[600];
    struct file_writer file;
    struct error error = {0};
    snprintf(path, sizeof path, "%s", in_folder("text"));
    long own = getpid(), gone = kill_a_writer(path);
    ck_assert_int_eq(gethostname(host, sizeof host), 0);
    put_temporary("text", host, gone, 0);
    put_temporary("text", host, getppid(), 5);
    put_temporary("text", "elsewhere", own, 0);
    put_temporary("text", "elsewhere", own + 1, 1);
    put_temporary("text", "", own, 0);
    put_temporary("text", "", own + 1, 1);
    put_temporary("other", host, gone, 2);
    write_text(path, "short");
    ck_assert_msg(is_temporary_there("text", "elsewhere", own), "it may be another's");
    ck_assert_int_eq(file_begin(&file, path, &error), 0);
    file_abandon(&file);
    ck_assert(!is_temporary_there("text", host, gone));
    ck_assert(is_temporary_there("text", host, getppid()));
    ck_assert(is_temporary_there("text", "elsewhere", own));
    ck_assert(!is_temporary_there("text", "elsewhere", own + 1));
    ck_assert(is_temporary_there("text", "", own));
    ck_assert(!is_temporary_there("text", "", own + 1));
    ck_assert(is_temporary_there("other", host, gone));
    assert_holds(path, "short");
    ck_assert_int_eq(sample_count_files(folder), 5);
    sample_remove_folder(folder);
    ck_assert_int_eq(mkdir(folder, 0777), 0);
}
END_TEST

START_TEST(names_of_temporary_files_are_known_again)
{
    static const struct {
        const char *name;
        size_t base;
    } cases[] = {{".best.h5.tmp-node-3-17", 7}, {".a.tmp-b.tmp-node-5", 7}, {".status.tmp-5", 6},
        {".status.tmp-node", 0}, {".status.tmp-node-", 0}, {".status.tmp-node-5x", 0}, {"status.tmp-5", 0},
        {".status", 0}, {".status.tmp-", 0}, {".tmp-5", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(temporary_base(cases[i].name) == cases[i].base, "%s", cases[i].name);
    char longest[256], temporary[TEMPORARY_NAME];
    memset(longest, 'x', sizeof longest);
    longest[255] = 0;
    temporary_name(longest, temporary);
    ck_assert_uint_lt(strlen(temporary), 256);
    ck_assert_uint_gt(temporary_base(temporary), 100);
}
END_TEST

START_TEST(a_name_without_a_folder_is_in_the_current_one)
{
    char before[4096];
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    write_text("text", "here");
    ck_assert_int_eq(chdir(before), 0);
    assert_holds(in_folder("text"), "here");
    unlink(in_folder("text"));
}
END_TEST

START_TEST(only_an_ordinary_file_is_replaced)
{
    static const struct {
        const char *path, *word;
    } cases[] = {{"/dev/null", "no ordinary file"}, {"/tmp", "folder"}, {"/tmp/", "folder"},
        {"/nowhere/at/all.h5", "No such file"}, {"/dev/null/file", "Not a directory"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file_writer file;
        struct error error = {0};
        ck_assert_int_eq(file_begin(&file, cases[i].path, &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_IO);
        ck_assert_msg(strstr(error.text, cases[i].path) == error.text && strstr(error.text, cases[i].word),
            "%s", error.text);
    }
    struct stat status;
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(a_file_without_room_says_so_before_or_while_it_is_written)
{
    named = _i;
    struct file_writer file;
    struct error error = {0};
    const char *path = in_folder("text");
    char *bytes = calloc(1, 100000);
    write_text(path, "old");
    sample_limit_files(70000);
    ck_assert_int_eq(file_begin(&file, path, &error), 0);
    ck_assert_int_eq(file_reserve(&file, 100000, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    error = (struct error){0};
    ck_assert_int_eq(file_write(&file, bytes, 60000, 0, &error), 0);
    ck_assert_int_eq(file_write(&file, bytes, 40000, 60000, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_msg(strstr(error.text, "make room"), "%s", error.text);
    file_abandon(&file);
    sample_limit_files(RLIM_INFINITY);
    assert_holds(path, "old");
    ck_assert_int_eq(sample_count_files(folder), 1);
    unlink(path);
    free(bytes);
}
END_TEST

/* The kernel would fill the disk before it said so, and take from others for that moment. The limit on sizes
 * shows that the room was looked at first: all else ends at it with another reason. */
START_TEST(a_file_larger_than_the_disk_is_refused_before_it_takes_room)
{
    named = _i;
    struct file_writer file;
    struct error error = {0};
    struct statvfs disk;
    ck_assert_int_eq(statvfs(folder, &disk), 0);
    const int64_t room = (int64_t)(disk.f_bfree * disk.f_frsize);
    sample_limit_files(70000);
    ck_assert_int_eq(file_begin(&file, in_folder("text"), &error), 0);
    ck_assert_int_eq(file_reserve(&file, 2 * room + (INT64_C(1) << 32), &error), -1);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_msg(
        strstr(error.text, "text: cannot be written: No space left on device: make room"), "%s", error.text);
    ck_assert_int_eq(file_write(&file, "new", 3, 0, &error), 0);
    file_abandon(&file);
    sample_limit_files(RLIM_INFINITY);
    ck_assert_int_eq(sample_count_files(folder), 0);
}
END_TEST

START_TEST(what_is_no_ordinary_file_is_not_read)
{
    static const struct {
        const char *path, *text;
    } cases[] = {{"/tmp", "/tmp: is a folder, not a text: name an ordinary file"},
        {"/dev/null", "/dev/null: is a device, not a text: name an ordinary file"},
        {"/nowhere/at/all", "/nowhere/at/all: cannot be opened: No such file or directory"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        size_t size = 7;
        ck_assert_ptr_null(file_read(cases[i].path, "a text", &size, &error));
        ck_assert_int_eq(error.code, EXIT_CODE_IO);
        ck_assert_str_eq(error.text, cases[i].text);
        ck_assert_uint_eq(size, 7);
    }
    write_text(in_folder("empty"), "");
    assert_holds(in_folder("empty"), "");
    unlink(in_folder("empty"));
}
END_TEST

START_TEST(a_folder_is_made_with_all_that_leads_to_it)
{
    static const char *const made[] = {"a/b/c", "a/b", "a"};
    struct error error = {0};
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(file_make_folder(in_folder("a//b/c/"), &error) == 0, "%s", error.text);
        ck_assert_msg(file_make_folder(in_folder("a/b"), &error) == 0, "%s", error.text);
    }
    ck_assert_int_eq(file_make_folder("/", &error), 0);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        ck_assert_int_eq(rmdir(in_folder(made[i])), 0);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named_with_the_reason)
{
    struct error error = {0};
    char want[600];
    write_text(in_folder("file"), "in the way");
    snprintf(want, sizeof want, "%s: cannot be created: Not a directory", in_folder("file"));
    ck_assert_int_eq(file_make_folder(in_folder("file/below/it"), &error), -1);
    ck_assert_int_eq(errno, ENOTDIR);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_str_eq(error.text, want);
    ck_assert_int_eq(file_make_folder(in_folder("file"), &error), -1);
    ck_assert_str_eq(error.text, want);
    ck_assert_int_eq(file_make_folder("", &error), -1);
    unlink(in_folder("file"));
    if (geteuid() != 0)
        return; /* only root can become somebody who may not */
    ck_assert_int_eq(mkdir(in_folder("closed"), 0700), 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    ck_assert_int_eq(file_make_folder(in_folder("closed/a/b"), &error), -1);
    ck_assert_int_eq(errno, EACCES);
    ck_assert_ptr_nonnull(strstr(error.text, "/closed/a: cannot be created: Permission denied"));
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(rmdir(in_folder("closed")), 0);
}
END_TEST

int main(void)
{
    sample_make_folder(folder, sizeof folder);
    Suite *suite = suite_create("file");
    TCase *writing = tcase_create("writing"), *others = tcase_create("reading and folders");
    tcase_add_loop_test(writing, a_replaced_file_is_the_old_one_until_the_commit, 0, 2);
    tcase_add_loop_test(writing, an_abandoned_file_leaves_the_old_one_and_nothing_else, 0, 2);
    tcase_add_loop_test(writing, a_killed_process_leaves_nothing_behind, 0, 2);
    tcase_add_loop_test(writing, only_what_is_left_behind_is_swept, 0, 2);
    tcase_add_test(writing, names_of_temporary_files_are_known_again);
    tcase_add_test(writing, a_name_without_a_folder_is_in_the_current_one);
    tcase_add_test(writing, only_an_ordinary_file_is_replaced);
    tcase_add_loop_test(writing, a_file_without_room_says_so_before_or_while_it_is_written, 0, 2);
    tcase_add_loop_test(writing, a_file_larger_than_the_disk_is_refused_before_it_takes_room, 0, 2);
    tcase_add_test(others, what_is_no_ordinary_file_is_not_read);
    tcase_add_test(others, a_folder_is_made_with_all_that_leads_to_it);
    tcase_add_test(others, a_folder_that_cannot_be_made_is_named_with_the_reason);
    suite_add_tcase(suite, writing);
    suite_add_tcase(suite, others);
    int status = suite_run(suite);
    sample_remove_folder(folder);
    return status;
}
