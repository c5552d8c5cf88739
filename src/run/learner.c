/* Weights are whole on every node. Moments are spread over the ranks, each of which has those of the weights
 * that it updates; a checkpoint has them whole, so that it does not depend on how many ranks there were. */
#include "run/learner.h"

#include "base/hash.h"
#include "base/memory.h"
#include "pass/tuning.h"

#include <string.h>

static size_t at_most(int64_t n, int64_t most)
{
    return (size_t)(n < most ? n : most);
}

struct node_size learner_count_shared(
    const struct net *net, const struct config *config, size_t leaves, size_t batch, int ranks)
{
    size_t P = net_count_parameters(net), noise = config->train.weight_noise > 0;
    struct node_size size = reduce_size(P, leaves, ranks);
    size.once += (1 + noise) * reduce_room(P) * sizeof(float) + net_panel_bytes(net);
    size.once += config->train.truncate ? carried_count_bytes(batch, net_count_states(net)) : 0;
    size.of_rank += teamwork_bytes_of_rank();
    return size;
}

/* All ranks call. Shares memory for weights, gradients and states among the ranks of each node. */
static int share_node(struct learner *learner, size_t leaves, size_t batch, struct error *error)
{
    size_t weights = reduce_room(learner->P) * sizeof *learner->weights;
    int noise = learner->config->train.weight_noise > 0;
    size_t numbers = net_count_states(learner->net), carried = learner->config->train.truncate ? batch : 0;
    struct node_size size =
        learner_count_shared(learner->net, learner->config, leaves, batch, learner->comm->ranks);
    if (node_init(&learner->node, learner->comm, size, learner->node_warning, LEARNER_WARNING, error))
        return error_explain_memory(
            error, "weights and gradients", "a smaller model.hidden or model.layers takes");
    learner->small_pages = node_take(&learner->node, net_panel_bytes(learner->net));
    net_use_panels(learner->net, learner->small_pages);
    teamwork_init(&learner->teamwork, &learner->node, learner->net);
    learner->weights = node_take(&learner->node, weights);
    if (noise)
        learner->noisy = node_take(&learner->node, weights);
    carried_init(&learner->carried, &learner->node, carried, numbers);
    learner->reduce =
        reduce_create(&learner->node, learner->P, net_first_layer_end(learner->net), leaves, error);
    return learner->reduce ? 0 : -1;
}

static void allocate_vectors(struct learner *learner, int64_t most, struct error *error)
{
    const struct config *config = learner->config;
    size_t batch = at_most(config->train.batch, most);
    learner->slices = reduce_get_slices(learner->reduce, learner->slice);
    const struct reduce_slice *last = &learner->slice[learner->slices - 1];
    learner->scores = memory_create(batch, sizeof *learner->scores, error);
    for (size_t m = 0; m < optim_count_moments(learner->optim.optimizer); m++)
        learner->moments[m] = memory_create(last->at + last->count, sizeof *learner->moments[m], error);
}

int learner_init(struct learner *learner, const struct config *config, const struct comm *comm,
    const struct net_config *model, int64_t sequences, int64_t most, struct error *error)
{
    int64_t steps = plan_count_batches(sequences, config->train.batch);
    int64_t largest = config->train.batch < sequences ? config->train.batch : sequences;
    size_t leaves = plan_count_leaves(largest, config->train.microbatch);
    *learner = (struct learner){.config = config, .comm = comm, .optim = config->train.optim};
    learner->optim.total_steps = steps * config->train.epochs;
    optim_state_init(&learner->state);
    learner->net = net_describe(model, error);
    if (learner->net)
        learner->factor = tuning_create(config, learner->net, error);
    if (comm_agree(comm, error) || tally_init(&learner->tally, BALLOT_WORDS, error))
        return -1;
    learner->P = net_count_parameters(learner->net);
    if (share_node(learner, leaves, (size_t)largest, error))
        return -1;
    allocate_vectors(learner, most, error);
    error_explain_memory(error, "moments",
        "a smaller model.hidden or model.layers, or an optimizer with fewer moments (train.optimizer), take");
    return comm_agree(comm, error);
}

void learner_give_back(struct learner *learner)
{
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
    tally_finish(&learner->tally);
    teamwork_finish(&learner->teamwork);
    reduce_destroy(learner->reduce);
    node_finish(&learner->node);
    memory_destroy(learner->scores);
    memory_destroy(learner->factor);
    *learner = (struct learner){0};
}

void learner_pack(struct learner *learner, const float *weights)
{
    net_pack_share(learner->net, weights, (size_t)learner->node.rank, (size_t)learner->node.ranks);
    node_meet(&learner->node);
}

int learner_take_weights(struct learner *learner)
{
    uint64_t words[2]; /* hash, and how many blocks are not finite */
    learner_pack(learner, learner->weights);
    learner->share_hash = words[0] = learner_hash_share(learner, &words[1]);
    node_sum_inside(&learner->node, words, 2);
    learner->node_hash = words[0];
    return words[1] ? -1 : 0;
}

uint64_t learner_hash_weights(const struct learner *learner)
{
    return hash_bytes(learner->weights, learner->P * sizeof *learner->weights);
}

int learner_start(
    struct learner *learner, const float *weights, const unsigned char *fresh, struct error *error)
{
    size_t bytes = learner->P * sizeof *weights;
    int given = weights != NULL;
    comm_broadcast(learner->comm, &given, sizeof given, 0);
    node_meet(&learner->node); /* nobody reads the weights that were there */
    if (weights)
        memcpy(learner->weights, weights, bytes);
    if (given)
        node_broadcast(&learner->node, learner->weights, bytes, 0);
    if ((!given || fresh) && learner_make_weights(learner, given ? fresh : NULL, error))
        return -1;
    learner_take_weights(learner); /* what is not finite here was given so, and the first step says it */
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
    carried_restore(&learner->carried, checkpoint->states, checkpoint->going);
    return learner_start(learner, comm->rank == 0 ? checkpoint->weights : NULL, NULL, error);
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
