/* rnn-predict --generate from outside: what it draws, the dataset it writes, and what it refuses. */
#include "base/memory.h"
#include "data/dataset.h"
#include "support/job.h"
#include "support/suite.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Networks of one epoch on random data, which know next to nothing: anything may be drawn. */
static const struct kind {
    const char *name;
    struct sample_shape shape;
    const char *model, *data; /* lines of these sections */
} kinds[] = {
    {"symbols", {.symbols = 6, .kind = SAMPLE_PER_FRAME, .classes = 6, .names = 1},
        "output = frame\ncell = gru\nbidirectional = no\ninitial_state = learned\n", ""},
    {"values", {.features = 3, .kind = SAMPLE_PER_FRAME, .values = 3, .shares = 1},
        "output = frame\nloss = sigmoid\nbidirectional = no\npeepholes = yes\n", "standardize = yes\n"},
    {"decoder", {.symbols = 6, .kind = SAMPLE_ANY, .classes = 4}, "output = decoder\n", ""},
    {"both-ways", {.symbols = 6, .kind = SAMPLE_PER_FRAME, .classes = 6}, "output = frame\n", ""},
    {"unlike", {.symbols = 6, .kind = SAMPLE_PER_FRAME, .classes = 5}, "output = frame\nbidirectional = no\n",
        ""},
    {"ctc", {.symbols = 6, .kind = SAMPLE_ANY, .classes = 6}, "output = ctc\nbidirectional = no\n", ""},
    {"single", {.symbols = 6, .kind = SAMPLE_PER_SEQUENCE, .classes = 6}, "bidirectional = no\n", ""},
    {"real", {.features = 3, .kind = SAMPLE_PER_FRAME, .values = 3},
        "output = frame\nloss = mse\nbidirectional = no\n", ""},
    {"decoder-real", {.symbols = 6, .kind = SAMPLE_THREE, .values = 2}, "output = decoder\nloss = mse\n", ""},
};
enum { KINDS = sizeof kinds / sizeof *kinds, SYMBOLS = 0, VALUES, DECODER, GENERATORS };
enum { SEQUENCES = 20 };

static const char *name_of(const char *kind, const char *rest)
{
    static char room[16][128];
    static unsigned next;
    char *name = room[next++ % 16];
    snprintf(name, sizeof room[0], "%s%s", kind, rest);
    return name;
}

static void train_all(void)
{
    for (int i = 0; i < KINDS; i++) {
        const char *name = kinds[i].name;
        struct sample_shape shape = kinds[i].shape;
        char text[512], hash[17];
        shape.sequences = SEQUENCES;
        shape.shortest = strcmp(name, "ctc") == 0 ? 5 : 1;
        shape.longest = 9;
        job_write_sample(name_of(name, ".h5"), &shape, 1);
        snprintf(text, sizeof text,
            "[data]\ntrain = %s.h5\nvalid = %s.h5\n%s[model]\nhidden = 7\n%s[train]\nepochs = 1\nlr = 0.01\n",
            name, name, kinds[i].data, kinds[i].model);
        job_write_text(name_of(name, ".ini"), text);
        job_finish(hash, 0, name_of(name, ".ini"), name, NULL);
    }
}

/* ---- jobs ---- */

enum { MOST_WORDS = 30 };

/* A program of the environment on so many ranks (0: without mpirun); the words end with NULL. */
static void start(struct command_process *process, int ranks, const char *program, va_list more)
{
    const char *words[MOST_WORDS], *mpirun = getenv("MPIRUN");
    char number[16];
    int n = 0;
    if (ranks) {
        snprintf(number, sizeof number, "%d", ranks);
        words[n++] = mpirun ? mpirun : "mpirun";
        words[n++] = "-np";
        words[n++] = number;
    }
    words[n++] = getenv(program);
    do
        ck_assert_int_lt(n, MOST_WORDS);
    while ((words[n++] = va_arg(more, const char *)));
    command_start(&(struct command){.argv = words, .seconds = JOB_SECONDS}, process);
}

