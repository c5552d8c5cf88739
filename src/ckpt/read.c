/* How a checkpoint file is read: the whole file is brought into memory and its hash line checked before HDF5
 * sees a byte: HDF5 trusts what it reads, and a damaged file can lead it anywhere. Where the line is there
 * but wrong the file is refused, unless it is one that somebody has edited. */
#include "ckpt/read.h"

#include "base/file.h"
#include "base/memory.h"
#include "ckpt/decode.h"
#include "ckpt/seal.h"

#include <string.h>

/* Finds how much of the bytes is the image. Returns -1 where the file is not to be trusted that far. */
static int check_trust(const char *path, const char *bytes, size_t size, enum checkpoint_trust trust,
    size_t *image, struct error *error)
{
    static const char signature[] = {(char)0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    if (size == 0)
        return error_set(error, EXIT_CODE_DATA, "%s: is empty, not a checkpoint", path);
    switch (seal_check(bytes, size)) {
    case SEAL_RIGHT:
        *image = size - SEAL_BYTES;
        return 0;
    case SEAL_WRONG:
        if (trust == CHECKPOINT_EDITED) {
            *image = size - SEAL_BYTES;
            return 0;
        }
        return error_set(error, EXIT_CODE_DATA,
            "%s: is damaged, it does not have the hash in its last line: use an older checkpoint or a copy; "
            "or where it was changed on purpose, rnn-model seal",
            path);
    default:
        break;
    }
    if (size < sizeof signature || memcmp(bytes, signature, sizeof signature) != 0)
        return error_set(error, EXIT_CODE_DATA, "%s: is not a checkpoint: no HDF5 file", path);
    if (trust == CHECKPOINT_SEALED || trust == CHECKPOINT_UNCHANGED)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has no hash line at its end: it is truncated, or was rewritten by another program "
            "(h5repack). It is neither resumed from nor opened by librnn; start a new run with its weights "
            "by "
            "--init",
            path);
    *image = size;
    return 0;
}

int checkpoint_read_sealed(const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint,
    int *sealed, struct error *error)
{
    size_t size = 0, image = 0;
    char *bytes = file_read(path, "a checkpoint file", &size, error);
    if (!bytes)
        return -1;
    int outcome = check_trust(path, bytes, size, trust, &image, error);
    if (outcome == 0)
        outcome = checkpoint_decode(bytes, image, path, trust, checkpoint, error);
    if (outcome != 0 && image == size && error && error->code == EXIT_CODE_INTERNAL)
        error->code = EXIT_CODE_DATA; /* without the line a damaged size may have asked for the memory */
    memory_destroy(bytes);
    if (outcome == 0 && trust == CHECKPOINT_SEALED && checkpoint->weights_alone) {
        checkpoint_finish(checkpoint);
        return error_set(error, EXIT_CODE_DATA,
            "%s: holds weights alone, no state of a run, which cannot go on from it: start another run with "
            "them by --init",
            path);
    }
    if (outcome == 0)
        *sealed = image < size;
    return outcome;
}

int checkpoint_read(
    const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint, struct error *error)
{
    int sealed;
    return checkpoint_read_sealed(path, trust, checkpoint, &sealed, error);
}
