/* Weights are whole on every rank. Moments are spread over the ranks, each of which has those of the weights
 * that it updates; a checkpoint has them whole, so that it does not depend on how many ranks there were. */
#include "run/learner.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

static size_t at_most(int64_t n, int64_t most)
{
    return (size_t)(n < most ? n : most);
}

static void allocate_vectors(struct learner *learner, int64_t most, struct error *error)
{
    const struct config *config = learner->config;
    size_t room = reduce_room(learner->P), batch = at_most(config->train.batch, most);
    reduce_get_slice(learner->reduce, &learner->slice_first, &learner->slice_count);
    tree_sums_init(&learner->sums, room);
    learner->weights = memory_create(room, sizeof *learner->weights, error);
    if (config->train.weight_noise > 0)
        learner->noisy = memory_create(room, sizeof *learner->noisy, error);
    learner->scores = memory_create(batch, sizeof *learner->scores, error);
    if (learner->comm->ranks > 1)
        learner->slice = memory_create(learner->slice_count, sizeof *learner->slice, error);
    for (size_t m = 0; m < optim_count_moments(learner->optim.optimizer); m++)
        learner->moments[m] = memory_create(learner->slice_count, sizeof *learner->moments[m], error);
    tally_init(&learner->tally, ballot_size(learner->comm), error);
}

int learner_init(struct learner *learner, const struct config *config, const struct comm *comm,
    const struct net_config *model, int64_t sequences, int64_t most, struct error *error)
{
    int64_t steps = plan_count_steps(sequences, config->train.batch);
    *learner = (struct learner){.config = config, .comm = comm, .optim = config->train.optim};
    learner->optim.total_steps = steps * config->train.epochs;
    optim_state_init(&learner->state);
    learner->net = net_create(model, error);
    if (comm_agree(comm, error) || ballot_init(&learner->ballot, comm, error))
        return -1;
    learner->P = net_count_parameters(learner->net);
    learner->reduce = reduce_create(comm, learner->P, error);
    if (learner->reduce)
        allocate_vectors(learner, most, error);
    error_explain_memory(error, "weights, gradient and moments",
        "a smaller model.hidden or model.layers, or an optimizer with fewer moments (train.optimizer), take");
    return comm_agree(comm, error);
}

void learner_give_back(struct learner *learner)
{
    tree_sums_finish(&learner->sums);
    net_destroy(learner->net);
    learner->net = NULL;
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++) {
        memory_destroy(learner->moments[m]);
        learner->moments[m] = NULL;
    }
}

void learner_finish(struct learner *learner)
{
    learner_give_back(learner);
    ballot_finish(&learner->ballot);
    tally_finish(&learner->tally);
    reduce_destroy(learner->reduce);
    memory_destroy(learner->slice);
    memory_destroy(learner->scores);
    memory_destroy(learner->noisy);
    memory_destroy(learner->weights);
    *learner = (struct learner){0};
}

void learner_take_weights(struct learner *learner)
{
    net_pack(learner->net, learner->weights);
    learner->weights_hash = hash_bytes(learner->weights, learner->P * sizeof *learner->weights);
}

int learner_start(struct learner *learner, const float *weights, struct error *error)
{
    size_t bytes = learner->P * sizeof *weights;
    int given = weights != NULL;
    comm_broadcast(learner->comm, &given, sizeof given, 0);
    if (!given && learner_make_weights(learner, error))
        return -1;
    if (weights)
        memcpy(learner->weights, weights, bytes);
    if (given)
        comm_broadcast(learner->comm, learner->weights, bytes, 0);
    learner_take_weights(learner);
    return 0;
}

/* All ranks call. The moments of a checkpoint have P elements, and whole blocks are spread. */
static int spread_moments(struct learner *learner, const struct checkpoint *checkpoint, struct error *error)
{
    float *whole = NULL;
    if (learner->comm->rank == 0)
        whole = memory_create(reduce_room(learner->P), sizeof *whole, error);
    if (comm_agree(learner->comm, error))
        return -1;
    for (size_t m = 0; m < optim_count_moments(learner->optim.optimizer); m++) {
        if (whole)
            memcpy(whole, checkpoint->moments[m], learner->P * sizeof *whole);
        reduce_spread(learner->reduce, whole, learner->moments[m]);
    }
    memory_destroy(whole);
    return 0;
}

int learner_restore(struct learner *learner, const struct checkpoint *checkpoint, struct error *error)
{
    const struct comm *comm = learner->comm;
    if (spread_moments(learner, checkpoint, error))
        return -1;
    if (comm->rank == 0)
        learner->state = checkpoint->optim;
    comm_broadcast(comm, &learner->state, sizeof learner->state, 0);
    return learner_start(learner, comm->rank == 0 ? checkpoint->weights : NULL, error);
}

int learner_collect_moments(struct learner *learner, float *moments[OPTIM_MOST_MOMENTS], struct error *error)
{
    size_t count = optim_count_moments(learner->optim.optimizer);
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++)
        moments[m] = NULL;
    for (size_t m = 0; m < count && learner->comm->rank == 0; m++)
        moments[m] = memory_create(reduce_room(learner->P), sizeof *moments[m], error);
    error_explain_memory(error, "moments for a checkpoint",
        "a smaller model.hidden or model.layers, or an optimizer with fewer moments (train.optimizer), take");
    if (comm_agree(learner->comm, error))
        return -1;
    for (size_t m = 0; m < count; m++)
        reduce_collect(learner->reduce, learner->moments[m], moments[m]);
    return 0;
}
