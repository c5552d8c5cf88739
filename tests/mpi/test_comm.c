/* Agreement and collectives, at the number of ranks that mpirun gave. */
#include "base/clock.h"
#include "base/memory.h"
#include "support/mpi_suite.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char version_before_start[128];

/* First of all, and with plain assertions: every other test stands on it. */
START_TEST(a_failure_on_one_rank_is_seen_by_all)
{
    const struct comm *comm = mpi_suite_comm();
    for (int bad = 0; bad < comm->ranks; bad++) {
        ck_assert_int_eq(mpi_first_failing(comm->rank != bad), bad);
        ck_assert_int_eq(mpi_first_failing(comm->rank < bad), bad);
    }
    ck_assert_int_eq(mpi_first_failing(1), -1);
    ck_assert_int_eq(mpi_first_failing(0), 0);
}
END_TEST

START_TEST(every_rank_knows_its_place)
{
    const struct comm *comm = mpi_suite_comm();
    const char *expected = getenv("TEST_RANKS");
    mpi_assert(!expected || comm->ranks == atoi(expected));
    mpi_assert(comm->rank >= 0 && comm->rank < comm->ranks);
    mpi_assert(comm->host[0] != 0 && strlen(comm->host) < sizeof comm->host);
    double seen[64] = {0};
    mpi_assert(comm->ranks <= 64);
    seen[comm->rank] = 1;
    comm_sum(comm, seen, 64);
    for (int r = 0; r < 64; r++)
        mpi_assert(seen[r] == (r < comm->ranks));
}
END_TEST

START_TEST(version_is_one_short_line_before_and_after_the_start)
{
    char text[128], cut[5];
    comm_version(text, sizeof text);
    comm_version(cut, sizeof cut);
    mpi_assert(strcmp(text, version_before_start) == 0);
    mpi_assert(strlen(text) > 4 && strlen(text) < 60 && !strpbrk(text, "\n\t,"));
    mpi_assert(strncmp(text, "Open MPI", 8) != 0 || (text[9] >= '0' && text[9] <= '9'));
    mpi_assert(strlen(cut) == 4 && strncmp(cut, text, 4) == 0);
}
END_TEST

START_TEST(without_an_error_all_agree)
{
    struct error error = {0};
    mpi_assert(comm_agree(mpi_suite_comm(), &error) == 0);
    mpi_assert(error.code == 0);
}
END_TEST

START_TEST(the_error_of_the_lowest_rank_is_everyones_and_names_it)
{
    const struct comm *comm = mpi_suite_comm();
    for (int lowest = 0; lowest < comm->ranks; lowest++) {
        struct error error = {0};
        if (comm->rank >= lowest)
            error_set(&error, EXIT_CODE_DATA + comm->rank, "file-%d: is bad", comm->rank);
        char host[64], want[192];
        snprintf(host, sizeof host, "%s", comm->host);
        comm_broadcast(comm, host, sizeof host, lowest);
        snprintf(want, sizeof want, "rank %d on %s: file-%d: is bad", lowest, host, lowest);
        mpi_assert(comm_agree(comm, &error) == -1);
        mpi_assert(error.code == EXIT_CODE_DATA + lowest);
        mpi_assert(strcmp(error.text, lowest ? want : "file-0: is bad") == 0);
    }
}
END_TEST

START_TEST(the_error_of_the_last_rank_alone_is_everyones)
{
    const struct comm *comm = mpi_suite_comm();
    struct error error = {0};
    if (comm->rank == comm->ranks - 1)
        error_set(&error, EXIT_CODE_IO, "disk full");
    mpi_assert(comm_agree(comm, &error) == -1);
    mpi_assert(error.code == EXIT_CODE_IO && strstr(error.text, "disk full"));
}
END_TEST

START_TEST(bad_data_in_a_part_are_told_without_the_rank_that_has_the_part)
{
    static const enum exit_code codes[] = {EXIT_CODE_DATA, EXIT_CODE_IO};
    const struct comm *comm = mpi_suite_comm();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct error error = {0};
        static const char want[] = "file-1: is bad";
        if (comm->rank > 0)
            error_set(&error, codes[i], "file-%d: is bad", comm->rank);
        int failed = comm_agree_on_parts(comm, &error);
        mpi_assert(failed == -(comm->ranks > 1) && error.code == (failed ? (int)codes[i] : 0));
        mpi_assert(!failed || (strcmp(error.text, want) == 0) == (codes[i] == EXIT_CODE_DATA));
        mpi_assert(!failed || (strncmp(error.text, "rank 1 on ", 10) == 0) == (codes[i] != EXIT_CODE_DATA));
    }
}
END_TEST

