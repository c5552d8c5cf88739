/* A reader gives the microbatches that were asked for, in order, whether a thread reads them or not. */
#define _GNU_SOURCE /* syscall */

#include "base/random.h"
#include "data/reader.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char folder[256], path[300];

/* ---- a slow disk ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int shut;         /* reads wait until it is open again */
    int slow;         /* each takes longer than a wait waits between two looks */
    unsigned waiting; /* reads that wait now */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* HDF5's reads come here instead of to the C library, by whichever name. */
ssize_t read_slowly(int descriptor, void *bytes, size_t size, off_t at) __asm__("pread");
ssize_t read_slowly_too(int descriptor, void *bytes, size_t size, off_t at) __asm__("pread64");

ssize_t read_slowly(int descriptor, void *bytes, size_t size, off_t at)
{
    pthread_mutex_lock(&disk.lock);
    disk.waiting++;
    pthread_cond_broadcast(&disk.changed);
    while (disk.shut)
        pthread_cond_wait(&disk.changed, &disk.lock);
    disk.waiting--;
    int slow = disk.slow;
    pthread_mutex_unlock(&disk.lock);
    if (slow)
        nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    return (ssize_t)syscall(SYS_pread64, descriptor, bytes, size, at);
}

ssize_t read_slowly_too(int descriptor, void *bytes, size_t size, off_t at)
{
    return read_slowly(descriptor, bytes, size, at);
}

static void set_disk(int shut, int slow)
{
    pthread_mutex_lock(&disk.lock);
    disk.shut = shut;
    disk.slow = slow;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

static void await_read(void)
{
    pthread_mutex_lock(&disk.lock);
    while (!disk.waiting)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
}

enum { SEQUENCES = 40, LENGTH = 12, FEATURES = 5, MICROBATCH = 3 };

/* All sequences alike in length, so any choice of them is a microbatch. */
static const struct sample_shape shape = {.sequences = SEQUENCES,
    .shortest = LENGTH,
    .longest = LENGTH,
    .features = FEATURES,
    .kind = SAMPLE_PER_SEQUENCE,
    .classes = 7};

static struct dataset *open_well(size_t cache)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, cache, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    return dataset;
}

static struct reader *read_well(struct dataset *dataset)
{
    struct error error = {0};
    struct reader *reader = reader_create(dataset, NULL, NULL, &error);
    ck_assert_msg(reader != NULL, "%s", error.text);
    return reader;
}

static void pick(uint64_t number, int64_t picks[MICROBATCH])
{
    for (size_t b = 0; b < MICROBATCH; b++)
        picks[b] = (int64_t)random_below(SEQUENCES, 3, RANDOM_TEST, number, b);
}

static void ask(struct reader *reader, uint64_t number)
{
    int64_t picks[MICROBATCH];
    pick(number, picks);
    ck_assert_int_eq(reader_ask(reader, MICROBATCH, picks, NULL), 0);
    memset(picks, -1, sizeof picks); /* the reader has its own copy */
}

static void assert_microbatch(
    const struct sample *sample, const struct microbatch *microbatch, uint64_t number)
{
    int64_t picks[MICROBATCH];
    pick(number, picks);
    ck_assert_uint_eq(microbatch->B, MICROBATCH);
    for (size_t b = 0; b < MICROBATCH; b++) {
        ck_assert_int_eq(microbatch->sequence[b], picks[b]);
        ck_assert_int_eq(microbatch->classes[b], sample->classes[picks[b]]);
        for (size_t t = 0; t < LENGTH; t++)
            ck_assert_mem_eq(
                microbatch->inputs + microbatch_frame(microbatch, b, t) * microbatch->inputs_stride,
                sample->inputs + (size_t)(picks[b] * LENGTH + (int64_t)t) * FEATURES,
                FEATURES * sizeof(float));
    }
}

