/* librnn as a guest in somebody's program: threads with models of their own, signals that stay as they were,
 * and files that are damaged, forged or of others. No MPI is near, so that sanitizers and valgrind see all.
 */
#include "base/memory.h"
#include "ckpt/seal.h"
#include "model/rnn.h"
#include "support/checkpoints.h"
#include "support/sample.h"
#include "support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 50, SEQUENCES = 4, NETS = 3 };

static char folder[256];
static float x[FRAMES * 2];
static const int64_t offsets[SEQUENCES + 1] = {0, 7, 8, 29, FRAMES};

/* What all have, keys included that stand at their default. */
#define USUAL                                                                                                \
    .inputs = 2, .outputs = 2, .huber_delta = 1, .quantiles = 3, .quantile = {0.1, 0.5, 0.9},                \
    .decoder_layers = 1

static const struct net_config configs[NETS] = {
    {.cell = CELL_LSTM, .output = OUTPUT_FRAME, .loss = LOSS_SOFTMAX, .layers = 2, .hidden = {9, 5}, USUAL},
    {.cell = CELL_GRU,
        .output = OUTPUT_CTC,
        .loss = LOSS_SOFTMAX,
        .layers = 1,
        .hidden = {17},
        .bidirectional = {1},
        USUAL},
    {.cell = CELL_LRU, .output = OUTPUT_SEQUENCE, .loss = LOSS_MSE, .layers = 1, .hidden = {6}, USUAL},
};

static const char *path_of(const char *name)
{
    static char path[8][512];
    static int next;
    char *text = path[next++ % 8];
    snprintf(text, sizeof path[0], "%s/%s", folder, name);
    return text;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The bytes of a checkpoint of network i (memory_destroy). */
static char *encode(int i, size_t *size)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    void *bytes = NULL;
    struct net *net = checkpoints_make_of(&checkpoint, &configs[i], 8);
    ck_assert_msg(checkpoint_encode(&checkpoint, &bytes, size, &error) == 0, "%s", error.text);
    checkpoint_finish(&checkpoint);
    net_destroy(net);
    return bytes;
}

static void write_all(void)
{
    for (int i = 0; i < NETS; i++) {
        char name[32];
        size_t size;
        char *bytes = encode(i, &size);
        snprintf(name, sizeof name, "%d.h5", i);
        write_file(name, bytes, size);
        memory_destroy(bytes);
    }
    for (int i = 0; i < FRAMES * 2; i++)
        x[i] = (float)(i * 29 % 17) / 8 - 1;
}

/* ---- threads ---- */

struct worker {
    char path[512];
    const struct rnn_result *wanted;
    int right;
};

/* No assertion of Check in here, which is not for threads. */
static int stream_all(struct rnn_model *model)
{
    struct rnn_stream *stream;
    struct rnn_rows rows;
    if (rnn_stream_open(model, 5, 2, &stream, NULL) != RNN_OK)
        return 0;
    int right = 1;
    for (int t = 0; t < FRAMES && right; t++)
        right = rnn_stream_features(stream, 1, x + 2 * t, &rows, NULL) == RNN_OK;
    right = right && rnn_stream_end(stream, &rows, NULL) == RNN_OK;
    rnn_stream_close(stream);
    return right;
}

static int run_all(struct rnn_model *model, const struct rnn_result *wanted)
{
    const struct rnn_result *result;
    if (rnn_run_features(model, SEQUENCES, offsets, x, 0, &result, NULL) != RNN_OK)
        return 0;
    int right = result->rows == wanted->rows &&
        memcmp(result->values, wanted->values, result->rows * result->width * sizeof(float)) == 0;
    rnn_result_free(result);
    return right;
}

static void *work(void *context)
{
    struct worker *worker = context;
    worker->right = 1;
    for (int i = 0; i < 4 && worker->right; i++) {
        struct rnn_model *model;
        worker->right = rnn_open(worker->path, &model, NULL) == RNN_OK && run_all(model, worker->wanted) &&
            stream_all(model) && run_all(model, worker->wanted);
        rnn_close(model);
    }
    return NULL;
}

START_TEST(threads_with_a_model_each_do_not_meet)
{
    struct worker worker[2];
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        struct rnn_model *model;
        struct rnn_error error;
        snprintf(worker[i].path, sizeof worker[i].path, "%s/%d.h5", folder, i);
        ck_assert_msg(rnn_open(worker[i].path, &model, &error) == RNN_OK, "%s", error.text);
        ck_assert_int_eq(rnn_run_features(model, SEQUENCES, offsets, x, 0, &worker[i].wanted, NULL), RNN_OK);
        rnn_close(model);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
        ck_assert_msg(worker[i].right, "thread %d", i);
        rnn_result_free(worker[i].wanted);
    }
}
END_TEST

/* ---- files ---- */

static void expect_refusal(const char *name, enum rnn_code wanted, const char *text)
{
    struct rnn_model *model = (struct rnn_model *)&x;
    struct rnn_error error = {0};
    enum rnn_code code = rnn_open(path_of(name), &model, &error);
    ck_assert_msg(code == wanted && error.code == (int)wanted, "%d, not %d: %s", code, wanted, error.text);
    ck_assert_msg(strstr(error.text, text) != NULL, "wanted '%s' in: %s", text, error.text);
    ck_assert_ptr_null(model);
}

