/* Properties of plans over many random sets of lengths: what an epoch holds, how microbatches are dealt, how
 * ranks share them. */
#include "base/random.h"
#include "data/microbatches.h"
#include "data/plan.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEQUENCES = 700, WORLDS = 300 };

/* One random case: lengths of one of several characters, batch and microbatch of any proportion. */
struct world {
    int64_t sequences, batch, microbatch;
    int32_t length[MOST_SEQUENCES];
};

static uint64_t draw(uint64_t n, uint64_t number, uint64_t index)
{
    return random_below(n, 17, RANDOM_TEST, number, index);
}

static int32_t draw_length(uint64_t character, uint64_t number, uint64_t index)
{
    uint64_t u = draw(1000, number, index);
    switch (character) {
    case 0:
        return 1 + (int32_t)(u % 40);
    case 1:
        return 7; /* all alike */
    case 2:
        return u < 20 ? 5000 : 1 + (int32_t)(u % 9); /* few giants */
    default:
        return 100 + (int32_t)(u / 5);
    }
}

static void world_make(struct world *world, uint64_t number)
{
    uint64_t most[] = {1, 9, 70, MOST_SEQUENCES};
    world->sequences = 1 + (int64_t)draw(most[number % 4], number, 100000);
    world->batch = 1 + (int64_t)draw(2 * (uint64_t)world->sequences, number, 100001);
    world->microbatch = 1 + (int64_t)draw(number % 3 ? 10 : 2 * (uint64_t)world->batch, number, 100002);
    for (int64_t s = 0; s < world->sequences; s++)
        world->length[s] = draw_length(number / 4 % 4, number, (uint64_t)s);
}

static void world_plan(const struct world *world, struct plan *plan)
{
    struct error error;
    ck_assert_int_eq(
        plan_init(plan, world->sequences, world->length, world->batch, world->microbatch, 5, &error), 0);
}

static int64_t sum_cost(const struct plan_step *step, size_t first, size_t end)
{
    int64_t sum = 0;
    for (size_t l = first; l < end; l++)
        sum += step->cost[l];
    return sum;
}

/* What the dearest microbatch costs more than the cheapest. */
static int64_t get_spread(const struct plan_step *step)
{
    int64_t low = step->cost[0], high = low;
    for (size_t l = 1; l < step->leaves; l++) {
        low = step->cost[l] < low ? step->cost[l] : low;
        high = step->cost[l] > high ? step->cost[l] : high;
    }
    return high - low;
}

START_TEST(each_sequence_comes_once_an_epoch)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan plan;
        world_make(&world, number);
        world_plan(&world, &plan);
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            int seen[MOST_SEQUENCES] = {0};
            plan_set_epoch(&plan, epoch);
            for (int64_t k = 0; k < plan.steps; k++) {
                ck_assert_int_eq(plan_make_step(&plan, k, &step, NULL), 0);
                int64_t want = k + 1 < plan.steps ? world.batch : world.sequences - k * world.batch;
                ck_assert_int_eq((int64_t)step.sequences, want);
                for (size_t i = 0; i < step.sequences; i++)
                    seen[step.sequence[i]]++;
            }
            for (int64_t s = 0; s < world.sequences; s++)
                ck_assert_int_eq(seen[s], 1);
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

START_TEST(a_step_takes_its_part_of_the_permutation)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan plan;
        world_make(&world, number);
        world_plan(&world, &plan);
        int64_t order[MOST_SEQUENCES];
        random_permutation(5, RANDOM_ORDER, 4, (size_t)world.sequences, order);
        plan_set_epoch(&plan, 4);
        for (int64_t k = 0; k < plan.steps; k++) {
            int here[MOST_SEQUENCES] = {0};
            plan_make_step(&plan, k, &step, NULL);
            for (size_t i = 0; i < step.sequences; i++)
                here[step.sequence[i]]++;
            for (size_t i = 0; i < step.sequences; i++)
                ck_assert_int_eq(here[order[(size_t)(k * world.batch) + i]], 1);
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

/* ---- pieces ---- */

static void world_cut(const struct world *world, int64_t most, struct plan *plan)
{
    const struct plan_order order = {.most = most};
    world_plan(world, plan);
    ck_assert_int_eq(plan_set_order(plan, &order, NULL), 0);
}

/* How many frames the steps of an epoch have had of each sequence so far. */
struct seen {
    int64_t frames[MOST_SEQUENCES];
};

/* A piece has the frames that are next of those sequences of its batch that have some, in the leaves and at
 * the places of the whole batch. */
static void check_piece(const struct world *world, const struct plan_step *whole,
    const struct plan_step *step, int64_t most, struct seen *seen)
{
    size_t leaf = 0, at = 0, going = 0;
    for (size_t w = 0; w < whole->leaves; w++) {
        size_t begun = at;
        for (size_t i = whole->start[w]; i < whole->start[w + 1]; i++) {
            int64_t s = whole->sequence[i], rest = world->length[s] - step->excerpt.first;
            if (rest <= 0)
                continue;
            ck_assert_int_eq(step->sequence[at], s);
            ck_assert_int_eq(step->place[at++], whole->place[i]);
            ck_assert_int_eq(seen->frames[s], step->excerpt.first);
            seen->frames[s] += rest < most ? rest : most;
            going += rest > most;
        }
        if (at == begun)
            continue;
        ck_assert_uint_eq(step->start[leaf], begun);
        ck_assert_uint_eq(step->start[++leaf], at);
        int64_t frames = 0, first = world->length[step->sequence[begun]] - step->excerpt.first;
        for (size_t i = begun; i < at; i++) {
            int64_t rest = world->length[step->sequence[i]] - step->excerpt.first;
            frames += rest < most ? rest : most;
        }
        ck_assert_int_eq(step->frames[leaf - 1], frames);
        ck_assert_int_eq(step->cost[leaf - 1], microbatch_cost(frames, first < most ? first : most));
    }
    ck_assert(step->leaves == leaf && step->sequences == at && step->excerpt.most == most);
    ck_assert_uint_eq(step->going, going ? whole->sequences : 0);
}

START_TEST(pieces_have_each_frame_once_in_the_leaves_of_the_whole)
{
    struct plan_step whole = {0}, step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        static struct world world;
        static struct seen seen;
        struct plan plan, cut;
        int64_t most = number % 7 == 0 ? 5000 : 1 + (int64_t)draw(number % 2 ? 200 : 9, number, 100003);
        world_make(&world, number);
        if (number / 4 % 4 == 2) /* giants of many pieces */
            most = most > 100 ? most : most + 100;
        world_plan(&world, &plan);
        world_cut(&world, most, &cut);
        plan_set_epoch(&plan, 1 + (int64_t)(number % 3));
        plan_set_epoch(&cut, 1 + (int64_t)(number % 3));
        memset(&seen, 0, sizeof seen);
        int64_t k = 0;
        for (int64_t batch = 0; batch < plan.steps; batch++) {
            size_t going = 0;
            ck_assert_int_eq(plan_make_step(&plan, batch, &whole, NULL), 0);
            do {
                ck_assert_int_eq(plan_count_going(&cut, k), (int64_t)going);
                ck_assert_int_eq(plan_make_step(&cut, k++, &step, NULL), 0);
                check_piece(&world, &whole, &step, most, &seen);
                going = step.going;
            } while (going);
        }
        ck_assert_int_eq(k, cut.steps);
        ck_assert_int_eq(plan_count_going(&cut, k), 0);
        for (int64_t s = 0; s < world.sequences; s++)
            ck_assert_int_eq(seen.frames[s], world.length[s]);
        plan_finish(&plan);
        plan_finish(&cut);
    }
    plan_step_finish(&whole);
    plan_step_finish(&step);
}
END_TEST

