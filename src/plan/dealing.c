/* Nodes have equally many ranks, but for the last. Where there is a full node for each leaf, all of its ranks
 * compute it: such steps are not gone through rank by rank, which would take long where there are a billion.
 */
#include "plan/dealing.h"

#include "base/memory.h"
#include "comm/node.h"
#include "comm/tree.h"

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static void take_larger(size_t *most, size_t n)
{
    *most = n > *most ? n : *most;
}

/* Is there a full node for each of so many leaves? */
static int has_node_each(const struct dealing *dealing, size_t leaves)
{
    return dealing->ranks.all / dealing->ranks.node >= leaves;
}

int dealing_init(struct dealing *dealing, const struct planned_ranks *ranks, size_t leaves, size_t employed,
    struct error *error)
{
    size_t node = at_most(at_most(ranks->node, ranks->all), NODE_MOST_RANKS);
    *dealing = (struct dealing){.ranks = {ranks->all, node},
        .nodes = (ranks->all - 1) / node + 1,
        .employed = employed,
        .fewest = leaves};
    size_t places = has_node_each(dealing, leaves) ? 0 : ranks->all, nodes = places ? dealing->nodes : 0;
    dealing->members = memory_create(leaves, sizeof *dealing->members, error);
    dealing->first_place = memory_create(nodes + 1, sizeof *dealing->first_place, error);
    dealing->leader = memory_create(places + 1, sizeof *dealing->leader, error);
    dealing->ranges = memory_create(places + 1, sizeof *dealing->ranges, error);
    if (!dealing->members || !dealing->first_place || !dealing->leader || !dealing->ranges)
        return -1;
    for (size_t h = 0; h <= nodes; h++)
        dealing->first_place[h] = (int)at_most(h * node, places);
    return 0;
}

void dealing_finish(struct dealing *dealing)
{
    memory_destroy(dealing->members);
    memory_destroy(dealing->first_place);
    memory_destroy(dealing->leader);
    memory_destroy(dealing->ranges);
    *dealing = (struct dealing){0};
}

/* What a step comes to: teams of several ranks that a node has at most, sums of all nodes, cost of the
 * busiest rank. */
struct dealt {
    size_t teams, parts;
    double busiest;
};

/* Deals a step whose leaves go to a node each. */
static struct dealt deal_to_nodes(struct dealing *dealing, const struct plan_step *step)
{
    size_t places = dealing->ranks.node;
    struct dealt dealt = {.teams = places > 1, .parts = step->leaves};
    for (size_t leaf = 0; leaf < step->leaves; leaf++) {
        dealing->members[leaf] = places;
        double cost = (double)step->cost[leaf] / (double)at_most(places, dealing->employed);
        dealt.busiest = cost > dealt.busiest ? cost : dealt.busiest;
    }
    take_larger(&dealing->vectors, 1);
    return dealt;
}

/* Takes in what a rank that leads has: its leaves, which its team of `members` computes. */
static void take_range(struct dealing *dealing, const struct plan_step *step, const size_t range[2],
    size_t members, struct dealt *dealt)
{
    double cost = 0;
    for (size_t leaf = range[0]; leaf < range[1]; leaf++) {
        dealing->members[leaf] = members;
        cost += (double)step->cost[leaf];
    }
    cost /= (double)at_most(members, dealing->employed);
    dealt->busiest = cost > dealt->busiest ? cost : dealt->busiest;
    take_larger(&dealing->vectors, tree_count_vectors(step->leaves, range[0], range[1]));
}

/* Deals a step of which a node may have several leaves. */
static struct dealt deal_to_ranks(struct dealing *dealing, const struct plan_step *step)
{
    struct dealt dealt = {0};
    struct tree_node list[TREE_MOST_NODES];
    const size_t *ranges = dealing->ranges;
    plan_deal(step, dealing->nodes, dealing->first_place, dealing->ranges, dealing->leader);
    for (size_t h = 0; h < dealing->nodes; h++) {
        size_t first = (size_t)dealing->first_place[h], end = (size_t)dealing->first_place[h + 1];
        size_t teams = 0;
        dealt.parts += tree_list_nodes(step->leaves, ranges[first], ranges[end], list);
        for (size_t place = first, next; place < end; place = next) {
            for (next = place + 1; next < end && dealing->leader[next] == (int)place;)
                next++;
            take_range(dealing, step, ranges + place, next - place, &dealt);
            teams += next - place > 1;
        }
        take_larger(&dealt.teams, teams);
    }
    return dealt;
}

/* Takes in what teams a step has. */
static void note_teams(struct dealing *dealing, const struct plan_step *step)
{
    size_t least = dealing->ranks.all, most = 0, busy = 0;
    for (size_t leaf = 0; leaf < step->leaves; leaf++) {
        size_t members = dealing->members[leaf];
        least = at_most(members, least);
        take_larger(&most, members);
        busy += at_most(members, dealing->employed);
    }
    take_larger(&dealing->idle, dealing->ranks.all - busy);
    if (most == 1)
        return;
    dealing->least = dealing->team_steps ? at_most(least, dealing->least) : least;
    take_larger(&dealing->most, most);
    dealing->team_steps++;
}

void dealing_add(struct dealing *dealing, const struct plan_step *step)
{
    double total = 0, ranks = (double)dealing->ranks.all;
    struct dealt dealt =
        has_node_each(dealing, step->leaves) ? deal_to_nodes(dealing, step) : deal_to_ranks(dealing, step);
    for (size_t leaf = 0; leaf < step->leaves; leaf++)
        total += (double)step->cost[leaf];
    dealing->balance += total / ranks / dealt.busiest;
    take_larger(&dealing->parts, dealt.parts);
    dealing->teams = dealt.teams;
    dealing->fewest = at_most(step->leaves, dealing->fewest);
    if (step->leaves < dealing->ranks.all)
        note_teams(dealing, step);
}
