#include "base/clean.h"
#include "base/error.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/mathematics.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/streams.h"
#include "base/text.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static double ulps(double got, long double want)
{
    int exponent;
    frexpl(want, &exponent);
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent - 53));
}

START_TEST(exp_log_cos_are_within_two_units_in_the_last_place)
{
    for (uint64_t i = 0; i < 200000; i++) {
        double u = random_uniform(1, RANDOM_TEST, 0, i);
        double x = (u - 0.5) * 1400;
        ck_assert_double_lt(ulps(math_exp(x), expl((long double)x)), 2);
        x = exp((u - 0.5) * 200);
        ck_assert_double_lt(ulps(math_log(x), logl((long double)x)), 2);
        x = 1 + (u - 0.5) * 0.01;
        ck_assert_double_lt(ulps(math_log(x), logl((long double)x)), 2);
        x = (u - 0.5) * 100;
        ck_assert_double_lt(fabs(math_cos(x) - (double)cosl((long double)x)), 2.3e-16);
    }
}
END_TEST

START_TEST(exp_and_log_of_special_values)
{
    ck_assert(isnan(math_exp(NAN)) && isnan(math_log(NAN)) && isnan(math_log(-1)));
    ck_assert(math_exp(1000) == INFINITY && math_exp(-1000) == 0 && math_exp(0) == 1);
    ck_assert(math_log(0) == -INFINITY && math_log(INFINITY) == INFINITY && math_log(1) == 0);
}
END_TEST

START_TEST(philox_gives_the_published_numbers)
{
    /* Random123's known-answer file: philox4x32 10, counter and key all zero. */
    uint32_t bits[4];
    random_block(0, (enum random_stream)0, 0, 0, bits);
    ck_assert_uint_eq(bits[0], 0x6627e8d5u);
    ck_assert_uint_eq(bits[1], 0xe169c58du);
    ck_assert_uint_eq(bits[2], 0xbc57ac4cu);
    ck_assert_uint_eq(bits[3], 0x9b00dbd8u);
}
END_TEST

START_TEST(normal_numbers_have_mean_zero_and_variance_one)
{
    double sum = 0, squares = 0;
    enum { DRAWS = 200000 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        double x = random_normal(3, RANDOM_TEST, 0, i);
        sum += x;
        squares += x * x;
    }
    ck_assert_double_lt(fabs(sum / DRAWS), 0.01);
    ck_assert_double_lt(fabs(squares / DRAWS - 1), 0.02);
}
END_TEST

