/* What the built-in datasets share: lengths, offsets and room, filled sequence by sequence by the kind.
 *
 * Lengths are drawn first, from the same counter range as the sequence itself, so that every sequence is a
 * function of its own number alone; offsets follow by summing. Where the content decides on the length, the
 * kind draws it twice, once to measure it: that costs less than to keep it. */
#include "data/make/make.h"

#include "base/memory.h"
#include "base/random.h"

#include <assert.h>
#include <string.h>

#define KIND(name) &make_##name,
static const struct dataset_kind *const kinds[] = {
#include "data/make/list.h"
};
#undef KIND

size_t dataset_kind_count(void)
{
    return sizeof kinds / sizeof kinds[0];
}

const struct dataset_kind *dataset_kind_at(size_t place)
{
    assert(place < dataset_kind_count());
    return kinds[place];
}

const struct dataset_kind *dataset_kind_find(const char *name)
{
    for (size_t k = 0; k < dataset_kind_count(); k++)
        if (!strcmp(kinds[k]->name, name))
            return kinds[k];
    return NULL;
}

double make_draw_uniform(struct make_draw *draw)
{
    return random_uniform(draw->seed, RANDOM_DATASET, draw->high, draw->next++);
}

double make_draw_normal(struct make_draw *draw)
{
    /* Normal number i is made of uniform numbers 2 i and 2 i + 1. */
    uint64_t pair = (draw->next + 1) / 2;
    draw->next = 2 * pair + 2;
    return random_normal(draw->seed, RANDOM_DATASET, draw->high, pair);
}

uint64_t make_draw_below(struct make_draw *draw, uint64_t n)
{
    return random_below(n, draw->seed, RANDOM_DATASET, draw->high, draw->next++);
}

const char *make_part_name(enum make_part part)
{
    static const char *const names[MAKE_PARTS] = {"train", "valid", "test"};
    return names[part];
}

int64_t make_part_sequences(enum make_part part, int64_t train)
{
    if (part == MAKE_TRAIN)
        return train;
    return train < 5 ? 1 : train / 5;
}

static uint64_t kind_number(const struct dataset_kind *kind)
{
    uint64_t k = 0;
    while (kinds[k] != kind)
        k++;
    return k;
}

static struct make_draw draw_start(const struct made *made, int64_t s)
{
    uint64_t high = (uint64_t)made->part << 56 | kind_number(made->kind) << 48 | (uint64_t)s;
    return (struct make_draw){.seed = made->seed, .high = high, .part = made->part};
}

static int32_t draw_length(const struct made *made, struct make_draw *draw)
{
    int32_t shortest = made->length ? made->length : made->kind->shortest;
    int32_t longest = made->length ? made->length : made->kind->longest;
    return shortest + (int32_t)make_draw_below(draw, (uint64_t)(longest - shortest) + 1);
}

/* Frames T and targets U of sequence s, and the draw with which filling it begins. */
static struct make_draw draw_size(const struct made *made, int64_t s, size_t *T, size_t *U)
{
    const struct dataset_kind *kind = made->kind;
    struct make_draw draw = draw_start(made, s);
    if (kind->measure) {
        struct make_draw ahead = draw;
        kind->measure(&ahead, T, U);
        return draw;
    }
    *T = (size_t)draw_length(made, &draw);
    *U = kind->target_per_frame ? *T : 1;
    return draw;
}

static int made_lay_out(struct made *made, struct error *error)
{
    const struct dataset_kind *kind = made->kind;
    size_t entries = (size_t)made->sequences + 1;
    if (!(made->input_offsets = memory_create(entries, sizeof *made->input_offsets, error)))
        return -1;
    if (!kind->target_per_frame &&
        !(made->target_offsets = memory_create(entries, sizeof *made->target_offsets, error)))
        return -1;
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t T, U;
        draw_size(made, s, &T, &U);
        made->input_offsets[s + 1] = made->input_offsets[s] + (int64_t)T;
        if (made->target_offsets)
            made->target_offsets[s + 1] = made->target_offsets[s] + (int64_t)U;
    }
    made->frames = made->input_offsets[made->sequences];
    made->targets = made->target_offsets ? made->target_offsets[made->sequences] : made->frames;
    return 0;
}

static int made_take_room(struct made *made, struct error *error)
{
    const struct dataset_kind *kind = made->kind;
    size_t frames = (size_t)made->frames, targets = (size_t)made->targets;
    if (kind->features && !(made->inputs = memory_create(frames, kind->features * sizeof(float), error)))
        return -1;
    if (kind->symbols && !(made->symbols = memory_create(frames, sizeof(int32_t), error)))
        return -1;
    if (kind->values && !(made->values = memory_create(targets, kind->values * sizeof(float), error)))
        return -1;
    if (kind->classes && !(made->classes = memory_create(targets, sizeof(int32_t), error)))
        return -1;
    return 0;
}

static void made_fill(struct made *made)
{
    const struct dataset_kind *kind = made->kind;
    for (int64_t s = 0; s < made->sequences; s++) {
        size_t frame = (size_t)made->input_offsets[s];
        size_t target = made->target_offsets ? (size_t)made->target_offsets[s] : frame, T, U;
        struct make_draw draw = draw_size(made, s, &T, &U);
        struct make_sequence sequence = {
            .T = T,
            .U = U,
            .inputs = made->inputs ? made->inputs + frame * kind->features : NULL,
            .symbols = made->symbols ? made->symbols + frame : NULL,
            .values = made->values ? made->values + target * kind->values : NULL,
            .classes = made->classes ? made->classes + target : NULL,
        };
        kind->fill(&draw, &sequence);
    }
}

struct made *make_create(const struct dataset_kind *kind, enum make_part part, uint64_t seed, int64_t train,
    int32_t length, struct error *error)
{
    assert(train >= 1 && train <= MAKE_MOST_SEQUENCES);
    assert(length == 0 || (kind->least_length > 0 && length >= kind->least_length));
    struct made *made = memory_create(1, sizeof *made, error);
    if (!made)
        return NULL;
    made->kind = kind;
    made->part = part;
    made->seed = seed;
    made->asked = train;
    made->length = length;
    made->sequences = make_part_sequences(part, train);
    if (made_lay_out(made, error) || made_take_room(made, error)) {
        make_destroy(made);
        return NULL;
    }
    made_fill(made);
    return made;
}

void make_destroy(struct made *made)
{
    if (!made)
        return;
    memory_destroy(made->input_offsets);
    memory_destroy(made->target_offsets);
    memory_destroy(made->inputs);
    memory_destroy(made->values);
    memory_destroy(made->symbols);
    memory_destroy(made->classes);
    memory_destroy(made);
}
