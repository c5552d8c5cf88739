/* What a run computes with: the network, and the vectors that are as long as its parameters. */
#include "base/memory.h"
#include "run/run.h"

static size_t at_most(int64_t n, int64_t most)
{
    return (size_t)(n < most ? n : most);
}

/* Scores are of a microbatch of either set. */
static void allocate_vectors(struct run *run, struct error *error)
{
    const struct config *config = run->config;
    int64_t sequences = run->train->sequences;
    int64_t most = run->valid && run->valid->sequences > sequences ? run->valid->sequences : sequences;
    size_t room = reduce_room(run->P), batch = at_most(config->train.batch, sequences);
    size_t microbatch = at_most(config->train.microbatch, most);
    reduce_get_slice(run->reduce, &run->slice_first, &run->slice_count);
    tree_sums_init(&run->sums, room);
    run->weights = memory_create(room, sizeof *run->weights, error);
    if (config->train.weight_noise > 0)
        run->noisy = memory_create(room, sizeof *run->noisy, error);
    run->scores = memory_create(microbatch, sizeof *run->scores, error);
    if (run->comm->ranks > 1)
        run->slice = memory_create(run->slice_count, sizeof *run->slice, error);
    for (size_t m = 0; m < optim_count_moments(run->optim.optimizer); m++)
        run->moments[m] = memory_create(run->slice_count, sizeof *run->moments[m], error);
    run->pace.busy = memory_create((size_t)run->comm->ranks, sizeof *run->pace.busy, error);
    tally_init(&run->tally, batch, run_count_rides(run->comm), error);
}

int run_make(struct run *run, const struct net_config *model, struct error *error)
{
    const struct config *config = run->config;
    int64_t batch = config->train.batch, steps = (run->train->sequences + batch - 1) / batch;
    run->optim = config->train.optim;
    run->optim.total_steps = steps * config->train.epochs;
    run->net = net_create(model, error);
    if (comm_agree(run->comm, error))
        return -1;
    run->P = net_count_parameters(run->net);
    run->reduce = reduce_create(run->comm, run->P, error);
    if (run->reduce)
        allocate_vectors(run, error);
    return comm_agree(run->comm, error);
}

void run_unmake(struct run *run)
{
    tally_finish(&run->tally);
    tree_sums_finish(&run->sums);
    reduce_destroy(run->reduce);
    net_destroy(run->net);
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++)
        memory_destroy(run->moments[m]);
    memory_destroy(run->slice);
    memory_destroy(run->pace.busy);
    memory_destroy(run->scores);
    memory_destroy(run->noisy);
    memory_destroy(run->weights);
}
