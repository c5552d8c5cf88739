#include "run/sets.h"

#include "base/hash.h"
#include "base/memory.h"
#include "net/standardize.h"
#include "pass/model.h"
#include "pass/stop.h"

#include <string.h>

struct cache_share sets_share_cache(const struct config *config, size_t values)
{
    size_t cache = config->data.cache;
    if (!config->data.valid)
        return (struct cache_share){.train = cache};
    if (values <= cache)
        return (struct cache_share){.train = cache, .valid = cache - values};
    return (struct cache_share){.train = cache - cache / 2, .valid = cache / 2};
}

struct plan_order sets_describe_order(const struct config *config, const struct dataset *dataset)
{
    struct plan_order order = {
        .keeps_order = config->data.shuffle == SHUFFLE_NONE, .most = config->train.truncate};
    if (config->data.shuffle == SHUFFLE_WINDOWS)
        order.windows = dataset_describe_windows(dataset, config->data.window);
    return order;
}

int sets_require_window(const struct config *config, struct dataset *dataset, struct error *error)
{
    int has_windows = config->data.shuffle == SHUFFLE_WINDOWS;
    return has_windows ? dataset_require_window(dataset, config->data.window, error) : 0;
}

/* Each rank opens both sets for itself. */
static void open_both(struct sets *sets, const struct config *config, const struct comm *comm,
    struct net_config *model, struct error *error)
{
    sets->train = dataset_look(config->data.train, error);
    comm_show_life(comm);
    if (!sets->train || model_bind(model, sets->train, error) ||
        sets_require_window(config, sets->train, error) || !config->data.valid)
        return;
    sets->valid = dataset_look(config->data.valid, error);
    comm_show_life(comm);
    if (sets->valid)
        model_accepts(model, sets->valid, 1, error);
}

/* Hashes what all ranks must have alike to go in step: the configuration, and the shapes and offsets of the
 * sets. */
static uint64_t hash_common(const struct sets *sets, const struct config *config, struct error *error)
{
    char *text = config_write(config, 0, error);
    uint64_t hash = text ? hash_bytes(text, strlen(text)) : 0;
    const struct dataset *both[] = {sets->train, sets->valid};
    for (size_t i = 0; i < 2 && both[i]; i++) {
        const struct dataset *set = both[i];
        int64_t shape[] = {set->sequences, set->targets, (int64_t)set->features, set->symbols,
            (int64_t)set->values, set->classes};
        size_t bytes = ((size_t)set->sequences + 1) * sizeof *set->input_offsets;
        hash = hash_combine(hash, hash_bytes(shape, sizeof shape));
        hash = hash_combine(hash, hash_bytes(set->input_offsets, bytes));
    }
    memory_destroy(text);
    return hash;
}

/* All ranks call. Ranks on other nodes may have been given other options, or have another file under the same
 * name. */
static int check_common(
    const struct sets *sets, const struct config *config, const struct comm *comm, struct error *error)
{
    uint64_t own = hash_common(sets, config, error), first = own;
    comm_broadcast(comm, &first, sizeof first, 0);
    if (own != first && error->code == 0)
        error_set(error, EXIT_CODE_DATA,
            "%s: the configuration, or what is in this file or in that of data.valid, is not what rank 0 "
            "has: give all ranks the same options and files",
            sets->train->name);
    return comm_agree(comm, error);
}

int sets_open(struct sets *sets, const struct config *config, const struct comm *comm,
    struct net_config *model, struct error *error)
{
    sets->comm = comm;
    open_both(sets, config, comm, model, error);
    return comm_agree(comm, error) || check_common(sets, config, comm, error) ? -1 : 0;
}

/* Rank 0 calls. Takes mean and deviation [2][features] as a checkpoint has them, or else computes them. */
static int find_moments(const struct sets *sets, const struct checkpoint *checkpoint, struct error *error)
{
    size_t features = sets->features;
    if (!checkpoint || checkpoint->features != features)
        return dataset_moments(sets->train, sets->mean, sets->mean + features, error);
    memcpy(sets->mean, checkpoint->mean, features * sizeof *sets->mean);
    memcpy(sets->mean + features, checkpoint->deviation, features * sizeof *sets->mean);
    return 0;
}

int sets_standardize(struct sets *sets, const struct config *config, const struct comm *comm,
    const struct checkpoint *checkpoint, struct error *error)
{
    size_t features = sets->train->features;
    if (!config->data.standardize || features == 0)
        return 0;
    sets->features = features;
    sets->mean = memory_create(2 * features, sizeof *sets->mean, error);
    sets->mean_float = memory_create(2 * features, sizeof *sets->mean_float, error);
    int has_memory = sets->mean && sets->mean_float;
    if (has_memory && comm->rank == 0)
        sets_look(sets, find_moments(sets, checkpoint, error), error);
    if (comm_agree(comm, error) || !has_memory) /* without memory there is an error to agree on */
        return -1;
    comm_broadcast(comm, sets->mean, 2 * features * sizeof *sets->mean, 0);
    sets->deviation = sets->mean + features;
    sets->deviation_float = sets->mean_float + features;
    standardize_moments(sets->mean, 2 * features, sets->mean_float);
    return 0;
}

void sets_close(struct sets *sets)
{
    dataset_close(sets->train);
    dataset_close(sets->valid);
    sets_release_values(sets);
    memory_destroy(sets->mean);
    memory_destroy(sets->mean_float);
    net_names_finish(&sets->names);
    for (int i = 0; i < DATA_SETS; i++) {
        value_sums_finish(&sets->record[i].sums);
        memory_destroy(sets->record[i].files);
    }
    *sets = (struct sets){0};
}

int sets_look(struct sets *sets, int failed, struct error *error)
{
    for (int i = 0; i < DATA_SETS; i++) {
        struct file_watch *watch = &sets->record[i].watch;
        if (failed)
            file_watch_explain(watch, error);
        else if (file_watch_look(watch, error))
            return -1;
    }
    return failed ? -1 : 0;
}

int sets_agree_unchanged(struct sets *sets, struct error *error)
{
    for (int i = 0; i < DATA_SETS && error->code == 0; i++)
        file_watch_look_now(&sets->record[i].watch, error);
    return comm_agree(sets->comm, error);
}

struct feed_config sets_describe_feed(struct sets *sets, const struct config *config, struct dataset *dataset)
{
    int training = dataset == sets->train;
    struct set_record *record = &sets->record[training ? DATA_TRAIN : DATA_VALID];
    return (struct feed_config){.dataset = dataset,
        .order = training ? sets_describe_order(config, dataset) : (struct plan_order){0},
        .sums = record->sums.sum ? &record->sums : NULL,
        .mean = sets->mean_float,
        .deviation = sets->deviation_float,
        .batch = config->train.batch,
        .microbatch = config->train.microbatch,
        .stop = stop_flag()};
}