/* However many share the work. */
START_TEST(all_steps_of_a_run_are_those_of_its_epochs)
{
    enum { EPOCHS = 5 };
    for (uint64_t number = 0; number < 60; number++) {
        static struct world world;
        struct plan cut;
        int64_t parts = 1 + (int64_t)(number % 4), want = 0, sum = 0;
        world_make(&world, number);
        world_cut(&world, 1 + (int64_t)draw(50, number, 100003), &cut);
        for (int64_t epoch = 1; epoch <= EPOCHS; epoch++) {
            plan_set_epoch(&cut, epoch);
            want += cut.steps;
        }
        plan_set_epoch(&cut, 0);
        for (int64_t part = 0; part < parts; part++)
            sum += plan_count_all_steps(&cut, EPOCHS, part, parts);
        ck_assert_int_eq(sum, want);
        plan_finish(&cut);
    }
}
END_TEST

/* ---- windows ---- */

/* The offsets of a world, and of targets of which every third sequence has none. */
struct world_rows {
    int64_t inputs[MOST_SEQUENCES + 1], targets[MOST_SEQUENCES + 1];
};

static struct plan_order make_windows(
    const struct world *world, struct world_rows *rows, size_t bytes, int any_targets)
{
    rows->inputs[0] = rows->targets[0] = 0;
    for (int64_t s = 0; s < world->sequences; s++) {
        rows->inputs[s + 1] = rows->inputs[s] + world->length[s];
        rows->targets[s + 1] = rows->targets[s] + s % 3;
    }
    struct plan_order order = {.windows = {.bytes = bytes,
                                   .input_row = 12,
                                   .target_row = 4,
                                   .input_offsets = rows->inputs,
                                   .target_offsets = any_targets ? rows->targets : rows->inputs}};
    return order;
}

static size_t count_sequence(const struct window_rule *rule, int64_t s)
{
    return (size_t)(rule->input_offsets[s + 1] - rule->input_offsets[s]) * rule->input_row +
        (size_t)(rule->target_offsets[s + 1] - rule->target_offsets[s]) * rule->target_row;
}

/* Writes the window of each sequence, found by adding one sequence after the other; returns how many. */
static int64_t find_windows(const struct window_rule *rule, int64_t sequences, int64_t *window)
{
    int64_t w = 0;
    size_t taken = 0;
    for (int64_t s = 0; s < sequences; s++) {
        size_t more = count_sequence(rule, s);
        if (s > 0 && taken + more > rule->bytes) {
            w++;
            taken = 0;
        }
        taken += more;
        window[s] = w;
    }
    return w + 1;
}

/* An epoch is one pair of windows after the other, each whole and each sequence once; returns how many
 * sequences stand beside one that follows them in the file. */
static int64_t check_pairs(const struct plan *plan, const int64_t *window, int64_t windows)
{
    int seen[MOST_SEQUENCES] = {0}, done[MOST_SEQUENCES] = {0};
    int64_t at = 0, beside = 0;
    for (int64_t w = 0; w < windows; w += 2) {
        int64_t a = window[plan->order[at]], b = -1;
        int64_t have = 0, want = 0;
        for (int64_t i = at; i < plan->sequences && (window[plan->order[i]] == a || w + 1 < windows); i++) {
            int64_t here = window[plan->order[i]];
            if (here != a && b < 0)
                b = here;
            if (here != a && here != b)
                break;
            seen[plan->order[i]]++;
            beside += i > at && plan->order[i] == plan->order[i - 1] + 1;
            have++;
        }
        for (int64_t s = 0; s < plan->sequences; s++)
            want += window[s] == a || window[s] == b;
        ck_assert_int_eq(have, want);
        ck_assert(!done[a] && (b < 0 || !done[b]) && (b >= 0) == (w + 1 < windows));
        done[a] = done[b < 0 ? a : b] = 1;
        at += have;
    }
    for (int64_t s = 0; s < plan->sequences; s++)
        ck_assert_int_eq(seen[s], 1);
    return beside;
}

