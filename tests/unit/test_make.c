#include "base/hash.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/make/make.h"
#include "support/suite.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNIFORM = 3 };  /* the first, whose lengths are uniform */
enum { UNLIKELY = 4 }; /* the first, of which a sequence hardly comes again by chance */

static struct made *create(const struct dataset_kind *kind, enum make_part part, uint64_t seed, int64_t train)
{
    struct error error = {0};
    struct made *made = make_create(kind, part, seed, train, 0, &error);
    ck_assert_msg(made != NULL, "%s", error.text);
    return made;
}

static size_t length_of(const struct made *made, int64_t s)
{
    return (size_t)(made->input_offsets[s + 1] - made->input_offsets[s]);
}

static const void *inputs_of(const struct made *made, int64_t s, size_t *bytes)
{
    const struct dataset_kind *kind = made->kind;
    size_t width = kind->symbols ? sizeof(int32_t) : kind->features * sizeof(float);
    const char *all = kind->symbols ? (const char *)made->symbols : (const char *)made->inputs;
    *bytes = length_of(made, s) * width;
    return all + (size_t)made->input_offsets[s] * width;
}

static int same_inputs(const struct made *a, int64_t s, const struct made *b, int64_t r)
{
    size_t left_bytes, right_bytes;
    const void *left = inputs_of(a, s, &left_bytes), *right = inputs_of(b, r, &right_bytes);
    return left_bytes == right_bytes && !memcmp(left, right, left_bytes);
}

static int same_targets(const struct made *a, const struct made *b)
{
    const struct dataset_kind *kind = a->kind;
    size_t targets = (size_t)a->targets;
    return a->targets == b->targets &&
        (!kind->values || !memcmp(a->values, b->values, targets * kind->values * sizeof(float))) &&
        (!kind->classes || !memcmp(a->classes, b->classes, targets * sizeof(int32_t)));
}

/* ---- all kinds ---- */

START_TEST(same_seed_gives_the_same_bits)
{
    struct made *a = create(dataset_kind_at((size_t)_i), MAKE_VALID, 7, 40),
                *b = create(dataset_kind_at((size_t)_i), MAKE_VALID, 7, 40);
    ck_assert_int_eq(a->sequences, 8);
    ck_assert_int_eq(a->frames, b->frames);
    for (int64_t s = 0; s < a->sequences; s++)
        ck_assert(same_inputs(a, s, b, s));
    ck_assert(same_targets(a, b));
    make_destroy(a);
    make_destroy(b);
}
END_TEST

START_TEST(another_seed_gives_other_sequences)
{
    struct made *a = create(dataset_kind_at((size_t)_i), MAKE_TRAIN, 7, 20),
                *b = create(dataset_kind_at((size_t)_i), MAKE_TRAIN, 8, 20);
    for (int64_t s = 0; s < 20; s++)
        ck_assert(!same_inputs(a, s, b, s));
    make_destroy(a);
    make_destroy(b);
}
END_TEST

START_TEST(a_sequence_does_not_depend_on_how_many_there_are)
{
    struct made *few = create(dataset_kind_at((size_t)_i), MAKE_TRAIN, 3, 5),
                *many = create(dataset_kind_at((size_t)_i), MAKE_TRAIN, 3, 50);
    for (int64_t s = 0; s < 5; s++)
        ck_assert(same_inputs(few, s, many, s));
    size_t targets = (size_t)few->targets;
    if (few->target_offsets)
        ck_assert_mem_eq(few->target_offsets, many->target_offsets, 6 * sizeof *few->target_offsets);
    if (few->classes)
        ck_assert_mem_eq(few->classes, many->classes, targets * sizeof *few->classes);
    if (few->values)
        ck_assert_mem_eq(
            few->values, many->values, targets * dataset_kind_at((size_t)_i)->values * sizeof *few->values);
    make_destroy(few);
    make_destroy(many);
}
END_TEST

START_TEST(no_sequence_occurs_twice_in_all_parts)
{
    struct made *parts[MAKE_PARTS];
    for (int p = 0; p < MAKE_PARTS; p++)
        parts[p] = create(dataset_kind_at((size_t)_i), (enum make_part)p, 1, 60);
    for (int p = 0; p < MAKE_PARTS; p++)
        for (int64_t s = 0; s < parts[p]->sequences; s++)
            for (int q = 0; q < MAKE_PARTS; q++)
                for (int64_t r = 0; r < parts[q]->sequences; r++)
                    ck_assert((p == q && s == r) || !same_inputs(parts[p], s, parts[q], r));
    for (int p = 0; p < MAKE_PARTS; p++)
        make_destroy(parts[p]);
}
END_TEST

