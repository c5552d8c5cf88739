/* The inside of a net: layers in order, the table of parameters, the workspace. Private to this folder. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include "base/memory.h"
#include "net/parameters.h"
#include "net/pass.h"
#include "net/stack.h"
#include "net/top.h"
#include "net/types.h"

struct net {
    struct net_config *config;
    const struct kernel *kernel;
    struct parameters parameters;
    struct stack stack;
    struct top top;
    const struct output_kind *output; /* the kind of the configuration */
    void *output_state;               /* what it keeps, of memory_create */

    void *panels;     /* one block of all that is packed, zeroed; NULL: the net is only described */
    void *own_panels; /* the same block where it is the net's own, else NULL */
    size_t panels_bytes;

    /* Workspace: one block, divided anew for every microbatch. */
    void *block;
    size_t block_bytes;
    struct net_score *row_scores; /* of the rows that the output scores one by one */
    double *times;                /* see net/times.h */
};

#endif
