/* A checkpoint without its hash line (the line would keep everything out): it is refused with words, or has
 * all its hashes. */
#include "base/hash.h"
#include "ckpt/checkpoint.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    struct error error = {0};
    struct checkpoint checkpoint;
    fuzz_file_make(bytes, size, path);
    checkpoint_init(&checkpoint);
    if (checkpoint_read(path, CHECKPOINT_ANY, &checkpoint, &error) != 0) {
        if (!error.code || !error.text[0] || checkpoint.weights)
            abort();
    } else if (hash_bytes(checkpoint.weights, checkpoint.count * sizeof(float)) != checkpoint.weights_hash) {
        abort();
    } else {
        fuzz_accepted++;
    }
    checkpoint_finish(&checkpoint);
    unlink(path);
    return 0;
}
