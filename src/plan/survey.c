/* The memory of a microbatch is asked of the functions that make room for it, with a microbatch of the same
 * lengths and numbers of targets but without inputs: it depends on nothing else. */
#include "plan/survey.h"

#include "base/memory.h"
#include "comm/tree.h"
#include "data/plan.h"
#include "run/sets.h"

struct surveyor {
    struct net *net;
    const struct dataset *dataset;
    struct net_pass pass;
    struct microbatch_format format, layout; /* of the dataset's microbatches; of what stands for them */
    struct microbatch microbatch;
    size_t most_rows, most_steps, most_bytes;
    int32_t *length; /* [sequences] of the dataset */
    int32_t *shape;  /* [2 * batch] lengths and numbers of targets of a microbatch */
    size_t *ranges;  /* [ranks + 1] */
};

static void take_larger(size_t *most, size_t n)
{
    if (n > *most)
        *most = n;
}

static int survey_microbatch(struct surveyor *surveyor, const struct plan_step *step, size_t leaf,
    struct survey *survey, struct error *error)
{
    size_t B = step->start[leaf + 1] - step->start[leaf];
    const int64_t *sequence = step->sequence + step->start[leaf];
    int32_t *length = surveyor->shape, *targets = length + B;
    struct microbatch *microbatch = &surveyor->microbatch;
    for (size_t b = 0; b < B; b++) {
        length[b] = surveyor->length[sequence[b]];
        targets[b] = dataset_targets(surveyor->dataset, sequence[b]);
    }
    if (microbatch_resize(microbatch, &surveyor->layout, B, length, sequence, targets, error))
        return -1;
    take_larger(&surveyor->most_rows, B);
    take_larger(&surveyor->most_steps, microbatch->T);
    take_larger(&surveyor->most_bytes,
        microbatch_frames_bytes(&surveyor->format, B, microbatch->N, microbatch->target_rows));
    take_larger(&survey->activations, net_workspace_bytes(surveyor->net, &surveyor->pass, microbatch));
    survey->small_microbatches += microbatch->N < SURVEY_SMALL_MICROBATCH;
    return 0;
}

/* Ranks beyond the leaves of a step have none (plan_cut), however many they are, and are not gone through. */
static size_t count_busy(size_t ranks, int64_t leaves)
{
    return ranks < (size_t)leaves ? ranks : (size_t)leaves;
}

static int survey_step(struct surveyor *surveyor, const struct plan_step *step, size_t ranks,
    struct survey *survey, struct error *error)
{
    size_t nodes = 0, *ranges = surveyor->ranges;
    int64_t total = 0, busiest = 0;
    struct tree_node list[TREE_MOST_NODES];
    size_t busy = count_busy(ranks, (int64_t)step->leaves);
    plan_cut(step, busy, ranges);
    for (size_t r = 0; r < busy; r++) {
        int64_t cost = 0;
        for (size_t leaf = ranges[r]; leaf < ranges[r + 1]; leaf++) {
            cost += step->cost[leaf];
            if (survey_microbatch(surveyor, step, leaf, survey, error))
                return -1;
        }
        take_larger(&survey->most_vectors, tree_count_vectors(step->leaves, ranges[r], ranges[r + 1]));
        nodes += tree_list_nodes(step->leaves, ranges[r], ranges[r + 1], list);
        total += cost;
        if (cost > busiest)
            busiest = cost;
    }
    survey->microbatches += (int64_t)step->leaves;
    take_larger(&survey->most_nodes, nodes);
    survey->balance += (double)total / (double)ranks / (double)busiest;
    return 0;
}

static int surveyor_init(
    struct surveyor *surveyor, const struct config *config, size_t ranks, struct error *error)
{
    const struct dataset *dataset = surveyor->dataset;
    int64_t batch = config->train.batch < dataset->sequences ? config->train.batch : dataset->sequences;
    size_t most = count_busy(ranks, batch); /* a leaf has a sequence at least */
    surveyor->format = surveyor->layout = dataset_format(dataset);
    surveyor->layout.inputs = surveyor->layout.values = 0;
    surveyor->layout.has_classes = 1;
    microbatch_init(&surveyor->microbatch);
    surveyor->length = memory_create((size_t)dataset->sequences, sizeof *surveyor->length, error);
    surveyor->shape = memory_create(2 * (size_t)batch, sizeof *surveyor->shape, error);
    surveyor->ranges = memory_create(most + 1, sizeof *surveyor->ranges, error);
    if (!surveyor->length || !surveyor->shape || !surveyor->ranges)
        return -1;
    for (int64_t s = 0; s < dataset->sequences; s++)
        surveyor->length[s] = dataset_length(dataset, s);
    return 0;
}

static void surveyor_finish(struct surveyor *surveyor)
{
    microbatch_finish(&surveyor->microbatch);
    memory_destroy(surveyor->length);
    memory_destroy(surveyor->shape);
    memory_destroy(surveyor->ranges);
}

int survey_make(const struct config *config, struct net *net, const struct dataset *dataset, int training,
    size_t ranks, struct survey *survey, struct error *error)
{
    struct surveyor surveyor = {.net = net, .dataset = dataset, .pass = {.training = training}};
    struct plan plan = {0};
    struct plan_step step = {0};
    *survey = (struct survey){0};
    int failed = surveyor_init(&surveyor, config, ranks, error) ||
        plan_init(&plan, dataset->sequences, surveyor.length, config->train.batch, config->train.microbatch,
            config->train.seed, error);
    if (!failed) {
        const struct plan_order order = sets_describe_order(config, dataset);
        failed = plan_set_order(&plan, &order, error);
    }
    if (!failed) {
        survey->steps = plan.steps;
        plan_set_epoch(&plan, training ? 1 : 0);
    }
    for (int64_t s = 0; s < survey->steps && !failed; s++)
        failed =
            plan_make_step(&plan, s, &step, error) || survey_step(&surveyor, &step, ranks, survey, error);
    survey->balance /= survey->steps ? (double)survey->steps : 1;
    survey->packed = microbatch_rows_bytes(surveyor.most_rows, surveyor.most_steps) + surveyor.most_bytes;
    plan_step_finish(&step);
    plan_finish(&plan);
    surveyor_finish(&surveyor);
    return failed ? -1 : 0;
}
