#include "data/fingerprint.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/check.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { SAMPLES = 256, SAMPLE_BYTES = 64 << 10 };

/* ---- shape and sample ---- */

static uint64_t hash_shape(const struct dataset *dataset)
{
    int64_t shape[] = {dataset->sequences, dataset->frames, (int64_t)dataset->features, dataset->symbols,
        dataset->has_targets, dataset->targets, (int64_t)dataset->values, dataset->classes};
    size_t bytes = ((size_t)dataset->sequences + 1) * sizeof(int64_t);
    uint64_t hash = hash_combine(hash_bytes(shape, sizeof shape), hash_bytes(dataset->input_offsets, bytes));
    if (!dataset->has_targets)
        return hash;
    struct values targets = values_of_targets(dataset);
    return hash_combine(hash, hash_bytes(targets.offsets, bytes));
}

/* Returns rows [rows][width] where they are kept, or else where they were read to; NULL and an error. */
static const void *get_rows(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    void *room, struct error *error)
{
    if (values->kept)
        return (const char *)values->kept + (size_t)first * values->width * sizeof(float);
    return values_read(dataset, values, first, rows, room, error) == 0 ? room : NULL;
}

/* Sample number i of n rows-wide places is drawn from the i-th of equal parts of the file, so that places
 * rise and none comes twice. */
static int64_t choose_place(int64_t places, int i, uint64_t seed)
{
    if (places <= SAMPLES)
        return i;
    int64_t from = places / SAMPLES * i + places % SAMPLES * i / SAMPLES;
    int64_t to = places / SAMPLES * (i + 1) + places % SAMPLES * (i + 1) / SAMPLES;
    return from + (int64_t)random_below((uint64_t)(to - from), seed, RANDOM_SAMPLE, 0, (uint64_t)i);
}

static int sample_values(
    struct dataset *dataset, const struct values *values, uint64_t seed, uint64_t *hash, struct error *error)
{
    size_t row = values->width * sizeof(float);
    int64_t most = row < SAMPLE_BYTES ? (int64_t)(SAMPLE_BYTES / row) : 1;
    int64_t places = (values->rows + most - 1) / most;
    void *room = memory_create((size_t)most, row, error);
    const void *items = room;
    for (int i = 0; items && i < SAMPLES && i < places; i++) {
        int64_t first = choose_place(places, i, seed) * most;
        int64_t rows = values->rows - first < most ? values->rows - first : most;
        items = get_rows(dataset, values, first, rows, room, error);
        if (items)
            *hash = hash_combine(*hash, hash_bytes(items, (size_t)rows * row));
    }
    memory_destroy(room);
    return items ? 0 : -1;
}

int dataset_take_sample(
    struct dataset *dataset, uint64_t seed, struct fingerprint *print, struct error *error)
{
    uint64_t hash = 0;
    struct values list[VALUES_MOST];
    size_t n = values_of_all(dataset, list);
    for (size_t i = 0; i < n; i++)
        if (sample_values(dataset, &list[i], seed, &hash, error))
            return -1;
    print->shape = hash_shape(dataset);
    print->sample = hash;
    return 0;
}

/* ---- all values ---- */

static size_t count_blocks(const struct values *values)
{
    int64_t rows = values_block_rows(values);
    return (size_t)((values->rows + rows - 1) / rows);
}

static size_t count_all(const struct value_sums *sums)
{
    return sums->inputs + sums->targets + sums->weights;
}

/* The first block of the values. */
static size_t find_first(const struct value_sums *sums, const struct values *values)
{
    return values->part == PART_INPUTS ? 0 : sums->inputs + (values->are_weights ? sums->targets : 0);
}

int value_sums_init(struct value_sums *sums, struct dataset *dataset, struct error *error)
{
    struct values list[VALUES_MOST];
    size_t n = values_of_all(dataset, list);
    *sums = (struct value_sums){.dataset = dataset, .inputs = count_blocks(&list[0])};
    for (size_t i = 1; i < n; i++)
        *(list[i].are_weights ? &sums->weights : &sums->targets) = count_blocks(&list[i]);
    sums->sum = memory_create(value_sums_count(sums), sizeof *sums->sum, error);
    if (!sums->sum)
        return -1;
    sums->rows = sums->sum + count_all(sums);
    return 0;
}

void value_sums_finish(struct value_sums *sums)
{
    memory_destroy(sums->sum);
    *sums = (struct value_sums){0};
}

void value_sums_clear(struct value_sums *sums)
{
    if (sums->sum)
        memset(sums->sum, 0, value_sums_count(sums) * sizeof *sums->sum);
}

size_t value_sums_count(const struct value_sums *sums)
{
    return 2 * count_all(sums);
}

void value_sums_add(
    struct value_sums *sums, const struct values *values, int64_t first, int64_t rows, const void *items)
{
    int64_t block = values_block_rows(values);
    size_t b = (size_t)(first / block) + find_first(sums, values);
    assert(rows > 0 && first / block == (first + rows - 1) / block);
    uint64_t hash = hash_bytes(items, (size_t)rows * values->width * sizeof(float));
    sums->sum[b] += hash_combine(hash, (uint64_t)first);
    sums->rows[b] += (uint64_t)rows;
}

