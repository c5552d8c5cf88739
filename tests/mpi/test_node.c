/* Nodes: places, shared memory, meetings. Ranks of this machine also stand for several nodes. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_SET */
#include "base/machine.h"
#include "comm/comm.h"
#include "comm/node.h"
#include "support/mpi_suite.h"
#include "support/sample.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEETINGS = 400, WARNING = 300 };

static char warning[WARNING];

static void start(struct node *node, size_t size, int ranks_per_node)
{
    struct error error = {0};
    char number[16];
    snprintf(number, sizeof number, "%d", ranks_per_node);
    if (ranks_per_node)
        setenv("RNN_RANKS_PER_NODE", number, 1);
    mpi_assert(
        node_init(node, mpi_suite_comm(), (struct node_size){.once = size}, warning, WARNING, &error) == 0);
    unsetenv("RNN_RANKS_PER_NODE");
}

/* Counts mappings of the node's memory by this process that still have a name. Other programs' memory does
 * not count. */
static int count_names(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    int count = 0;
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, "/dev/shm/rnn-train.") && !strstr(line, "(deleted)");
    if (maps)
        fclose(maps);
    return count;
}

START_TEST(ranks_of_one_machine_are_one_node_without_a_name_left)
{
    struct node node;
    const struct comm *comm = mpi_suite_comm();
    start(&node, 1000, 0);
    mpi_assert(node.nodes == 1 && node.index == 0 && node.ranks == comm->ranks && node.rank == comm->rank);
    mpi_assert(node.is_private == (comm->ranks == 1) && warning[0] == 0);
    mpi_assert(node.place == comm->rank && node.ranks_at[node.place] == comm->rank);
    mpi_assert(node.first_place[0] == 0 && node.first_place[1] == comm->ranks);
    mpi_assert(count_names() == 0);
    node_finish(&node);
}
END_TEST

START_TEST(a_machine_can_stand_for_several_nodes)
{
    const struct comm *comm = mpi_suite_comm();
    for (int most = 1; most <= comm->ranks + 1; most++) {
        struct node node;
        start(&node, 64, most);
        int nodes = (comm->ranks - 1) / most + 1, index = comm->rank / most, first = index * most;
        int ranks = comm->ranks - first < most ? comm->ranks - first : most;
        mpi_assert(node.nodes == nodes && node.index == index);
        mpi_assert(node.ranks == ranks && node.rank == comm->rank - first);
        mpi_assert(node.first_place[index] == first && node.ranks_at[node.place] == comm->rank);
        node_finish(&node);
    }
}
END_TEST

/* Held to the same processor, two ranks are more than they may run on. */
START_TEST(ranks_that_share_processors_are_a_crowd)
{
    const struct comm *comm = mpi_suite_comm();
    cpu_set_t before, one;
    struct node node;
    int first = 0;
    mpi_assert(sched_getaffinity(0, sizeof before, &before) == 0);
    while (!CPU_ISSET(first, &before))
        first++;
    comm_broadcast(comm, &first, sizeof first, 0);
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    mpi_assert(sched_setaffinity(0, sizeof one, &one) == 0);
    start(&node, 0, 0);
    mpi_assert(node.is_crowded == (comm->ranks > 1));
    node_finish(&node);
    mpi_assert(sched_setaffinity(0, sizeof before, &before) == 0);
    start(&node, 0, 0);
    mpi_assert(CPU_COUNT(&before) < comm->ranks || !node.is_crowded);
    node_finish(&node);
}
END_TEST

START_TEST(what_one_rank_writes_the_others_read_after_a_meeting)
{
    struct node node;
    start(&node, 64 * sizeof(int), 0);
    int *values = node_take(&node, 64 * sizeof *values), zeroed = 1, right = 1;
    for (int r = 0; r < 64; r++)
        zeroed &= values[r] == 0;
    node_meet(&node);
    for (int turn = 1; turn <= MEETINGS; turn++) {
        values[node.rank] = turn * (node.rank + 1);
        node_meet(&node);
        for (int r = 0; r < node.ranks; r++)
            right &= values[r] == turn * (r + 1);
        node_meet(&node);
    }
    mpi_assert(zeroed && right);
    node_finish(&node);
}
END_TEST

