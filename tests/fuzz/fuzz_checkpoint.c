/* A checkpoint without its hash line (the line would keep everything out): it is refused with words, or has
 * all its hashes. Where a hash is all that is wrong it is put right and the file read again, so that what is
 * behind the hashes meets changed values too. */
#define _GNU_SOURCE /* memmem */

#include "base/hash.h"
#include "ckpt/checkpoint.h"
#include "ckpt/verify.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HASHES = 16, DIGITS = 16 };

static void forget(void *context, const char *line)
{
}

/* "(hash A, not B)": puts A where B stands. 0 where the error is another, or there is no B. */
static int put_hash_right(const struct error *error, uint8_t *bytes, size_t size)
{
    const char *right = strstr(error->text, "(hash ");
    const char *wrong = right ? strstr(right, ", not ") : NULL;
    if (!wrong || strlen(wrong + 6) < DIGITS || wrong != right + 6 + DIGITS ||
        memcmp(right + 6, wrong + 6, DIGITS) == 0)
        return 0;
    int changed = 0;
    for (uint8_t *at; (at = memmem(bytes, size, wrong + 6, DIGITS)); changed = 1)
        memcpy(at, right + 6, DIGITS);
    return changed;
}

/* What opened is used as by --verify, which makes its network. */
static void use(const char *path, const struct checkpoint *checkpoint)
{
    struct verdict verdict = {.say = forget};
    if (hash_bytes(checkpoint->weights, checkpoint->count * sizeof(float)) != checkpoint->weights_hash)
        abort();
    verify_checkpoint(path, &verdict);
    fuzz_accepted++;
}

/* 1: again, with one hash more. */
static int read_once(uint8_t *bytes, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    struct error error = {0};
    struct checkpoint checkpoint;
    int again = 0;
    fuzz_file_make(bytes, size, path);
    checkpoint_init(&checkpoint);
    if (checkpoint_read(path, CHECKPOINT_ANY, &checkpoint, &error) == 0)
        use(path, &checkpoint);
    else if (!error.code || !error.text[0] || checkpoint.weights)
        abort();
    else
        again = put_hash_right(&error, bytes, size);
    checkpoint_finish(&checkpoint);
    unlink(path);
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    for (int hashes = 0; hashes < HASHES && read_once(copy, size); hashes++)
        continue;
    free(copy);
    return 0;
}