/* A block of values by its number among those of inputs, targets and weights together. */
struct block_place {
    struct values values;
    int64_t first, rows;
};

static struct block_place find_block(const struct value_sums *sums, size_t b)
{
    struct block_place place = {.values = b < sums->inputs ? values_of_inputs(sums->dataset)
            : b < sums->inputs + sums->targets             ? values_of_targets(sums->dataset)
                                                           : values_of_weights(sums->dataset)};
    int64_t block = values_block_rows(&place.values);
    place.first = (int64_t)(b - find_first(sums, &place.values)) * block;
    place.rows = place.values.rows - place.first < block ? place.values.rows - place.first : block;
    return place;
}

static int hash_block(
    struct value_sums *sums, const struct block_place *place, void *room, struct error *error)
{
    const struct values *values = &place->values;
    const char *items = get_rows(sums->dataset, values, place->first, place->rows, room, error);
    if (!items)
        return -1;
    int64_t end = place->first + place->rows;
    int64_t s = values_find_sequence(sums->dataset, values, place->first);
    for (int64_t row = place->first; row < end; s++) {
        int64_t next = values->offsets[s + 1] < end ? values->offsets[s + 1] : end;
        if (next > row)
            value_sums_add(sums, values, row, next - row,
                items + (size_t)(row - place->first) * values->width * sizeof(float));
        row = next > row ? next : row;
    }
    return 0;
}

/* Sets the blocks that lack rows to zero, and those that lack none too but in the first share, which keeps
 * them. Returns how many lack rows; `missing` [blocks] says which, and *most how many bytes the largest of
 * those has that are not kept. */
static size_t begin_missing(struct value_sums *sums, size_t part, size_t *missing, size_t *most)
{
    size_t n = 0;
    for (size_t b = 0; b < count_all(sums); b++) {
        struct block_place place = find_block(sums, b);
        int lacks = sums->rows[b] != (uint64_t)place.rows;
        size_t bytes = (size_t)place.rows * place.values.width * sizeof(float);
        if (lacks && !place.values.kept && bytes > *most)
            *most = bytes;
        if (lacks)
            missing[n++] = b;
        if (lacks || part > 0)
            sums->sum[b] = sums->rows[b] = 0;
    }
    return n;
}

int value_sums_read_missing(struct value_sums *sums, size_t part, size_t parts,
    void (*between)(const void *context), const void *context, struct error *error)
{
    size_t most = 0, *missing = memory_create(count_all(sums), sizeof *missing, error);
    if (!missing)
        return -1;
    size_t n = begin_missing(sums, part, missing, &most);
    void *room = memory_create(most, 1, error);
    int failed = !room;
    for (size_t i = n * part / parts; !failed && i < n * (part + 1) / parts; i++) {
        struct block_place place = find_block(sums, missing[i]);
        failed = hash_block(sums, &place, room, error);
        between(context);
    }
    memory_destroy(room);
    memory_destroy(missing);
    return failed ? -1 : 0;
}

int value_sums_compare(const struct value_sums *own, const struct value_sums *first, struct error *error)
{
    for (size_t b = 0; b < count_all(own); b++) {
        if (own->rows[b] == 0 || own->sum[b] == first->sum[b])
            continue;
        struct block_place place = find_block(own, b);
        struct file_rows here = values_find_rows(own->dataset, &place.values, place.first, place.rows);
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s: rows %" PRId64 " to %" PRId64 "%s are not what rank 0 has in its own: give all ranks "
            "the same files, or copy them to this host again",
            here.file->path, place.values.set, here.first, here.first + here.rows - 1,
            here.rows < place.rows ? ", or rows of the files behind it," : "");
    }
    return 0;
}

void value_sums_take(const struct value_sums *sums, struct fingerprint *print)
{
    print->inputs = print->targets = 0;
    for (size_t b = 0; b < sums->inputs; b++)
        print->inputs = hash_combine(print->inputs, sums->sum[b]);
    for (size_t b = 0; b < sums->targets + sums->weights; b++)
        print->targets = hash_combine(print->targets, sums->sum[sums->inputs + b]);
    print->complete = 1;
}

/* ---- of former versions ---- */

/* A block at a time, so that the hash of values does not depend on whether they are kept. */
static int hash_values(
    struct dataset *dataset, const struct values *values, uint64_t *hash, struct error *error)
{
    int64_t block = values_block_rows(values), rows;
    for (int64_t first = 0; first < values->rows; first += rows) {
        rows = values->rows - first < block ? values->rows - first : block;
        const void *items = check_get_values(dataset, values, first, rows, error);
        if (!items)
            return -1;
        *hash = hash_combine(*hash, hash_bytes(items, (size_t)rows * values->width * sizeof(float)));
    }
    return 0;
}

int dataset_former_fingerprint(struct dataset *dataset, uint64_t *fingerprint, struct error *error)
{
    uint64_t hash = hash_shape(dataset);
    if (dataset->has_targets) {
        struct values targets = values_of_targets(dataset);
        if (hash_values(dataset, &targets, &hash, error))
            return -1;
        struct values weights = values_of_weights(dataset);
        if (dataset->has_weights && hash_values(dataset, &weights, &hash, error))
            return -1;
    }
    *fingerprint = hash;
    return 0;
}