START_TEST(lengths_cover_their_range)
{
    const struct dataset_kind *kind = dataset_kind_at((size_t)_i);
    struct made *made = create(kind, MAKE_TRAIN, 1, 3000);
    size_t shortest = SIZE_MAX, longest = 0;
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t T = length_of(made, s);
        shortest = T < shortest ? T : shortest;
        longest = T > longest ? T : longest;
    }
    ck_assert_uint_eq(shortest, (size_t)kind->shortest);
    ck_assert_uint_eq(longest, (size_t)kind->longest);
    double mean = (double)made->frames / (double)made->sequences;
    double middle = (kind->shortest + kind->longest) / 2.0, width = kind->longest - kind->shortest;
    ck_assert_double_lt(fabs(mean - middle), 4 * width / sqrt(12.0 * 3000));
    make_destroy(made);
}
END_TEST

START_TEST(other_parts_have_a_fifth_and_at_least_one)
{
    ck_assert_int_eq(make_part_sequences(MAKE_TRAIN, 1), 1);
    ck_assert_int_eq(make_part_sequences(MAKE_VALID, 1), 1);
    ck_assert_int_eq(make_part_sequences(MAKE_TEST, 4), 1);
    ck_assert_int_eq(make_part_sequences(MAKE_TEST, 1000), 200);
    ck_assert_ptr_null(dataset_kind_find("lorentz"));
    for (size_t k = 0; k < dataset_kind_count(); k++)
        ck_assert_ptr_eq(dataset_kind_find(dataset_kind_at(k)->name), dataset_kind_at(k));
}
END_TEST

static uint64_t hash_made(const struct made *made)
{
    const struct dataset_kind *kind = made->kind;
    size_t frames = (size_t)made->frames, targets = (size_t)made->targets;
    uint64_t hash = hash_bytes(made->input_offsets, ((size_t)made->sequences + 1) * sizeof(int64_t));
    if (made->target_offsets && kind->measure)
        hash = hash_combine(
            hash, hash_bytes(made->target_offsets, ((size_t)made->sequences + 1) * sizeof(int64_t)));
    if (kind->features)
        hash = hash_combine(hash, hash_bytes(made->inputs, frames * kind->features * sizeof(float)));
    if (kind->symbols)
        hash = hash_combine(hash, hash_bytes(made->symbols, frames * sizeof(int32_t)));
    if (kind->values)
        hash = hash_combine(hash, hash_bytes(made->values, targets * kind->values * sizeof(float)));
    if (kind->classes)
        hash = hash_combine(hash, hash_bytes(made->classes, targets * sizeof(int32_t)));
    return hash;
}

START_TEST(every_machine_gives_these_bits)
{
    static const uint64_t hashes[] = {0xc3304c5cde929c47u, 0x8a50bb8ef4a706c8u, 0x359f44cfe4a617e8u,
        0xc160a16ae55aa056u, 0x1fc5eb976973bc58u, 0xd5f6543eed77a1a5u, 0x4826b0e5acdbf9b5u,
        0x7861483495e468e5u};
    struct made *made = create(dataset_kind_at((size_t)_i), MAKE_TRAIN, 1, 100);
    ck_assert_uint_eq(hash_made(made), hashes[_i]);
    make_destroy(made);
}
END_TEST

/* ---- random numbers ---- */

START_TEST(draws_never_use_a_number_twice)
{
    /* A normal number takes a pair of uniform numbers from an even place on. */
    for (uint64_t first = 0; first < 5; first++) {
        struct make_draw draw = {.seed = 1, .high = 2, .next = first};
        make_draw_normal(&draw);
        ck_assert_uint_eq(draw.next, (first + 1) / 2 * 2 + 2);
        make_draw_uniform(&draw);
        make_draw_below(&draw, 10);
        ck_assert_uint_eq(draw.next, (first + 1) / 2 * 2 + 4);
    }
    struct make_draw draw = {.seed = 1, .high = 2};
    double a = make_draw_normal(&draw), b = make_draw_normal(&draw);
    ck_assert(a != b);
}
END_TEST

/* ---- lorenz ---- */

static double orbit_error(int steps, const double want[3])
{
    double state[3] = {-5, -7, 20};
    for (int i = 0; i < steps; i++)
        make_lorenz_step(0.4 / steps, state);
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += (state[i] - want[i]) * (state[i] - want[i]);
    return sqrt(sum);
}

