#include "dump.h"

#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "data/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void dump_fail(const char *text)
{
    fprintf(stderr, "dump: %s\n", text);
    exit(EXIT_FAILURE);
}

int dump_choose(const char *word, const char *const names[])
{
    for (int i = 0; names[i]; i++)
        if (strcmp(word, names[i]) == 0)
            return i;
    dump_fail(word);
}

void dump_choose_inputs(const char *word, size_t embedding, struct net_config *config)
{
    static const char *const names[] = {"real", "symbols", "embedding", NULL};
    int kind = dump_choose(word, names);
    config->symbols = kind > 0;
    config->embedding = kind == 2 ? embedding : 0;
}

void dump_gradient(struct h5_image *image, const struct net *net, const float *gradient)
{
    size_t tensors;
    const struct parameter *tensor = net_get_parameters(net, &tensors);
    h5_image_group(image, "gradient");
    for (size_t k = 0; k < tensors; k++) {
        char name[80];
        int64_t size[2] = {(int64_t)tensor[k].size[0], (int64_t)tensor[k].size[1]};
        snprintf(name, sizeof name, "gradient/%.63s", tensor[k].name);
        h5_image_floats(image, name, tensor[k].dimensions, size, gradient + tensor[k].offset);
    }
}

void dump_checkpoint(const char *path, const struct net *net, const float *weights)
{
    struct error error = {0};
    void *bytes;
    size_t size;
    char nothing[] = "";
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    checkpoint.config = nothing;
    checkpoint.model = *net_get_config(net);
    checkpoint.parameter = (struct parameter *)net_get_parameters(net, &checkpoint.parameters);
    checkpoint.count = net_count_parameters(net);
    checkpoint.weights = (float *)weights;
    checkpoint.weights_hash = hash_bytes(weights, checkpoint.count * sizeof *weights);
    checkpoint.optimizer = OPTIMIZER_SGD;
    optim_state_init(&checkpoint.optim);
    checkpoint.progress.epoch = 1;
    checkpoint.progress.plan_version = PLAN_VERSION;
    checkpoint.provenance.version = checkpoint.provenance.command = checkpoint.provenance.hosts =
        checkpoint.provenance.libraries = checkpoint.provenance.job = checkpoint.provenance.time =
            checkpoint.provenance.run = nothing;
    if (checkpoint_encode(&checkpoint, &bytes, &size, &error))
        dump_fail(error.text);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        dump_fail(path);
    memory_destroy(bytes);
}