static void refuse_bytes(const void *bytes, size_t size, const char *text)
{
    write_file("refused.h5", bytes, size);
    expect_refusal("refused.h5", RNN_DATA, text);
}

START_TEST(damaged_files_are_refused_by_value)
{
    size_t size;
    char *bytes = encode(_i, &size);
    for (size_t i = 0; i < 200; i++) {
        size_t at = i * (size / 200);
        bytes[at] = (char)(bytes[at] ^ 1 << i % 8);
        refuse_bytes(bytes, size, "refused.h5");
        bytes[at] = (char)(bytes[at] ^ 1 << i % 8);
        refuse_bytes(bytes, at, "refused.h5");
    }
    refuse_bytes(bytes, size - SEAL_BYTES, "no hash line at its end");
    refuse_bytes("no checkpoint", 13, "not a checkpoint");
    memory_destroy(bytes);
}
END_TEST

/* Where the first tensor stands in the file. */
static size_t find_weights(const char *bytes, size_t size, const struct checkpoint *checkpoint)
{
    const struct parameter *p = &checkpoint->parameter[0];
    for (size_t at = 0; at + p->count * sizeof(float) <= size; at++)
        if (memcmp(bytes + at, checkpoint->weights + p->offset, p->count * sizeof(float)) == 0)
            return at;
    ck_abort_msg("no weights");
    return 0;
}

/* A hash line that was made to fit what somebody has changed does not make weights right: they have a hash of
 * their own, and so has each group. */
START_TEST(forged_weights_are_refused_by_value)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    size_t size;
    void *image = NULL;
    struct net *net = checkpoints_make_of(&checkpoint, &configs[0], 8);
    ck_assert_int_eq(checkpoint_encode(&checkpoint, &image, &size, &error), 0);
    char *bytes = image;
    size_t at = find_weights(bytes, size, &checkpoint), end = size - SEAL_BYTES;
    for (size_t i = 0; i < checkpoint.parameter[0].count * sizeof(float); i += 3) {
        bytes[at + i] = (char)(bytes[at + i] ^ 0x10);
        seal_write(bytes, end, bytes + end);
        refuse_bytes(bytes, size, "hash");
        bytes[at + i] = (char)(bytes[at + i] ^ 0x10);
    }
    memory_destroy(image);
    checkpoint_finish(&checkpoint);
    net_destroy(net);
}
END_TEST

START_TEST(files_of_others_are_refused_by_value)
{
    const struct sample_shape shape = {.sequences = 2, .shortest = 1, .longest = 3, .features = 2};
    struct sample sample;
    struct rnn_model *model;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, path_of("data.h5"));
    sample_finish(&sample);
    expect_refusal("data.h5", RNN_DATA, "data.h5");
    expect_refusal("nowhere.h5", RNN_IO, "nowhere.h5");
    expect_refusal("", RNN_IO, "best.h5");
    ck_assert_int_eq(rnn_open(path_of("nowhere.h5"), &model, NULL), RNN_IO);
    ck_assert_ptr_null(model);
    rnn_close(NULL);
    rnn_stream_close(NULL);
    rnn_result_free(NULL);
}
END_TEST

/* ---- signals ---- */

static void handle(int number)
{
}

START_TEST(signals_stay_as_they_were)
{
    static const int numbers[] = {SIGBUS, SIGFPE, SIGILL, SIGVTALRM, SIGUSR1, SIGINT, SIGPIPE};
    struct sigaction own = {.sa_handler = handle}, found;
    struct rnn_model *model;
    sigset_t before, after;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ck_assert_int_eq(sigaction(numbers[i], &own, NULL), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    ck_assert_int_eq(rnn_open(path_of("2.h5"), &model, NULL), RNN_OK);
    ck_assert(stream_all(model));
    rnn_close(model);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ck_assert_int_eq(sigaction(numbers[i], NULL, &found), 0);
        ck_assert_msg(found.sa_handler == handle, "signal %d", numbers[i]);
        ck_assert_int_eq(sigismember(&before, numbers[i]), sigismember(&after, numbers[i]));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("guest");
    TCase *guest = tcase_create("guest"), *files = tcase_create("files");
    tcase_set_timeout(guest, 120);
    tcase_set_timeout(files, 120);
    tcase_add_unchecked_fixture(guest, write_all, NULL);
    tcase_add_unchecked_fixture(files, write_all, NULL);
    tcase_add_test(guest, threads_with_a_model_each_do_not_meet);
    tcase_add_test(guest, signals_stay_as_they_were);
    tcase_add_loop_test(files, damaged_files_are_refused_by_value, 0, NETS);
    tcase_add_test(files, forged_weights_are_refused_by_value);
    tcase_add_test(files, files_of_others_are_refused_by_value);
    suite_add_tcase(suite, guest);
    suite_add_tcase(suite, files);
    return suite;
}

int main(void)
{
    sample_make_folder(folder, sizeof folder);
    int outcome = suite_run(make_suite());
    sample_remove_folder(folder);
    return outcome;
}
