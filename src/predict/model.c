/* Rank 0 reads the checkpoint and tells the others what they need of it: the shape of the network, its
 * weights, and what the inputs were standardized by. */
#include "predict/model.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What goes from rank 0 to all. */
struct model_notice {
    struct net_config model;
    int64_t microbatch;
    size_t features;
};

/* A run directory stands for its best checkpoint. */
static int find_file(struct predict *predict, struct error *error)
{
    struct stat status;
    const char *path = predict->options->checkpoint;
    int folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    size_t n = strlen(path);
    while (folder && n > 1 && path[n - 1] == '/')
        n--;
    int length = snprintf(
        predict->checkpoint, sizeof predict->checkpoint, "%.*s%s", (int)n, path, folder ? "/best.h5" : "");
    if (length >= (int)sizeof predict->checkpoint)
        return error_set(error, EXIT_CODE_IO, "%.60s...: the path is too long", path);
    if (folder && stat(predict->checkpoint, &status) != 0 && errno == ENOENT)
        return error_set(error, EXIT_CODE_IO,
            "%s: there is no best.h5 in this folder: name a run directory that has one, or a checkpoint",
            path);
    return 0;
}

static void take_fault(void *context, const char *text)
{
    error_set(context, EXIT_CODE_DATA, "%s", text);
}

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
    struct predict *predict, struct checkpoint *checkpoint, struct model_notice *notice, struct error *error)
{
    if (find_file(predict, error) || checkpoint_read(predict->checkpoint, CHECKPOINT_ANY, checkpoint, error))
        return -1;
    notice->model = checkpoint->model;
    notice->features = checkpoint->features;
    notice->microbatch = predict->options->batch;
    if (!notice->microbatch && read_microbatch(checkpoint, &notice->microbatch, error))
        return error_prefix(error, "%s: ", predict->checkpoint);
    if (notice->features && (notice->model.symbols || notice->features != notice->model.inputs))
        return error_set(error, EXIT_CODE_DATA,
            "%s: standardizes %zu features, but the network has %zu inputs: this is no checkpoint of "
            "rnn-train",
            predict->checkpoint, notice->features, notice->model.inputs);
    return 0;
}

/* As floats, which is what training made of them. */
static void take_moments(struct predict *predict, const double *moments)
{
    predict->scale = predict->shift + predict->features;
    for (size_t i = 0; i < 2 * predict->features; i++)
        predict->shift[i] = (float)moments[i];
}

/* All. Weights [P] and moments (mean, then deviation, [features] each) are of rank 0, and arrive everywhere.
 */
static int share_numbers(struct predict *predict, const struct checkpoint *checkpoint, struct error *error)
{
    size_t P = net_count_parameters(predict->net), F = predict->features;
    float *weights = memory_create(P, sizeof *weights, error);
    double *moments = memory_create(2 * F, sizeof *moments, error);
    predict->shift = F ? memory_create(2 * F, sizeof *predict->shift, error) : NULL;
    int failed = comm_agree(predict->comm, error);
    if (!failed) {
        if (predict->comm->rank == 0) {
            memcpy(weights, checkpoint->weights, P * sizeof *weights);
            if (F) {
                memcpy(moments, checkpoint->mean, F * sizeof *moments);
                memcpy(moments + F, checkpoint->deviation, F * sizeof *moments);
            }
        }
        comm_broadcast(predict->comm, weights, P * sizeof *weights, 0);
        comm_broadcast(predict->comm, moments, 2 * F * sizeof *moments, 0);
        net_pack(predict->net, weights);
        if (F)
            take_moments(predict, moments);
    }
    memory_destroy(weights);
    memory_destroy(moments);
    return failed;
}

static int share_model(struct predict *predict, struct checkpoint *checkpoint, struct error *error)
{
    struct model_notice notice = {0};
    if (predict->comm->rank == 0)
        read_checkpoint(predict, checkpoint, &notice, error);
    if (comm_agree(predict->comm, error))
        return -1;
    comm_broadcast(predict->comm, &notice, sizeof notice, 0);
    predict->microbatch = notice.microbatch;
    predict->features = notice.features;
    predict->net = net_create(&notice.model, error);
    if (predict->net && predict->comm->rank == 0)
        checkpoint_fits(checkpoint, predict->checkpoint, predict->net, error);
    if (comm_agree(predict->comm, error))
        return -1;
    predict->model = net_get_config(predict->net);
    return share_numbers(predict, checkpoint, error);
}

int predict_load_model(struct predict *predict, struct error *error)
{
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    int failed = share_model(predict, &checkpoint, error);
    checkpoint_finish(&checkpoint);
    return failed;
}
