/* The hash line: fixed width, begins and ends with a newline, so that `tail -n 1` shows it and its place is
 * known. It is made again from what the file holds and compared byte for byte: a change anywhere, in the
 * image, in the line, or in the length, makes another line. */
#include "ckpt/seal.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char beginning[] = "\nrnn-train image xxh3=";

void seal_write(const void *image, size_t size, char line[SEAL_BYTES])
{
    char text[SEAL_BYTES + 32];
    snprintf(text, sizeof text, "%s%016" PRIx64 " bytes=%012zu\n", beginning, hash_bytes(image, size), size);
    memcpy(line, text, SEAL_BYTES);
}

enum seal seal_check(const void *bytes, size_t size)
{
    if (size < SEAL_BYTES)
        return SEAL_ABSENT;
    const char *found = (const char *)bytes + size - SEAL_BYTES;
    char want[SEAL_BYTES];
    seal_write(bytes, size - SEAL_BYTES, want);
    if (memcmp(found, want, SEAL_BYTES) == 0)
        return SEAL_RIGHT;
    return memcmp(found, beginning, sizeof beginning - 1) == 0 ? SEAL_WRONG : SEAL_ABSENT;
}