START_TEST(halving_the_step_divides_the_error_by_sixteen)
{
    double want[3] = {-5, -7, 20};
    for (int i = 0; i < 20000; i++)
        make_lorenz_step(0.4 / 20000, want);
    double error = orbit_error(40, want);
    ck_assert_double_gt(error, 1e-9); /* well above rounding */
    for (int steps = 80; steps <= 320; steps *= 2) {
        double half = orbit_error(steps, want);
        ck_assert_double_gt(error / half, 14);
        ck_assert_double_lt(error / half, 18);
        error = half;
    }
}
END_TEST

START_TEST(the_unstable_points_stand_still)
{
    /* Lorenz 1963, section 6: x = y = +-sqrt(beta (rho - 1)), z = rho - 1; and the origin. */
    double c = sqrt(8.0 / 3 * 27), points[3][3] = {{c, c, 27}, {-c, -c, 27}, {0, 0, 0}};
    for (int p = 0; p < 3; p++) {
        double state[3];
        memcpy(state, points[p], sizeof state);
        make_lorenz_step(0.02, state);
        for (int i = 0; i < 3; i++)
            ck_assert_double_lt(fabs(state[i] - points[p][i]), 1e-13);
    }
}
END_TEST

START_TEST(every_tenth_step_is_observed_with_noise_of_deviation_one)
{
    struct made *made = create(&make_lorenz, MAKE_TRAIN, 1, 300);
    double sum = 0, squares = 0, against_x = 0;
    int64_t count = 0;
    for (int64_t s = 0; s < made->sequences; s++)
        for (size_t t = 0; t < length_of(made, s); t++) {
            size_t frame = (size_t)made->input_offsets[s] + t;
            ck_assert_float_eq(made->inputs[2 * frame + 1], t % 10 == 0);
            if (t % 10) {
                ck_assert_float_eq(made->inputs[2 * frame], 0);
                continue;
            }
            double x = 8 * (double)made->values[3 * frame];
            double noise = 8 * (double)made->inputs[2 * frame] - x;
            sum += noise;
            squares += noise * noise;
            against_x += noise * x / 8;
            count++;
        }
    ck_assert_int_gt(count, 5000);
    ck_assert_double_lt(fabs(sum / (double)count), 4 / sqrt((double)count));
    ck_assert_double_lt(fabs(squares / (double)count - 1), 4 * sqrt(2 / (double)count));
    ck_assert_double_lt(fabs(against_x / (double)count), 4 / sqrt((double)count));
    make_destroy(made);
}
END_TEST

START_TEST(targets_follow_the_lorenz_equations)
{
    static const double scale[3] = {8, 9, 8.6}, shift[3] = {0, 0, 23.5};
    struct made *made = create(&make_lorenz, MAKE_TEST, 1, 50);
    for (int64_t s = 0; s < made->sequences; s++)
        for (size_t t = 0; t + 1 < length_of(made, s); t++) {
            const float *now = made->values + 3 * ((size_t)made->input_offsets[s] + t);
            double state[3];
            for (int i = 0; i < 3; i++)
                state[i] = (double)now[i] * scale[i] + shift[i];
            make_lorenz_step(0.02, state);
            for (int i = 0; i < 3; i++)
                ck_assert_double_lt(fabs((state[i] - shift[i]) / scale[i] - (double)now[3 + i]), 2e-6);
        }
    make_destroy(made);
}
END_TEST

START_TEST(states_are_of_unit_variance_about_zero)
{
    struct made *made = create(&make_lorenz, MAKE_TRAIN, 1, 500);
    for (size_t i = 0; i < 3; i++) {
        double sum = 0, squares = 0, frames = (double)made->frames;
        for (int64_t n = 0; n < made->frames; n++) {
            double value = (double)made->values[3 * n + (int64_t)i];
            sum += value;
            squares += value * value;
        }
        ck_assert_double_lt(fabs(sum / frames), 0.1);
        ck_assert_double_lt(fabs(squares / frames - 1), 0.1);
    }
    make_destroy(made);
}
END_TEST

/* ---- adding ---- */

