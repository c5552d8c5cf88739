/* XXH3 of 64 bits (xxHash): of one block, or of several in order. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t n);

/* Order matters: hash_combine(hash_combine(0, a), b). */
uint64_t hash_combine(uint64_t hash, uint64_t next);

#endif
