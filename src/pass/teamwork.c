/* The workspaces of a node's teams are pieces of one block, each as large as the most that a team of the step
 * needs: all ranks of a node tell what they need before each step that has teams. */
#include "pass/teamwork.h"

#include "base/memory.h"

#include <assert.h>

enum { FAILED = -1 };

/* A half has half of the members, and the meeting of the first members but the leader. */
static struct meeting *meeting_of(const struct teamwork *work, enum net_group group, size_t *members)
{
    *members = work->team.members / (group == NET_TEAM ? 1 : 2);
    return work->meeting + (*members > 1 ? (size_t)group : 0);
}

/* Whoever does not come to one meeting comes to none: also those who wait elsewhere are told. */
void teamwork_leave(struct teamwork *work)
{
    for (int group = NET_TEAM; group < NET_GROUPS && work->team.members > 1; group++) {
        size_t members;
        meeting_leave(meeting_of(work, (enum net_group)group, &members));
    }
    work->team.left = 1;
}

static int meet(void *context, enum net_group group)
{
    struct teamwork *work = context;
    size_t members;
    struct meeting *meeting = meeting_of(work, group, &members);
    if (members < 2 || meeting_come(work->node->comm, meeting, (unsigned)members, work->stop) == 0)
        return 0;
    teamwork_leave(work);
    return FAILED;
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
static uint64_t find_most(struct teamwork *work, uint64_t need)
{
    uint64_t words[NODE_MOST_RANKS], most = 0;
    node_gather_inside(work->node, need, words);
    for (int r = 0; r < work->node->ranks; r++)
        most = words[r] > most ? words[r] : most;
    return most;
}

/* Every rank of the node calls, with the same numbers. */
static int make_room(struct teamwork *work, size_t teams, size_t bytes, struct error *error)
{
    work->bytes = (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    size_t size = teams * work->bytes;
    if (size <= work->size)
        return 0;
    node_unshare(work->node, work->memory, work->size);
    work->memory = node_share(work->node, size, error);
    work->size = work->memory ? size : 0;
    if (work->memory)
        return 0;
    return error_explain_memory(error, "activations of teams",
        "a smaller train.microbatch (of rnn-predict, --batch), shorter sequences, fewer ranks or a smaller "
        "model.hidden take");
}

/* Every rank of the node calls, each with its team's microbatch (NULL: it has none, or has `failed`). Makes
 * work->team ready for a pass over it. Returns 0, or FAILED where a rank of the node has failed, or there is
 * no memory: nobody computes then. */
static int form(struct teamwork *work, const struct feed_step *step, const struct net_pass *pass,
    const struct microbatch *microbatch, int failed, struct error *error)
{
    struct node *node = work->node;
    struct net_pass measured = *pass;
    work->team.members = (size_t)step->team.members;
    measured.team = &work->team;
    struct net_saving saving = {0};
    if (microbatch && step->team.members > 1)
        saving = net_find_saving(work->net, &measured, microbatch);
    uint64_t most = find_most(work, failed ? UINT64_MAX : saving.bytes);
    if (most == UINT64_MAX)
        return FAILED;
    int first = node->first_place[node->index], leader = step->team.first - first;
    if (make_room(work, count_teams(node, step, node->first_place[node->index + 1]), most, error))
        return FAILED;
    work->meeting = &work->meetings[leader];
    meeting_reset(&work->meetings[node->rank]);
    node_meet(node);
    work->team = (struct net_team){.index = (size_t)(node->rank - leader),
        .members = (size_t)step->team.members,
        .saving = saving,
        .workspace =
            work->memory ? work->memory + count_teams(node, step, step->team.first) * work->bytes : NULL,
        .workspace_bytes = work->bytes,
        .meet = meet,
        .context = work};
    return 0;
}

size_t teamwork_bytes_of_rank(void)
{
    return sizeof(struct meeting);
}

void teamwork_init(struct teamwork *work, struct node *node, struct net *net)
{
    *work = (struct teamwork){.node = node, .net = net, .team = {.members = 1}};
    work->meetings = node_take(node, (size_t)node->ranks * sizeof *work->meetings);
    meeting_init(&work->meetings[node->rank], node->is_crowded);
}

void teamwork_finish(struct teamwork *work)
{
    if (work->node)
        node_unshare(work->node, work->memory, work->size);
    *work = (struct teamwork){0};
}

const struct microbatch *teamwork_take(struct teamwork *work, const struct feed *feed,
    const struct net_pass *pass, int has_leaf, double *wait, struct error *error)
{
    const struct microbatch *microbatch = NULL;
    assert(!pass->team);
    work->stop = pass->unwanted;
    work->team = (struct net_team){.members = 1};
    if (has_leaf && !error->code)
        microbatch = reader_next(feed->reader, wait, error);
    if (feed->now.plan.leaves >= (size_t)feed->comm->ranks)
        return microbatch;
    int failed = error->code || (has_leaf && !microbatch);
    return form(work, &feed->now, pass, microbatch, failed, error) ? NULL : microbatch;
}

struct net_team *teamwork_team(struct teamwork *work)
{
    return work->team.members > 1 ? &work->team : NULL;
}

int teamwork_leads(const struct teamwork *work)
{
    return work->team.index == 0;
}

int teamwork_meet(struct teamwork *work)
{
    if (!work->team.left)
        meet(work, NET_TEAM);
    return work->team.left ? FAILED : 0;
}