START_TEST(permutation_holds_each_number_once)
{
    int64_t order[1000], seen[1000] = {0};
    random_permutation(5, RANDOM_ORDER, 1, 1000, order);
    size_t moved = 0;
    for (int64_t i = 0; i < 1000; i++) {
        seen[order[i]]++;
        moved += order[i] != i;
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_uint_gt(moved, 900);
}
END_TEST

START_TEST(utf8_is_told_from_all_else)
{
    static const char *const good[] = {
        "", "plain", "gr\xc3\xb6\xc3\x9f", "\xe6\x97\xa5", "\xf0\x9f\x8e\xb5", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"gr\xf6\xdf", "\xc3", "\xe6\x97", "\x80", "\xc0\x80", "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(text_is_utf8(good[i], strlen(good[i])), "%zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!text_is_utf8(bad[i], strlen(bad[i])), "%zu", i);
    ck_assert(!text_is_utf8("\xc3\xb6", 1) && text_is_utf8("a\0b", 3));
}
END_TEST

START_TEST(an_ending_has_something_before_it)
{
    ck_assert(text_ends_in("x.npy", ".npy") && text_ends_in("a/.npy", ".npy"));
    ck_assert(!text_ends_in(".npy", ".npy") && !text_ends_in("npy", ".npy") && !text_ends_in("", ".npy"));
    ck_assert(!text_ends_in("x.npy.h5", ".npy"));
}
END_TEST

/* The exit code of a process that begins without these streams: 0 where no file gets the number of one, and
 * what is printed on standard output is known to be lost. */
static int begin_without(int streams)
{
    int status, code;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        for (int stream = 0; stream < 3; stream++)
            if (streams >> stream & 1)
                close(stream);
        streams_begin();
        code = open("/dev/null", O_RDWR) > STDERR_FILENO ? EXIT_CODE_OK : EXIT_CODE_USAGE;
        printf("lost\n");
        _exit(streams & 2 && streams_end(code) != EXIT_CODE_IO ? EXIT_CODE_INTERNAL : code);
    }
    while (waitpid(child, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(no_file_gets_the_number_of_a_stream)
{
    for (int streams = 0; streams < 8; streams++)
        ck_assert_msg(begin_without(streams) == 0, "%d", streams);
}
END_TEST

START_TEST(too_large_a_block_is_an_error)
{
    struct error error = {0};
    ck_assert_ptr_null(memory_create(SIZE_MAX / 2, 8, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_INTERNAL);
}
END_TEST

/* What an arena leaves between two pieces: nothing, but in builds with the address sanitizer. */
static size_t arena_gap(void)
{
    struct arena arena = {0};
    arena_take(&arena, MEMORY_ALIGNMENT, 1);
    return arena.peak - MEMORY_ALIGNMENT;
}

/* Bytes of this process that are in memory. */
static long count_resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert(file && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Nothing is made up to a whole huge page: of ten blocks none takes more than some pages beside what it is.
 */
START_TEST(a_large_block_takes_the_memory_that_it_holds)
{
    enum { BLOCKS = 10 };
    if (arena_gap() > 0) /* the address sanitizer has an allocator of its own */
        return;
    mallopt(M_PERTURB, 0); /* as meson sets it, malloc would write to all that it holds */
    const size_t sizes[] = {4 << 20, (4 << 20) + 4096, (5 << 20) + 64, (6 << 20) - 64};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block[BLOCKS];
        long before = count_resident();
        for (int b = 0; b < BLOCKS; b++)
            ck_assert_ptr_nonnull(block[b] = memory_create(sizes[i], 1, NULL));
        long taken = count_resident() - before;
        ck_assert_msg(taken < (long)(BLOCKS * (sizes[i] + (64 << 10))), "%zu: %ld", sizes[i], taken / BLOCKS);
        for (int b = 0; b < BLOCKS; b++)
            memory_destroy(block[b]);
    }
}
END_TEST

/* A very large block is not written to be zero: nothing of it is in memory, and what malloc had used before
 * is gone. */
START_TEST(a_very_large_block_is_zero_and_takes_memory_when_it_is_written)
{
    enum { BYTES = (40 << 20) + 100 };
    if (arena_gap() > 0)
        return;
    mallopt(M_PERTURB, 0);
    mallopt(M_MMAP_MAX, 0); /* blocks come from the heap, which is used again */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    char *block = memory_create(BYTES, 1, NULL);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, BYTES);
    memory_destroy(block);
    block = memory_create(BYTES, 1, NULL);
    ck_assert_ptr_nonnull(block);
    ck_assert_int_lt(count_resident(), 20 << 20);
    size_t others = 0;
    for (size_t i = 0; i < BYTES; i++)
        others += block[i] != 0;
    ck_assert_uint_eq(others, 0);
    memory_destroy(block);
}
END_TEST

/* What does not fill a page stays, as the first 100 bytes here and the last. */
START_TEST(pages_of_a_block_are_given_back_and_come_again_as_zeroes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 10000 * page + 200;
    char few[64] = {1};
    ck_assert_uint_eq(memory_give_back(NULL, 0, 1), 0);
    ck_assert_uint_eq(memory_give_back(few, sizeof few, 1), 0);
    ck_assert_int_eq(few[0], 1);
    ck_assert_uint_eq(memory_give_back(NULL, bytes, 0), 0);
    ck_assert_uint_eq(memory_give_back(NULL, bytes, SIZE_MAX), 10000 * page);
    ck_assert_uint_eq(memory_give_back(NULL, bytes, 15 * page + 1), 16 * page);
    char *whole = memory_create(bytes + page, 1, NULL), *block = whole + page - 100;
    ck_assert_ptr_nonnull(whole);
    memset(block, 1, bytes);
    long before = count_resident();
    ck_assert_uint_eq(memory_give_back(block, bytes, 9000 * page), 9000 * page);
    if (arena_gap() == 0)
        ck_assert_int_lt(count_resident(), before - 8900 * (long)page);
    for (size_t i = 0; i < bytes; i++)
        ck_assert_int_eq(block[i], i < 100 + 1000 * page || i >= bytes - 100);
    memory_destroy(whole);
}
END_TEST

START_TEST(arena_measures_what_it_then_hands_out)
{
    struct arena arena = {0};
    ck_assert_ptr_null(arena_take(&arena, 3, 4));
    arena_take(&arena, 100, 8);
    ck_assert_uint_eq(arena.peak, 64 + 832 + 2 * arena_gap());
    char *block = memory_create(arena.peak, 1, NULL);
    arena = (struct arena){.base = block, .size = arena.peak};
    ck_assert_ptr_eq(arena_take(&arena, 3, 4), block);
    ck_assert_ptr_eq(arena_take(&arena, 100, 8), block + 64 + arena_gap());
    memory_destroy(block);
}
END_TEST

/* Writes one float to `place` in a process of its own; whether that process ends as it should. */
static int may_write(volatile float *place)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(STDERR_FILENO);
        *place = 1;
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status == 0;
}

START_TEST(the_address_sanitizer_finds_a_float_behind_a_piece_of_an_arena)
{
    struct arena arena = {.size = 1024};
    arena.base = memory_create(arena.size, 1, NULL);
    for (size_t n = 15; n <= 17; n++) {
        arena_reset(&arena);
        float *piece = arena_take(&arena, n, sizeof(float));
        float *next = arena_take(&arena, 1, sizeof(float));
        ck_assert(may_write(&piece[n - 1]) && may_write(next));
        ck_assert(!may_write(&piece[n]) && !may_write(next - 1));
        arena_reset(&arena);
        ck_assert(!may_write(piece));
    }
    memory_destroy(arena.base);
}
END_TEST

/* ---- texts from outside ---- */

START_TEST(a_text_from_outside_cannot_steer_a_terminal)
{
    static const char *const pairs[][2] = {{"plain", "plain"}, {"\033[2J", "?[2J"},
        {"a\tb\nc\r\177", "a?b?c??"},
        {"dr\xc3\xb6lf \xe2\x82\xac \xf0\x9f\x99\x82", "dr\xc3\xb6lf \xe2\x82\xac \xf0\x9f\x99\x82"},
        {"\xc2\x9b"
         "2J",
            "??2J"},
        {"\x9b"
         "2J",
            "?2J"},
        {"dr\xf6lf", "dr?lf"}, {"\xc3", "?"}, {"\xe2\x82", "??"}, {"\xc0\x9b", "??"}, {"\xe0\x82\x9b", "???"},
        {"\xed\xa0\x80", "???"}, {"\xf4\x90\x80\x80", "????"}, {"\xf0\x80\x82\x9b", "????"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", pairs[i][0]);
        ck_assert_str_eq(text_clean(text), pairs[i][1]);
    }
    char shown[TEXT_SHOWN];
    ck_assert_str_eq(text_show("\033x", shown), "?x");
}
END_TEST

static void take_text(void *context, const char *text)
{
    snprintf(context, 64, "%s", text);
}

START_TEST(errors_and_faults_take_texts_as_they_come)
{
    struct error error;
    struct faults faults;
    char said[64];
    error_set(&error, EXIT_CODE_DATA, "format '%s'", "\033]0;x\a");
    ck_assert_str_eq(error.text, "format '?]0;x?'");
    error_prefix(&error, "%s: ", "\033c");
    ck_assert_str_eq(error.text, "?c: format '?]0;x?'");
    faults_init(&faults, 1, take_text, said);
    faults.warn = take_text;
    faults_add(&faults, EXIT_CODE_DATA, "%s", "a\033");
    ck_assert_str_eq(said, "a?");
    faults_warn(&faults, "%s", "\nb");
    ck_assert_str_eq(said, "?b");
}
END_TEST

/* Both ways of the log, on standard error that a pipe holds. */
START_TEST(the_log_writes_one_line_whatever_it_is_given)
{
    int ends[2], before = dup(STDERR_FILENO);
    char read_back[256];
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_line(LOG_ERROR, "%s", "two\nlines\033[31m");
    log_texts((const char *[]){"\033", "c", NULL});
    dup2(before, STDERR_FILENO);
    close(ends[1]);
    ssize_t n = read(ends[0], read_back, sizeof read_back - 1);
    close(ends[0]);
    close(before);
    ck_assert_int_gt(n, 0);
    read_back[n] = 0;
    ck_assert_str_eq(read_back, "rnn-train: two?lines?[31m\nrnn-train: ?c\n");
}
END_TEST

/* ---- what the machine has ---- */

/* Writes a file of a machine that a folder stands for, and the folders above it. */
static void write_below(const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", in_folder(name));
    for (char *slash = path + strlen(folder_path()) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    write_file(path, text, strlen(text));
}

static void expect_memory(size_t mebibytes, const char *limit)
{
    struct machine_memory memory;
    ck_assert_int_eq(machine_find_memory(folder_path(), &memory), 0);
    ck_assert_uint_eq(memory.bytes, mebibytes << 20);
    ck_assert_msg(strstr(memory.limit, limit), "%s", memory.limit);
}

START_TEST(the_limit_that_binds_is_the_least_of_machine_groups_and_slurm)
{
    struct machine_memory memory;
    unsetenv("SLURM_MEM_PER_NODE");
    unsetenv("SLURM_MEM_PER_CPU");
    folder_make();
    ck_assert_int_eq(machine_find_memory(folder_path(), &memory), -1);
    write_below("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:  5 kB\n");
    expect_memory(8192, "machine");
    write_below("proc/self/cgroup", "12:cpuset:/\n4:cpu,memory:/job/step\n0::/a/b\n");
    expect_memory(8192, "machine");
    write_below("sys/fs/cgroup/a/b/memory.max", "max\n");
    write_below("sys/fs/cgroup/a/memory.max", "4294967296\n"); /* of the group that the process' lies in */
    expect_memory(4096, "control group");
    write_below("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "3221225472\n");
    write_below("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    expect_memory(3072, "control group");
    setenv("SLURM_MEM_PER_NODE", "2048", 1);
    expect_memory(2048, "--mem)");
    setenv("SLURM_MEM_PER_CPU", "500", 1);
    expect_memory(2048, "--mem)");
    setenv("SLURM_CPUS_ON_NODE", "4", 1);
    expect_memory(2000, "--mem-per-cpu");
    setenv("SLURM_MEM_PER_NODE", "0", 1); /* all there is */
    unsetenv("SLURM_CPUS_ON_NODE");
    expect_memory(3072, "control group");
    folder_remove();
}
END_TEST

START_TEST(a_process_knows_what_it_takes)
{
    enum { BYTES = 64 << 20 };
    struct machine_use before, after;
    ck_assert_int_eq(machine_read_use(&before), 0);
    char *block = memory_create(BYTES, 1, NULL);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, BYTES);
    ck_assert_int_eq(machine_read_use(&after), 0);
    ck_assert(after.own >= before.own + BYTES && after.own < before.own + BYTES + (4 << 20));
    ck_assert(before.files > 0 && after.files < before.files + (4 << 20) && after.shared == before.shared);
    memory_destroy(block);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *cases = tcase_create("base");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, exp_log_cos_are_within_two_units_in_the_last_place);
    tcase_add_test(cases, exp_and_log_of_special_values);
    tcase_add_test(cases, philox_gives_the_published_numbers);
    tcase_add_test(cases, normal_numbers_have_mean_zero_and_variance_one);
    tcase_add_test(cases, permutation_holds_each_number_once);
    tcase_add_test(cases, utf8_is_told_from_all_else);
    tcase_add_test(cases, an_ending_has_something_before_it);
    tcase_add_test(cases, no_file_gets_the_number_of_a_stream);
    tcase_add_test(cases, too_large_a_block_is_an_error);
    tcase_add_test(cases, a_large_block_takes_the_memory_that_it_holds);
    tcase_add_test(cases, a_very_large_block_is_zero_and_takes_memory_when_it_is_written);
    tcase_add_test(cases, pages_of_a_block_are_given_back_and_come_again_as_zeroes);
    tcase_add_test(cases, arena_measures_what_it_then_hands_out);
    if (arena_gap())
        tcase_add_test(cases, the_address_sanitizer_finds_a_float_behind_a_piece_of_an_arena);
    tcase_add_test(cases, a_text_from_outside_cannot_steer_a_terminal);
    tcase_add_test(cases, errors_and_faults_take_texts_as_they_come);
    tcase_add_test(cases, the_log_writes_one_line_whatever_it_is_given);
    tcase_add_test(cases, the_limit_that_binds_is_the_least_of_machine_groups_and_slurm);
    if (!arena_gap()) /* the address sanitizer takes memory of its own */
        tcase_add_test(cases, a_process_knows_what_it_takes);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
