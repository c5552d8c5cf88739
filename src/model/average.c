/* One file is in memory at a time, besides the sums. Keys that only matter while a network learns may differ:
 * runs that are averaged often differ in just these. */
#include "model/average.h"

#include "base/memory.h"
#include "model/network.h"

#include <string.h>

static int refuse(const struct stored *one, const struct stored *other, const char *what, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA,
        "%.300s: has %.300s than %.300s: only weights of the same network can be averaged", other->path, what,
        one->path);
}

static int compare_networks(const struct stored *one, const struct stored *other, struct error *error)
{
    char what[NETWORK_DIFFERENCE];
    int differs = network_compare(&one->checkpoint.model, &other->checkpoint.model, what, error);
    return differs > 0 ? refuse(one, other, what, error) : differs;
}

static int compare_scales(const struct stored *one, const struct stored *other, struct error *error)
{
    const struct checkpoint *a = &one->checkpoint, *b = &other->checkpoint;
    size_t bytes = a->features * sizeof *a->mean;
    if (a->features == b->features &&
        (!bytes || (memcmp(a->mean, b->mean, bytes) == 0 && memcmp(a->deviation, b->deviation, bytes) == 0)))
        return 0;
    return refuse(one, other, "another standardization of its inputs", error);
}

/* Knows the data only where all have learned from the same. */
static void keep_data(struct checkpoint *mean, const struct checkpoint *other)
{
    for (int i = 0; i < DATA_SETS; i++) {
        const struct fingerprint *a = &mean->data[i], *b = &other->data[i];
        if (a->shape != b->shape || a->sample != b->sample || a->inputs != b->inputs ||
            a->targets != b->targets || a->complete != b->complete) {
            mean->data[i] = (struct fingerprint){0};
            memory_destroy(mean->provenance.files[i]);
            mean->provenance.files[i] = NULL;
        }
    }
}

static int add_file(struct stored *mean, const char *named, double *sum, struct error *error)
{
    struct stored next = {0};
    int failed = stored_read(&next, named, CHECKPOINT_ANY, error) || compare_networks(mean, &next, error) ||
        compare_scales(mean, &next, error) ||
        net_names_compare(&mean->checkpoint.names, &next.checkpoint.names, next.path, error);
    for (size_t i = 0; i < mean->checkpoint.count && !failed; i++)
        sum[i] += (double)next.checkpoint.weights[i];
    if (!failed)
        keep_data(&mean->checkpoint, &next.checkpoint);
    stored_finish(&next);
    return failed ? -1 : 0;
}

int average_read(struct stored *mean, const char *const *named, size_t n, struct error *error)
{
    struct checkpoint *first = &mean->checkpoint;
    if (stored_read(mean, named[0], CHECKPOINT_ANY, error) != 0)
        return -1;
    double *sum = memory_create(first->count, sizeof *sum, error);
    int failed = !sum;
    for (size_t i = 0; i < first->count && !failed; i++)
        sum[i] = (double)first->weights[i];
    for (size_t f = 1; f < n && !failed; f++)
        failed = add_file(mean, named[f], sum, error) != 0;
    for (size_t i = 0; i < first->count && !failed; i++)
        first->weights[i] = (float)(sum[i] / (double)n);
    memory_destroy(sum);
    return failed ? -1 : 0;
}
