/* Greedy: of all combinations that are possible the one is taken that has most pairs which none before it
 * has, until there are no such pairs. What is possible follows from how a step is dealt to ranks and nodes
 * (data/plan.h), here one of sequences of equal lengths. */
#include "combinations.h"

#include "data/plan.h"

#include <stdio.h>
#include <stdlib.h>

/* This is called outside of tests. */
static void demand(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "no combinations: %s\n", what);
    exit(EXIT_FAILURE);
}

enum { NODES = 3, TEAMS = 4, MOST_RANKS = 64, MOST_BATCH = 64 };

struct pairs {
    unsigned char has[FACTORS][FACTORS][MOST_VALUES][MOST_VALUES];
};

struct candidates {
    struct combination *list;
    size_t n, room;
};

int ranks_of_node(int ranks, int nodes)
{
    int each = (ranks + nodes - 1) / nodes;
    return (ranks + each - 1) / each == nodes ? each : 0;
}

/* Returns the members of the largest team of a step, at most TEAMS. */
static int find_team(int batch, int microbatch, int ranks, int nodes)
{
    struct plan plan;
    struct plan_step step = {0};
    struct error error = {0};
    int32_t length[MOST_BATCH];
    size_t ranges[MOST_RANKS + 1];
    int leader[MOST_RANKS], first_place[NODES + 1], members[MOST_RANKS] = {0}, most = 1;
    for (int s = 0; s < batch; s++)
        length[s] = 10;
    for (int h = 0; h <= nodes; h++)
        first_place[h] = h < nodes ? h * ranks_of_node(ranks, nodes) : ranks;
    demand(plan_init(&plan, batch, length, batch, microbatch, 1, &error) == 0 &&
            plan_make_step(&plan, 0, &step, &error) == 0,
        error.text);
    plan_deal(&step, (size_t)nodes, first_place, ranges, leader);
    for (int place = 0; place < ranks; place++)
        most = ++members[leader[place]] > most ? members[leader[place]] : most;
    plan_step_finish(&step);
    plan_finish(&plan);
    return most < TEAMS ? most : TEAMS;
}

/* Adds what goes with the ranks, nodes and teams of a combination. */
static void add_models(
    const struct choices *choices, struct candidates *candidates, struct combination combination)
{
    int models = choices->outputs * choices->cells * 2 * 2 * 2;
    for (int model = 0; model < models; model++) {
        int rest = model;
        combination.value[OUTPUT] = rest % choices->outputs;
        rest /= choices->outputs;
        combination.value[CELL] = rest % choices->cells;
        rest /= choices->cells;
        combination.value[DIRECTIONS] = rest % 2;
        rest /= 2;
        combination.value[ENDED] = rest % 2;
        combination.value[MEMORY] = rest / 2;
        if (candidates->n == candidates->room) {
            candidates->room = 2 * candidates->room + 1024;
            candidates->list = realloc(candidates->list, candidates->room * sizeof *candidates->list);
            demand(candidates->list != NULL, "out of memory");
        }
        candidates->list[candidates->n++] = combination;
    }
}

/* A layout: which of the numbers of ranks, and how many nodes less one. */
struct layout {
    int ranks, nodes, team;
};

static size_t list_layouts(const struct choices *choices, int microbatch, struct layout *layouts)
{
    size_t n = 0;
    for (int r = 0; choices->ranks[r]; r++)
        for (int nodes = 1; nodes <= NODES && nodes <= choices->ranks[r]; nodes++)
            if (ranks_of_node(choices->ranks[r], nodes))
                layouts[n++] = (struct layout){
                    r, nodes - 1, find_team(choices->batch, microbatch, choices->ranks[r], nodes) - 1};
    return n;
}

static struct candidates list_candidates(const struct choices *choices)
{
    struct candidates candidates = {0};
    for (const int *microbatch = choices->microbatches; *microbatch; microbatch++) {
        struct layout layouts[MOST_VALUES * NODES];
        size_t n = list_layouts(choices, *microbatch, layouts);
        for (size_t i = 0; i < n * n; i++) {
            const struct layout *before = &layouts[i / n], *after = &layouts[i % n];
            struct combination combination = {.microbatch = *microbatch};
            combination.value[BEFORE_RANKS] = before->ranks;
            combination.value[BEFORE_NODES] = before->nodes;
            combination.value[BEFORE_TEAM] = before->team;
            combination.value[AFTER_RANKS] = after->ranks;
            combination.value[AFTER_NODES] = after->nodes;
            combination.value[AFTER_TEAM] = after->team;
            add_models(choices, &candidates, combination);
        }
    }
    return candidates;
}

/* Counts the pairs of a combination that are not there yet, and adds them where `add`. */
static size_t count_new(struct pairs *pairs, const struct combination *combination, int add)
{
    const int *value = combination->value;
    size_t n = 0;
    for (int f = 0; f < FACTORS; f++)
        for (int g = f + 1; g < FACTORS; g++) {
            unsigned char *has = &pairs->has[f][g][value[f]][value[g]];
            n += !*has;
            *has |= (unsigned char)add;
        }
    return n;
}

size_t combinations_choose(const struct choices *choices, struct combination *chosen)
{
    struct candidates candidates = list_candidates(choices);
    struct pairs *pairs = calloc(1, sizeof *pairs);
    size_t n = 0, most;
    demand(pairs != NULL, "out of memory");
    do {
        size_t best = most = 0;
        for (size_t i = 0; i < candidates.n; i++) {
            size_t added = count_new(pairs, &candidates.list[i], 0);
            if (added > most) {
                most = added;
                best = i;
            }
        }
        if (most) {
            demand(n < MOST_COMBINATIONS, "too many of them");
            chosen[n++] = candidates.list[best];
            count_new(pairs, &candidates.list[best], 1);
        }
    } while (most);
    free(candidates.list);
    free(pairs);
    return n;
}

size_t combinations_count_missing(
    const struct choices *choices, const struct combination *chosen, size_t n, size_t *possible)
{
    struct candidates candidates = list_candidates(choices);
    struct pairs *pairs = calloc(1, sizeof *pairs), *all = calloc(1, sizeof *all);
    size_t missing = 0;
    *possible = 0;
    demand(pairs && all, "out of memory");
    for (size_t i = 0; i < n; i++)
        count_new(pairs, &chosen[i], 1);
    for (size_t i = 0; i < candidates.n; i++) {
        *possible += count_new(all, &candidates.list[i], 1);
        missing += count_new(pairs, &candidates.list[i], 1);
    }
    free(candidates.list);
    free(pairs);
    free(all);
    return missing;
}
