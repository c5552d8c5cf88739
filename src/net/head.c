/* Which tensors go by the targets is not listed anywhere, but found: the network is described once more with
 * one output more, and whatever has another shape there is of the head. So a cell, loss or output that is
 * added has nothing to say about it. */
#include "net/layout.h"
#include "net/net.h"

#include <assert.h>

static void compare(const struct parameters *parameters, const struct parameters *wider, unsigned char *head)
{
    assert(parameters->n == wider->n);
    for (size_t i = 0; i < parameters->n; i++)
        head[i] = parameters->list[i].count != wider->list[i].count;
}

unsigned char *net_find_head(const struct net *net, struct error *error)
{
    struct net_config *config = memory_create(1, sizeof *config, error);
    unsigned char *head = memory_create(net->parameters.n, sizeof *head, error);
    struct net *wider = NULL;
    if (config && head) {
        *config = *net->config;
        config->outputs++;
        config->class_weights = 0; /* there is one for each class, or none */
        wider = net_describe(config, error);
    }
    if (wider) {
        compare(&net->parameters, &wider->parameters, head);
    } else {
        memory_destroy(head);
        head = NULL;
    }
    net_destroy(wider);
    memory_destroy(config);
    return head;
}
