/* One training step: the microbatches of this rank go through the network one by one, their gradients into
 * the tree; the scores of all sequences are added without rounding; every rank completes its slices of the
 * gradient, updates its slices of the weights, and all gather the whole. */
#include "base/clock.h"
#include "base/hash.h"
#include "run/learner.h"
#include "run/progress.h"

#include <math.h>
#include <stdio.h>

/* ---- this rank's part ---- */

/* Is the work at hand to be left undone? The ballot tells the others. */
static int is_left(struct learner *learner)
{
    if ((learner->stop && *learner->stop) || learner->teamwork.team.left)
        learner->ballot.left = 1;
    return learner->ballot.left;
}

static struct net_pass make_pass(const struct learner *learner, const struct feed *feed, int training)
{
    struct net_pass pass = {
        .training = training, .memory = learner->config->train.activation_memory, .unwanted = learner->stop};
    if (training) {
        pass.seed = learner->config->train.seed;
        pass.epoch = (uint64_t)feed->now.epoch;
    }
    return pass;
}

/* What this rank's team makes of a microbatch goes into the tree, and its scores are told by the leader. */
static int compute_microbatch(struct learner *learner, const struct net_pass *pass,
    const struct microbatch *microbatch, struct error *error)
{
    struct net_outputs outputs;
    float *gradient = tree_sums_leaf(learner->sums, error);
    if (!gradient) {
        teamwork_leave(&learner->teamwork);
        return error_explain_memory(error, "sums of gradients",
            "a larger train.microbatch, more ranks, or a smaller model.hidden or model.layers take");
    }
    if (net_forward(learner->net, pass, microbatch, &outputs, learner->scores, error))
        return -1;
    if (pass->carry && teamwork_leads(&learner->teamwork))
        carried_judge(&learner->carried, pass->carry, learner->scores);
    net_backward(learner->net, pass, microbatch, gradient);
    teamwork_meet(&learner->teamwork); /* the gradient is whole */
    if (is_left(learner))
        return 0;
    tree_sums_add(learner->sums);
    if (teamwork_leads(&learner->teamwork))
        tally_add(&learner->tally, microbatch->B, learner->scores);
    comm_show_life(learner->comm);
    return 0;
}

/* Takes the next microbatch (teamwork_take), and makes the pass over it that of the team. */
static const struct microbatch *take_microbatch(struct learner *learner, const struct feed *feed,
    struct net_pass *pass, int has_leaf, struct error *error)
{
    struct teamwork *work = &learner->teamwork;
    pass->team = NULL;
    const struct microbatch *microbatch =
        teamwork_take(work, feed, pass, has_leaf, &learner->ballot.data_wait, error);
    pass->team = teamwork_team(work);
    return microbatch;
}

/* There was no microbatch: it could not be read, this rank has none, or it was asked to stop. */
static int end_early(struct learner *learner, const struct error *error)
{
    is_left(learner);
    return error->code ? -1 : 0;
}

/* The gradient of upper layers is complete, that of the first one is not. */
static void tell_ahead(void *context)
{
    struct learner *learner = context;
    tree_sums_add_ahead(learner->sums, reduce_ahead(learner->reduce));
    reduce_tell(learner->reduce);
}

static void look_ahead(void *context)
{
    struct learner *learner = context;
    reduce_look(learner->reduce);
}

static int compute_microbatches(struct learner *learner, const struct feed *feed, struct error *error)
{
    const struct feed_step *step = &feed->now;
    struct net_pass pass = make_pass(learner, feed, 1);
    struct net_carry carry;
    const struct net_ahead ahead = {.tell = tell_ahead, .look = look_ahead, .context = learner};
    tally_clear(&learner->tally);
    carried_begin(&learner->carried, &step->plan);
    learner->sums = reduce_start(learner->reduce, step->ranges, step->plan.leaves, step->team, error);
    if (!learner->sums)
        return -1;
    const size_t *range = step->ranges + step->team.first;
    size_t leaf = range[0];
    do {
        const struct microbatch *microbatch = take_microbatch(learner, feed, &pass, leaf < range[1], error);
        if (!microbatch)
            return end_early(learner, error);
        if (step->plan.excerpt.most) {
            carry = carried_of_leaf(&learner->carried, &step->plan, feed->length, leaf);
            pass.carry = &carry;
        }
        if (leaf + 1 == range[1] && reduce_ahead(learner->reduce))
            pass.ahead = &ahead;
        if (compute_microbatch(learner, &pass, microbatch, error))
            return -1;
    } while (++leaf < range[1] && !is_left(learner));
    return 0;
}

/* Tells on the ballot at hand of this rank's weights. */
static void fill_replica(struct learner *learner)
{
    uint64_t unfit;
    learner->replica = (struct replica){
        .hash = learner->node_hash, .changed = learner_hash_share(learner, &unfit) != learner->share_hash};
    learner->ballot.hash = learner->replica.hash;
    learner->ballot.changed = learner->replica.changed;
}