START_TEST(a_sum_with_one_owner_an_element_is_exact)
{
    enum { N = 10007 };
    const struct comm *comm = mpi_suite_comm();
    double *values = memory_create(N, sizeof *values, NULL);
    for (int i = 0; i < N; i++)
        if (i % comm->ranks == comm->rank)
            values[i] = 1.0 / (i + 3);
    comm_sum(comm, values, N);
    int same = 1;
    for (int i = 0; i < N; i++)
        same &= values[i] == 1.0 / (i + 3);
    mpi_assert(same);
    comm_sum(comm, NULL, 0);
    memory_destroy(values);
}
END_TEST

START_TEST(the_largest_of_each_element_is_found)
{
    const struct comm *comm = mpi_suite_comm();
    double values[3] = {-1 - comm->rank, comm->rank, comm->rank == comm->ranks - 1 ? INFINITY : 0};
    comm_max(comm, values, 3);
    mpi_assert(values[0] == -1 && values[1] == comm->ranks - 1 && values[2] == INFINITY);
    int64_t whole[3] = {INT64_MAX - comm->rank, INT64_MIN + comm->rank, -comm->rank};
    comm_max_int64(comm, whole, 3);
    mpi_assert(whole[0] == INT64_MAX && whole[1] == INT64_MIN + comm->ranks - 1 && whole[2] == 0);
}
END_TEST

static int broadcast_arrives(size_t n, int root)
{
    const struct comm *comm = mpi_suite_comm();
    unsigned char *bytes = memory_create(n + 1, 1, NULL);
    int memory = mpi_first_failing(bytes != NULL) < 0, same = memory;
    if (memory) {
        for (size_t i = 0; i < n && comm->rank == root; i++)
            bytes[i] = (unsigned char)(i * 2654435761u >> 13);
        bytes[n] = 99;
        comm_broadcast(comm, bytes, n, root);
        for (size_t i = 0; i < n; i++)
            same &= bytes[i] == (unsigned char)(i * 2654435761u >> 13);
        same &= bytes[n] == 99;
    }
    memory_destroy(bytes);
    return same;
}

START_TEST(a_broadcast_arrives_from_every_root)
{
    static const size_t sizes[] = {0, 1, 1000, 1234567};
    for (int root = 0; root < mpi_suite_comm()->ranks; root++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            mpi_assert(broadcast_arrives(sizes[i], root));
}
END_TEST

START_TEST(a_broadcast_longer_than_one_piece_arrives)
{
    mpi_assert(broadcast_arrives(((size_t)1 << 29) + 12345, 0));
}
END_TEST

static unsigned char byte_of(int rank, size_t i)
{
    return (unsigned char)((i + (size_t)rank * 7919) * 2654435761u >> 11);
}

/* Rank r brings counts[r] bytes. */
static int collection_arrives(const size_t *counts)
{
    const struct comm *comm = mpi_suite_comm();
    size_t n = counts[comm->rank], total = 0;
    for (int r = 0; r < comm->ranks; r++)
        total += counts[r];
    unsigned char *bytes = memory_create(n + 1, 1, NULL), *all = NULL;
    if (comm->rank == 0)
        all = memory_create(total + 1, 1, NULL);
    int same = mpi_first_failing(bytes != NULL && (all != NULL || comm->rank != 0)) < 0;
    if (same) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_of(comm->rank, i);
        if (all)
            all[total] = 99;
        comm_collect(comm, bytes, n, counts, all);
        const unsigned char *at = all;
        for (int r = 0; r < comm->ranks && all; at += counts[r++])
            for (size_t i = 0; i < counts[r]; i++)
                same &= at[i] == byte_of(r, i);
        same &= !all || all[total] == 99;
    }
    memory_destroy(bytes);
    memory_destroy(all);
    return same;
}