static void run(struct command_result *result, int ranks, const char *program, ...)
{
    struct command_process process;
    va_list more;
    va_start(more, program);
    start(&process, ranks, program, more);
    va_end(more);
    command_wait(&process, result);
}

static void start_generating(struct command_process *process, ...)
{
    va_list more;
    va_start(more, process);
    start(process, 0, "RNN_PREDICT", more);
    va_end(more);
}

/* What is asked for; texts that are NULL are left out. */
struct asked {
    int ranks;
    const char *n, *temperature, *seed, *prime, *cache;
};

/* Into the file, which must then be a dataset without faults. */
static void generate(const char *kind, struct asked asked, const char *output)
{
    struct command_result result;
    const char *words[16];
    int n = 0;
    const char *const options[] = {"--temperature", asked.temperature, "--seed", asked.seed, "--prime",
        asked.prime ? job_path(asked.prime) : NULL, "--cache", asked.cache};
    for (size_t i = 0; i < sizeof options / sizeof *options; i += 2)
        if (options[i + 1]) {
            words[n++] = options[i];
            words[n++] = options[i + 1];
        }
    while (n < 9)
        words[n++] = NULL;
    run(&result, asked.ranks, "RNN_PREDICT", "--generate", asked.n, "-o", job_path(output), job_path(kind),
        words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], NULL);
    job_expect(&result, 0);
    ck_assert_msg(!*result.errors, "%s", result.errors);
    char *line = job_line(result.output, "sequences=", 1);
    ck_assert_msg(line && strlen(line) + 1 == result.output_size, "not one line: %s", result.output);
    free(line);
    command_result_finish(&result);
    run(&result, 0, "RNN_DATA", "check", job_path(output), NULL);
    ck_assert_msg(result.status == 0 && strstr(result.output, ": ok"), "%s%s", result.output, result.errors);
    command_result_finish(&result);
}

static struct dataset *open_set(const char *name)
{
    struct error error = {0};
    struct dataset *set = dataset_open(job_path(name), (size_t)1 << 24, &error);
    ck_assert_msg(set != NULL, "%s", error.text);
    return set;
}

/* ---- what is drawn ---- */

static const char *prime_of(int kind)
{
    return name_of(kinds[kind].name, ".h5");
}

START_TEST(equal_seeds_give_equal_bytes_and_others_other_ones)
{
    const char *kind = kinds[_i].name, *prime = prime_of(_i);
    generate(kind, (struct asked){.n = "12", .prime = prime, .seed = "7"}, "first.h5");
    generate(
        kind, (struct asked){.n = "12", .prime = prime, .seed = "7", .ranks = 3, .cache = "0"}, "again.h5");
    generate(kind, (struct asked){.n = "12", .prime = prime, .seed = "8"}, "other.h5");
    ck_assert(job_same_file("first.h5", "again.h5"));
    struct dataset *first = open_set("first.h5"), *other = open_set("other.h5");
    if (first->values) {
        ck_assert_mem_ne(first->kept_values, other->kept_values, (size_t)first->targets * sizeof(float));
    } else {
        size_t n = (size_t)(first->targets < other->targets ? first->targets : other->targets);
        ck_assert_uint_gt(n, 10);
        ck_assert_mem_ne(first->kept_classes, other->kept_classes, n * sizeof(int32_t));
    }
    dataset_close(first);
    dataset_close(other);
}
END_TEST

/* Frames of two sets from rows a and b on. */
static void check_same_inputs(
    const struct dataset *one, int64_t a, const struct dataset *other, int64_t b, int64_t n)
{
    size_t F = one->features;
    if (F)
        ck_assert_mem_eq(one->kept_inputs + (size_t)a * F, other->kept_inputs + (size_t)b * F,
            (size_t)n * F * sizeof(float));
    else
        ck_assert_mem_eq(one->kept_symbols + a, other->kept_symbols + b, (size_t)n * sizeof(int32_t));
}

