/* Each member is a thread with a net of its own; the caller is the leader, with the subject's. */
#include "team.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MEMBERS = 8 };

struct member {
    struct subject subject; /* with a net of its own */
    struct net_pass pass;
    struct net_team team;
    const struct microbatch *microbatch;
    struct net_score *score;
    float *gradient;
};

static void demand(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "no team: %s\n", what);
    exit(EXIT_FAILURE);
}

/* context [NET_GROUPS] */
static int meet(void *context, enum net_group group)
{
    pthread_barrier_wait((pthread_barrier_t *)context + group);
    return 0;
}

static void *make_zeroes(size_t n, size_t size)
{
    struct error error = {0};
    void *block = memory_create(n, size, &error);
    demand(block != NULL, error.text);
    return block;
}

static void forward(struct member *member, struct net_outputs *outputs)
{
    struct error error = {0};
    member->pass.team = &member->team;
    net_pack_share(member->subject.net, member->subject.weights, member->team.index, member->team.members);
    meet(member->team.context, NET_TEAM);
    demand(net_forward(
               member->subject.net, &member->pass, member->microbatch, outputs, member->score, &error) == 0,
        error.text);
}

static void backward(struct member *member)
{
    if (member->pass.training)
        net_backward(member->subject.net, &member->pass, member->microbatch, member->gradient);
}

static void *compute(void *context)
{
    struct net_outputs outputs;
    forward(context, &outputs);
    backward(context);
    return NULL;
}

static void take_outputs(const struct net_outputs *outputs, struct result *result)
{
    result->rows = outputs->rows;
    result->outputs = calloc(outputs->rows * result->O + 1, sizeof *result->outputs);
    demand(result->outputs != NULL, "no memory");
    for (size_t r = 0; r < outputs->rows; r++)
        memcpy(result->outputs + r * result->O, outputs->values + r * outputs->stride,
            result->O * sizeof *result->outputs);
}

static void freeze_alike(const struct subject *subject, struct net *net)
{
    unsigned char *frozen = make_zeroes(subject->tensors, sizeof *frozen);
    for (size_t k = 0; k < subject->tensors; k++)
        frozen[k] = subject->list[k].frozen != 0;
    net_freeze(net, frozen);
    memory_destroy(frozen);
}

/* Members differ in their nets and places alone. */
static void init_members(struct member *member, const struct member *first, void *panels)
{
    struct error error = {0};
    for (size_t i = 0; i < first->team.members; i++) {
        member[i] = *first;
        member[i].team.index = i;
        member[i].subject.net = net_describe(&first->subject.problem->config, &error);
        demand(member[i].subject.net != NULL, error.text);
        freeze_alike(&first->subject, member[i].subject.net);
        net_use_panels(member[i].subject.net, panels);
    }
}

static void run_members(struct member *member, size_t members, struct result *result)
{
    pthread_t thread[MOST_MEMBERS];
    struct net_outputs outputs;
    for (size_t i = 1; i < members; i++)
        demand(pthread_create(&thread[i], NULL, compute, &member[i]) == 0, "no thread");
    forward(&member[0], &outputs);
    take_outputs(&outputs, result);
    backward(&member[0]);
    for (size_t i = 1; i < members; i++)
        pthread_join(thread[i], NULL);
}

/* Of all members, and of each half. */
static void init_barriers(pthread_barrier_t barrier[static NET_GROUPS], unsigned members)
{
    for (int group = 0; group < NET_GROUPS; group++) {
        unsigned of = group == NET_TEAM || members < 2 ? members : members / 2;
        demand(pthread_barrier_init(&barrier[group], NULL, of) == 0, "no barrier");
    }
}

void team_run(struct subject *subject, const struct net_pass *pass, const struct microbatch *microbatch,
    size_t members, struct result *result)
{
    struct member member[MOST_MEMBERS];
    pthread_barrier_t barrier[NET_GROUPS];
    demand(members <= MOST_MEMBERS, "too many members");
    init_barriers(barrier, (unsigned)members);
    *result =
        (struct result){.B = microbatch->B, .O = net_count_head(&subject->problem->config), .P = subject->P};
    result->score = calloc(microbatch->B, sizeof *result->score);
    result->gradient = calloc(subject->P, sizeof *result->gradient);
    demand(result->score && result->gradient, "no memory");
    struct net_team team = {.members = members};
    struct net_pass measured = *pass;
    measured.team = &team;
    struct net_saving saving = net_find_saving(subject->net, &measured, microbatch);
    void *panels = make_zeroes(net_panel_bytes(subject->net), 1);
    void *workspace = make_zeroes(saving.bytes, 1);
    const struct member first = {.subject = *subject,
        .pass = *pass,
        .team = {.members = members,
            .saving = saving,
            .workspace = workspace,
            .workspace_bytes = saving.bytes,
            .meet = meet,
            .context = barrier},
        .microbatch = microbatch,
        .score = result->score,
        .gradient = result->gradient};
    init_members(member, &first, panels);
    run_members(member, members, result);
    for (size_t i = 0; i < members; i++)
        net_destroy(member[i].subject.net);
    memory_destroy(panels);
    memory_destroy(workspace);
    for (int group = 0; group < NET_GROUPS; group++)
        pthread_barrier_destroy(&barrier[group]);
}

const char *team_compare(struct subject *subject, const struct net_pass *pass,
    const struct microbatch *microbatch, size_t members, const struct result *alone)
{
    struct result team;
    team_run(subject, pass, microbatch, members, &team);
    const char *difference = result_find_difference(subject, &team, alone);
    result_finish(&team);
    return difference;
}
