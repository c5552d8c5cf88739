/* A step is taken apart into what is bound by multiply-adds, by memory, by meetings of ranks and by messages,
 * and each part is divided by what the machine does of it in a second. Nothing overlaps but the exchange that
 * goes ahead. The formulas, part by part, are explained in docs/performance.md, with what they leave out. */
#include "plan/prediction.h"

#include "comm/reduce.h"
#include "run/sets.h"

#include <math.h>
#include <stdio.h>

/* Seconds of the parts of a step. */
struct predicted {
    double compute, teams, adding, inside, between, update, packing, reading;
};

/* What is predicted: for all ranks, or for one alone. */
struct predicting {
    const struct planned *planned;
    const struct constants *constants;
    double ranks, ranks_of_node, nodes;
    double weights;   /* bytes of all weights, 4 each */
    double peak;      /* operations a second of a rank while all compute */
    double bandwidth; /* bytes a second of all ranks of a node */
};

static double whole(double n)
{
    return n > 1 ? n : 1;
}

/* Between what one rank does alone and what it does where all ranks that were measured do the same. */
static double mix(const struct predicting *in, double alone, double all)
{
    double share = fmin(1, (in->ranks_of_node - 1) / whole(in->constants->ranks - 1));
    return alone + share * (all - alone);
}

static void describe(struct predicting *in)
{
    const struct constants *constants = in->constants;
    in->weights = (double)reduce_room(net_count_parameters(in->planned->net)) * sizeof(float);
    in->peak = mix(in, constants->peak_alone, constants->peak_all);
    in->bandwidth = fmin(
        in->ranks_of_node * constants->memory_alone, fmax(constants->memory_alone, constants->memory_all));
}

/* The seconds in which so many ranks of a node meet. */
static double meeting(const struct predicting *in, double members)
{
    const struct constants *constants = in->constants;
    if (members < 2)
        return 0;
    double more = (constants->meeting_all - constants->meeting) / whole(constants->ranks - 2);
    return constants->meeting + fmax(0, more) * (members - 2);
}

/* The fraction of the peak that all recurrent layers reach together: each counts by its operations. */
static double find_fraction(const struct predicting *in)
{
    enum { USUAL = 128 };
    const struct net_config *model = net_get_config(in->planned->net);
    double operations = 0, time = 0, inputs = (double)model->inputs;
    for (size_t l = 0; l < model->layers; l++) {
        double H = (double)model->hidden[l], D = model->bidirectional[l] ? 2 : 1, own = D * H * (inputs + H);
        operations += own;
        time += own / constants_fraction(in->constants, model->cell, model->hidden[l]);
        inputs = D * H;
    }
    return model->layers ? operations / time : constants_fraction(in->constants, model->cell, USUAL);
}

/* The operations of a pass over the training set. */
static double count_operations(const struct predicting *in)
{
    const struct dataset *set = in->planned->train;
    return net_count_operations(net_get_config(in->planned->net), (double)set->frames, (double)set->sequences,
               (double)set->targets) +
        in->planned->survey.repeated;
}

static double predict_compute(const struct predicting *in, double balance)
{
    double steps = (double)in->planned->survey.steps;
    return count_operations(in) / steps / in->peak / find_fraction(in) / in->ranks / balance;
}

/* Members meet at each step in time of what they share the units of, forward and backward, and a few times a
 * layer. */
static double predict_teams(const struct predicting *in)
{
    enum { OF_LAYER = 4 };
    const struct survey *survey = &in->planned->survey;
    const struct net *net = in->planned->net;
    const struct net_config *model = net_get_config(net);
    double times = (double)survey->times / (double)survey->microbatches, sum = 0;
    double members = (double)survey->most, all = meeting(in, members), half = meeting(in, members / 2);
    if (survey->team_steps == 0)
        return 0;
    for (size_t l = 0; l < model->layers; l++) {
        enum net_sharing sharing = net_find_sharing(net, l, survey->most);
        sum += OF_LAYER * all;
        if (sharing == NET_BY_UNITS)
            sum += 2 * times * (model->bidirectional[l] ? 2 : 1) * all;
        else if (sharing == NET_BY_BOTH)
            sum += 2 * times * half;
    }
    return sum * (double)survey->team_steps / (double)survey->steps;
}

/* Of so many seconds in which nodes send their sums, those that pass while ranks compute all the same: what
 * stands above the first layer goes ahead while that computes the gradients of a rank's last microbatch,
 * twice its operations forward. Not in steps of teams, where some ranks have no microbatch. */
static double predict_ahead(const struct predicting *in, double sums, double compute)
{
    const struct survey *survey = &in->planned->survey;
    const struct net *net = in->planned->net;
    const struct net_saving first = {.layers = 1};
    double steps = (double)survey->steps, of_rank = (double)survey->microbatches / steps / in->ranks;
    double P = (double)net_count_parameters(net), above = P - (double)net_first_layer_end(net);
    if (above == 0)
        return 0;
    double forward = net_count_repeated(net_get_config(net), &first, (double)in->planned->train->frames);
    double backward = compute * 2 * forward / count_operations(in) / whole(of_rank);
    return fmin(sums * above / P, backward) * (steps - (double)survey->team_steps) / steps;
}

