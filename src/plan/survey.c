/* The memory of a microbatch is asked of the functions that make room for it, with a microbatch of the same
 * lengths and numbers of targets but without inputs: it depends on nothing else. */
#include "plan/survey.h"

#include "base/memory.h"
#include "data/plan.h"
#include "run/sets.h"

struct surveyor {
    struct net *net;
    const struct dataset *dataset;
    struct net_pass pass;
    struct microbatch_format format, layout; /* of the dataset's microbatches; of what stands for them */
    struct microbatch microbatch;
    size_t most_rows, most_steps, most_bytes;
    size_t most_of_team; /* bytes of the workspace of a team in the step at hand */
    int32_t *length;     /* [sequences] of the dataset */
    int32_t *shape;      /* [2 * batch] lengths and numbers of targets of a microbatch */
    struct dealing dealing;
};

static void take_larger(size_t *most, size_t n)
{
    if (n > *most)
        *most = n;
}

/* A team has its workspace in memory of the node, a rank that computes alone its own. */
static void survey_workspace(struct surveyor *surveyor, size_t members, struct survey *survey)
{
    struct net_team team = {.members = members};
    struct net_pass pass = surveyor->pass;
    pass.team = members > 1 ? &team : NULL;
    struct net_saving saving = net_find_saving(surveyor->net, &pass, &surveyor->microbatch);
    take_larger(members > 1 ? &surveyor->most_of_team : &survey->activations, saving.bytes);
    survey->repeated +=
        net_count_repeated(net_get_config(surveyor->net), &saving, (double)surveyor->microbatch.N);
}

static int survey_microbatch(struct surveyor *surveyor, const struct plan_step *step, size_t leaf,
    struct survey *survey, struct error *error)
{
    size_t B = step->start[leaf + 1] - step->start[leaf];
    const int64_t *sequence = step->sequence + step->start[leaf];
    int32_t *length = surveyor->shape, *targets = length + B;
    struct microbatch *microbatch = &surveyor->microbatch;
    for (size_t b = 0; b < B; b++) {
        length[b] = excerpt_length(step->excerpt, surveyor->length[sequence[b]]);
        targets[b] = dataset_targets(surveyor->dataset, sequence[b]);
    }
    if (microbatch_resize(microbatch, &surveyor->layout, B, length, sequence, targets, error))
        return -1;
    take_larger(&surveyor->most_rows, B);
    take_larger(&surveyor->most_steps, microbatch->T);
    take_larger(&surveyor->most_bytes,
        microbatch_frames_bytes(&surveyor->format, B, microbatch->N, microbatch->target_rows));
    survey_workspace(surveyor, surveyor->dealing.members[leaf], survey);
    survey->frames += (int64_t)microbatch->N;
    survey->times += (int64_t)microbatch->T;
    survey->small_microbatches += microbatch->N < SURVEY_SMALL_MICROBATCH;
    return 0;
}

static int survey_step(
    struct surveyor *surveyor, const struct plan_step *step, struct survey *survey, struct error *error)
{
    dealing_add(&surveyor->dealing, step);
    surveyor->most_of_team = 0;
    for (size_t leaf = 0; leaf < step->leaves; leaf++)
        if (survey_microbatch(surveyor, step, leaf, survey, error))
            return -1;
    take_larger(&survey->teams, surveyor->dealing.teams);
    take_larger(&survey->team_activations, surveyor->dealing.teams * surveyor->most_of_team);
    survey->microbatches += (int64_t)step->leaves;
    return 0;
}

static int surveyor_init(struct surveyor *surveyor, const struct config *config,
    const struct planned_ranks *ranks, struct survey *survey, struct error *error)
{
    const struct dataset *dataset = surveyor->dataset;
    int64_t batch = config->train.batch < dataset->sequences ? config->train.batch : dataset->sequences;
    survey->leaves = plan_count_leaves(batch, config->train.microbatch);
    surveyor->format = surveyor->layout = dataset_format(dataset);
    surveyor->layout.inputs = surveyor->layout.values = 0;
    surveyor->layout.has_classes = 1;
    microbatch_init(&surveyor->microbatch);
    surveyor->length = memory_create((size_t)dataset->sequences, sizeof *surveyor->length, error);
    surveyor->shape = memory_create(2 * (size_t)batch, sizeof *surveyor->shape, error);
    if (!surveyor->length || !surveyor->shape)
        return -1;
    if (dealing_init(&surveyor->dealing, ranks, survey->leaves, net_count_employed(surveyor->net), error))
        return -1;
    dataset_write_lengths(dataset, surveyor->length);
    return 0;
}

static void surveyor_finish(struct surveyor *surveyor)
{
    microbatch_finish(&surveyor->microbatch);
    memory_destroy(surveyor->length);
    memory_destroy(surveyor->shape);
    dealing_finish(&surveyor->dealing);
}

/* Takes over what all steps came to. */
static void conclude(const struct surveyor *surveyor, struct survey *survey)
{
    const struct dealing *dealing = &surveyor->dealing;
    survey->ranks = dealing->ranks;
    survey->nodes = dealing->nodes;
    survey->vectors = dealing->vectors;
    survey->parts = dealing->parts;
    survey->team_steps = dealing->team_steps;
    survey->least = dealing->least;
    survey->most = dealing->most;
    survey->fewest = dealing->fewest;
    survey->idle = dealing->idle;
    survey->balance = dealing->balance / (double)survey->steps;
    survey->packed = microbatch_rows_bytes(surveyor->most_rows, surveyor->most_steps) + surveyor->most_bytes;
}

int survey_make(const struct config *config, struct net *net, const struct dataset *dataset, int training,
    const struct planned_ranks *ranks, struct survey *survey, struct error *error)
{
    struct surveyor surveyor = {.net = net,
        .dataset = dataset,
        .pass = {.training = training, .memory = config->train.activation_memory}};
    struct plan plan = {0};
    struct plan_step step = {0};
    *survey = (struct survey){0};
    int failed = surveyor_init(&surveyor, config, ranks, survey, error) ||
        plan_init(&plan, dataset->sequences, surveyor.length, config->train.batch, config->train.microbatch,
            config->train.seed, error);
    if (!failed) {
        const struct plan_order order =
            training ? sets_describe_order(config, dataset) : (struct plan_order){0};
        failed = plan_set_order(&plan, &order, error);
    }
    if (!failed) {
        plan_set_epoch(&plan, training ? 1 : 0);
        survey->steps = plan.steps;
    }
    for (int64_t s = 0; s < survey->steps && !failed; s++)
        failed = plan_make_step(&plan, s, &step, error) || survey_step(&surveyor, &step, survey, error);
    if (!failed)
        conclude(&surveyor, survey);
    plan_step_finish(&step);
    plan_finish(&plan);
    surveyor_finish(&surveyor);
    return failed ? -1 : 0;
}