START_TEST(what_ranks_bring_is_collected_in_their_order)
{
    const struct comm *comm = mpi_suite_comm();
    size_t counts[64] = {0};
    mpi_assert(comm->ranks <= 64);
    mpi_assert(collection_arrives(counts));
    for (int alone = 0; alone < comm->ranks; alone++) {
        counts[alone] = 1000;
        mpi_assert(collection_arrives(counts));
        counts[alone] = 0;
    }
    for (int r = 0; r < comm->ranks; r++)
        counts[r] = (size_t)(r * r * 12345 + (r % 3 != 1));
    mpi_assert(collection_arrives(counts));
}
END_TEST

/* On two ranks: the first piece ends within the share of rank 0, the second within that of rank 1. */
START_TEST(a_collection_longer_than_one_piece_arrives)
{
    enum { PIECE = 1 << 29 };
    size_t counts[64] = {0};
    counts[0] = (size_t)PIECE + 1000;
    counts[mpi_suite_comm()->ranks - 1] = (size_t)PIECE + 77;
    mpi_assert(mpi_suite_comm()->ranks <= 64);
    mpi_assert(collection_arrives(counts));
}
END_TEST

START_TEST(texts_arrive_on_rank_0_cut_to_their_width)
{
    enum { WIDTH = 8 };
    const struct comm *comm = mpi_suite_comm();
    char text[64], want[64];
    char *gathered = comm->rank == 0 ? memory_create((size_t)comm->ranks, WIDTH, NULL) : NULL;
    snprintf(text, sizeof text, "n%d%s", comm->rank, comm->rank % 2 ? "" : "-a-long-name");
    comm_gather_texts(comm, text, WIDTH, gathered);
    int same = 1;
    for (int r = 0; r < comm->ranks && comm->rank == 0; r++) {
        snprintf(want, sizeof want, "n%d%s", r, r % 2 ? "" : "-a-long-name");
        want[WIDTH - 1] = 0;
        same &= strcmp(gathered + (size_t)r * WIDTH, want) == 0;
    }
    mpi_assert(same);
    memory_destroy(gathered);
}
END_TEST

START_TEST(nobody_leaves_a_barrier_before_all_have_come)
{
    const struct comm *comm = mpi_suite_comm(); /* on one machine, whose monotonic clock all share */
    for (int late = 0; late < comm->ranks; late++) {
        if (comm->rank == late)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        double last_to_come = clock_now();
        comm_barrier(comm);
        double left = clock_now();
        comm_max(comm, &last_to_come, 1);
        mpi_assert(left >= last_to_come);
    }
}
END_TEST

START_TEST(finishing_what_never_started_does_nothing)
{
    struct comm comm = {0};
    comm_finish(&comm);
    comm_finish(NULL);
    mpi_assert(mpi_suite_comm()->ranks > 0);
}
END_TEST

int main(int argc, char **argv)
{
    comm_version(version_before_start, sizeof version_before_start);
    Suite *suite = suite_create("comm");
    TCase *collectives = tcase_create("collectives");
    if (argc > 1 && strcmp(argv[1], "large") == 0) {
        tcase_add_test(collectives, a_broadcast_longer_than_one_piece_arrives);
        tcase_add_test(collectives, a_collection_longer_than_one_piece_arrives);
    } else {
        tcase_add_test(collectives, a_failure_on_one_rank_is_seen_by_all);
        tcase_add_test(collectives, every_rank_knows_its_place);
        tcase_add_test(collectives, version_is_one_short_line_before_and_after_the_start);
        tcase_add_test(collectives, without_an_error_all_agree);
        tcase_add_test(collectives, the_error_of_the_lowest_rank_is_everyones_and_names_it);
        tcase_add_test(collectives, bad_data_in_a_part_are_told_without_the_rank_that_has_the_part);
        tcase_add_test(collectives, the_error_of_the_last_rank_alone_is_everyones);
        tcase_add_test(collectives, a_sum_with_one_owner_an_element_is_exact);
        tcase_add_test(collectives, the_largest_of_each_element_is_found);
        tcase_add_test(collectives, a_broadcast_arrives_from_every_root);
        tcase_add_test(collectives, what_ranks_bring_is_collected_in_their_order);
        tcase_add_test(collectives, texts_arrive_on_rank_0_cut_to_their_width);
        tcase_add_test(collectives, nobody_leaves_a_barrier_before_all_have_come);
        tcase_add_test(collectives, finishing_what_never_started_does_nothing);
    }
    suite_add_tcase(suite, collectives);
    return mpi_suite_run(suite, "test_comm", 100);
}
