/* A frozen tensor is known by its mark in the table of parameters alone. Layers remember which tensors are
 * theirs, and in backward they ask the table whether any of these, or of those declared before, is trained: a
 * net has its layers in the order in which inputs go through them. */
#include "net/layout.h"
#include "net/net.h"

int parameters_train(const struct parameters *parameters, struct tensors tensors)
{
    for (size_t i = tensors.from; i < tensors.to; i++)
        if (!parameters->list[i].frozen)
            return 1;
    return 0;
}

void net_freeze(struct net *net, const unsigned char *frozen)
{
    for (size_t i = 0; i < net->parameters.n; i++)
        net->parameters.list[i].frozen = frozen[i] != 0;
}

size_t net_count_trained(const struct net *net)
{
    size_t sum = 0;
    for (size_t i = 0; i < net->parameters.n; i++)
        sum += net->parameters.list[i].frozen ? 0 : net->parameters.list[i].count;
    return sum;
}
