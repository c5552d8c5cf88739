#include "base/hash.h"

/* The header brings the functions along: no library of xxHash is needed, neither here nor on a node. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *bytes, size_t n)
{
    return XXH3_64bits(bytes, n);
}

uint64_t hash_combine(uint64_t hash, uint64_t next)
{
    uint64_t pair[2] = {hash, next};
    return XXH3_64bits(pair, sizeof pair);
}