START_TEST(target_is_the_sum_of_the_two_marked_values)
{
    struct made *made = create(&make_adding, MAKE_TRAIN, 1, 500);
    double squares = 0;
    ck_assert_int_eq(made->targets, made->sequences);
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t T = length_of(made, s), marks[2] = {0, 0};
        float sum = 0;
        ck_assert_int_eq(made->target_offsets[s], s);
        for (size_t t = 0; t < T; t++) {
            const float *input = made->inputs + 2 * ((size_t)made->input_offsets[s] + t);
            ck_assert(input[0] > 0 && input[0] <= 1);
            ck_assert(input[1] == 0 || input[1] == 1);
            if (input[1] != 0) {
                marks[t >= T / 2]++;
                sum += input[0];
            }
        }
        ck_assert(marks[0] == 1 && marks[1] == 1);
        ck_assert_float_eq(made->values[s], sum);
        squares += ((double)sum - 1) * ((double)sum - 1);
    }
    ck_assert_int_eq(made->target_offsets[made->sequences], made->sequences);
    ck_assert_double_lt(fabs(squares / 500 - 1.0 / 6), 0.04);
    make_destroy(made);
}
END_TEST

/* ---- recall and copy, and lengths that are asked for ---- */

START_TEST(the_first_symbol_is_the_class_and_does_not_come_again)
{
    struct made *made = create(&make_recall, MAKE_TRAIN, 1, 400);
    int counts[4] = {0};
    for (int64_t s = 0; s < made->sequences; s++) {
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        ck_assert(symbols[0] >= 0 && symbols[0] < 4 && made->classes[s] == symbols[0]);
        counts[symbols[0]]++;
        for (size_t t = 1; t < length_of(made, s); t++)
            ck_assert(symbols[t] >= 4 && symbols[t] < 8);
    }
    for (int k = 0; k < 4; k++)
        ck_assert(counts[k] > 60 && counts[k] < 140);
    make_destroy(made);
}
END_TEST

START_TEST(copied_symbols_are_the_last_classes_in_their_order)
{
    struct made *made = create(&make_copy, MAKE_TEST, 1, 100);
    for (int64_t s = 0; s < made->sequences; s++) {
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        const int32_t *classes = made->classes + made->input_offsets[s];
        size_t T = length_of(made, s);
        ck_assert_uint_eq(T, 120);
        ck_assert_mem_eq(symbols, classes + T - 10, 10 * sizeof *symbols);
        for (size_t t = 0; t < T; t++) {
            ck_assert(t < 10 ? symbols[t] < 8 : symbols[t] == (t == T - 11 ? 9 : 8));
            ck_assert(t < T - 10 ? classes[t] == 8 : classes[t] < 8);
        }
    }
    make_destroy(made);
}
END_TEST

START_TEST(sequences_have_the_length_that_is_asked_for)
{
    const struct dataset_kind *const kinds[] = {&make_adding, &make_recall, &make_copy};
    for (size_t k = 0; k < 3; k++) {
        const int32_t lengths[] = {kinds[k]->least_length, 333};
        for (size_t i = 0; i < 2; i++) {
            struct error error;
            struct made *made = make_create(kinds[k], MAKE_VALID, 5, 30, lengths[i], &error);
            ck_assert_ptr_nonnull(made);
            for (int64_t s = 0; s < made->sequences; s++)
                ck_assert_uint_eq(length_of(made, s), (size_t)lengths[i]);
            ck_assert_int_eq(made->targets, kinds[k] == &make_copy ? made->frames : made->sequences);
            make_destroy(made);
        }
    }
}
END_TEST

/* ---- context ---- */

static int32_t nearest_mark(const int32_t *symbols, size_t T, size_t t, int direction)
{
    for (long i = (long)t + direction; i >= 0 && i < (long)T; i += direction)
        if (symbols[i] < 4)
            return symbols[i];
    return 0;
}

START_TEST(class_is_the_sum_of_the_nearest_marks)
{
    struct made *made = create(&make_context, MAKE_TRAIN, 1, 200);
    int64_t inner_marks = 0, counts[8] = {0};
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t T = length_of(made, s);
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        const int32_t *classes = made->classes + made->input_offsets[s];
        ck_assert(symbols[0] < 4 && symbols[T - 1] < 4);
        for (size_t t = 0; t < T; t++) {
            ck_assert(symbols[t] >= 0 && symbols[t] < 8);
            int32_t before = nearest_mark(symbols, T, t, -1), after = nearest_mark(symbols, T, t, 1);
            ck_assert_int_eq(classes[t], (before + after) % 4);
            counts[symbols[t]]++;
            inner_marks += t > 0 && t < T - 1 && symbols[t] < 4;
        }
    }
    double inner = (double)(made->frames - 2 * made->sequences);
    ck_assert_double_lt(fabs((double)inner_marks / inner - 0.25), 4 * sqrt(0.25 * 0.75 / inner));
    for (int i = 0; i < 8; i++)
        ck_assert_int_gt(counts[i], 0);
    make_destroy(made);
}
END_TEST

