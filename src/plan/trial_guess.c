/* The steps are gone through once more, without learning and with weights of zero, so that the head's biases
 * are all there is of the outputs: zeroes, by which all classes are alike, or the mean of real-valued targets
 * (net/losses/loss.h). Whatever the output and its targets are, the loss is then computed as it always is. */
#include "base/memory.h"
#include "data/statistics.h"
#include "net/losses/loss.h"
#include "plan/trial.h"

#include <string.h>

/* Fills the biases of the head by a sample of the targets. */
static int guess_values(
    struct dataset *dataset, const struct net_config *model, float *bias, struct error *error)
{
    size_t V = model->outputs;
    struct column_statistics *columns = memory_create(V, sizeof *columns, error);
    double *mean = columns ? memory_create(2 * V, sizeof *mean, error) : NULL;
    int failed = !mean || statistics_sample_targets(dataset, columns, error);
    for (size_t v = 0; v < V && !failed; v++) {
        mean[v] = columns[v].mean;
        mean[V + v] = columns[v].deviation * columns[v].deviation;
    }
    if (!failed)
        loss_guess(model, V, mean, mean + V, bias);
    memory_destroy(columns);
    memory_destroy(mean);
    return failed ? -1 : 0;
}

/* Rank 0 calls. The caller's (memory_destroy); NULL and an error. */
static float *make_weights(struct run *run, struct error *error)
{
    const struct net *net = run->learner.net;
    const struct net_config *model = net_get_config(net);
    float *weights = memory_create(run->learner.P, sizeof *weights, error);
    size_t tensors, i = 0;
    const struct parameter *tensor = net_get_parameters(net, &tensors);
    if (!weights)
        return NULL;
    while (i < tensors && strcmp(tensor[i].name, "head.bias") != 0)
        i++;
    if (!loss_of(model)->takes_classes && i < tensors &&
        guess_values(run->sets.train, model, weights + tensor[i].offset, error)) {
        memory_destroy(weights);
        return NULL;
    }
    return weights;
}

static int take_weights(struct run *run, struct error *error)
{
    float *weights = NULL;
    *error = (struct error){0};
    if (run->comm->rank == 0)
        weights = make_weights(run, error);
    int failed = comm_agree(run->comm, error) || learner_start(&run->learner, weights, NULL, error);
    memory_destroy(weights);
    return failed;
}

/* Each rank calls this for itself. */
static int start_feed(const struct trial *trial, struct feed *feed, struct error *error)
{
    struct run *run = trial->run;
    struct feed_config order = sets_describe_feed(&run->sets, run->config, run->sets.train);
    order.sums = NULL;
    order.node = &run->learner.node;
    order.seed = run->config->train.seed;
    order.epoch = trial->step[0].epoch;
    order.index = trial->step[0].index;
    order.last_epoch = run->config->train.epochs;
    return feed_init(feed, run->comm, &order, error);
}

static int score_steps(const struct trial *trial, struct feed *feed, struct tally *tally, struct error *error)
{
    struct run *run = trial->run;
    for (int s = 0; s < trial->made; s++) {
        if (feed_next(feed, error)) /* the others may wait for it in a team */
            comm_fatal(run->comm, run->progress.step, error->code, "%s", error->text);
        learner_score(&run->learner, feed, tally, error);
        if (comm_agree(run->comm, error))
            return -1;
    }
    return 0;
}

int trial_guess(struct trial *trial, struct error *error)
{
    struct run *run = trial->run;
    struct feed feed = {0};
    struct tally tally = {0};
    if (take_weights(run, error))
        return -1;
    if (start_feed(trial, &feed, error) == 0)
        tally_init(&tally, 0, error);
    int failed = comm_agree(run->comm, error) || score_steps(trial, &feed, &tally, error);
    feed_finish(&feed);
    if (!failed) {
        size_t n;
        uint64_t *words = tally_words(&tally, &n);
        node_sum(&run->learner.node, words, n);
        struct net_score sum = tally_total(&tally);
        trial->guess = tally_mean(sum.loss, sum.counted);
    }
    tally_finish(&tally);
    return failed ? -1 : 0;
}
