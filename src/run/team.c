/* Where a step has fewer microbatches than there are ranks, neighbours compute one together (net/types.h).
 * Their workspace lies in the node's shared memory, one piece a team, and grows with the most that the
 * teams of a step need: all ranks of a node look at it before each step that has teams. */
#include "base/memory.h"
#include "run/learner.h"

#include <assert.h>

enum { FAILED = -1 };

/* A half has half of the members, and the meeting of the first members but the leader. */
static int meet(void *context, enum net_group group)
{
    struct learner *learner = context;
    size_t members = learner->team.members / (group == NET_TEAM ? 1 : 2);
    struct meeting *meeting = learner->meeting + (members > 1 ? (size_t)group : 0);
    return members > 1 ? meeting_come(learner->comm, meeting, (unsigned)members, learner->stop) : 0;
}

/* How many teams of several ranks the places of this node before `end` lead: those that have a leaf and are
 * followed by one without. Ranks that compute alone have workspaces of their own. */
static size_t count_teams(const struct node *node, const struct feed_step *step, int end)
{
    const size_t *ranges = step->ranges;
    int place = node->first_place[node->index], last = node->first_place[node->index + 1] - 1;
    size_t teams = 0;
    for (; place < end && place < last; place++)
        teams += ranges[place] < ranges[place + 1] && ranges[place + 1] == ranges[place + 2];
    return teams;
}

/* Every rank of the node calls. Returns the most that a rank needs, or UINT64_MAX where one has failed. */
static uint64_t find_most(struct learner *learner, uint64_t need)
{
    uint64_t words[NODE_MOST_RANKS], most = 0;
    node_gather_inside(&learner->node, need, words);
    for (int r = 0; r < learner->node.ranks; r++)
        most = words[r] > most ? words[r] : most;
    return most;
}

/* Every rank of the node calls, with the same numbers. */
static int make_room(struct learner *learner, size_t teams, size_t bytes, struct error *error)
{
    struct workspaces *shared = &learner->workspaces;
    shared->bytes = (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    size_t size = teams * shared->bytes;
    if (size <= shared->size)
        return 0;
    node_unshare(&learner->node, shared->memory, shared->size);
    shared->memory = node_share(&learner->node, size, error);
    shared->size = shared->memory ? size : 0;
    if (shared->memory)
        return 0;
    return error_explain_memory(error, "activations of teams",
        "a smaller train.microbatch, shorter sequences, fewer ranks or a smaller model.hidden take");
}

int learner_form_team(struct learner *learner, const struct feed_step *step, const struct net_pass *pass,
    const struct microbatch *microbatch, int failed, struct error *error)
{
    struct node *node = &learner->node;
    struct net_pass measured = *pass;
    int together = microbatch && step->team.members > 1;
    learner->team.members = (size_t)step->team.members;
    measured.team = &learner->team;
    uint64_t need = together ? net_workspace_bytes(learner->net, &measured, microbatch) : 0;
    uint64_t most = find_most(learner, failed ? UINT64_MAX : need);
    if (most == UINT64_MAX)
        return FAILED;
    int leader = step->team.first - node->first_place[node->index];
    if (make_room(learner, count_teams(node, step, node->first_place[node->index + 1]), most, error))
        return FAILED;
    learner->meeting = &learner->meetings[leader];
    meeting_reset(&learner->meetings[node->rank]);
    node_meet(node);
    size_t team = count_teams(node, step, step->team.first);
    learner->team = (struct net_team){.index = (size_t)(node->rank - leader),
        .members = (size_t)step->team.members,
        .workspace =
            learner->workspaces.memory ? learner->workspaces.memory + team * learner->workspaces.bytes : NULL,
        .workspace_bytes = learner->workspaces.bytes,
        .meet = meet,
        .context = learner};
    return 0;
}

int learner_meet_team(struct learner *learner)
{
    struct net_team *team = &learner->team;
    if (team->members > 1 && !team->left && meet(learner, NET_TEAM))
        team->left = 1;
    return team->left ? FAILED : 0;
}