/* _i: 0 with a thread, 1 kept. */
START_TEST(microbatches_come_in_the_order_of_asking)
{
    enum { MICROBATCHES = 200 };
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(_i ? SIZE_MAX : 0);
    struct reader *reader = read_well(dataset);
    double wait = 0;
    uint64_t asked = 0;
    for (uint64_t taken = 0; taken < MICROBATCHES; taken++) {
        /* sometimes far ahead, sometimes with nothing asked but the next */
        uint64_t ahead = 1 + random_below(9, 4, RANDOM_TEST, 0, taken);
        for (; asked < taken + ahead; asked++)
            ask(reader, asked);
        const struct microbatch *microbatch = reader_next(reader, &wait, NULL);
        ck_assert_ptr_nonnull(microbatch);
        assert_microbatch(&sample, microbatch, taken);
        if (taken % 17 == 0)
            /* lets the thread run into its bound; the microbatch must stay as it is */
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        assert_microbatch(&sample, microbatch, taken);
    }
    ck_assert_double_gt(wait, 0);
    ck_assert_double_lt(wait, 60);
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

static void assert_any_targets(const struct sample *sample, const struct microbatch *microbatch, int64_t s)
{
    const int64_t *offset = sample->target_offsets;
    ck_assert_uint_eq(microbatch->target_rows, (size_t)(offset[s + 1] - offset[s] + offset[1]));
    ck_assert_uint_eq(microbatch->target_start[1], (size_t)(offset[s + 1] - offset[s]));
    ck_assert_uint_eq(microbatch->target_start[2], microbatch->target_rows);
    for (size_t u = 0; u < microbatch->target_start[1]; u++)
        ck_assert_int_eq(microbatch->classes[u], sample->classes[offset[s] + (int64_t)u]);
    for (size_t u = 0; u < (size_t)offset[1]; u++)
        ck_assert_int_eq(microbatch->classes[microbatch->target_start[1] + u], sample->classes[u]);
}

/* _i: 0 to 1 a file of any number of targets, 2 to 3 one that is asked for like that; even with a thread */
START_TEST(microbatches_have_any_number_of_targets)
{
    struct sample_shape any = shape;
    any.kind = _i < 2 ? SAMPLE_ANY : SAMPLE_PER_SEQUENCE;
    struct sample sample;
    sample_init(&sample, &any, 9);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(_i % 2 ? SIZE_MAX : 0);
    dataset->any_targets = 1;
    struct reader *reader = read_well(dataset);
    for (int64_t s = 0; s < SEQUENCES; s++) {
        int64_t picks[] = {s, 0};
        ck_assert_int_eq(reader_ask(reader, 2, picks, NULL), 0);
    }
    for (int64_t s = 0; s < SEQUENCES; s++) {
        const struct microbatch *microbatch = reader_next(reader, NULL, NULL);
        ck_assert_ptr_nonnull(microbatch);
        assert_any_targets(&sample, microbatch, s);
    }
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(microbatches_are_standardized)
{
    struct sample sample;
    sample_init(&sample, &shape, 2);
    sample_write(&sample, path);
    float mean[FEATURES] = {1, 2, 3, 4, 5}, deviation[FEATURES] = {1, 2, 4, 8, 16};
    struct dataset *dataset = open_well(_i ? SIZE_MAX : 0);
    struct reader *reader = reader_create(dataset, mean, deviation, NULL);
    ask(reader, 0);
    const struct microbatch *microbatch = reader_next(reader, NULL, NULL);
    int64_t picks[MICROBATCH];
    pick(0, picks);
    for (size_t i = 0; i < FEATURES; i++) {
        float x = sample.inputs[(size_t)picks[1] * LENGTH * FEATURES + i];
        ck_assert(microbatch->inputs[microbatch->inputs_stride + i] == (x - mean[i]) / deviation[i]);
    }
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_fault_comes_back_at_its_microbatch_and_the_next_are_good)
{
    struct sample sample;
    sample_init(&sample, &shape, 3);
    sample.inputs[(7 * LENGTH + 2) * FEATURES + 4] = NAN;
    sample_write(&sample, path);
    struct dataset *dataset = open_well(0);
    struct reader *reader = read_well(dataset);
    for (int64_t s = 0; s < SEQUENCES; s++)
        ck_assert_int_eq(reader_ask(reader, 1, &s, NULL), 0);
    for (int64_t s = 0; s < SEQUENCES; s++) {
        struct error error = {0};
        const struct microbatch *microbatch = reader_next(reader, NULL, &error);
        if (s != 7) {
            ck_assert_msg(microbatch != NULL, "%s", error.text);
            ck_assert_int_eq(microbatch->sequence[0], s);
            ck_assert_int_eq(microbatch->classes[0], sample.classes[s]);
            continue;
        }
        ck_assert_ptr_null(microbatch);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_msg(
            strstr(error.text, "row 86 (sequence 7, its row 2): column 4 is NaN"), "%s", error.text);
    }
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_busy_reader_can_be_destroyed)
{
    struct sample sample;
    sample_init(&sample, &shape, 4);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(_i ? SIZE_MAX : 0);
    for (uint64_t round = 0; round < 60; round++) {
        struct reader *reader = read_well(dataset);
        for (uint64_t number = 0; number < round; number++)
            ask(reader, number);
        for (uint64_t number = 0; number < round / 4; number++)
            assert_microbatch(&sample, reader_next(reader, NULL, NULL), number);
        reader_destroy(reader);
    }
    reader_destroy(NULL);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

static size_t held_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

START_TEST(memory_does_not_grow_with_what_is_asked_for)
{
    enum { FRAMES = 20000, MICROBATCH_BYTES = FRAMES * 16 * 4, MOST = 12 };
    struct sample_shape long_shape = {
        .sequences = MOST, .shortest = FRAMES, .longest = FRAMES, .features = 16, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    sample_init(&sample, &long_shape, 5);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(0);
    struct reader *reader = read_well(dataset);
    int64_t first = 0;
    reader_ask(reader, 1, &first, NULL); /* what reading takes once is taken */
    ck_assert_ptr_nonnull(reader_next(reader, NULL, NULL));
    size_t before = held_bytes();
    for (int64_t s = 1; s < MOST; s++)
        reader_ask(reader, 1, &s, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    ck_assert_uint_lt(held_bytes(), before + 5 * MICROBATCH_BYTES / 2); /* two ahead; all would be eleven */
    for (int64_t s = 1; s < MOST; s++)
        ck_assert_int_eq(reader_next(reader, NULL, NULL)->sequence[0], s);
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(signals_do_not_go_to_the_reading_thread)
{
    struct sample sample;
    sample_init(&sample, &shape, 6);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(0);
    struct reader *reader = read_well(dataset);
    sigset_t one, pending;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    ck_assert_int_eq(kill(getpid(), SIGUSR1), 0); /* a thread that let it through would end the process */
    ask(reader, 0);
    ck_assert_ptr_nonnull(reader_next(reader, NULL, NULL));
    ck_assert_int_eq(sigpending(&pending), 0);
    ck_assert_int_eq(sigismember(&pending, SIGUSR1), 1);
    int taken;
    ck_assert_int_eq(sigwait(&one, &taken), 0);
    reader_destroy(reader);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

static volatile sig_atomic_t unwanted;
static int signs;

static void count_sign(const void *context)
{
    signs++;
}

static void ask_to_stop(int number)
{
    unwanted = 1;
}

/* Reads that come back are signs of life; one that does not come back gives none, and a stop does not wait
 * for it. */
START_TEST(a_wait_for_a_slow_disk_shows_life_and_ends_with_a_stop)
{
    static const int64_t picks[] = {0, 1, 2};
    const struct sample_shape long_shape = {
        .sequences = 3, .shortest = 20000, .longest = 20000, .features = 16, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    sample_init(&sample, &long_shape, 7);
    sample_write(&sample, path);
    struct error error = {0};
    struct dataset *dataset = open_well(0);
    struct reader *reader = read_well(dataset);
    unwanted = signs = 0;
    reader_set_wait(reader, &(struct reader_wait){.unwanted = &unwanted, .alive = count_sign});
    set_disk(0, 1);
    reader_ask(reader, MICROBATCH, picks, NULL);
    ck_assert_uint_eq(reader_next(reader, NULL, &error)->B, MICROBATCH);
    ck_assert_int_ge(signs, 1);
    unsigned reads = atomic_load(&dataset->reads);
    ck_assert_uint_ge(reads, MICROBATCH);
    set_disk(1, 0);
    signs = 0;
    reader_ask(reader, MICROBATCH, picks, NULL);
    await_read();
    signal(SIGALRM, ask_to_stop);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 300000}}, NULL);
    ck_assert_ptr_null(reader_next(reader, NULL, &error));
    ck_assert_int_eq(error.code, 0);
    ck_assert_int_eq(signs, 0);
    set_disk(0, 0);
    reader_destroy(reader);
    ck_assert_uint_le(atomic_load(&dataset->reads), reads + 1); /* the one that was under way */
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader");
    TCase *cases = tcase_create("reader");
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/sample.h5", folder);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, microbatches_come_in_the_order_of_asking, 0, 2);
    tcase_add_loop_test(cases, microbatches_have_any_number_of_targets, 0, 4);
    tcase_add_loop_test(cases, microbatches_are_standardized, 0, 2);
    tcase_add_test(cases, a_fault_comes_back_at_its_microbatch_and_the_next_are_good);
    tcase_add_loop_test(cases, a_busy_reader_can_be_destroyed, 0, 2);
    tcase_add_test(cases, memory_does_not_grow_with_what_is_asked_for);
    tcase_add_test(cases, a_wait_for_a_slow_disk_shows_life_and_ends_with_a_stop);
    tcase_add_test(cases, signals_do_not_go_to_the_reading_thread);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}
