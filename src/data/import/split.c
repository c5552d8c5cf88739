#include "data/import/split.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *const names[IMPORT_MOST_PARTS] = {"train", "valid", "test"};

static int refuse_shares(const char *shares, struct error *error)
{
    return options_refuse(
        "--split", shares, "two or three numbers above 0 for train, valid and test, as 0.8,0.1,0.1", error);
}

int import_split_init(struct import_split *split, const char *shares, uint64_t seed, struct error *error)
{
    struct import_split fresh = {.seed = seed};
    const char *rest = shares;
    char item[64];
    double sum = 0, share;
    while (shares && text_next_item(&rest, item, sizeof item)) {
        if (fresh.parts == IMPORT_MOST_PARTS || number_read_real(item, &share) != NUMBER_OK || !(share > 0))
            return refuse_shares(shares, error);
        sum += share;
        fresh.below[fresh.parts++] = sum;
    }
    if (shares && fresh.parts < 2)
        return refuse_shares(shares, error);
    for (size_t p = 0; p < fresh.parts; p++)
        fresh.below[p] /= sum;
    fresh.parts = shares ? fresh.parts : 1;
    *split = fresh;
    return 0;
}

size_t import_split_find(const struct import_split *split, const char *name)
{
    uint64_t hash = hash_combine(hash_combine(0, split->seed), hash_bytes(name, strlen(name)));
    double place = (double)(hash >> 11) * 0x1p-53;
    size_t part = 0;
    while (part + 1 < split->parts && place >= split->below[part])
        part++;
    return part;
}

char *import_split_path(
    const struct import_split *split, size_t part, const char *output, struct error *error)
{
    if (split->parts == 1)
        return text_copy(output, error);
    size_t room = strlen(output) + 16, stem = strlen(output);
    char *path = memory_create(room, 1, error);
    if (!path)
        return NULL;
    if (text_ends_in(output, ".h5"))
        stem -= 3;
    snprintf(path, room, "%.*s-%s.h5", (int)stem, output, names[part]);
    return path;
}
