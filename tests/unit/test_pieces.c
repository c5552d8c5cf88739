/* Sequences worked off in pieces: their gradients against those of the serial reference that cuts at the same
 * frames, and all else against the bits of whole sequences. The weights stay as they are between pieces. */
#include "reference/net_options.h"
#include "reference/team.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As in test_net.c. */
#define TOLERANCE 5e-5
#define FLOOR 1e-2

enum { CELLS = 7, ROWS = 6, MOST = 11, CUTS = 4, MOST_NUMBERS = 256 };

static const int32_t lengths[ROWS] = {11, 11, 8, 7, 4, 1};
static const int64_t cuts[CUTS] = {1, 3, 4, 12};

/* Pieces of the sequences of a problem on their way; the states of sequence s are row 2 s, so that rows in
 * between are nobody's. */
struct pieces {
    const struct problem *problem;
    struct subject subject;
    struct net_pass pass;
    struct microbatch microbatch;
    struct net_carry carry;
    int64_t chosen[ROWS], place[ROWS];
    size_t B;
    float states[2 * ROWS * MOST_NUMBERS];
};

static void pieces_init(struct pieces *pieces, const struct problem *problem, int64_t most)
{
    *pieces = (struct pieces){.problem = problem, .pass = {.training = 1, .seed = 3, .epoch = 2}};
    subject_init(&pieces->subject, problem);
    ck_assert_uint_le(net_count_states(pieces->subject.net), MOST_NUMBERS);
    microbatch_init(&pieces->microbatch);
    pieces->microbatch.excerpt.most = most;
    for (size_t b = 0; b < ROWS; b++) {
        pieces->chosen[b] = (int64_t)b;
        pieces->place[b] = 2 * (int64_t)b;
    }
    for (size_t i = 0; i < 2 * (size_t)ROWS * MOST_NUMBERS; i++)
        pieces->states[i] = NAN; /* what nobody has left must not be read */
}

static void pieces_finish(struct pieces *pieces)
{
    microbatch_finish(&pieces->microbatch);
    subject_finish(&pieces->subject);
}

/* Makes piece k the one at hand; returns 0 where there is none. */
static int pieces_take(struct pieces *pieces, int64_t k)
{
    struct excerpt *excerpt = &pieces->microbatch.excerpt;
    excerpt->first = k * excerpt->most;
    for (pieces->B = 0; pieces->B < ROWS && lengths[pieces->B] > excerpt->first;)
        pieces->B++;
    if (!pieces->B)
        return 0;
    problem_fill_microbatch(pieces->problem, pieces->B, pieces->chosen, &pieces->microbatch);
    pieces->carry = (struct net_carry){
        .before = k ? pieces->states : NULL, .after = pieces->states, .place = pieces->place};
    while (pieces->carry.going < pieces->B && excerpt_goes_on(*excerpt, lengths[pieces->carry.going]))
        pieces->carry.going++;
    pieces->pass.carry = &pieces->carry;
    return 1;
}

static void check_gradient(struct problem *problem, int64_t most, const char *text)
{
    struct pieces pieces;
    struct result result;
    double *want = reference_numbers(problem->P), *got = reference_numbers(problem->P);
    pieces_init(&pieces, problem, most);
    float *sum = calloc(pieces.subject.P, sizeof *sum);
    ck_assert_ptr_nonnull(sum);
    for (int64_t k = 0; pieces_take(&pieces, k); k++) {
        subject_run(&pieces.subject, &pieces.pass, &pieces.microbatch, &result);
        for (size_t p = 0; p < pieces.subject.P; p++)
            sum[p] += result.gradient[p];
        result_finish(&result);
    }
    problem_to_doubles(problem, sum, pieces.subject.tensors, pieces.subject.list, got);
    for (size_t s = 0; s < problem->sequences; s++) {
        problem->sequence[s].cut = (size_t)most;
        reference_backward(&problem->config, problem->weights, &problem->sequence[s], want);
    }
    char worst[64];
    double difference = problem_compare(problem, got, want, FLOOR, worst);
    ck_assert_msg(difference < TOLERANCE, "%s, pieces of %d frames, %s: gradient of %s is off by %g",
        cell_names[problem->config.cell], (int)most, text, worst, difference);
    free(sum);
    free(want);
    free(got);
    pieces_finish(&pieces);
}

