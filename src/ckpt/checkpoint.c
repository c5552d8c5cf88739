#include "ckpt/checkpoint.h"

#include "base/memory.h"

#include <string.h>

void checkpoint_init(struct checkpoint *checkpoint)
{
    memset(checkpoint, 0, sizeof *checkpoint);
}

int64_t checkpoint_epoch(const struct progress *progress)
{
    return progress->position > 0 ? progress->epoch : progress->epoch - 1;
}

void checkpoint_finish(struct checkpoint *checkpoint)
{
    struct provenance *p = &checkpoint->provenance;
    void *owned[] = {checkpoint->config, checkpoint->parameter, checkpoint->weights, checkpoint->mean,
        checkpoint->deviation, p->version, p->command, p->hosts, p->libraries, p->job, p->time, p->run,
        p->files[DATA_TRAIN], p->files[DATA_VALID], checkpoint->states, checkpoint->ends.step};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        memory_destroy(owned[i]);
    for (size_t i = 0; i < OPTIM_MOST_MOMENTS; i++)
        memory_destroy(checkpoint->moments[i]);
    net_names_finish(&checkpoint->names);
    flow_curves_finish(&checkpoint->flow.curves);
    checkpoint_init(checkpoint);
}

const struct parameter *checkpoint_find_parameter(const struct checkpoint *checkpoint, const char *name)
{
    for (size_t i = 0; i < checkpoint->parameters; i++)
        if (strcmp(checkpoint->parameter[i].name, name) == 0)
            return &checkpoint->parameter[i];
    return NULL;
}
