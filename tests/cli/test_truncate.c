/* Sequences worked off in pieces (train.truncate), seen from outside: the same bits on any number of ranks,
 * from whatever is kept of the data, and after a stop or a kill at any piece; what metrics.csv has of it;
 * what is warned of. */
#include "support/job.h"
#include "support/suite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Batches of up to five microbatches and up to six pieces, of which the last have few sequences. */
static const char config[] = "[data]\ntrain = %s-train.h5\nvalid = %s-valid.h5\n"
                             "[model]\noutput = %s\nhidden = 11\nlayers = 2\nbidirectional = no\n%s"
                             "[train]\nbatch = 9\nmicrobatch = 2\nepochs = 3\nlr = 0.01\ntruncate = 7\n"
                             "[checkpoint]\nevery = 1 step\nkeep = 1000\n";
enum { EPOCHS = 3, SEQUENCES = 31, LONGEST = 40, VALID = 12 };

static void write_set(const char *name, struct sample_shape shape, uint64_t seed)
{
    char file[64];
    snprintf(file, sizeof file, "%s-train.h5", name);
    job_write_sample(file, &shape, seed);
    shape.sequences = VALID;
    snprintf(file, sizeof file, "%s-valid.h5", name);
    job_write_sample(file, &shape, seed + 1);
}

static void write_all(void)
{
    struct sample_shape frame = {.sequences = SEQUENCES,
        .shortest = 1,
        .longest = LONGEST,
        .symbols = 6,
        .kind = SAMPLE_PER_FRAME,
        .classes = 4};
    struct sample_shape whole = frame;
    char text[1000];
    whole.kind = SAMPLE_PER_SEQUENCE;
    whole.symbols = 0;
    whole.features = 3;
    write_set("frame", frame, 1);
    write_set("whole", whole, 3);
    snprintf(text, sizeof text, config, "frame", "frame", "frame", "initial_state = learned\n");
    job_write_text("frame.ini", text);
    snprintf(text, sizeof text, config, "whole", "whole", "sequence", "cell = gru\n");
    job_write_text("whole.ini", text);
}

static const char *checkpoint_in(const char *run, int64_t step)
{
    static char name[2][80];
    static int turn;
    snprintf(name[turn ^= 1], sizeof name[0], "%s/checkpoint-%010" PRId64 ".h5", run, step);
    return name[turn];
}

/* Trains to the end and returns the last step. */
static int64_t train(const char *file, const char *run, int ranks, const char *const set[3])
{
    struct command_result result;
    char step[64];
    job_run(&result, ranks, file, run, set[0] ? "-s" : NULL, set[0], set[1] ? "-s" : NULL, set[1],
        set[2] ? "-s" : NULL, set[2], NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "step", step);
    command_result_finish(&result);
    return atoll(step);
}

static void compare(const char *one, const char *other, int64_t step)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance",
        job_path(checkpoint_in(one, step)), job_path(checkpoint_in(other, step)), NULL);
    ck_assert_msg(result.status == 0 && !*result.output, "%s, step %" PRId64 ": %s%s", other, step,
        result.output, result.errors);
    command_result_finish(&result);
}

/* ---- metrics.csv ---- */

/* A row of metrics.csv, as far as it is the same for equal runs. */
struct row {
    int64_t step, epoch, sequences, frames;
    int valid;
    double rate;
};

static int read_row(char **text, struct row *row)
{
    char split[8];
    int fields = sscanf(*text, "%" SCNd64 ",%" SCNd64 ",%7[a-z],%" SCNd64 ",%" SCNd64 ",%*[^,],%*[^,],%lf",
        &row->step, &row->epoch, split, &row->sequences, &row->frames, &row->rate);
    row->valid = fields >= 3 && strcmp(split, "valid") == 0;
    *text = strchr(*text, '\n');
    *text += *text != NULL;
    return fields >= 5;
}

/* Every step has its row, and every epoch its validation behind its last step. Returns how many steps the
 * epochs had. */