START_TEST(windows_come_by_twos_and_each_sequence_once)
{
    int64_t odd = 0, many = 0, beside = 0, sequences = 0;
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct world_rows rows;
        struct plan plan;
        int64_t window[MOST_SEQUENCES];
        world_make(&world, number);
        world_plan(&world, &plan);
        struct plan_order order = make_windows(&world, &rows, 1 + draw(20000, number, 7), number % 2);
        ck_assert_int_eq(plan_set_order(&plan, &order, NULL), 0);
        int64_t windows = find_windows(&order.windows, world.sequences, window);
        ck_assert_int_eq(plan.windows, windows);
        for (int64_t epoch = 1; epoch < 4; epoch++) {
            plan_set_epoch(&plan, epoch);
            beside += windows < world.sequences / 8 ? check_pairs(&plan, window, windows) : 0;
            sequences += windows < world.sequences / 8 ? world.sequences : 0;
        }
        odd += windows % 2;
        many += windows > 2;
        plan_finish(&plan);
    }
    ck_assert(odd > 20 && many > 100 && sequences > 10000);
    ck_assert_int_lt(beside, sequences / 8); /* they are permuted inside */
}
END_TEST

START_TEST(a_window_takes_what_fits_it_and_one_sequence_at_least)
{
    static const int64_t inputs[] = {0, 1, 3, 6, 16, 17}, targets[] = {0, 0, 5, 5, 5, 6};
    struct window_rule rule = {8, 2, 1, inputs, targets};
    int64_t first[6];
    /* bytes of the sequences: 2, 9, 6, 20, 3 */
    ck_assert_int_eq(windows_cut(&rule, 5, NULL), 5);
    rule.bytes = 11;
    ck_assert_int_eq(windows_cut(&rule, 5, first), 4);
    ck_assert(first[0] == 0 && first[1] == 2 && first[2] == 3 && first[3] == 4 && first[4] == 5);
    rule.bytes = 10;
    ck_assert_int_eq(windows_cut(&rule, 5, NULL), 5);
    rule.bytes = 40;
    ck_assert_int_eq(windows_cut(&rule, 5, NULL), 1);
    rule.bytes = 0;
    ck_assert_int_eq(windows_cut(&rule, 5, first), 1);
    ck_assert(first[0] == 0 && first[1] == 5);
}
END_TEST

/* The order of a run must never become another: this one is written down. */
START_TEST(windows_follow_from_lengths_seed_and_epoch_alone)
{
    static const int64_t known[] = {2, 11, 10, 9, 0, 1, 8, 6, 3, 5, 4, 7};
    struct world world = {.sequences = 12, .batch = 4, .microbatch = 2};
    struct world_rows rows;
    struct plan plan, other;
    for (int64_t s = 0; s < 12; s++)
        world.length[s] = 1 + (int32_t)s % 3;
    world_plan(&world, &plan);
    world_plan(&world, &other);
    struct plan_order order = make_windows(&world, &rows, 100, 0);
    plan_set_order(&plan, &order, NULL);
    plan_set_order(&other, &order, NULL);
    for (int64_t epoch = 9; epoch > 2; epoch--)
        plan_set_epoch(&plan, epoch);
    plan_set_epoch(&plan, 2);
    plan_set_epoch(&other, 2);
    ck_assert_mem_eq(plan.order, other.order, 12 * sizeof *plan.order);
    for (int64_t s = 0; s < 12; s++)
        ck_assert_msg(plan.order[s] == known[s], "%lld", (long long)plan.order[s]);
    plan_set_epoch(&other, 0);
    for (int64_t s = 0; s < 12; s++)
        ck_assert_int_eq(other.order[s], s);
    plan_finish(&plan);
    plan_finish(&other);
}
END_TEST

START_TEST(an_epoch_may_keep_the_order_of_the_file)
{
    struct world world;
    struct plan plan;
    const struct plan_order order = {.keeps_order = 1};
    world_make(&world, 3);
    world_plan(&world, &plan);
    ck_assert_int_eq(plan_set_order(&plan, &order, NULL), 0);
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        plan_set_epoch(&plan, epoch);
        for (int64_t s = 0; s < world.sequences; s++)
            ck_assert_int_eq(plan.order[s], s);
    }
    plan_finish(&plan);
}
END_TEST

START_TEST(epoch_zero_is_the_order_of_the_file_and_epochs_differ)
{
    struct world world = {.sequences = 500, .batch = 10, .microbatch = 2};
    for (int64_t s = 0; s < 500; s++)
        world.length[s] = 1;
    struct plan plan;
    world_plan(&world, &plan);
    for (int64_t s = 0; s < 500; s++)
        ck_assert_int_eq(plan.order[s], s);
    int64_t first[500], moved = 0;
    plan_set_epoch(&plan, 1);
    memcpy(first, plan.order, sizeof first);
    plan_set_epoch(&plan, 2);
    for (int64_t s = 0; s < 500; s++)
        moved += plan.order[s] != first[s];
    ck_assert_int_gt(moved, 450);
    plan_set_epoch(&plan, 1);
    ck_assert_mem_eq(plan.order, first, sizeof first);
    plan_set_epoch(&plan, 0);
    for (int64_t s = 0; s < 500; s++)
        ck_assert_int_eq(plan.order[s], s);
    plan_finish(&plan);
}
END_TEST

static void assert_microbatches_of_sorted_lengths(const struct world *world, const struct plan_step *step)
{
    size_t microbatch = (size_t)world->microbatch;
    ck_assert_uint_eq(step->leaves, (step->sequences - 1) / microbatch + 1);
    for (size_t l = 0; l < step->leaves; l++) {
        int64_t frames = 0;
        ck_assert_uint_lt(step->start[l], step->start[l + 1]);
        for (size_t i = step->start[l]; i < step->start[l + 1]; i++) {
            frames += world->length[step->sequence[i]];
            if (i > step->start[l])
                ck_assert_int_ge(world->length[step->sequence[i - 1]], world->length[step->sequence[i]]);
        }
        ck_assert_int_eq(frames, step->frames[l]);
        ck_assert_int_eq(
            step->cost[l], microbatch_cost(frames, world->length[step->sequence[step->start[l]]]));
    }
}