/* The last rank leaves at some meeting; nobody waits for it for ever, and after a reset all meet again. */
/* Whole pages of a piece, the odd ones at both ends, and what is less than a page: it has what it had, on all
 * ranks, and can be written on. */
START_TEST(huge_pages_hold_what_small_ones_held)
{
    enum { LONG = (9 << 20) / sizeof(uint32_t), SHORT = 1000 };
    struct node node;
    start(&node, (LONG + SHORT) * sizeof(uint32_t) + 1000, 0);
    for (int piece = 0; piece < 2; piece++) {
        size_t n = piece == 0 ? LONG : SHORT;
        uint32_t *numbers = node_take(&node, n * sizeof *numbers);
        for (size_t i = 0; i < n && node.rank == 0; i++)
            numbers[i] = (uint32_t)i * 2654435761u;
        node_meet(&node);
        node_use_huge_pages(&node, numbers, n * sizeof *numbers);
        node_meet(&node);
        size_t wrong = 0;
        for (size_t i = 0; i < n; i++)
            wrong += numbers[i] != (uint32_t)i * 2654435761u;
        mpi_assert(wrong == 0);
        node_meet(&node);
        for (size_t i = (size_t)node.rank; i < n; i += (size_t)node.ranks)
            numbers[i] = (uint32_t)i;
        node_meet(&node);
        for (size_t i = 0; i < n; i++)
            wrong += numbers[i] != (uint32_t)i;
        mpi_assert(node.is_private || wrong == 0);
    }
    mpi_assert(count_names() == 0);
    node_finish(&node);
}
END_TEST

START_TEST(nobody_waits_for_a_member_that_has_left)
{
    struct node node;
    start(&node, sizeof(struct meeting), 0);
    struct meeting *team = node_take(&node, sizeof *team);
    volatile sig_atomic_t stop = 0;
    for (int round = 0; round < 50; round++) {
        int made = 0;
        for (; made < 1000; made++) {
            if (node.rank == node.ranks - 1 && made == round)
                stop = 1;
            if (meeting_come(node.comm, team, (unsigned)node.ranks, &stop))
                break;
        }
        mpi_assert(made <= round + 1 && (node.rank < node.ranks - 1 || made == round));
        stop = 0;
        node_meet(&node);
        if (node.rank == 0)
            meeting_reset(team);
        node_meet(&node);
        mpi_assert(meeting_come(node.comm, team, (unsigned)node.ranks, &stop) == 0);
        node_meet(&node);
    }
    node_finish(&node);
}
END_TEST

/* Every rank adds numbers of its own, many times in a row, on one node and on several. */
START_TEST(sums_over_nodes_are_those_of_all_ranks)
{
    const struct comm *comm = mpi_suite_comm();
    uint64_t ranks = (uint64_t)comm->ranks;
    for (int most = 0; most <= 3; most++) {
        struct node node;
        int right = 1;
        start(&node, 0, most);
        for (uint64_t round = 0; round < 60; round++) {
            uint64_t words[NODE_WORDS];
            size_t n = round % 3 ? (size_t)round : NODE_WORDS;
            for (size_t w = 0; w < n; w++)
                words[w] = round + w * (uint64_t)comm->rank - 5;
            node_sum(&node, words, n);
            for (size_t w = 0; w < n; w++)
                right &= words[w] == ranks * (round - 5) + w * (ranks * (ranks - 1) / 2);
        }
        mpi_assert(right);
        node_finish(&node);
    }
}
END_TEST