void learner_compute(struct learner *learner, struct feed *feed, const struct progress *progress,
    struct outcome *outcome, struct error *error)
{
    struct ballot *ballot = &learner->ballot;
    *outcome = (struct outcome){0};
    *error = (struct error){0};
    learner->started = clock_now();
    comm_set_step(learner->comm, progress->step + 1);
    if (feed_next(feed, error))
        comm_fatal(learner->comm, progress->step + 1, error->code, "%s", error->text);
    *ballot = (struct ballot){0};
    if (learner->noisy)
        outcome->comm_wait = learner_add_noise(learner, progress->step + 1);
    double before = clock_now();
    ballot->failed = compute_microbatches(learner, feed, error) != 0;
    learner->busy += clock_now() - before;
    ballot->waited = learner->waited;
    learner->waited = 0;
    fill_replica(learner);
}

/* ---- all ranks' part ---- */

enum { ADVICE = 700 }; /* bytes of room for it */

/* What may help against a loss or gradient that is not finite. Before the first update the rate had no part
 * in it. */
static const char *advise(const struct learner *learner, char text[static ADVICE])
{
    const struct config *config = learner->config;
    if (learner->state.step > 0)
        return PROGRESS_ADVICE;
    snprintf(text, ADVICE,
        "the weights are those of the start, so a smaller train.lr does not help: 'rnn-data info %.400s%s' "
        "shows values that are too large%s",
        config->data.train ? config->data.train[0] : "FILE",
        config->data.train && config->data.train[1] ? " ..." : "",
        config->data.standardize ? "" : ", and data.standardize = yes scales inputs");
    return text;
}

/* Divergence is a loss that is no finite number, or many times the mean of the epoch so far. */
static int check_loss(const struct learner *learner, const struct progress *progress, double sum, double loss,
    struct error *error)
{
    double mean = tally_mean(progress->epoch_loss, progress->epoch_counted);
    double explode = learner->config->train.explode;
    char advice[ADVICE];
    if (progress_check_finite(progress, progress->step + 1, "loss", sum, advise(learner, advice), error))
        return -1;
    if (!(explode * mean > 0) || !(loss > explode * mean))
        return 0;
    return error_set(error, EXIT_CODE_DIVERGED,
        "step %lld of epoch %lld: the loss is %.6g, more than train.explode = %g times the mean %.6g of the "
        "epoch so far; nothing of this step was saved: " PROGRESS_ADVICE,
        (long long)progress->step + 1, (long long)progress->epoch, loss, explode, mean);
}

/* Completes this rank's slices of the gradient, and takes the norm of the whole. */
static void complete_gradient(struct learner *learner, double counted, struct outcome *outcome)
{
    double before = clock_now();
    reduce_complete(learner->reduce, learner->slice);
    learner_divide_gradient(learner, (float)counted);
    outcome->gradient_norm = sqrt(reduce_squares(learner->reduce, learner->slice));
    outcome->comm_wait += clock_now() - before;
}

/* Updates this rank's slices of the weights, and gathers the whole. */
static void update_weights(struct learner *learner, struct outcome *outcome)
{
    double before = clock_now();
    double factor = optim_clip_factor(outcome->gradient_norm, learner->optim.clip);
    learner_update_slices(learner, outcome->learning_rate, factor);
    outcome->update = clock_now() - before;
    before = clock_now();
    reduce_gather(learner->reduce, learner->weights);
    outcome->comm_wait += clock_now() - before;
}

static int take_update(
    struct learner *learner, const struct progress *progress, struct outcome *outcome, struct error *error)
{
    double before = clock_now();
    int unfit = learner_take_weights(learner);
    outcome->update += clock_now() - before;
    return progress_check_finite(
        progress, progress->step + 1, "largest weight", unfit ? INFINITY : 0, PROGRESS_ADVICE, error);
}

/* Returns 0 where the step that diverged, on all ranks alike, is to be skipped. */
static int skip_step(
    const struct learner *learner, struct progress *progress, struct outcome *outcome, struct error *error)
{
    if (error->code != EXIT_CODE_DIVERGED || learner->config->train.on_divergence != DIVERGENCE_SKIP)
        return -1;
    if (progress->skipped >= LEARNER_MOST_SKIPPED)
        return error_prefix(error, "after %d skipped steps in a row: ", LEARNER_MOST_SKIPPED);
    progress->skipped++;
    outcome->skipped = *error;
    *error = (struct error){0};
    return 0;
}

/* With the first update, so that a job does not begin later for it; whoever takes one step has nothing of it.
 */
static void use_huge_pages(struct learner *learner)
{
    if (learner->small_pages)
        node_use_huge_pages(&learner->node, learner->small_pages, net_panel_bytes(learner->net));
    learner->small_pages = NULL;
}

