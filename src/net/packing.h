/* What there is one of when weights are packed into what a pass reads. Several processes that share the
 * memory of what is packed each pack a share of it. Private to this folder. */
#ifndef NET_PACKING_H
#define NET_PACKING_H

#include "kernel/kernel.h"

#include <stddef.h>

struct packing {
    const struct kernel *kernel;
    const float *weights; /* [P] */
    size_t share, shares; /* this process packs share `share` of so many */
};

/* Of n equal pieces of work this process does those from *first to *end - 1. */
static inline void packing_deal(const struct packing *packing, size_t n, size_t *first, size_t *end)
{
    *first = packing->share * n / packing->shares;
    *end = (packing->share + 1) * n / packing->shares;
}

/* Does this process pack what is too small to be dealt? */
static inline int packing_is_first(const struct packing *packing)
{
    return packing->share == 0;
}

#endif
