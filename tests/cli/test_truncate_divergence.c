/* Pieces (train.truncate) that diverge: one that is skipped is as one in which nothing counts, a sequence
 * whose states are broken goes on without them, and who goes back has the states of the checkpoint again: the
 * same bits on any number of ranks, and where the run is ended before or behind that piece and goes on. */
#include "ckpt/checkpoint.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All sequences are one batch, so that each piece is the same frames of all: pieces of the epoch, of which
 * the third is the one that goes wrong in the sequence WILD. */
enum { EPOCHS = 2, PIECES = 6, PIECE = 7, SEQUENCES = 31, WILD = 4, LAST = EPOCHS * PIECES };

static void write_configuration(
    const char *name, const char *data, const char *model, const char *train, int every)
{
    char text[600];
    snprintf(text, sizeof text,
        "[data]\ntrain = %s.h5\nvalid = tame.h5\n[model]\noutput = frame\nloss = mse\nhidden = 40\nlayers = "
        "2\n"
        "bidirectional = no\n%s[train]\nbatch = 64\nmicrobatch = 4\nepochs = 2\ntruncate = 7\n%s"
        "[checkpoint]\nevery = %d steps\nkeep = 1000\n",
        data, model, train, every);
    job_write_text(name, text);
}

/* Sets values of the targets of frames first .. end - 1 of a sequence that has them. */
static void set_targets(struct sample *sample, int64_t sequence, int64_t first, int64_t end, float value)
{
    int64_t start = sample->input_offsets[sequence], after = sample->input_offsets[sequence + 1];
    for (int64_t i = start + first; i < start + end && i < after; i++)
        for (size_t v = 0; v < sample->shape.values; v++)
            sample->values[(size_t)i * sample->shape.values + v] = value;
}

static void set_all_targets(struct sample *sample, int64_t first, int64_t end, float value)
{
    for (int64_t s = 0; s < SEQUENCES; s++)
        set_targets(sample, s, first, end, value);
}

static void save(const struct sample *sample, const char *name)
{
    sample_write(sample, job_path(name));
}

/* Sets that differ in the sequence WILD, or in the frames of a piece. */
static void write_data(void)
{
    const struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 24,
        .longest = PIECES * PIECE,
        .features = 3,
        .kind = SAMPLE_PER_FRAME,
        .values = 2,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 4);
    save(&sample, "tame.h5");
    set_targets(&sample, WILD, 2 * PIECE, 3 * PIECE, 3e38F);
    save(&sample, "wild.h5");
    set_all_targets(&sample, 2 * PIECE, 3 * PIECE, NAN);
    save(&sample, "none.h5");
    sample_finish(&sample);
    sample_init(&sample, &shape, 4);
    float *input = sample.inputs + (size_t)(sample.input_offsets[WILD] + 2 * PIECE) * shape.features;
    for (size_t i = 0; i < PIECE * shape.features; i++)
        input[i] = 3e38F;
    save(&sample, "flood.h5");
    sample_finish(&sample);
    sample_init(&sample, &shape, 4);
    set_all_targets(&sample, 0, 2 * PIECE, NAN);
    save(&sample, "late.h5");
    sample_finish(&sample);
}

/* The checkpoint of a step of a run, which must be sound. */
static void read_step(struct checkpoint *checkpoint, const char *run, int step)
{
    char name[80];
    struct error error;
    snprintf(name, sizeof name, "%s/checkpoint-%010d.h5", run, step);
    checkpoint_init(checkpoint);
    ck_assert_msg(
        checkpoint_read(job_path(name), CHECKPOINT_SEALED, checkpoint, &error) == 0, "%s", error.text);
}

/* Has the run on so many ranks, and returns how often it said `word` (NULL: 0). */
static int train(const char *config, const char *run, int ranks, const char *word, char hash[static 64])
{
    struct command_result result;
    int times = 0;
    job_run(&result, ranks, config, run, NULL);
    job_expect(&result, 0);
    for (const char *at = result.errors; word && (at = strstr(at, word)); at++)
        times++;
    job_field(result.output, "finished: ", "weights_hash", hash);
    command_result_finish(&result);
    job_check_metrics(run, EPOCHS, PIECES, 1);
    return times;
}

/* The bits of the run on more ranks and nodes, and gone on with from checkpoints before and behind a piece.
 */