START_TEST(what_one_rank_broadcasts_every_node_has)
{
    const struct comm *comm = mpi_suite_comm();
    for (int most = 0; most <= 3; most++) {
        struct node node;
        start(&node, 1000 * sizeof(int), most);
        int *values = node_take(&node, 1000 * sizeof *values), right = 1;
        for (int root = 0; root < comm->ranks; root++) {
            for (int i = 0; i < 1000 && comm->rank == root; i++)
                values[i] = root * i;
            node_broadcast(&node, values, 1000 * sizeof *values, root);
            for (int i = 0; i < 1000; i++)
                right &= values[i] == root * i;
            node_meet(&node);
        }
        mpi_assert(right);
        node_finish(&node);
    }
}
END_TEST

START_TEST(more_memory_can_be_shared_later)
{
    struct node node;
    struct error error = {0};
    start(&node, 0, 2);
    char *memory = node_share(&node, 100000, &error);
    mpi_assert(memory != NULL);
    memory[99000 + node.rank] = (char)(node.rank + 1);
    node_meet(&node);
    int right = memory[50] == 0;
    for (int r = 0; r < node.ranks; r++)
        right &= memory[99000 + r] == r + 1;
    mpi_assert(right && count_names() == 0);
    node_unshare(&node, memory, 100000);
    mpi_assert(!node_share(&node, (size_t)1 << 60, &error) && error.code == EXIT_CODE_INTERNAL);
    node_finish(&node);
}
END_TEST

/* The kernel would take all that other jobs of the node have left before it said so. The limit on sizes shows
 * that the room was looked at first: taking it would end with another reason. */
START_TEST(more_than_there_is_takes_no_room_from_others)
{
    struct node node;
    struct error error = {0};
    size_t room = 0;
    mpi_assert(machine_find_shared_memory(&room) == 0);
    start(&node, 0, 2);
    sample_limit_files(4096);
    void *memory = node_share(&node, 2 * room + (1 << 30), &error);
    sample_limit_files(RLIM_INFINITY);
    mpi_assert(node.ranks == 1 || (!memory && strstr(error.text, strerror(ENOSPC))));
    node_unshare(&node, memory, 2 * room + (1 << 30));
    node_finish(&node);
}
END_TEST

/* A limit on the size of files stands for a full /dev/shm. */
START_TEST(without_shared_memory_each_rank_is_a_node_and_one_says_so)
{
    const struct comm *comm = mpi_suite_comm();
    struct node node;
    sample_limit_files(4096);
    start(&node, 1 << 20, 0);
    sample_limit_files(RLIM_INFINITY);
    mpi_assert(node.nodes == comm->ranks && node.index == comm->rank && node.ranks == 1 && node.is_private);
    mpi_assert((warning[0] != 0) == (comm->rank == 0 && comm->ranks > 1));
    mpi_assert(!warning[0] || strstr(warning, strerror(EFBIG)));
    memset(node_take(&node, 1 << 20), 1, 1 << 20);
    mpi_assert(count_names() == 0);
    node_finish(&node);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node");
    TCase *cases = tcase_create("node");
    tcase_add_test(cases, more_than_there_is_takes_no_room_from_others);
    tcase_add_test(cases, ranks_of_one_machine_are_one_node_without_a_name_left);
    tcase_add_test(cases, a_machine_can_stand_for_several_nodes);
    tcase_add_test(cases, ranks_that_share_processors_are_a_crowd);
    tcase_add_test(cases, what_one_rank_writes_the_others_read_after_a_meeting);
    tcase_add_test(cases, huge_pages_hold_what_small_ones_held);
    tcase_add_test(cases, nobody_waits_for_a_member_that_has_left);
    tcase_add_test(cases, sums_over_nodes_are_those_of_all_ranks);
    tcase_add_test(cases, what_one_rank_broadcasts_every_node_has);
    tcase_add_test(cases, more_memory_can_be_shared_later);
    tcase_add_test(cases, without_shared_memory_each_rank_is_a_node_and_one_says_so);
    suite_add_tcase(suite, cases);
    return mpi_suite_run(suite, "test_node", 100);
}
