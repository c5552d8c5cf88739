/* Rank 0 reads the checkpoint and tells the others what they need of it: the shape of the network, its
 * weights, and what the inputs were standardized by. */
#include "predict/model.h"
#include "base/log.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/trained.h"
#include "config/config.h"
#include "net/standardize.h"

#include <string.h>

/* What goes from rank 0 to all. */
struct model_notice {
    struct net_config config;
    int64_t microbatch;
    size_t features;
};

static void take_fault(void *context, const char *text)
{
    error_set(context, EXIT_CODE_DATA, "%s", text);
}

/* Reads the microbatch of the checkpoint's run. */
static int read_microbatch(const struct checkpoint *checkpoint, int64_t *microbatch, struct error *error)
{
    struct config config;
    struct faults faults;
    faults_init(&faults, 1, take_fault, error);
    config_read_saved(&config, checkpoint->config, &faults);
    *microbatch = config.train.microbatch;
    config_finish(&config);
    return faults.count ? -1 : 0;
}

static int read_checkpoint(
    const char *path, struct checkpoint *checkpoint, struct model_notice *notice, struct error *error)
{
    if (trained_read(path, CHECKPOINT_ANY, checkpoint, error))
        return -1;
    notice->config = checkpoint->model;
    notice->features = checkpoint->features;
    if (!notice->microbatch && read_microbatch(checkpoint, &notice->microbatch, error))
        return error_prefix(error, "%s: ", path);
    return 0;
}

/* All ranks call. Finds the ranks of each node, and gives their nets memory for panels together. */
static int share_node(struct predict_model *model, const struct comm *comm, struct error *error)
{
    char warning[300];
    const struct node_size size = {.once = net_panel_bytes(model->net), .of_rank = teamwork_bytes_of_rank()};
    if (node_init(&model->node, comm, size, warning, sizeof warning, error))
        return error_explain_memory(
            error, "packed weights of the network", "a smaller model.hidden or model.layers takes");
    if (warning[0])
        log_line(LOG_WARNING, "%s", warning);
    net_use_panels(model->net, node_take(&model->node, net_panel_bytes(model->net)));
    teamwork_init(&model->teamwork, &model->node, model->net);
    return 0;
}

/* All ranks call. Packs rank 0's weights on every node, which has them once for that long; each rank packs a
 * share. */
static int share_weights(
    struct predict_model *model, const struct comm *comm, const float *given, struct error *error)
{
    struct node *node = &model->node;
    size_t bytes = net_count_parameters(model->net) * sizeof(float);
    float *weights = node_share(node, bytes, error);
    int failed = comm_agree(comm, error);
    if (!failed) {
        if (comm->rank == 0)
            memcpy(weights, given, bytes);
        node_broadcast(node, weights, bytes, 0);
        net_pack_share(model->net, weights, (size_t)node->rank, (size_t)node->ranks);
        node_meet(node);
    }
    node_unshare(node, weights, bytes);
    return failed;
}

/* All ranks call. Hands rank 0's moments (mean, then deviation, [features] each) to all. */
static int share_moments(struct predict_model *model, const struct comm *comm,
    const struct checkpoint *checkpoint, struct error *error)
{
    size_t F = model->features;
    double *moments = memory_create(2 * F, sizeof *moments, error);
    model->mean = F ? memory_create(2 * F, sizeof *model->mean, error) : NULL;
    int failed = comm_agree(comm, error);
    if (!failed && F) {
        if (comm->rank == 0) {
            memcpy(moments, checkpoint->mean, F * sizeof *moments);
            memcpy(moments + F, checkpoint->deviation, F * sizeof *moments);
        }
        comm_broadcast(comm, moments, 2 * F * sizeof *moments, 0);
        standardize_moments(moments, 2 * F, model->mean);
        model->deviation = model->mean + F;
    }
    memory_destroy(moments);
    return failed;
}

/* All ranks call. The checkpoint is rank 0's. */
static int share_model(struct predict_model *model, const struct comm *comm, int64_t batch,
    struct checkpoint *checkpoint, struct error *error)
{
    struct model_notice notice = {.microbatch = batch};
    if (comm->rank == 0)
        read_checkpoint(model->path, checkpoint, &notice, error);
    if (comm_agree(comm, error))
        return -1;
    comm_broadcast(comm, model->path, sizeof model->path, 0);
    comm_broadcast(comm, &notice, sizeof notice, 0);
    model->microbatch = notice.microbatch;
    model->features = notice.features;
    model->net = net_describe(&notice.config, error);
    if (model->net && comm->rank == 0)
        checkpoint_fits(checkpoint, model->path, model->net, error);
    if (comm_agree(comm, error))
        return -1;
    model->config = net_get_config(model->net);
    return share_node(model, comm, error) || share_weights(model, comm, checkpoint->weights, error) ||
            share_moments(model, comm, checkpoint, error)
        ? -1
        : 0;
}

int predict_model_load(struct predict_model *model, const struct comm *comm, const char *path, int64_t batch,
    struct error *error)
{
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    if (comm->rank == 0)
        directory_find_checkpoint(path, model->path, sizeof model->path, error);
    int failed = comm_agree(comm, error) || share_model(model, comm, batch, &checkpoint, error) ? -1 : 0;
    model->names = checkpoint.names;
    checkpoint.names = (struct net_names){0};
    model->epoch = checkpoint_epoch(&checkpoint.progress);
    checkpoint_finish(&checkpoint);
    return failed;
}

void predict_model_finish(struct predict_model *model)
{
    memory_destroy(model->mean);
    net_names_finish(&model->names);
    teamwork_finish(&model->teamwork);
    net_destroy(model->net);
    node_finish(&model->node);
}