static void expect_everywhere(const char *config, const char *run, const char *want)
{
    static const int ranks[] = {2, 3}, steps[] = {2, 4, 8};
    char name[64], hash[64];
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s-%d", run, ranks[i]);
        setenv("RNN_RANKS_PER_NODE", i == 1 ? "2" : "8", 1);
        train(config, name, ranks[i], NULL, hash);
        unsetenv("RNN_RANKS_PER_NODE");
        ck_assert_str_eq(hash, want);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s-from-%d", run, steps[i]);
        job_copy(run, name);
        for (int step = steps[i] + 1; step <= LAST; step++) {
            char file[96];
            snprintf(file, sizeof file, "%s/checkpoint-%010d.h5", name, step);
            if (job_exists(file))
                job_remove(file);
        }
        train(config, name, i + 1, NULL, hash);
        ck_assert_str_eq(hash, want);
    }
}

static const char skipped[] = "the step is skipped";

/* It is the piece that is skipped, and not the batch; the states that it came to go on. */
START_TEST(a_piece_that_is_skipped_is_as_one_in_which_nothing_counts)
{
    static const char *const models[] = {
        "", "cell = gru\ninitial_state = learned\n", "cell = lru\ndropout = 0.2\n"};
    char want[64], hash[64], wild[16], none[16];
    snprintf(wild, sizeof wild, "wild-%d", _i);
    snprintf(none, sizeof none, "none-%d", _i);
    write_configuration("none.ini", "none", models[_i], "", 2);
    write_configuration("wild.ini", "wild", models[_i], "on_divergence = skip\n", 2);
    ck_assert_int_eq(train("none.ini", none, 0, skipped, want), 0);
    ck_assert_int_eq(train("wild.ini", wild, 0, skipped, hash), EPOCHS);
    ck_assert_str_eq(hash, want);
    expect_everywhere("wild.ini", wild, want);
}
END_TEST

/* In the third piece sums of the lower layer come to 1e38 or overflow, and what the upper one makes of it is
 * no number. Were only what overflowed forgotten, the rest would break the next piece too. */
START_TEST(a_sequence_whose_states_are_broken_goes_on_without_them)
{
    struct checkpoint checkpoint;
    char want[64];
    write_configuration("flood.ini", "flood", "cell = lru\n", "on_divergence = skip\n", 1);
    ck_assert_int_eq(train("flood.ini", "flood", 0, skipped, want), EPOCHS);
    read_step(&checkpoint, "flood", 3);
    int forgotten = 0;
    for (size_t s = 0; s < checkpoint.going; s++) {
        const float *state = checkpoint.states + s * checkpoint.numbers;
        size_t zeroes = 0;
        for (size_t i = 0; i < checkpoint.numbers; i++) {
            ck_assert(isfinite(state[i]));
            zeroes += state[i] == 0;
        }
        ck_assert(zeroes == 0 || zeroes == checkpoint.numbers);
        forgotten += zeroes > 0;
    }
    ck_assert_uint_gt(checkpoint.going, 10);
    ck_assert_int_eq(forgotten, 1);
    checkpoint_finish(&checkpoint);
    expect_everywhere("flood.ini", "flood", want);
}
END_TEST

/* The first two pieces have no targets, so that at the checkpoint behind them there are states, and weights
 * on which no rate had an effect: a run that goes back to there with a rate of lr * factor must be one that
 * has that rate from the start. All three are powers of 2. */
START_TEST(who_goes_back_has_the_states_of_the_checkpoint_again)
{
#define SGD "optimizer = sgd\nclip = 0\n"
    struct checkpoint checkpoint;
    char want[64], hash[64];
    write_configuration("calm.ini", "late", "cell = rnn-relu\n", SGD "lr = 0.0009765625\n", 2);
    write_configuration("back.ini", "late", "cell = rnn-relu\n",
        SGD "lr = 1048576\non_divergence = back\nback_factor = 9.31322574615478515625e-10\n", 2);
    ck_assert_int_eq(train("calm.ini", "calm", 0, "going back", want), 0);
    ck_assert_int_eq(train("back.ini", "back", 0, ": going back to step 2, with rates times 9.3", hash), 1);
    ck_assert_str_eq(hash, want);
    read_step(&checkpoint, "back", 2);
    ck_assert_uint_eq(checkpoint.going, SEQUENCES);
    ck_assert_int_eq(checkpoint.optim.step, 0);
    checkpoint_finish(&checkpoint);
    expect_everywhere("back.ini", "back", want);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("truncate-divergence");
    TCase *cases = tcase_create("truncate-divergence");
    job_open();
    tcase_add_unchecked_fixture(cases, write_data, NULL);
    tcase_set_timeout(cases, 200);
    tcase_add_loop_test(cases, a_piece_that_is_skipped_is_as_one_in_which_nothing_counts, 0, 3);
    tcase_add_test(cases, a_sequence_whose_states_are_broken_goes_on_without_them);
    tcase_add_test(cases, who_goes_back_has_the_states_of_the_checkpoint_again);
    suite_add_tcase(suite, cases);
    int failed = suite_run(suite);
    job_close();
    return failed;
}