/* Updates the weights, or leaves them where there is nothing to learn from the step. A step in which nothing
 * counts (all classes are -1, all values NaN) has no gradient: neither weights, nor moments, nor the number
 * of updates that warmup and schedule go by change, on any rank. It is a step of the run all the same, and so
 * is one that is skipped. */
static int use_step(struct learner *learner, const struct feed_step *step, struct progress *progress,
    struct net_score *sum, struct outcome *outcome, struct error *error)
{
    char advice[ADVICE];
    int failed = check_loss(learner, progress, sum->loss, outcome->loss, error);
    if (!failed && sum->counted > 0) {
        complete_gradient(learner, sum->counted, outcome);
        failed = progress_check_finite(progress, progress->step + 1, "norm of the gradient",
            outcome->gradient_norm, advise(learner, advice), error);
    }
    if (failed && skip_step(learner, progress, outcome, error))
        return -1;
    outcome->learning_rate = optim_rate(&learner->optim, &learner->state, step->epoch);
    if (!failed)
        progress->skipped = 0;
    else
        *sum = (struct net_score){0};
    if (sum->counted > 0) {
        update_weights(learner, outcome);
        use_huge_pages(learner);
        return take_update(learner, progress, outcome, error);
    }
    if (learner->noisy)
        learner_pack(learner, learner->weights);
    return 0;
}

/* All ranks call. Scores and ballot travel in one sum. */
static struct net_score sum_scores(struct learner *learner, struct outcome *outcome)
{
    double before = clock_now();
    size_t n;
    uint64_t *words = tally_words(&learner->tally, &n);
    ballot_pack(&learner->ballot, tally_extra(&learner->tally));
    node_sum(&learner->node, words, n);
    ballot_unpack(&learner->ballot, learner->comm->ranks, tally_extra(&learner->tally));
    outcome->comm_wait += clock_now() - before;
    return tally_total(&learner->tally);
}

static void describe_step(const struct learner *learner, const struct plan_step *plan, struct net_score sum,
    struct outcome *outcome)
{
    outcome->data_wait = learner->ballot.data_wait;
    outcome->loss = tally_mean(sum.loss, sum.counted);
    outcome->error = tally_mean(sum.errors, sum.labels);
    outcome->sequences = (int64_t)plan->sequences;
    for (size_t leaf = 0; leaf < plan->leaves; leaf++)
        outcome->frames += plan->frames[leaf];
}

static int update(struct learner *learner, const struct feed *feed, struct progress *progress,
    struct outcome *outcome, struct error *error)
{
    struct net_score sum = sum_scores(learner, outcome);
    if (learner->ballot.failed) {
        comm_agree(learner->comm, error);
        return error_prefix(error, "step %lld: ", (long long)progress->step + 1);
    }
    if (learner->ballot.left) {
        outcome->left = 1;
        return 0;
    }
    describe_step(learner, &feed->now.plan, sum, outcome);
    if (ballot_check_replicas(&learner->ballot, learner->comm, &learner->replica, progress->step, error) ||
        use_step(learner, &feed->now, progress, &sum, outcome, error))
        return -1;
    carried_end(&learner->carried, &feed->now.plan, outcome->skipped.code != 0);
    progress_count_step(progress, sum);
    return 0;
}

int learner_update(struct learner *learner, const struct feed *feed, struct progress *progress,
    struct outcome *outcome, struct error *error)
{
    int failed = update(learner, feed, progress, outcome, error);
    double before = clock_now();
    reduce_abandon(learner->reduce); /* where nothing came of the step's gradient */
    outcome->comm_wait += clock_now() - before;
    if (failed || outcome->left)
        return failed;
    learner->waited += outcome->comm_wait;
    outcome->seconds = clock_now() - learner->started;
    return 0;
}

int learner_agree_weights(struct learner *learner, int64_t step, struct error *error)
{
    learner->ballot = (struct ballot){0};
    fill_replica(learner);
    ballot_count(&learner->ballot, &learner->node);
    return ballot_check_replicas(&learner->ballot, learner->comm, &learner->replica, step, error);
}

/* ---- without learning ---- */

int learner_score(struct learner *learner, const struct feed *feed, struct tally *tally, struct error *error)
{
    const struct feed_step *step = &feed->now;
    struct net_pass pass = make_pass(learner, feed, 0);
    const size_t *range = step->ranges + step->team.first;
    size_t leaf = range[0];
    do {
        struct net_outputs outputs;
        const struct microbatch *microbatch = take_microbatch(learner, feed, &pass, leaf < range[1], error);
        if (!microbatch)
            return end_early(learner, error);
        if (net_forward(learner->net, &pass, microbatch, &outputs, learner->scores, error))
            return -1;
        if (is_left(learner))
            break;
        if (teamwork_leads(&learner->teamwork))
            tally_add(tally, microbatch->B, learner->scores);
        comm_show_life(learner->comm);
    } while (++leaf < range[1]);
    return 0;
}