/* The best guess from everything one side can know that bears on the class, by counting over many
 * sequences: the nearest mark there, the frame's own symbol, and the distance to that end. */
static double best_error_of_one_direction(const struct made *made, int direction)
{
    enum { NEAR = 3 };
    int64_t(*count)[4] = memory_create(4 * 8 * NEAR, sizeof *count, NULL), wrong = 0;
    ck_assert_ptr_nonnull(count);
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t T = length_of(made, s);
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        for (size_t t = 0; t < T; t++) {
            size_t end = direction < 0 ? t : T - 1 - t, near = end < NEAR ? end : NEAR - 1;
            size_t mark = (size_t)nearest_mark(symbols, T, t, direction);
            count[(mark * 8 + (size_t)symbols[t]) * NEAR + near]
                 [made->classes[made->input_offsets[s] + (int64_t)t]]++;
        }
    }
    for (size_t k = 0; k < 4 * 8 * NEAR; k++) {
        int64_t all = 0, most = 0;
        for (int c = 0; c < 4; c++) {
            all += count[k][c];
            most = count[k][c] > most ? count[k][c] : most;
        }
        wrong += all - most;
    }
    memory_destroy(count);
    return (double)wrong / (double)made->frames;
}

START_TEST(one_direction_does_not_beat_chance)
{
    struct made *made = create(&make_context, MAKE_TRAIN, 1, 5000);
    double bound = 0.75 * (1 - (double)made->sequences / (double)made->frames);
    for (int direction = -1; direction <= 1; direction += 2) {
        /* Guesses fitted to the very data they are tried on do a little better than the bound. */
        ck_assert_double_gt(best_error_of_one_direction(made, direction), bound - 0.01);
        ck_assert_double_lt(best_error_of_one_direction(made, direction), 0.75);
    }
    make_destroy(made);
}
END_TEST

/* ---- numbers ---- */

