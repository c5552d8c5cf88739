/* Values of a set that are kept decoded in memory which belongs to whoever opened it, and may be shared with
 * other processes: each then decodes a part of them. */
#ifndef DATA_KEPT_H
#define DATA_KEPT_H

#include "data/contents.h"

/* Returns the bytes of memory for all values of a set. */
size_t kept_count_bytes(const struct dataset *dataset);

/* A share of decoding. `alive` is called now and then (NULL: nothing is). */
struct kept_share {
    size_t part, parts; /* the part of this number, of so many */
    void (*alive)(const void *context);
    const void *context;
};

/* Reads and checks a part of the inputs, or of the targets and their weights, into `memory`
 * [kept_count_bytes]. The error is the first fault of this part; where the file is no longer what was opened,
 * it says that. What a model asks of targets besides is looked at afterwards, sequence by sequence
 * (data/targets.h). */
int kept_decode_inputs(
    struct dataset *dataset, const struct kept_share *share, void *memory, struct error *error);
int kept_decode_targets(
    struct dataset *dataset, const struct kept_share *share, void *memory, struct error *error);

/* Once all parts are there: the set takes its values from `memory`, which stays the caller's and as it is
 * until the set is closed. */
void kept_use(struct dataset *dataset, void *memory);

#endif