static struct net_config make_config(enum cell cell, enum output output, int inputs)
{
    return (struct net_config){.cell = cell,
        .output = output,
        .layers = 2,
        .hidden = {17, 5},
        .inputs = 6,
        .symbols = inputs > 0,
        .embedding = inputs == 2 ? 4 : 0,
        .outputs = 3};
}

static void check_options(
    enum cell cell, int which, size_t n, const struct net_option *const chosen[], const char *text)
{
    struct net_config config = make_config(cell, (enum output)(which % 2), which / 2 % 3);
    struct problem problem;
    net_options_apply(&config, n, chosen);
    config.recurrent_dropout = 0; /* the reference does not draw masks */
    problem_init(&problem, &config, ROWS, lengths, 40 + (uint64_t)which);
    if (net_options_drop_targets(n, chosen))
        problem_drop_targets(&problem, 2);
    if (net_options_weigh_targets(n, chosen))
        problem_weigh_targets(&problem, 3);
    check_gradient(&problem, cuts[which % CUTS], text);
    problem_finish(&problem);
}

START_TEST(gradient_is_that_of_the_reference_cut_at_the_same_frames)
{
    enum cell cell = (enum cell)_i;
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    for (int which = 0; which < 12; which++) /* outputs, inputs and cuts together */
        check_options(cell, which, 0, NULL, "no options");
    for (size_t k = 0; k + 1 < net_options_count; k++) {
        const struct net_option *option = &net_options[k];
        if (net_options_agree(cell, 1, &option))
            check_options(cell, (int)k + 1, 1, &option, option->name);
    }
    for (int which = 0; which < 8; which++)
        check_options(cell, which, net_options_choose_all(cell, LOSS_SOFTMAX, chosen), chosen, "all options");
    free(chosen);
}
END_TEST

/* A network in which all that is drawn at random is drawn: masks, noise. */
static struct net_config make_random_config(enum cell cell, int learned)
{
    struct net_config config = make_config(cell, OUTPUT_FRAME, 0);
    config.dropout = 0.4;
    config.input_noise = 0.3;
    config.recurrent_dropout = cell < CELL_INDRNN ? 0.25 : 0;
    config.initial_state = learned;
    return config;
}

/* The rows of the pieces are those of the whole. */
static void check_rows(struct pieces *pieces, const struct result *whole)
{
    for (int64_t k = 0; pieces_take(pieces, k); k++) {
        const struct microbatch *microbatch = &pieces->microbatch;
        struct result result;
        subject_run(&pieces->subject, &pieces->pass, microbatch, &result);
        for (size_t b = 0; b < microbatch->B; b++)
            for (size_t t = 0; t < (size_t)microbatch->length[b]; t++) {
                size_t at = subject_row(
                    &pieces->problem->config, ROWS, lengths, b, (size_t)microbatch->excerpt.first + t);
                ck_assert_mem_eq(result.outputs + microbatch_frame(microbatch, b, t) * result.O,
                    whole->outputs + at * whole->O, result.O * sizeof *result.outputs);
            }
        result_finish(&result);
    }
}

START_TEST(pieces_have_the_masks_noise_and_outputs_of_the_whole)
{
    for (int c = 0; c < 2 * CUTS; c++) {
        struct net_config config = make_random_config((enum cell)_i, c / CUTS);
        struct problem problem;
        struct pieces pieces;
        struct result whole;
        problem_init(&problem, &config, ROWS, lengths, 50);
        pieces_init(&pieces, &problem, cuts[c % CUTS]);
        struct net_pass pass = pieces.pass;
        subject_run_chosen(&pieces.subject, &pass, ROWS, pieces.chosen, &whole);
        check_rows(&pieces, &whole);
        result_finish(&whole);
        pieces_finish(&pieces);
        problem_finish(&problem);
    }
}
END_TEST

/* Of the learned state the first piece alone has a gradient, and a whole sequence after a piece has its own
 * again. */