START_TEST(words_are_those_of_the_number)
{
    static const struct {
        uint32_t number;
        const char *words;
    } known[] = {{0, "zero"}, {7, "seven"}, {13, "thirteen"}, {20, "twenty"}, {40, "forty"},
        {99, "ninety-nine"}, {100, "one hundred"}, {101, "one hundred and one"}, {1000, "one thousand"},
        {1004, "one thousand and four"}, {1104, "one thousand one hundred and four"},
        {17004, "seventeen thousand and four"}, {20000, "twenty thousand"},
        {104000, "one hundred and four thousand"},
        {342615, "three hundred and forty-two thousand six hundred and fifteen"},
        {900013, "nine hundred thousand and thirteen"},
        {373373, "three hundred and seventy-three thousand three hundred and seventy-three"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char words[MAKE_NUMBER_WORDS];
        make_number_words(known[i].number, words);
        ck_assert_str_eq(words, known[i].words);
    }
}
END_TEST

/* The number that words say; they are cut up. */
static uint32_t read_words(char *words)
{
    static const char *const small[] = {"zero", "one", "two", "three", "four", "five", "six", "seven",
        "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
        "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
    uint32_t all = 0, group = 0;
    for (char *word = strtok(words, " -"); word; word = strtok(NULL, " -")) {
        uint32_t k = 0;
        while (k < 28 && strcmp(word, small[k]) != 0)
            k++;
        if (k < 28)
            group += k < 20 ? k : 10 * (k - 18);
        else if (!strcmp(word, "hundred"))
            group *= 100;
        else if (!strcmp(word, "thousand"))
            all = 1000 * group, group = 0;
        else
            ck_assert_str_eq(word, "and");
    }
    return all + group;
}

START_TEST(words_read_back_as_the_number)
{
    for (uint32_t number = 0; number < 1000000; number += number < 3000 ? 1 : 97) {
        char words[MAKE_NUMBER_WORDS];
        make_number_words(number, words);
        ck_assert_uint_lt(strlen(words), 73);
        ck_assert_uint_eq(read_words(words), number);
    }
}
END_TEST

static void spell(const int32_t *characters, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert(characters[i] >= 0 && characters[i] < make_numbers.symbols);
        char letter = make_numbers.class_names[characters[i]][0];
        text[i] = letter == '_' ? ' ' : letter;
    }
    text[n] = 0;
}

/* The number of sequence s, which both sides say; *to_digits: which way. */
static uint32_t number_of(const struct made *made, int64_t s, int *to_digits)
{
    enum { ROOM = 128 };
    char from[ROOM], to[ROOM];
    size_t T = length_of(made, s), U = (size_t)(made->target_offsets[s + 1] - made->target_offsets[s]);
    ck_assert(T > 1 && T < ROOM && U > 0 && U < ROOM);
    spell(made->symbols + made->input_offsets[s], T, from);
    spell(made->classes + made->target_offsets[s], U, to);
    *to_digits = from[0] == '#';
    ck_assert(*to_digits || from[0] == '=');
    char *digits = *to_digits ? to : from + 1, *words = *to_digits ? from + 1 : to, *end;
    unsigned long number = strtoul(digits, &end, 10);
    ck_assert(*end == 0 && (digits[0] != '0' || digits[1] == 0));
    ck_assert_uint_lt(number, 1000000);
    ck_assert_uint_eq(read_words(words), number);
    return (uint32_t)number;
}

START_TEST(both_sides_say_the_same_number_either_way)
{
    struct made *made = create(&make_numbers, MAKE_TRAIN, 1, 4000);
    int64_t ways[2] = {0}, sizes[7] = {0};
    for (int64_t s = 0; s < made->sequences; s++) {
        int to_digits;
        uint32_t number = number_of(made, s, &to_digits);
        ways[to_digits]++;
        size_t digits = 0;
        do
            digits++;
        while (number /= 10);
        sizes[digits]++;
    }
    ck_assert_int_gt(ways[0], 1850);
    ck_assert_int_gt(ways[1], 1850);
    for (int digits = 3; digits <= 6; digits++)
        ck_assert_int_gt(sizes[digits], 800);
    make_destroy(made);
}
END_TEST

START_TEST(no_number_is_in_two_parts_whatever_the_seed)
{
    for (uint64_t seed = 1; seed < 4; seed++)
        for (int p = 0; p < MAKE_PARTS; p++) {
            struct made *made = create(&make_numbers, (enum make_part)p, seed, 500);
            for (int64_t s = 0; s < made->sequences; s++) {
                int to_digits;
                ck_assert_int_eq(make_number_part(number_of(made, s, &to_digits)), p);
            }
            make_destroy(made);
        }
}
END_TEST

START_TEST(a_tenth_of_the_numbers_is_for_each_of_the_smaller_parts)
{
    for (uint32_t bound = 1000; bound <= 1000000; bound *= 10) {
        int64_t counts[MAKE_PARTS] = {0};
        for (uint32_t number = 0; number < bound; number++)
            counts[make_number_part(number)]++;
        double room = 4 * sqrt(0.09 * bound);
        ck_assert_double_lt(fabs((double)counts[MAKE_VALID] - 0.1 * bound), room);
        ck_assert_double_lt(fabs((double)counts[MAKE_TEST] - 0.1 * bound), room);
    }
}
END_TEST

/* ---- spell ---- */

START_TEST(the_frame_and_the_words_say_the_same_number)
{
    enum { FEATURES = 60, ROOM = 128 };
    struct made *made = create(&make_spell, MAKE_VALID, 1, 5000);
    for (int64_t s = 0; s < made->sequences; s++) {
        const float *x = made->inputs + s * FEATURES;
        const int32_t *classes = made->classes + made->target_offsets[s];
        size_t U = (size_t)(made->target_offsets[s + 1] - made->target_offsets[s]);
        uint32_t number = 0, power = 1;
        char words[ROOM];
        int digits = 0;
        ck_assert_uint_eq(length_of(made, s), 1);
        for (uint32_t i = 0; i < FEATURES; i++) {
            ck_assert(x[i] == 0 || x[i] == 1);
            number += (uint32_t)x[i] * power * (i % 10);
            digits += x[i] == 1;
            power *= i % 10 == 9 ? 10 : 1;
        }
        ck_assert_int_eq(make_number_part(number), MAKE_VALID);
        ck_assert_int_eq(snprintf(words, sizeof words, "%u", number), digits);
        for (size_t u = 0; u < U; u++)
            words[u] =
                make_spell.class_names[classes[u]][0] == '_' ? ' ' : make_spell.class_names[classes[u]][0];
        words[U] = 0;
        ck_assert_uint_eq(read_words(words), number);
    }
    make_destroy(made);
}
END_TEST

/* ---- reber ---- */

/* Hochreiter and Schmidhuber 1997, figures 3 and 4, as one expression. */
#define AFTER_X "(XT*VP)*(S|XT*VV)"
#define INNER "B(TS*X" AFTER_X "|PT*V(P" AFTER_X "|V))E"

START_TEST(every_string_is_in_the_grammar_and_its_classes_are_the_next_symbols)
{
    regex_t grammar;
    ck_assert_int_eq(regcomp(&grammar, "^B(T" INNER "T|P" INNER "P)E$", REG_EXTENDED | REG_NOSUB), 0);
    struct made *made = create(&make_reber, MAKE_TRAIN, 1, 2000);
    for (int64_t s = 0; s < made->sequences; s++) {
        char string[512];
        size_t T = length_of(made, s), t;
        ck_assert_uint_lt(T, sizeof string - 1);
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        const int32_t *classes = made->classes + made->input_offsets[s];
        for (t = 0; t < T; t++) {
            ck_assert(symbols[t] >= 0 && symbols[t] < 7);
            string[t] = make_reber.class_names[symbols[t]][0];
            ck_assert(t + 1 == T || classes[t] == symbols[t + 1]);
        }
        string[T] = make_reber.class_names[classes[T - 1]][0];
        string[T + 1] = 0;
        ck_assert_msg(regexec(&grammar, string, 0, NULL, 0) == 0, "%s", string);
    }
    ck_assert_int_ne(regexec(&grammar, "BTBTXSEPE", 0, NULL, 0), 0);
    ck_assert_int_eq(regexec(&grammar, "BPBTXSEPE", 0, NULL, 0), 0);
    regfree(&grammar);
    make_destroy(made);
}
END_TEST

START_TEST(both_ways_of_every_fork_are_equally_likely)
{
    /* Then a string has 12 symbols on average, 11 frames, T second as often as P, S behind X as often as X.
     */
    struct made *made = create(&make_reber, MAKE_TRAIN, 2, 5000);
    int64_t second_t = 0, loops = 0, leaves = 0;
    for (int64_t s = 0; s < made->sequences; s++) {
        const int32_t *symbols = made->symbols + made->input_offsets[s];
        second_t += symbols[1] == 1;
        size_t t = 4; /* behind B T B T: S comes again and again, or X once */
        for (; symbols[3] == 1 && symbols[t] == 3; t++)
            loops++;
        leaves += symbols[3] == 1;
    }
    ck_assert_double_lt(fabs((double)made->frames / 5000 - 11), 0.2);
    ck_assert_double_lt(fabs((double)second_t - 2500), 4 * sqrt(5000 * 0.25));
    ck_assert_double_lt(fabs((double)leaves - 2500), 4 * sqrt(5000 * 0.25));
    ck_assert_double_lt(fabs((double)(loops - leaves)), 4 * sqrt(2 * 5000 * 0.5));
    make_destroy(made);
}
END_TEST

/* ---- files ---- */

static char folder[256], path[300];

static void folder_create(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/test_make.XXXXXX", parent ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/part.h5", folder);
}