static void assert_lengths_of_microbatches_do_not_overlap(
    const struct world *world, const struct plan_step *step)
{
    for (size_t a = 0; a < step->leaves; a++)
        for (size_t b = 0; b < a; b++) {
            int32_t longest_a = world->length[step->sequence[step->start[a]]];
            int32_t shortest_a = world->length[step->sequence[step->start[a + 1] - 1]];
            int32_t longest_b = world->length[step->sequence[step->start[b]]];
            int32_t shortest_b = world->length[step->sequence[step->start[b + 1] - 1]];
            ck_assert(shortest_a >= longest_b || shortest_b >= longest_a);
        }
}

START_TEST(microbatches_hold_neighbours_in_length_longest_first)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan plan;
        world_make(&world, number);
        world_plan(&world, &plan);
        plan_set_epoch(&plan, 1);
        int64_t steps = plan.steps < 5 ? plan.steps : 5;
        for (int64_t k = 0; k < steps; k++) {
            plan_make_step(&plan, k, &step, NULL);
            ck_assert_uint_eq(step.start[0], 0);
            ck_assert_uint_eq(step.start[step.leaves], step.sequences);
            assert_microbatches_of_sorted_lengths(&world, &step);
            assert_lengths_of_microbatches_do_not_overlap(&world, &step);
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

static int64_t run_cost(const int64_t *length, size_t first, size_t end)
{
    int64_t frames = 0;
    for (size_t i = first; i < end; i++)
        frames += length[i];
    return microbatch_cost(frames, length[first]);
}

/* The least cost of the dearest of `count` runs, by trying every cut: best[n] over the first n lengths. */
static int64_t find_least_dearest(const int64_t *length, size_t n, size_t count)
{
    int64_t best[MOST_SEQUENCES + 1];
    for (size_t end = 1; end <= n; end++)
        best[end] = run_cost(length, 0, end);
    for (size_t r = 1; r < count; r++)
        for (size_t end = n; end > r; end--)
            for (size_t cut = end - 1; cut >= r; cut--) {
                int64_t cost = run_cost(length, cut, end), dearest = cost > best[cut] ? cost : best[cut];
                best[end] = dearest < best[end] ? dearest : best[end];
            }
    return best[n];
}

static int descending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a < b) - (a > b);
}

/* How many of the longest lengths are runs by themselves. */
static size_t count_alone(const int64_t *length, size_t n, size_t count)
{
    int64_t rest = 0;
    size_t alone = 0;
    for (size_t i = 0; i < n; i++)
        rest += length[i];
    for (; count - alone > 1 && length[alone] * (int64_t)(count - alone) > rest; alone++)
        rest -= length[alone];
    return alone;
}

START_TEST(the_dearest_microbatch_is_as_cheap_as_can_be)
{
    for (uint64_t number = 0; number < WORLDS; number++) {
        size_t n = 1 + (size_t)draw(60, number, 1000), count = 1 + (size_t)draw(n, number, 1001), start[61];
        int64_t length[60];
        for (size_t i = 0; i < n; i++)
            length[i] = draw_length(number % 4, number, i);
        qsort(length, n, sizeof *length, descending);
        microbatches_cut(length, n, count, start);
        size_t alone = count_alone(length, n, count);
        ck_assert_uint_eq(start[0], 0);
        ck_assert_uint_eq(start[count], n);
        for (size_t r = 0; r < alone; r++)
            ck_assert_uint_eq(start[r + 1], r + 1);
        int64_t dearest = 0;
        for (size_t r = alone; r < count; r++) {
            ck_assert_uint_lt(start[r], start[r + 1]);
            int64_t cost = run_cost(length, start[r], start[r + 1]);
            dearest = cost > dearest ? cost : dearest;
        }
        ck_assert_int_eq(dearest, find_least_dearest(length + alone, n - alone, count - alone));
    }
}
END_TEST

START_TEST(microbatches_of_one_step_cost_about_the_same)
{
    const int64_t equal[10] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, mixed[] = {50, 12, 11, 10, 9, 8, 7, 6, 5, 4};
    const size_t even[] = {0, 2, 5, 7, 10}, giant[] = {0, 1, 3, 6, 10};
    size_t start[5];
    microbatches_cut(equal, 10, 4, start);
    ck_assert_mem_eq(start, even, sizeof even);
    microbatches_cut(mixed, 10, 4, start); /* costs 100, then 12 + 23, 10 + 27 and 7 + 22 */
    ck_assert_mem_eq(start, giant, sizeof giant);
}
END_TEST

START_TEST(equal_lengths_keep_the_order_of_the_permutation)
{
    struct world world = {.sequences = 64, .batch = 64, .microbatch = 64};
    for (int64_t s = 0; s < 64; s++)
        world.length[s] = 3 + (int32_t)(s % 2);
    struct plan plan;
    struct plan_step step = {0};
    world_plan(&world, &plan);
    plan_set_epoch(&plan, 9);
    ck_assert_int_eq(plan_make_step(&plan, 0, &step, NULL), 0);
    size_t next = 0;
    for (int32_t length = 4; length >= 3; length--)
        for (int64_t s = 0; s < 64; s++)
            if (world.length[plan.order[s]] == length)
                ck_assert_int_eq(step.sequence[next++], plan.order[s]);
    plan_step_finish(&step);
    plan_finish(&plan);
}
END_TEST

