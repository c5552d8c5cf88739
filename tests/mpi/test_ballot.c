/* What ranks tell each other: one rank's word reaches all of them whole, whichever rank it is. */
#include "run/learner.h"
#include "support/mpi_suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node node;
static struct ballot ballot;

static int rank(void)
{
    return mpi_suite_comm()->rank;
}

static int ranks(void)
{
    return mpi_suite_comm()->ranks;
}

/* Every two ranks are a node. */
static void open_node(void)
{
    struct error error = {0};
    char warning[200];
    setenv("RNN_RANKS_PER_NODE", "2", 1);
    mpi_assert(
        node_init(&node, mpi_suite_comm(), (struct node_size){0}, warning, sizeof warning, &error) == 0);
}

static void close_node(void)
{
    node_finish(&node);
}

START_TEST(all_know_what_any_rank_wants_and_nothing_is_wanted_by_none)
{
    static const size_t wishes[] = {offsetof(struct ballot, failed), offsetof(struct ballot, left),
        offsetof(struct ballot, signal), offsetof(struct ballot, late), offsetof(struct ballot, save)};
    enum { WISHES = sizeof wishes / sizeof *wishes };
    for (int r = 0; r < ranks(); r++)
        for (size_t w = 0; w <= WISHES; w++) {
            ballot = (struct ballot){0};
            if (r == rank() && w < WISHES)
                *(int *)((char *)&ballot + wishes[w]) = 1;
            ballot_count(&ballot, &node);
            for (size_t other = 0; other < WISHES; other++)
                mpi_assert(*(int *)((char *)&ballot + wishes[other]) == (other == w));
        }
}
END_TEST

START_TEST(waits_for_data_are_averaged_and_waits_for_ranks_are_summed)
{
    int n = ranks();
    ballot = (struct ballot){0};
    ballot.data_wait = rank() == 0 ? 6 : 0;
    ballot.waited = 0.5;
    ballot_count(&ballot, &node);
    mpi_assert(ballot.data_wait * n > 5.999 && ballot.data_wait * n < 6.001);
    mpi_assert(ballot.waited == 0.5 * n);
}
END_TEST

/* The hash of one rank's weights, in which every bit counts. */
static uint64_t hash_of(int r)
{
    return UINT64_C(0xfedcba9876543210) + 3 * (uint64_t)r;
}

START_TEST(equal_hashes_arrive_with_every_bit_and_others_are_seen)
{
    for (int bit = -1; bit < 64; bit++) {
        ballot = (struct ballot){.hash = hash_of(5) ^ (bit >= 0 && rank() == 0 ? UINT64_C(1) << bit : 0)};
        ballot_count(&ballot, &node);
        mpi_assert(ballot.differ == (bit >= 0 && ranks() > 1) && !ballot.changed);
        mpi_assert(ballot.hash == hash_of(5) || (bit >= 0 && ranks() <= 2));
    }
}
END_TEST

/* Counts a ballot on which all ranks have the same weights but `odd`. */
static int check_with_odd(int odd, int changed, struct error *error)
{
    const struct replica own = {.hash = hash_of(rank() == odd), .changed = rank() == odd && changed};
    *error = (struct error){0};
    ballot = (struct ballot){.hash = own.hash, .changed = own.changed};
    ballot_count(&ballot, &node);
    return ballot_check_replicas(&ballot, mpi_suite_comm(), &own, 7, error);
}

START_TEST(the_rank_with_other_weights_is_named)
{
    struct error error;
    mpi_assert(check_with_odd(-1, 0, &error) == 0);
    for (int odd = 0; odd < ranks() && ranks() > 2; odd++) {
        char name[64];
        snprintf(name, sizeof name, "after step 7: the weights of rank %d on ", odd);
        mpi_assert(check_with_odd(odd, 0, &error) != 0 && error.code == EXIT_CODE_REPLICAS);
        mpi_assert(strstr(error.text, name) && strstr(error.text, "differ from those of most ranks"));
        mpi_assert(strstr(error.text, mpi_suite_comm()->host));
    }
}
END_TEST

START_TEST(a_rank_whose_weights_have_changed_is_named_first)
{
    struct error error;
    int odd = ranks() - 1;
    char name[64];
    snprintf(name, sizeof name, "the weights of rank %d on ", odd);
    mpi_assert(check_with_odd(odd, 1, &error) != 0 && strstr(error.text, name));
    mpi_assert(strstr(error.text, "have changed in memory"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ballot");
    TCase *cases = tcase_create("ballot");
    tcase_add_checked_fixture(cases, open_node, close_node);
    tcase_add_test(cases, all_know_what_any_rank_wants_and_nothing_is_wanted_by_none);
    tcase_add_test(cases, waits_for_data_are_averaged_and_waits_for_ranks_are_summed);
    tcase_add_test(cases, equal_hashes_arrive_with_every_bit_and_others_are_seen);
    tcase_add_test(cases, the_rank_with_other_weights_is_named);
    tcase_add_test(cases, a_rank_whose_weights_have_changed_is_named_first);
    suite_add_tcase(suite, cases);
    return mpi_suite_run(suite, "test_ballot", 60);
}
