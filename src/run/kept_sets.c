/* The values of a set lie decoded once for the ranks of a node, or once on each rank, or stay in the file.
 * Whether a set is kept follows from its size and data.cache alone, and not from how many ranks there are:
 * what a checkpoint knows of the data before the first epoch has ended, and which fault of a file is found
 * first, are then the same on any number of them. Whether a copy is shared is the affair of each node.
 *
 * Ranks that opened different files of one name never share: what one of them decoded would be taken for
 * what is in the files of the others. */
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/files.h"
#include "data/kept.h"
#include "data/names.h"
#include "pass/model.h"
#include "run/sets.h"

#include <inttypes.h>
#include <string.h>

/* Every rank of the node calls. Have all opened the same files? */
static int have_same_files(struct node *node, const char *own)
{
    uint64_t files[NODE_MOST_RANKS];
    node_gather_inside(node, hash_bytes(own, strlen(own)), files);
    for (int r = 1; r < node->ranks; r++)
        if (files[r] != files[0])
            return 0;
    return 1;
}

/* Every rank of the node calls. Makes shared memory for a set; where there is none, *warning says why, unless
 * no rank is to share it. */
static void share_memory(
    struct node *node, const char *files, struct set_memory *memory, struct error *warning)
{
    if (node->ranks == 1 || !have_same_files(node, files))
        return;
    memory->values = node_share(node, memory->bytes, warning);
    memory->is_shared = memory->values != NULL;
}

static void release(struct sets *sets, struct set_memory *memory)
{
    if (memory->is_shared)
        node_unshare(sets->node, memory->values, memory->bytes);
    else
        memory_destroy(memory->values);
    *memory = (struct set_memory){0};
}

void sets_release_values(struct sets *sets)
{
    for (int i = 0; i < DATA_SETS; i++)
        release(sets, &sets->memory[i]);
}

/* All ranks call. Finds memory for a set. */
static int find_memory(struct sets *sets, int i, const struct dataset *dataset, struct error *error)
{
    struct node *node = sets->node;
    struct set_memory *memory = &sets->memory[i];
    struct error warning = {0};
    *memory = (struct set_memory){.bytes = kept_count_bytes(dataset)};
    share_memory(node, sets->record[i].files, memory, &warning);
    if (warning.code && node->rank == 0)
        log_line(LOG_WARNING, "%s: %s: each keeps decoded values of its own", dataset->name, warning.text);
    if (!memory->values && !(memory->values = memory_create(memory->bytes, 1, error)))
        error_explain_memory(error, dataset->name, "its decoded values: a smaller data.cache takes");
    return comm_agree(sets->comm, error);
}

/* All ranks call. A fault of the inputs is told before one of the targets, whoever finds it. */
static int decode(
    struct sets *sets, struct dataset *dataset, const struct set_memory *memory, struct error *error)
{
    const struct comm *comm = sets->comm;
    struct kept_share share = {.parts = 1, .alive = comm_show_life_of, .context = comm};
    if (memory->is_shared) {
        share.part = (size_t)sets->node->rank;
        share.parts = (size_t)sets->node->ranks;
    }
    kept_decode_inputs(dataset, &share, memory->values, error);
    if (comm_agree_on_parts(comm, error))
        return -1;
    kept_decode_targets(dataset, &share, memory->values, error);
    if (comm_agree_on_parts(comm, error))
        return -1;
    node_meet(sets->node);
    kept_use(dataset, memory->values);
    return 0;
}

/* All ranks call. Keeps a set, or prepares for reading it, of which `cache` bytes are its own. */
static int keep_set(struct sets *sets, int i, size_t cache, struct error *error)
{
    struct dataset *dataset = i == DATA_TRAIN ? sets->train : sets->valid;
    dataset->cache = cache;
    sets->record[i].files = dataset_write_files(dataset, error);
    if (comm_agree(sets->comm, error))
        return -1;
    if (dataset_count_values(dataset) <= cache)
        return find_memory(sets, i, dataset, error) || decode(sets, dataset, &sets->memory[i], error) ? -1
                                                                                                      : 0;
    dataset_read_as_asked(dataset, cache, error);
    return comm_agree(sets->comm, error);
}

/* Rank 0 calls. */
static int require_labels(const struct sets *sets, const struct config *config, struct error *error)
{
    if (model_require_labels(config, sets->train, !sets->valid, error))
        return -1;
    return sets->valid ? model_require_labels(config, sets->valid, 1, error) : 0;
}

static int watch_set(
    struct sets *sets, const struct config *config, int i, struct dataset *dataset, struct error *error)
{
    struct set_record *record = &sets->record[i];
    return file_watch_begin(&record->watch, sets->comm, dataset, config->train.seed, &record->print, error);
}

int sets_keep(struct sets *sets, const struct config *config, struct node *node, struct error *error)
{
    const struct cache_share share = sets_share_cache(config, dataset_count_values(sets->train));
    sets->node = node;
    if (keep_set(sets, DATA_TRAIN, share.train, error) ||
        (sets->valid && keep_set(sets, DATA_VALID, share.valid, error)))
        return -1;
    if (watch_set(sets, config, DATA_TRAIN, sets->train, error) ||
        (sets->valid && watch_set(sets, config, DATA_VALID, sets->valid, error)))
        return -1;
    if (sets->comm->rank == 0)
        sets_look(sets,
            require_labels(sets, config, error) || dataset_read_names(sets->train, &sets->names, error),
            error);
    return comm_agree(sets->comm, error);
}