/* Levels of the tree of comm/tree.h: full subtrees of 2^j leaves begin at multiples of 2^j. */
static void assert_subtrees_are_balanced(const struct plan_step *step)
{
    int64_t spread = get_spread(step);
    for (size_t size = 1; size <= step->leaves; size *= 2) {
        int64_t low = INT64_MAX, high = 0;
        for (size_t first = 0; first + size <= step->leaves; first += size) {
            int64_t sum = sum_cost(step, first, first + size);
            low = sum < low ? sum : low;
            high = sum > high ? sum : high;
        }
        ck_assert_int_le(high - low, spread);
    }
}

/* A contiguous range is made of two full subtrees of each size at most, of n leaves a power of two. */
static void assert_ranges_are_balanced(const struct plan_step *step)
{
    size_t n = step->leaves, level = 0;
    while (((size_t)1 << level) < n)
        level++;
    int64_t total = sum_cost(step, 0, n), spread = get_spread(step);
    for (size_t first = 0; first < n; first++) {
        int64_t sum = 0;
        for (size_t end = first + 1; end <= n; end++) {
            sum += step->cost[end - 1];
            int64_t share = sum * (int64_t)n - total * (int64_t)(end - first); /* n times the difference */
            ck_assert_int_le(llabs(share), (int64_t)(n * (2 * level + 1)) * spread);
        }
    }
}

START_TEST(any_range_of_leaves_has_about_its_share_of_the_cost)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan plan;
        world_make(&world, number);
        world_plan(&world, &plan);
        for (int64_t k = 0; k < plan.steps && k < 5; k++) {
            plan_make_step(&plan, k, &step, NULL);
            assert_subtrees_are_balanced(&step);
            assert_ranges_are_balanced(&step);
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

START_TEST(dealing_pairs_longest_with_shortest_and_the_median_ends_right)
{
    /* Microbatches of one sequence, 7 6 5 4 3 2 1 frames: pairs 7+1, 6+2, 5+3 of 8 each and the median 4;
     * then 8 with 8 and the median 8 left of the partial 4. */
    struct world world = {.sequences = 7, .batch = 7, .microbatch = 1, .length = {1, 2, 3, 4, 5, 6, 7}};
    struct plan plan;
    struct plan_step step = {0};
    world_plan(&world, &plan);
    ck_assert_int_eq(plan_make_step(&plan, 0, &step, NULL), 0);
    int64_t want[] = {7, 1, 5, 3, 6, 2, 4};
    ck_assert_mem_eq(step.frames, want, sizeof want);
    plan_step_finish(&step);
    plan_finish(&plan);
}
END_TEST

START_TEST(a_plan_is_a_pure_function)
{
    struct plan_step fresh = {0}, used = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan one, two;
        world_make(&world, number);
        world_plan(&world, &one);
        world_plan(&world, &two);
        plan_set_epoch(&one, 2);
        for (int64_t epoch = 5; epoch-- > 0;) /* another way to the same epoch */
            plan_set_epoch(&two, epoch);
        plan_set_epoch(&two, 2);
        int64_t k = one.steps - 1;
        plan_make_step(&two, 0, &used, NULL);
        plan_make_step(&two, k, &used, NULL);
        plan_make_step(&one, k, &fresh, NULL);
        ck_assert_uint_eq(fresh.leaves, used.leaves);
        ck_assert_mem_eq(fresh.start, used.start, (fresh.leaves + 1) * sizeof *fresh.start);
        ck_assert_mem_eq(fresh.frames, used.frames, fresh.leaves * sizeof *fresh.frames);
        ck_assert_mem_eq(fresh.sequence, used.sequence, fresh.sequences * sizeof *fresh.sequence);
        plan_step_finish(&fresh);
        plan_finish(&one);
        plan_finish(&two);
    }
    plan_step_finish(&used);
}
END_TEST

START_TEST(another_seed_gives_another_order)
{
    int32_t length[200];
    for (int i = 0; i < 200; i++)
        length[i] = 2;
    struct plan one, two;
    plan_init(&one, 200, length, 10, 2, 1, NULL);
    plan_init(&two, 200, length, 10, 2, 2, NULL);
    plan_set_epoch(&one, 1);
    plan_set_epoch(&two, 1);
    int moved = 0;
    for (int i = 0; i < 200; i++)
        moved += one.order[i] != two.order[i];
    ck_assert_int_gt(moved, 150);
    plan_finish(&one);
    plan_finish(&two);
}
END_TEST

/* The smallest largest share, by trying every cut: best[l] over the first l leaves. */
static int64_t find_best_share(const struct plan_step *step, size_t ranks)
{
    int64_t best[MOST_SEQUENCES + 1];
    for (size_t l = 0; l <= step->leaves; l++)
        best[l] = sum_cost(step, 0, l);
    for (size_t r = 1; r < ranks; r++)
        for (size_t end = step->leaves; end > 0; end--) {
            int64_t sum = 0;
            for (size_t cut = end; cut-- > 0;) {
                sum += step->cost[cut];
                int64_t largest = sum > best[cut] ? sum : best[cut];
                best[end] = largest < best[end] ? largest : best[end];
            }
        }
    return best[step->leaves];
}

static int64_t find_largest(const struct plan_step *step, size_t ranks, const size_t *ranges)
{
    int64_t largest = 0;
    for (size_t r = 0; r < ranks; r++) {
        int64_t share = sum_cost(step, ranges[r], ranges[r + 1]);
        largest = share > largest ? share : largest;
    }
    return largest;
}

static void assert_cut_covers_all(const struct plan_step *step, size_t ranks, const size_t *ranges)
{
    ck_assert_uint_eq(ranges[0], 0);
    ck_assert_uint_eq(ranges[ranks], step->leaves);
    for (size_t r = 0; r < ranks; r++)
        if (ranks <= step->leaves || r < step->leaves)
            ck_assert_uint_lt(ranges[r], ranges[r + 1]);
        else
            ck_assert_uint_eq(ranges[r], ranges[r + 1]);
}