/* Nodes send each split sum to each other once, and the updated weights to each other node. */
static double predict_exchange(const struct predicting *in, double compute)
{
    enum { SUMS = 3 }; /* of scores, ballot and norm: a tree up and down each */
    const struct constants *constants = in->constants;
    if (in->nodes < 2 || constants->bandwidth_between == 0)
        return 0;
    double vector = in->weights / in->nodes / constants->bandwidth_between;
    double sums = vector * ((double)in->planned->survey.parts - 1), weights = vector * (in->nodes - 1);
    return sums - predict_ahead(in, sums, compute) + weights +
        constants->latency_between * (2 + 2 * SUMS * ceil(log2(in->nodes)));
}

static struct predicted predict(struct predicting *in, double balance)
{
    enum { MEETINGS = 12 }; /* of all ranks of a node in a step */
    const struct planned *planned = in->planned;
    double W, leaves = (double)planned->survey.microbatches / (double)planned->survey.steps;
    double of_node = leaves / in->nodes, vectors = fmin(of_node, in->ranks_of_node);
    double moments = (double)optim_count_moments(planned->config->train.optim.optimizer);
    double frames = (double)planned->train->frames / (double)planned->survey.steps;
    describe(in);
    W = in->weights;
    return (struct predicted){
        .compute = predict_compute(in, balance),
        .adding = (of_node * W + fmax(0, of_node - vectors) * 3 * W) / in->bandwidth,
        .inside = fmax(0, vectors - 1) * 3 * W / in->bandwidth + MEETINGS * meeting(in, in->ranks_of_node),
        .update = (6 + 2 * moments) * W / in->nodes / in->bandwidth,
        .packing = (4 * W + (double)net_panel_bytes(planned->net)) / in->bandwidth,
        .reading = 2 * frames * (double)sizeof(float) * (double)(planned->train->features + 1) / in->nodes /
            in->bandwidth,
    };
}

static double add_up(const struct predicted *p)
{
    return p->compute + p->teams + p->adding + p->inside + p->between + p->update + p->packing + p->reading;
}

static void print_part(const char *what, double seconds, double all)
{
    if (seconds > 0)
        printf("  %-38s %10.4g ms %5.1f %%\n", what, 1e3 * seconds, 100 * seconds / all);
}

static void print_parts(const struct predicted *p, double all)
{
    print_part("computing", p->compute, all);
    print_part("meetings of teams", p->teams, all);
    print_part("adding gradients", p->adding, all);
    print_part("adding them inside a node, meetings", p->inside, all);
    print_part("exchange between nodes", p->between, all);
    print_part("update", p->update, all);
    print_part("packing and hashing weights", p->packing, all);
    print_part("packing microbatches", p->reading, all);
    print_part("together", all, all);
}

/* What the constants cannot tell of this run. */
static void print_gaps(const struct predicting *in)
{
    const struct constants *constants = in->constants;
    if (in->nodes > 1 && constants->bandwidth_between == 0)
        printf("  warning: the exchange between nodes is left out: they were measured on one node\n");
    if (in->ranks_of_node > 1 && constants->meeting == 0)
        printf("  warning: meetings of ranks are left out: the machine was measured with one rank a node\n");
    if (in->ranks_of_node > constants->ranks)
        printf("  warning: the machine was measured with %g ranks a node, fewer than are planned\n",
            constants->ranks);
    if (net_count_trained(in->planned->net) < net_count_parameters(in->planned->net))
        printf("  warning: what is frozen is counted as if it were trained: a step takes less\n");
    if (!planned_keeps(in->planned, in->planned->train))
        printf("  warning: reading the training set from its file, as it does not fit data.cache, is left "
               "out\n");
}

void prediction_print(const struct planned *planned, const struct constants *constants, const char *path)
{
    const struct survey *survey = &planned->survey;
    struct predicting one = {.planned = planned, .constants = constants},
                      all = {.planned = planned,
                          .constants = constants,
                          .ranks = (double)survey->ranks.all,
                          .ranks_of_node = (double)survey->ranks.node,
                          .nodes = (double)survey->nodes};
    one.ranks = one.ranks_of_node = one.nodes = 1;
    struct predicted alone = predict(&one, 1), together = predict(&all, survey->balance);
    if (survey->ranks.all > 1) {
        together.teams = predict_teams(&all);
        together.between = predict_exchange(&all, together.compute);
    }
    double seconds = add_up(&together), first = add_up(&alone);
    double frames = (double)planned->train->frames / (double)survey->steps;
    printf("time of a step, predicted by the constants of %s, not measured\n", path);
    print_parts(&together, seconds);
    printf("  %.4g frames a second, %.4g seconds an epoch without validation\n", frames / seconds,
        seconds * (double)survey->steps);
    if (survey->ranks.all > 1)
        printf("  %.4g times as fast as one rank alone (%.4g ms a step): efficiency %.1f %%\n",
            first / seconds, 1e3 * first, 100 * first / seconds / (double)survey->ranks.all);
    print_gaps(&all);
}