START_TEST(only_the_first_piece_begins_with_the_learned_state)
{
    struct net_config config = make_random_config((enum cell)_i, 1);
    struct problem problem;
    struct pieces pieces;
    struct result before, after, result;
    problem_init(&problem, &config, ROWS, lengths, 60);
    pieces_init(&pieces, &problem, 4);
    const struct parameter *h0 = problem_find(pieces.subject.tensors, pieces.subject.list, "rnn.h0_l0");
    struct net_pass pass = pieces.pass;
    ck_assert_ptr_nonnull(h0);
    subject_run_chosen(&pieces.subject, &pass, ROWS, pieces.chosen, &before);
    for (int64_t k = 0; pieces_take(&pieces, k); k++) {
        double size = 0;
        subject_run(&pieces.subject, &pieces.pass, &pieces.microbatch, &result);
        for (size_t i = 0; i < h0->count; i++)
            size += fabs((double)result.gradient[h0->offset + i]);
        ck_assert_msg(k == 0 ? size > 0 : size == 0, "piece %d: %g", (int)k, size);
        result_finish(&result);
        net_pack(pieces.subject.net, pieces.subject.weights); /* as after an update */
    }
    subject_run_chosen(&pieces.subject, &pass, ROWS, pieces.chosen, &after);
    ck_assert_mem_eq(before.outputs, after.outputs, before.rows * before.O * sizeof *before.outputs);
    ck_assert_mem_eq(before.gradient, after.gradient, before.P * sizeof *before.gradient);
    result_finish(&before);
    result_finish(&after);
    pieces_finish(&pieces);
    problem_finish(&problem);
}
END_TEST

/* Computes the piece at hand by a team, of one member too, and with the least memory where `memory` is 1. */
static void check_team(
    struct pieces *pieces, const float *left, size_t members, size_t memory, const struct result *alone)
{
    size_t n = net_count_states(pieces->subject.net);
    pieces->pass.memory = memory;
    memset(pieces->states, 0, sizeof pieces->states);
    const char *difference =
        team_compare(&pieces->subject, &pieces->pass, &pieces->microbatch, members, alone);
    ck_assert_msg(!difference, "%s, frames from %d on, %zu members: another %s",
        cell_names[pieces->problem->config.cell], (int)pieces->microbatch.excerpt.first, members, difference);
    for (size_t b = 0; b < pieces->carry.going; b++)
        ck_assert_mem_eq(pieces->states + 2 * b * n, left + 2 * b * n, n * sizeof *left);
    pieces->pass.memory = 0;
}

START_TEST(teams_and_little_memory_have_the_bits_and_leave_the_states_of_one)
{
    struct net_config config = make_random_config((enum cell)_i, 1);
    struct problem problem;
    struct pieces pieces;
    config.hidden[0] = 34;
    problem_init(&problem, &config, ROWS, lengths, 70);
    pieces_init(&pieces, &problem, 5);
    for (int64_t k = 0; pieces_take(&pieces, k); k++) {
        static float begun[2 * ROWS * MOST_NUMBERS], left[2 * ROWS * MOST_NUMBERS];
        struct result alone;
        memcpy(begun, pieces.states, sizeof begun);
        pieces.carry.before = k ? begun : NULL;
        subject_run(&pieces.subject, &pieces.pass, &pieces.microbatch, &alone);
        memcpy(left, pieces.states, sizeof left);
        check_team(&pieces, left, 2 + (size_t)k % 2, 0, &alone);
        check_team(&pieces, left, 1, 1, &alone);
        check_team(&pieces, left, 2, 1, &alone);
        result_finish(&alone);
    }
    pieces_finish(&pieces);
    problem_finish(&problem);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pieces");
    TCase *cases = tcase_create("pieces");
    tcase_set_timeout(cases, 200);
    tcase_add_loop_test(cases, gradient_is_that_of_the_reference_cut_at_the_same_frames, 0, CELLS);
    tcase_add_loop_test(cases, pieces_have_the_masks_noise_and_outputs_of_the_whole, 0, CELLS);
    tcase_add_loop_test(cases, only_the_first_piece_begins_with_the_learned_state, 0, CELLS);
    tcase_add_loop_test(cases, teams_and_little_memory_have_the_bits_and_leave_the_states_of_one, 0, CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