static void check_metrics(const char *run, int64_t last, int64_t steps[EPOCHS])
{
    char name[64];
    struct row row;
    int64_t step = 0, epoch = 1, frames = 0, all = 0;
    snprintf(name, sizeof name, "%s/metrics.csv", run);
    char *text = job_read(name, NULL), *at = strchr(text, '\n') + 1;
    memset(steps, 0, EPOCHS * sizeof *steps);
    while (*at) {
        ck_assert(read_row(&at, &row));
        ck_assert_int_eq(row.step, row.valid ? step : step + 1);
        ck_assert_int_eq(row.epoch, epoch);
        step = row.step;
        frames += row.valid ? 0 : row.frames;
        steps[epoch - 1] += !row.valid;
        if (!row.valid)
            continue;
        ck_assert_int_eq(row.sequences, VALID);
        all = epoch == 1 ? frames : all;
        ck_assert_int_eq(frames, all); /* each frame once an epoch */
        frames = 0;
        epoch++;
    }
    ck_assert(step == last && epoch == EPOCHS + 1);
    free(text);
}

/* ---- the same bits ---- */

static const struct {
    const char *file;
    const char *set[3];
} variants[] = {
    {"frame.ini", {NULL}},
    {"whole.ini", {NULL}},
    {"frame.ini", {"data.cache=1 KiB", "model.cell=lru", "model.dropout=0.3"}},
    {"frame.ini", {"model.cell=indrnn", "data.shuffle=windows", "data.window=2 KiB"}},
    {"frame.ini", {"train.weight_noise=0.05", "model.embedding=5", "model.recurrent_dropout=0.2"}},
    {"whole.ini", {"data.cache=1 KiB", "data.standardize=yes", "train.input_noise=0.1"}},
    {"frame.ini", {"model.peepholes=yes", "model.residual=yes", "train.activation_memory=1500 KiB"}},
    {"frame.ini", {"model.cell=mingru", "train.schedule=cosine", "train.warmup=9"}},
    {"frame.ini", {"model.cell=rnn", "model.transition_layers=1", "train.batch=64"}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* On other ranks, and gone on with from the middle of a batch on yet others. */
START_TEST(ranks_and_stops_at_any_piece_do_not_change_the_bits)
{
    const char *const *set = variants[_i].set, *file = variants[_i].file;
    char one[32], other[32], again[32];
    int64_t steps[EPOCHS];
    snprintf(one, sizeof one, "one-%d", _i);
    snprintf(other, sizeof other, "other-%d", _i);
    int64_t last = train(file, one, 0, set);
    ck_assert_int_eq(train(file, other, _i % 2 ? 3 : 8, set), last);
    compare(one, other, last);
    check_metrics(other, last, steps);
    for (int64_t step = 2 + _i % 3; step < last; step += last / 2) {
        snprintf(again, sizeof again, "again-%d-%" PRId64, _i, step);
        job_copy(one, again);
        for (int64_t s = step + 1; s <= last; s++)
            job_remove(checkpoint_in(again, s));
        ck_assert_int_eq(train(file, again, 2 + _i % 2, set), last);
        compare(one, again, step + 1 < last ? step + 1 : last);
        compare(one, again, last);
        check_metrics(again, last, steps);
    }
}
END_TEST

/* Ranks of two nodes exchange states. */
START_TEST(nodes_do_not_change_the_bits)
{
    static const char *const none[3] = {NULL};
    int64_t last = train("frame.ini", "node-1", 0, none);
    setenv("RNN_RANKS_PER_NODE", "2", 1);
    ck_assert_int_eq(train("frame.ini", "node-5", 5, none), last);
    unsetenv("RNN_RANKS_PER_NODE");
    compare("node-1", "node-5", last);
}
END_TEST

START_TEST(a_killed_run_ends_with_the_undisturbed_bits)
{
    static const char *const none[3] = {NULL};
    static const int ranks[] = {8, 3, 2};
    int64_t last = train("whole.ini", "alive", 0, none), steps[EPOCHS];
    for (int life = 0; life < 3; life++) {
        struct command_process process;
        struct command_result result;
        job_start(&process, ranks[life], "whole.ini", "dead", NULL);
        for (int64_t rows = 3 + 5 * life;
             job_metrics_rows("dead") < rows && command_processes(&process, NULL, 0);)
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        command_kill(&process);
        command_wait(&process, &result);
        command_result_finish(&result);
    }
    ck_assert_int_eq(train("whole.ini", "dead", 1, none), last);
    compare("alive", "dead", last);
    check_metrics("dead", last, steps);
}
END_TEST

/* ---- what else ---- */

/* Epochs have other numbers of steps, by which the rows of a lost metrics.csv are put in order again. */
START_TEST(epochs_of_other_lengths_have_their_rows_also_when_these_were_lost)
{
    static const char *const none[3] = {NULL};
    struct command_result result;
    int64_t steps[EPOCHS], last = train("frame.ini", "rows", 0, none);
    check_metrics("rows", last, steps);
    ck_assert(steps[0] != steps[1] || steps[1] != steps[2]);
    job_copy("rows", "lost");
    job_remove(checkpoint_in("lost", last));
    char *text = job_read("lost/metrics.csv", NULL);
    job_write("lost/metrics.csv", text, strlen(text) / 2);
    free(text);
    job_run(&result, 2, "frame.ini", "lost", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "/lost/metrics.csv: has ", "cannot be had again", NULL);
    command_result_finish(&result);
    job_run(&result, 0, NULL, NULL, "--verify", job_path("lost"), NULL);
    job_expect(&result, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "/metrics.csv: sound: "));
    command_result_finish(&result);
    ck_assert_int_eq(job_metrics_rows("lost"), last + EPOCHS);
}
END_TEST

/* The last of N updates has the rate of N - 1 made, whatever the epochs had. */
START_TEST(a_cosine_ends_with_the_last_piece)
{
    static const char *const cosine[3] = {"train.schedule=cosine", NULL};
    struct row row = {0}, read;
    double N = (double)train("frame.ini", "cosine", 3, cosine);
    char *text = job_read("cosine/metrics.csv", NULL), *at = strchr(text, '\n') + 1;
    while (*at && read_row(&at, &read))
        row = read.valid ? row : read;
    free(text);
    ck_assert_double_eq_tol(row.rate, 0.01 * (1 + cos(acos(-1.0) * (N - 1) / N)) / 2, 1e-9);
}
END_TEST

/* `text` is in what --check and the run itself say; `code` is how both end. */
static void expect_word(const char *set, const char *file, int code, const char *text)
{
    static const char *const options[] = {"--check", "--plan", "--fresh"};
    for (size_t i = 0; i < 3; i++) {
        struct command_result result;
        job_run(&result, 0, file, "words", options[i], "-s", set, NULL);
        ck_assert_msg(
            result.status == code, "%s: %d\n%s%s", set, result.status, result.output, result.errors);
        ck_assert_msg(strstr(result.errors, text) || strstr(result.output, text), "%s %s:\n%s%s", options[i],
            set, result.output, result.errors);
        command_result_finish(&result);
    }
}

START_TEST(what_pieces_cannot_do_is_said_by_check_plan_and_start)
{
    expect_word("model.bidirectional=yes", "frame.ini", 65, "train.truncate = 7: model.bidirectional = yes");
    expect_word("model.layers=0", "frame.ini", 65, "train.truncate = 7: ");
    expect_word("train.truncate=40", "frame.ini", 0, " frames, so that none is cut: lower it");
    expect_word("train.truncate=6", "whole.ini", 0, "reaches the last 6 frames of it at most, of up to ");
}
END_TEST

START_TEST(a_run_goes_on_with_the_pieces_that_it_was_begun_with)
{
    static const char *const none[3] = {NULL}, *const other[] = {"train.truncate=5", "train.truncate=0"};
    int64_t last = train("frame.ini", "begun", 0, none);
    job_remove(checkpoint_in("begun", last));
    for (size_t i = 0; i < 2; i++) {
        struct command_result result;
        job_run(&result, 0, "frame.ini", "begun", "-s", other[i], NULL);
        job_expect(&result, 65);
        ck_assert_msg(strstr(result.errors, "but the run was started with 7: "), "%s", result.errors);
        command_result_finish(&result);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("truncate");
    TCase *cases = tcase_create("truncate");
    job_open();
    tcase_add_unchecked_fixture(cases, write_all, NULL);
    tcase_set_timeout(cases, 300);
    tcase_add_loop_test(cases, ranks_and_stops_at_any_piece_do_not_change_the_bits, 0, VARIANTS);
    tcase_add_test(cases, nodes_do_not_change_the_bits);
    tcase_add_test(cases, a_killed_run_ends_with_the_undisturbed_bits);
    tcase_add_test(cases, epochs_of_other_lengths_have_their_rows_also_when_these_were_lost);
    tcase_add_test(cases, a_cosine_ends_with_the_last_piece);
    tcase_add_test(cases, what_pieces_cannot_do_is_said_by_check_plan_and_start);
    tcase_add_test(cases, a_run_goes_on_with_the_pieces_that_it_was_begun_with);
    suite_add_tcase(suite, cases);
    int failed = suite_run(suite);
    job_close();
    return failed;
}