START_TEST(ranks_1_to_64_cover_all_leaves_with_the_smallest_largest_share)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct world world;
        struct plan plan;
        world_make(&world, number);
        world_plan(&world, &plan);
        plan_make_step(&plan, plan.steps / 2, &step, NULL);
        for (size_t ranks = 1; ranks <= 64; ranks++) {
            size_t ranges[65];
            plan_cut(&step, ranks, ranges);
            assert_cut_covers_all(&step, ranks, ranges);
            if (step.leaves > 80)
                continue; /* trying every cut would take long */
            ck_assert_int_eq(find_largest(&step, ranks, ranges), find_best_share(&step, ranks));
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

START_TEST(equal_microbatches_are_cut_at_subtrees)
{
    struct world world = {.sequences = 64, .batch = 64, .microbatch = 1};
    for (int64_t s = 0; s < 64; s++)
        world.length[s] = 10;
    struct plan plan;
    struct plan_step step = {0};
    world_plan(&world, &plan);
    plan_make_step(&plan, 0, &step, NULL);
    for (size_t ranks = 1; ranks <= 64; ranks *= 2) {
        size_t ranges[65];
        plan_cut(&step, ranks, ranges);
        for (size_t r = 0; r <= ranks; r++)
            ck_assert_uint_eq(ranges[r], r * 64 / ranks);
    }
    size_t ranges[4];
    plan_cut(&step, 3, ranges); /* at most 22 leaves each: 20 and 42 are the roundest cuts of those left */
    ck_assert_uint_eq(ranges[1], 20);
    ck_assert_uint_eq(ranges[2], 42);
    plan_step_finish(&step);
    plan_finish(&plan);
}
END_TEST

/* Places of nodes of these numbers of ranks. */
static void place_nodes(size_t nodes, const int *ranks, int *first_place)
{
    first_place[0] = 0;
    for (size_t h = 0; h < nodes; h++)
        first_place[h + 1] = first_place[h] + ranks[h];
}

static void make_equal_step(int64_t leaves, struct plan_step *step)
{
    struct world world = {.sequences = leaves, .batch = leaves, .microbatch = 1};
    struct plan plan;
    for (int64_t s = 0; s < leaves; s++)
        world.length[s] = 10;
    world_plan(&world, &plan);
    plan_make_step(&plan, 0, step, NULL);
    plan_finish(&plan);
}

/* ---- cuts between nodes ---- */

/* Nodes of the tree over n leaves that one of the cuts goes through, counted level by level. */
static size_t count_split_nodes(size_t n, size_t cuts, const size_t *cut)
{
    size_t count = 0;
    for (size_t size = 2; size < 2 * n; size *= 2)
        for (size_t first = 0; first < n; first += size) {
            size_t end = first + size < n ? first + size : n, half = first + size / 2;
            int split = 0;
            for (size_t c = 0; c < cuts; c++)
                split |= cut[c] > first && cut[c] < end;
            count += split && half < end; /* else it is its left child */
        }
    return count;
}

/* Can the ranks of each node take the leaves between these cuts, none with more than `most`? */
static int cuts_are_possible(
    const struct plan_step *step, size_t nodes, const int *first_place, const size_t *cut, int64_t most)
{
    for (size_t h = 0; h < nodes; h++) {
        size_t first = h ? cut[h - 1] : 0, end = h + 1 < nodes ? cut[h] : step->leaves, ranges[32];
        size_t ranks = (size_t)(first_place[h + 1] - first_place[h]);
        struct plan_step part = {.leaves = end - first, .cost = step->cost + first};
        if (end < first + ranks)
            return 0;
        plan_cut(&part, ranks, ranges);
        if (find_largest(&part, ranks, ranges) > most)
            return 0;
    }
    return 1;
}

/* The next of all ways to cut n leaves so many times, which begin with 1, 2, ...; 0: that was the last. */
static int choose_next(size_t n, size_t cuts, size_t *cut)
{
    for (size_t i = cuts; i-- > 0;)
        if (cut[i] < n - (cuts - i)) {
            cut[i]++;
            for (size_t j = i + 1; j < cuts; j++)
                cut[j] = cut[j - 1] + 1;
            return 1;
        }
    return 0;
}

/* The fewest split nodes of all cuts that give no rank more than `most`. */
static size_t find_fewest(const struct plan_step *step, size_t nodes, const int *first_place, int64_t most)
{
    size_t fewest = SIZE_MAX, cut[8];
    for (size_t h = 0; h < nodes; h++)
        cut[h] = h + 1;
    do {
        size_t split = count_split_nodes(step->leaves, nodes - 1, cut);
        if (split < fewest && cuts_are_possible(step, nodes, first_place, cut, most))
            fewest = split;
    } while (choose_next(step->leaves, nodes - 1, cut));
    return fewest;
}

/* Deals the step to nodes and looks at the ranges: none costs a twentieth more than it has to. Returns how
 * many nodes of the tree are split. */
static size_t deal_well(const struct plan_step *step, size_t nodes, const int *ranks)
{
    int first_place[9], leader[32];
    size_t ranges[33], cut[8];
    place_nodes(nodes, ranks, first_place);
    size_t places = (size_t)first_place[nodes];
    plan_deal(step, nodes, first_place, ranges, leader);
    assert_cut_covers_all(step, places, ranges);
    int64_t best = find_best_share(step, places);
    ck_assert_int_le(find_largest(step, places, ranges), best + best / 20);
    for (size_t h = 1; h < nodes; h++)
        cut[h - 1] = ranges[first_place[h]];
    size_t split = count_split_nodes(step->leaves, nodes - 1, cut);
    ck_assert_uint_eq(plan_count_split(step, nodes, first_place, ranges), split);
    return split;
}

START_TEST(cuts_between_nodes_split_as_few_nodes_of_the_tree_as_can_be)
{
    static const int ranks[][4] = {{2, 2}, {1, 3}, {1, 1, 1}, {2, 1, 3}, {1, 2, 1, 1}, {5, 2}};
    static const size_t nodes[] = {2, 2, 3, 3, 4, 2};
    struct plan_step step = {0};
    size_t better = 0;
    for (uint64_t number = 0; number < 600; number++) {
        size_t kind = number % 6;
        struct world world = {.sequences = 8 + (int64_t)draw(15, number, 0), .batch = 700, .microbatch = 1};
        struct plan plan;
        for (int64_t s = 0; s < world.sequences; s++)
            world.length[s] = draw_length(number / 6 % 4, number, 1 + (uint64_t)s);
        world_plan(&world, &plan);
        plan_make_step(&plan, 0, &step, NULL);
        int first_place[5];
        size_t ranges[9];
        place_nodes(nodes[kind], ranks[kind], first_place);
        size_t places = (size_t)first_place[nodes[kind]];
        int64_t best = find_best_share(&step, places);
        size_t fewest = find_fewest(&step, nodes[kind], first_place, best + best / 20);
        ck_assert_uint_eq(deal_well(&step, nodes[kind], ranks[kind]), fewest);
        plan_cut(&step, places, ranges);
        better += fewest < plan_count_split(&step, nodes[kind], first_place, ranges);
        plan_finish(&plan);
    }
    ck_assert_uint_gt(better, 0); /* than cuts that know of no nodes */
    plan_step_finish(&step);
}
END_TEST

START_TEST(equal_nodes_and_leaves_of_a_power_of_two_have_a_subtree_each)
{
    struct plan_step step = {0};
    for (uint64_t number = 0; number < 200; number++) {
        size_t nodes = (size_t)2 << number % 3, ranks_of_node = (size_t)1 << number / 3 % 3;
        size_t leaves = nodes * ranks_of_node << number / 9 % 3;
        struct world world = {
            .sequences = 4 * (int64_t)leaves, .batch = 4 * (int64_t)leaves, .microbatch = 4};
        struct plan plan;
        int ranks[8];
        for (size_t h = 0; h < nodes; h++)
            ranks[h] = (int)ranks_of_node;
        for (int64_t s = 0; s < world.sequences; s++)
            world.length[s] = draw_length(number % 2 ? 3 : 0, number, (uint64_t)s);
        world_plan(&world, &plan);
        plan_make_step(&plan, 0, &step, NULL);
        ck_assert_uint_eq(deal_well(&step, nodes, ranks), nodes - 1);
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

/* More nodes than there is room for candidates of each. */
START_TEST(cuts_for_many_nodes_are_balanced)
{
    enum { LEAVES = 700, NODES = 500 };
    static int first_place[NODES + 1], leader[NODES];
    static size_t ranges[NODES + 1];
    struct plan_step step = {0};
    for (uint64_t character = 0; character < 4; character++) {
        struct world world = {.sequences = LEAVES, .batch = LEAVES, .microbatch = 1};
        struct plan plan;
        for (int64_t s = 0; s < LEAVES; s++)
            world.length[s] = draw_length(character, 1, (uint64_t)s);
        world_plan(&world, &plan);
        plan_make_step(&plan, 0, &step, NULL);
        for (size_t nodes = 1; nodes <= NODES; nodes += 71) {
            for (size_t h = 0; h <= nodes; h++)
                first_place[h] = (int)h;
            plan_cut(&step, nodes, ranges);
            int64_t best = find_largest(&step, nodes, ranges);
            plan_deal(&step, nodes, first_place, ranges, leader);
            assert_cut_covers_all(&step, nodes, ranges);
            ck_assert_int_le(find_largest(&step, nodes, ranges), best + best / 20);
        }
        plan_finish(&plan);
    }
    plan_step_finish(&step);
}
END_TEST

START_TEST(fewer_leaves_than_places_make_teams_within_nodes)
{
    static const int ranks[][4] = {{7}, {2, 2, 1}, {4, 4}, {1, 5, 3, 2}, {1, 1, 1}};
    static const size_t nodes[] = {1, 3, 2, 4, 3};
    struct plan_step step = {0};
    for (int world = 0; world < 5; world++) {
        int first_place[5], leader[16];
        size_t ranges[17], places;
        place_nodes(nodes[world], ranks[world], first_place);
        places = (size_t)first_place[nodes[world]];
        for (size_t leaves = 1; leaves <= places + 2; leaves++) {
            size_t node = 0, dealt = 0;
            make_equal_step((int64_t)leaves, &step);
            plan_deal(&step, nodes[world], first_place, ranges, leader);
            ck_assert_uint_eq(ranges[0], 0);
            ck_assert_uint_eq(ranges[places], leaves);
            for (size_t p = 0; p < places; p++) {
                node += (int)p >= first_place[node + 1];
                size_t own = ranges[p + 1] - ranges[p];
                dealt += own;
                ck_assert_int_ge(leader[p], first_place[node]);
                ck_assert_int_eq(leader[leader[p]], leader[p]);
                ck_assert(leader[p] == (int)p || own == 0);
                ck_assert_uint_le(own, leaves < places ? 1 : leaves);
                if (leader[p] != (int)p) /* it helps somebody who has something to do */
                    ck_assert_uint_eq(ranges[leader[p] + 1] - ranges[leader[p]], 1);
            }
            ck_assert_uint_eq(dealt, leaves);
        }
    }
    plan_step_finish(&step);
}
END_TEST

START_TEST(leaves_go_where_teams_are_largest)
{
    static const int unequal[] = {2, 2, 1}, one[] = {8};
    static const int teams_of_unequal[] = {0, 0, 2, 2, 4}, teams_of_one[] = {0, 0, 2, 2, 2, 5, 5, 5};
    struct plan_step step = {0};
    int first_place[4], leader[8];
    size_t ranges[9];
    place_nodes(3, unequal, first_place);
    make_equal_step(2, &step);
    plan_deal(&step, 3, first_place, ranges, leader);
    ck_assert_mem_eq(leader, teams_of_unequal, sizeof teams_of_unequal);
    ck_assert_mem_eq(ranges, ((size_t[]){0, 1, 1, 2, 2, 2}), 6 * sizeof *ranges);
    place_nodes(1, one, first_place);
    make_equal_step(3, &step);
    plan_deal(&step, 1, first_place, ranges, leader);
    ck_assert_mem_eq(leader, teams_of_one, sizeof teams_of_one);
    plan_step_finish(&step);
}
END_TEST

START_TEST(one_sequence_is_one_leaf_for_any_batch_and_microbatch)
{
    int64_t size[] = {1, 2, 64, INT64_MAX};
    for (int b = 0; b < 4; b++)
        for (int g = 0; g < 4; g++) {
            struct plan plan;
            struct plan_step step = {0};
            int32_t length = INT32_MAX;
            ck_assert_int_eq(plan_init(&plan, 1, &length, size[b], size[g], 3, NULL), 0);
            plan_set_epoch(&plan, 7);
            ck_assert_int_eq(plan.steps, 1);
            ck_assert_int_eq(plan_make_step(&plan, 0, &step, NULL), 0);
            ck_assert_uint_eq(step.leaves, 1);
            ck_assert_int_eq(step.frames[0], INT32_MAX);
            ck_assert_int_eq(step.sequence[0], 0);
            size_t ranges[13];
            plan_cut(&step, 12, ranges);
            assert_cut_covers_all(&step, 12, ranges);
            plan_step_finish(&step);
            plan_finish(&plan);
        }
}
END_TEST

START_TEST(frames_beyond_32_bits_are_counted)
{
    struct world world = {.sequences = 12, .batch = 12, .microbatch = 4};
    for (int s = 0; s < 12; s++)
        world.length[s] = INT32_MAX - s;
    struct plan plan;
    struct plan_step step = {0};
    world_plan(&world, &plan);
    plan_make_step(&plan, 0, &step, NULL);
    int64_t frames = 0;
    for (size_t l = 0; l < step.leaves; l++)
        frames += step.frames[l];
    ck_assert_int_eq(frames, 12 * (int64_t)INT32_MAX - 66);
    ck_assert_int_gt(sum_cost(&step, 0, step.leaves), frames);
    plan_step_finish(&step);
    plan_finish(&plan);
}
END_TEST

START_TEST(batch_larger_than_the_set_and_microbatch_larger_than_the_batch)
{
    struct world world = {.sequences = 5, .batch = 64, .microbatch = 2, .length = {3, 9, 4, 1, 5}};
    struct plan plan;
    struct plan_step step = {0};
    world_plan(&world, &plan);
    ck_assert_int_eq(plan.steps, 1);
    plan_make_step(&plan, 0, &step, NULL);
    ck_assert_uint_eq(step.leaves, 3);
    plan_finish(&plan);
    world.batch = 3;
    world.microbatch = 100;
    world_plan(&world, &plan);
    ck_assert_int_eq(plan.steps, 2);
    plan_make_step(&plan, 1, &step, NULL);
    ck_assert_uint_eq(step.leaves, 1);
    ck_assert_int_eq(step.sequence[0], 4);
    ck_assert_int_eq(step.sequence[1], 3);
    plan_finish(&plan);
    plan_step_finish(&step);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *cases = tcase_create("plan");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, each_sequence_comes_once_an_epoch);
    tcase_add_test(cases, a_step_takes_its_part_of_the_permutation);
    tcase_add_test(cases, pieces_have_each_frame_once_in_the_leaves_of_the_whole);
    tcase_add_test(cases, all_steps_of_a_run_are_those_of_its_epochs);
    tcase_add_test(cases, windows_come_by_twos_and_each_sequence_once);
    tcase_add_test(cases, a_window_takes_what_fits_it_and_one_sequence_at_least);
    tcase_add_test(cases, windows_follow_from_lengths_seed_and_epoch_alone);
    tcase_add_test(cases, an_epoch_may_keep_the_order_of_the_file);
    tcase_add_test(cases, epoch_zero_is_the_order_of_the_file_and_epochs_differ);
    tcase_add_test(cases, microbatches_hold_neighbours_in_length_longest_first);
    tcase_add_test(cases, the_dearest_microbatch_is_as_cheap_as_can_be);
    tcase_add_test(cases, microbatches_of_one_step_cost_about_the_same);
    tcase_add_test(cases, equal_lengths_keep_the_order_of_the_permutation);
    tcase_add_test(cases, any_range_of_leaves_has_about_its_share_of_the_cost);
    tcase_add_test(cases, dealing_pairs_longest_with_shortest_and_the_median_ends_right);
    tcase_add_test(cases, a_plan_is_a_pure_function);
    tcase_add_test(cases, another_seed_gives_another_order);
    tcase_add_test(cases, ranks_1_to_64_cover_all_leaves_with_the_smallest_largest_share);
    tcase_add_test(cases, equal_microbatches_are_cut_at_subtrees);
    tcase_add_test(cases, cuts_between_nodes_split_as_few_nodes_of_the_tree_as_can_be);
    tcase_add_test(cases, equal_nodes_and_leaves_of_a_power_of_two_have_a_subtree_each);
    tcase_add_test(cases, cuts_for_many_nodes_are_balanced);
    tcase_add_test(cases, fewer_leaves_than_places_make_teams_within_nodes);
    tcase_add_test(cases, leaves_go_where_teams_are_largest);
    tcase_add_test(cases, one_sequence_is_one_leaf_for_any_batch_and_microbatch);
    tcase_add_test(cases, frames_beyond_32_bits_are_counted);
    tcase_add_test(cases, batch_larger_than_the_set_and_microbatch_larger_than_the_batch);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