/* targets(t) = inputs(t + 1), and what was drawn of real values is 0 or 1. */
static void check_next(const struct dataset *set, int64_t at, int drawn)
{
    for (size_t i = 0; i < set->features; i++) {
        float target = set->kept_values[(size_t)at * set->features + i];
        ck_assert_float_eq(set->kept_inputs[(size_t)(at + 1) * set->features + i], target);
        ck_assert(!drawn || target == 0 || target == 1);
    }
    if (!set->features)
        ck_assert_int_eq(set->kept_symbols[at + 1], set->kept_classes[at]);
}

START_TEST(sequences_go_on_from_their_primers)
{
    enum { ASKED = 5 };
    const char *prime = prime_of(_i);
    generate(kinds[_i].name, (struct asked){.n = "5", .prime = prime}, "primed.h5");
    struct dataset *from = open_set(prime), *set = open_set("primed.h5");
    ck_assert_int_eq(set->sequences, SEQUENCES);
    ck_assert_int_eq(set->target_kind, TARGET_FRAME);
    for (int64_t s = 0; s < SEQUENCES; s++) {
        int64_t first = set->input_offsets[s], primed = dataset_length(from, s);
        ck_assert_int_eq(dataset_length(set, s), primed + ASKED - 1);
        check_same_inputs(set, first, from, from->input_offsets[s], primed);
        for (int64_t at = first; at + 1 < set->input_offsets[s + 1]; at++)
            check_next(set, at, at >= first + primed - 1);
    }
    struct error error = {0};
    char *name = dataset_name(set, 3, &error);
    ck_assert_int_eq(name != NULL, kinds[_i].shape.names);
    ck_assert(!name || strcmp(name, "sequence 3") == 0);
    memory_destroy(name);
    dataset_close(from);
    dataset_close(set);
}
END_TEST

START_TEST(without_a_primer_one_sequence_begins_with_nothing)
{
    generate(kinds[_i].name, (struct asked){.n = "9"}, "alone.h5");
    struct dataset *set = open_set("alone.h5");
    ck_assert(set->sequences == 1 && set->frames == 9 && set->targets == 9);
    for (size_t i = 0; i < set->features; i++)
        ck_assert_float_eq(set->kept_inputs[i], 0);
    if (!set->features)
        ck_assert_int_eq(set->kept_symbols[0], 0);
    for (int64_t at = 0; at + 1 < 9; at++)
        check_next(set, at, 1);
    dataset_close(set);
    generate(kinds[_i].name, (struct asked){.n = "1"}, "alone.h5");
}
END_TEST