static void folder_remove(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left in it */
}

static void write_part(const struct made *made)
{
    struct error error = {0};
    ck_assert_msg(make_write(made, path, &error) == 0, "%s", error.text);
}

static void say(void *context, const char *text)
{
    fprintf(stderr, "%s\n", text);
}

START_TEST(written_file_is_a_dataset_without_faults)
{
    struct made *made = create(dataset_kind_at((size_t)_i), MAKE_VALID, 1, 30);
    struct faults faults;
    write_part(made);
    faults_init(&faults, 20, say, NULL);
    dataset_check(path, NULL, &faults);
    ck_assert_uint_eq(faults.count, 0);
    make_destroy(made);
}
END_TEST

START_TEST(written_file_reads_back_bit_for_bit)
{
    const struct dataset_kind *kind = dataset_kind_at((size_t)_i);
    struct made *made = create(kind, MAKE_VALID, 1, 30);
    struct error error = {0};
    write_part(made);
    struct dataset *dataset = dataset_open(path, 1 << 30, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    size_t frames = (size_t)made->frames, targets = (size_t)made->targets;
    ck_assert_int_eq(dataset->sequences, made->sequences);
    ck_assert_int_eq(dataset->frames, made->frames);
    ck_assert_int_eq(dataset->targets, made->targets);
    ck_assert_int_eq(dataset->target_kind,
        kind->target_per_frame ? TARGET_FRAME
            : kind->measure    ? TARGET_ANY
                               : TARGET_SEQUENCE);
    if (made->target_offsets)
        ck_assert_mem_eq(dataset->target_offsets, made->target_offsets, ((size_t)made->sequences + 1) * 8);
    ck_assert_mem_eq(dataset->input_offsets, made->input_offsets, ((size_t)made->sequences + 1) * 8);
    if (kind->features)
        ck_assert_mem_eq(dataset->kept_inputs, made->inputs, frames * kind->features * sizeof(float));
    if (kind->symbols)
        ck_assert_mem_eq(dataset->kept_symbols, made->symbols, frames * sizeof(int32_t));
    if (kind->values)
        ck_assert_mem_eq(dataset->kept_values, made->values, targets * kind->values * sizeof(float));
    if (kind->classes)
        ck_assert_mem_eq(dataset->kept_classes, made->classes, targets * sizeof(int32_t));
    char *name = dataset_name(dataset, 4, &error);
    ck_assert_str_eq(name, "valid-0000004");
    memory_destroy(name);
    dataset_close(dataset);
    make_destroy(made);
}
END_TEST

START_TEST(a_folder_in_the_way_is_an_error_that_leaves_nothing_behind)
{
    struct made *made = create(&make_context, MAKE_TEST, 1, 5);
    char taken[320];
    struct error error = {0};
    snprintf(taken, sizeof taken, "%s/taken.h5", folder);
    ck_assert_int_eq(mkdir(taken, 0700), 0);
    ck_assert_int_eq(make_write(made, taken, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_ptr_nonnull(strstr(error.text, taken));
    ck_assert_int_eq(rmdir(taken), 0);
    make_destroy(made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("make");
    int every = (int)dataset_kind_count();
    TCase *kinds = tcase_create("all kinds");
    tcase_add_loop_test(kinds, same_seed_gives_the_same_bits, 0, every);
    tcase_add_loop_test(kinds, another_seed_gives_other_sequences, 0, UNLIKELY);
    tcase_add_loop_test(kinds, a_sequence_does_not_depend_on_how_many_there_are, 0, every);
    tcase_add_loop_test(kinds, no_sequence_occurs_twice_in_all_parts, 0, UNLIKELY);
    tcase_add_loop_test(kinds, lengths_cover_their_range, 0, UNIFORM);
    tcase_add_loop_test(kinds, every_machine_gives_these_bits, 0, every);
    tcase_add_test(kinds, other_parts_have_a_fifth_and_at_least_one);
    tcase_add_test(kinds, draws_never_use_a_number_twice);
    suite_add_tcase(suite, kinds);

    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, halving_the_step_divides_the_error_by_sixteen);
    tcase_add_test(rules, the_unstable_points_stand_still);
    tcase_add_test(rules, every_tenth_step_is_observed_with_noise_of_deviation_one);
    tcase_add_test(rules, targets_follow_the_lorenz_equations);
    tcase_add_test(rules, states_are_of_unit_variance_about_zero);
    tcase_add_test(rules, target_is_the_sum_of_the_two_marked_values);
    tcase_add_test(rules, the_first_symbol_is_the_class_and_does_not_come_again);
    tcase_add_test(rules, copied_symbols_are_the_last_classes_in_their_order);
    tcase_add_test(rules, sequences_have_the_length_that_is_asked_for);
    tcase_add_test(rules, class_is_the_sum_of_the_nearest_marks);
    tcase_add_test(rules, one_direction_does_not_beat_chance);
    tcase_add_test(rules, words_are_those_of_the_number);
    tcase_add_test(rules, words_read_back_as_the_number);
    tcase_add_test(rules, both_sides_say_the_same_number_either_way);
    tcase_add_test(rules, no_number_is_in_two_parts_whatever_the_seed);
    tcase_add_test(rules, a_tenth_of_the_numbers_is_for_each_of_the_smaller_parts);
    tcase_add_test(rules, the_frame_and_the_words_say_the_same_number);
    tcase_add_test(rules, every_string_is_in_the_grammar_and_its_classes_are_the_next_symbols);
    tcase_add_test(rules, both_ways_of_every_fork_are_equally_likely);
    suite_add_tcase(suite, rules);

    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, folder_create, folder_remove);
    tcase_add_loop_test(files, written_file_is_a_dataset_without_faults, 0, every);
    tcase_add_loop_test(files, written_file_reads_back_bit_for_bit, 0, every);
    tcase_add_test(files, a_folder_in_the_way_is_an_error_that_leaves_nothing_behind);
    suite_add_tcase(suite, files);
    return suite_run(suite);
}
