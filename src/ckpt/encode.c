/* How a checkpoint becomes bytes: the image is built, opened again and compared hash by hash with what it was
 * made of, then sealed. Weights that do not have their hash are not saved: memory would be failing. */
#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/layout.h"
#include "ckpt/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

_Static_assert((int)H5_IMAGE_ROOM >= (int)SEAL_BYTES, "the seal goes into the room behind the image");

static int build(struct checkpoint *checkpoint, void **bytes, size_t *size, struct error *error)
{
    char digits[17];
    struct section whole = {
        .way = SECTION_WRITE, .error = error, .most = SIZE_MAX, .version = CHECKPOINT_VERSION};
    whole.image = h5_image_create(error);
    if (!whole.image)
        return -1;
    snprintf(digits, sizeof digits, "%016" PRIx64, checkpoint->weights_hash);
    h5_image_attribute_text(whole.image, "/", "format", "rnn-train checkpoint");
    h5_image_attribute_int32(whole.image, "/", "format_version", CHECKPOINT_VERSION);
    h5_image_attribute_text(whole.image, "/", "weights_hash", digits);
    layout_pass(&whole, checkpoint);
    return h5_image_finish(whole.image, bytes, size, error);
}

static int check(struct checkpoint *checkpoint, const void *bytes, size_t size, struct error *error)
{
    struct section whole = {
        .way = SECTION_CHECK, .error = error, .most = SIZE_MAX, .version = CHECKPOINT_VERSION};
    whole.file = h5_open_image(bytes, size, "the checkpoint just made", error);
    if (!whole.file)
        return -1;
    int outcome = layout_pass(&whole, checkpoint);
    h5_close(whole.file);
    return outcome;
}

int checkpoint_encode(const struct checkpoint *checkpoint, void **bytes, size_t *size, struct error *error)
{
    uint64_t hash = hash_bytes(checkpoint->weights, checkpoint->count * sizeof *checkpoint->weights);
    if (hash != checkpoint->weights_hash)
        return error_set(error, EXIT_CODE_INTERNAL,
            "the weights have hash %016" PRIx64 " instead of %016" PRIx64
            ": they changed in memory and are not saved",
            hash, checkpoint->weights_hash);
    static const char remedy[] = "a smaller model.hidden or model.layers takes";
    struct checkpoint copy = *checkpoint; /* the list of items serves reading too and takes no const */
    void *image = NULL;
    size_t n = 0;
    if (build(&copy, &image, &n, error) != 0)
        return error_explain_memory(error, "a checkpoint", remedy);
    if (check(&copy, image, n, error) != 0) {
        if (error)
            error->code = EXIT_CODE_INTERNAL; /* not a fault of a file */
        memory_destroy(image);
        return error_explain_memory(error, "the check of a checkpoint", remedy);
    }
    seal_write(image, n, (char *)image + n);
    *bytes = image;
    *size = n + SEAL_BYTES;
    return 0;
}