/* Runs the network over a set. */
static struct h5_file *predict(const char *kind, const char *set, const char *output)
{
    struct error error = {0};
    struct command_result result;
    run(&result, 0, "RNN_PREDICT", job_path(kind), job_path(set), "-o", job_path(output), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    struct h5_file *file = h5_open(job_path(output), 0, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    return file;
}

/* What the network takes for the likeliest, given what came before, is what was drawn. */
START_TEST(a_temperature_near_0_goes_on_with_the_likeliest)
{
    const char *kind = kinds[_i].name;
    struct error error = {0};
    generate(kind, (struct asked){.n = "15", .prime = prime_of(_i), .temperature = "1e-9", .seed = "3"},
        "cold.h5");
    struct dataset *from = open_set(prime_of(_i)), *set = open_set("cold.h5");
    struct h5_file *file = predict(kind, "cold.h5", "cold-out.h5");
    size_t F = set->features, n = (size_t)set->frames * (F ? F : 1);
    int32_t *labels = calloc(n, sizeof *labels);
    float *outputs = calloc(n * 6, sizeof *outputs);
    ck_assert(labels && outputs);
    if (F)
        ck_assert_int_eq(h5_read_floats(file, "outputs", 0, set->frames, outputs, &error), 0);
    else
        ck_assert_int_eq(h5_read_int32(file, "labels", 0, set->frames, labels, &error), 0);
    for (int64_t s = 0; s < SEQUENCES; s++)
        for (int64_t at = set->input_offsets[s] + dataset_length(from, s) - 1; at < set->input_offsets[s + 1];
             at++) {
            for (size_t i = (size_t)at * F; i < (size_t)(at + 1) * F; i++)
                ck_assert_float_eq(set->kept_values[i], outputs[i] > 0.5F ? 1 : 0);
            if (!F)
                ck_assert_int_eq(set->kept_classes[at], labels[at]);
        }
    free(labels);
    free(outputs);
    h5_close(file);
    dataset_close(from);
    dataset_close(set);
}
END_TEST

/* The loss of the network on what it drew itself. */
START_TEST(colder_is_likelier)
{
    static const char *const temperatures[] = {"0.1", "1", "30"};
    double before = 0;
    for (int i = 0; i < 3; i++) {
        struct command_result result;
        char loss[64];
        generate(kinds[_i].name, (struct asked){.n = "300", .temperature = temperatures[i]}, "warm.h5");
        run(&result, 0, "RNN_PREDICT", job_path(kinds[_i].name), job_path("warm.h5"), NULL);
        job_expect(&result, 0);
        job_field(result.output, "sequences=", "loss", loss);
        ck_assert_msg(
            atof(loss) > before, "%s at temperature %s, not above %g", loss, temperatures[i], before);
        before = atof(loss);
        command_result_finish(&result);
    }
}
END_TEST

/* ---- decoders ---- */

START_TEST(a_decoder_draws_labels_for_its_primers)
{
    generate("decoder", (struct asked){.n = "6", .prime = "decoder.h5", .seed = "5"}, "labels.h5");
    struct dataset *from = open_set("decoder.h5"), *set = open_set("labels.h5");
    ck_assert(set->sequences == SEQUENCES && set->frames == from->frames && set->classes == 4);
    check_same_inputs(set, 0, from, 0, from->frames);
    ck_assert_mem_eq(set->input_offsets, from->input_offsets, (SEQUENCES + 1) * sizeof(int64_t));
    int counts[7] = {0}, different = 0;
    for (int64_t s = 0; s < SEQUENCES; s++) {
        ck_assert_int_le(dataset_targets(set, s), 6);
        different += counts[dataset_targets(set, s)]++ == 0;
    }
    ck_assert_int_gt(different, 1);
    dataset_close(from);
    dataset_close(set);
}
END_TEST

START_TEST(a_decoder_near_temperature_0_says_what_greedy_search_finds)
{
    enum { ASKED = 3 };
    struct error error = {0};
    generate("decoder", (struct asked){.n = "3", .prime = "decoder.h5", .temperature = "1e-9"}, "cold.h5");
    struct dataset *set = open_set("cold.h5");
    struct h5_file *file = predict("decoder", "decoder.h5", "cold-out.h5");
    int64_t offsets[SEQUENCES + 1];
    ck_assert_int_eq(h5_read_integers(file, "label_offsets", 0, SEQUENCES + 1, offsets, &error), 0);
    int32_t *labels = calloc((size_t)offsets[SEQUENCES] + 1, sizeof *labels);
    ck_assert_ptr_nonnull(labels);
    if (offsets[SEQUENCES])
        ck_assert_int_eq(h5_read_int32(file, "labels", 0, offsets[SEQUENCES], labels, &error), 0);
    for (int64_t s = 0; s < SEQUENCES; s++) {
        int64_t found = offsets[s + 1] - offsets[s];
        ck_assert_int_eq(dataset_targets(set, s), found < ASKED ? found : ASKED);
        for (int32_t u = 0; u < dataset_targets(set, s); u++)
            ck_assert_int_eq(set->kept_classes[set->target_offsets[s] + u], labels[offsets[s] + u]);
    }
    free(labels);
    h5_close(file);
    dataset_close(set);
}
END_TEST

/* ---- refused ---- */

static void expect_failure(const struct command_result *result, int code, const char *text)
{
    job_expect(result, code);
    ck_assert_str_eq(result->output, "");
    int lines = job_count_lines(result->errors, "rnn-predict: ");
    ck_assert_msg(
        lines == 1 && strstr(result->errors, text), "wanted one line with '%s': %s", text, result->errors);
    ck_assert_int_eq(job_count(".", ".bad.h5") + job_count(".", "bad.h5"), 0);
}

static void refuse(int code, const char *text, const char *const words[8])
{
    for (int ranks = 0; ranks <= (code == 65 ? 2 : 0); ranks += 2) {
        struct command_result result;
        run(&result, ranks, "RNN_PREDICT", words[0], words[1], words[2], words[3], words[4], words[5],
            words[6], words[7], NULL);
        expect_failure(&result, code, text);
        command_result_finish(&result);
    }
}
#define REFUSE(code, text, ...) refuse(code, text, (const char *const[8]){__VA_ARGS__})
#define INTO_BAD "--generate", "5", "-o", job_path("bad.h5")

START_TEST(a_network_that_cannot_go_on_is_refused)
{
    REFUSE(2, "model.bidirectional = no", INTO_BAD, job_path("both-ways"));
    REFUSE(2, "5 outputs and 6 inputs", INTO_BAD, job_path("unlike"));
    REFUSE(2, "output = ctc", INTO_BAD, job_path("ctc"));
    REFUSE(2, "output = sequence", INTO_BAD, job_path("single"));
    REFUSE(2, "loss = mse on values", INTO_BAD, job_path("real"));
    REFUSE(2, "output = decoder, loss = mse", INTO_BAD, "--prime", job_path("decoder-real.h5"),
        job_path("decoder-real"));
}
END_TEST

START_TEST(a_primer_that_does_not_fit_is_refused)
{
    REFUSE(2, "give --prime", INTO_BAD, job_path("decoder"));
    REFUSE(65, "values.h5: /inputs: 3 features", INTO_BAD, "--prime", job_path("values.h5"),
        job_path("symbols"));
    REFUSE(65, "symbols.h5: /inputs: 6 symbols", INTO_BAD, "--prime", job_path("symbols.h5"),
        job_path("values"));
    REFUSE(65, "values.h5: /inputs: 3 features", INTO_BAD, "--prime", job_path("values.h5"),
        job_path("decoder"));
    REFUSE(74, "nowhere.h5", INTO_BAD, "--prime", job_path("nowhere.h5"), job_path("symbols"));
    REFUSE(2, "2147483647", "--generate", "2147483647", "-o", job_path("bad.h5"), "--prime",
        job_path("symbols.h5"), job_path("symbols"));
}
END_TEST

START_TEST(a_wrong_command_line_is_refused)
{
    REFUSE(2, "-o FILE", "--generate", "5", job_path("symbols"));
    REFUSE(2, "no --beam", INTO_BAD, "--beam", "4", job_path("symbols"));
    REFUSE(2, "--temperature 0: allowed is a number above 0", INTO_BAD, "--temperature", "0",
        job_path("symbols"));
    REFUSE(2, "--seed x", INTO_BAD, "--seed", "x", job_path("symbols"));
    REFUSE(2, "--generate 0", "--generate", "0", "-o", job_path("bad.h5"), job_path("symbols"));
    REFUSE(2, "one is needed", INTO_BAD, job_path("symbols"), job_path("symbols.h5"));
    REFUSE(2, "go with --generate", "--seed", "3", job_path("symbols"), job_path("symbols.h5"));
    REFUSE(2, "go with --generate", "--temperature", "2", job_path("symbols"), job_path("symbols.h5"));
}
END_TEST

START_TEST(an_output_that_cannot_be_written_is_refused)
{
    REFUSE(74, "nowhere/bad.h5", "--generate", "5", "-o", job_path("nowhere/bad.h5"), job_path("symbols"));
    REFUSE(74, "symbols", "--generate", "5", "-o", job_path("symbols"), job_path("symbols"));
    job_copy("symbols.h5", "primer.h5");
    REFUSE(2, "is read", "--generate", "5", "-o", job_path("primer.h5"), "--prime", job_path("primer.h5"),
        job_path("symbols"));
    REFUSE(2, "is read", "--generate", "5", "-o", job_path("symbols/best.h5"), job_path("symbols/best.h5"));
    ck_assert(job_same_file("symbols.h5", "primer.h5"));
}
END_TEST

START_TEST(ranks_that_are_asked_for_different_things_are_refused)
{
    struct command_result result;
    const char *mpirun = getenv("MPIRUN"), *program = getenv("RNN_PREDICT");
    command_call(&result, JOB_SECONDS, mpirun ? mpirun : "mpirun", "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0 "; then exec \"$@\"; else exec \"$1\" \"$0\" \"$0.h5\"; fi", job_path("symbols"),
        program, INTO_BAD, job_path("symbols"), NULL);
    expect_failure(&result, 2, "the options differ: rank 1 on ");
    command_result_finish(&result);
}
END_TEST

START_TEST(asked_to_stop_it_leaves_no_file)
{
    struct command_process process;
    struct command_result result;
    start_generating(&process, "--generate", "30000000", "-o", job_path("bad.h5"), job_path("symbols"), NULL);
    job_await_writing(&process, "bad.h5");
    command_signal(&process, SIGTERM);
    command_wait(&process, &result);
    expect_failure(&result, 74, "stopped by SIGTERM");
    command_result_finish(&result);
}
END_TEST

/* Rank 0 alone draws, for longer than the limit; should it stand still, rank 1, which waits, says so. */
START_TEST(drawing_for_long_is_no_standing_still)
{
    struct command_process process;
    struct command_result result;
    const char *mpirun = getenv("MPIRUN"), *program = getenv("RNN_PREDICT");
    const char *words[] = {mpirun ? mpirun : "mpirun", "-np", "2", program, "--watchdog", "2 seconds",
        "--generate", "30000000", "-o", job_path("long.h5"), job_path("symbols"), NULL};
    command_start(&(struct command){.argv = words, .seconds = JOB_SECONDS}, &process);
    job_await_writing(&process, "long.h5");
    nanosleep(&(struct timespec){.tv_sec = 5}, NULL);
    ck_assert_int_gt(command_processes(&process, NULL, 0), 2);
    pid_t pid = command_find_rank(&process, 0);
    ck_assert(command_signal_one(&process, pid, SIGSTOP));
    command_wait(&process, &result);
    job_expect(&result, 124);
    ck_assert_msg(strstr(result.errors, "] rank 0 on ") && strstr(result.errors, "has not answered for"),
        "%s", result.errors);
    command_result_finish(&result);
    ck_assert(!job_exists("long.h5"));
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("generate");
    TCase *draws = tcase_create("generate");
    tcase_add_unchecked_fixture(draws, train_all, NULL);
    tcase_set_timeout(draws, 150);
    tcase_add_loop_test(draws, equal_seeds_give_equal_bytes_and_others_other_ones, 0, GENERATORS);
    tcase_add_loop_test(draws, sequences_go_on_from_their_primers, SYMBOLS, DECODER);
    tcase_add_loop_test(draws, without_a_primer_one_sequence_begins_with_nothing, SYMBOLS, DECODER);
    tcase_add_loop_test(draws, a_temperature_near_0_goes_on_with_the_likeliest, SYMBOLS, DECODER);
    tcase_add_loop_test(draws, colder_is_likelier, SYMBOLS, DECODER);
    tcase_add_test(draws, a_decoder_draws_labels_for_its_primers);
    tcase_add_test(draws, a_decoder_near_temperature_0_says_what_greedy_search_finds);
    tcase_add_test(draws, a_network_that_cannot_go_on_is_refused);
    tcase_add_test(draws, a_primer_that_does_not_fit_is_refused);
    tcase_add_test(draws, a_wrong_command_line_is_refused);
    tcase_add_test(draws, an_output_that_cannot_be_written_is_refused);
    tcase_add_test(draws, ranks_that_are_asked_for_different_things_are_refused);
    tcase_add_test(draws, drawing_for_long_is_no_standing_still);
    tcase_add_test(draws, asked_to_stop_it_leaves_no_file);
    suite_add_tcase(suite, draws);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
