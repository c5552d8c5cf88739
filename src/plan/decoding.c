/* A cache of chunks is a ring in the order of use: what is used comes to its front, and where there is no
 * more room, what is at its back goes. */
#include "plan/decoding.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "data/plan.h"
#include "data/values.h"
#include "run/sets.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double MANY = 1.5; /* times from which on something should be done about it */

/* The chunks of a set in one file. Entry `chunks` of the ring is its beginning and end. */
struct chunk_ring {
    struct h5_chunks lie;
    int64_t chunks, held, fetched;
    int64_t *newer, *older; /* [chunks + 1]; -1: the chunk is not held */
};

/* The rings of a set in all files. */
struct chunk_rings {
    struct dataset *dataset;
    struct values values;
    struct chunk_ring *ring; /* [files]; NULL: there are no such chunks */
};

static int ring_init(struct chunk_ring *ring, int64_t rows, struct error *error)
{
    if (!ring->lie.rows || !ring->lie.filtered || rows == 0)
        return 0;
    int64_t chunks = (rows - 1) / ring->lie.rows + 1;
    ring->newer = memory_create((size_t)chunks + 1, sizeof *ring->newer, error);
    ring->older = memory_create((size_t)chunks + 1, sizeof *ring->older, error);
    if (!ring->newer || !ring->older)
        return -1;
    for (int64_t c = 0; c < chunks; c++)
        ring->newer[c] = -1;
    ring->newer[chunks] = ring->older[chunks] = chunks;
    ring->chunks = chunks;
    return 0;
}

/* How a set lies in file f, and how many rows of it. */
static int look_at_file(struct dataset *dataset, const struct values *values, size_t f, struct h5_chunks *lie,
    int64_t *rows, struct error *error)
{
    *rows = values_count_rows(dataset, values, f);
    return h5_look_at_chunks(dataset->file[f].h5, values->set, lie, error);
}

static int rings_init(
    struct chunk_rings *rings, struct dataset *dataset, const struct values *values, struct error *error)
{
    *rings = (struct chunk_rings){.dataset = dataset, .values = *values};
    rings->ring = memory_create(dataset->files, sizeof *rings->ring, error);
    int failed = !rings->ring;
    for (size_t f = 0; f < dataset->files && !failed; f++) {
        int64_t rows;
        struct chunk_ring *ring = &rings->ring[f];
        failed = look_at_file(dataset, values, f, &ring->lie, &rows, error) || ring_init(ring, rows, error);
    }
    return failed ? -1 : 0;
}

static void rings_finish(struct chunk_rings *rings)
{
    for (size_t f = 0; rings->ring && f < rings->dataset->files; f++) {
        memory_destroy(rings->ring[f].newer);
        memory_destroy(rings->ring[f].older);
    }
    memory_destroy(rings->ring);
}

static int64_t count_chunks(const struct chunk_rings *rings)
{
    int64_t chunks = 0;
    for (size_t f = 0; rings->ring && f < rings->dataset->files; f++)
        chunks += rings->ring[f].chunks;
    return chunks;
}

static void take_out(struct chunk_ring *ring, int64_t chunk)
{
    int64_t newer = ring->newer[chunk], older = ring->older[chunk];
    ring->older[newer] = older;
    ring->newer[older] = newer;
    ring->newer[chunk] = -1;
}

static void use(struct chunk_ring *ring, int64_t chunk)
{
    int64_t end = ring->chunks;
    if (ring->newer[chunk] >= 0) {
        take_out(ring, chunk);
    } else {
        ring->fetched++;
        if (ring->held && ring->held >= ring->lie.kept)
            take_out(ring, ring->newer[end]); /* the one that was used longest ago */
        else
            ring->held++;
    }
    ring->newer[chunk] = end;
    ring->older[chunk] = ring->older[end];
    ring->newer[ring->older[end]] = chunk;
    ring->older[end] = chunk;
}

/* What a step reads of a sequence: of those that come in pieces as much as it has of them, and the target of
 * one as a whole with its last piece. */
static void use_sequence(struct chunk_rings *rings, int64_t s, struct excerpt excerpt)
{
    if (!rings->ring)
        return;
    const struct dataset_place place = dataset_find_place(rings->dataset, s);
    struct chunk_ring *ring = &rings->ring[place.file - rings->dataset->file];
    const int64_t *offsets = rings->values.offsets, before = place.file->first[rings->values.part];
    int64_t first = offsets[s] - before, end = offsets[s + 1] - before;
    int32_t length = dataset_length(rings->dataset, s);
    if (end - first == length) {
        first += excerpt.first;
        end = first + excerpt_length(excerpt, length);
    } else if (excerpt_goes_on(excerpt, length)) {
        return;
    }
    if (!ring->chunks || first == end)
        return;
    for (int64_t chunk = first / ring->lie.rows; chunk <= (end - 1) / ring->lie.rows; chunk++)
        use(ring, chunk);
}

static double get_times(const struct chunk_rings *rings)
{
    int64_t chunks = count_chunks(rings), fetched = 0;
    assert(!chunks || rings->dataset);
    for (size_t f = 0; chunks && f < rings->dataset->files; f++)
        fetched += rings->ring[f].fetched;
    return chunks ? (double)fetched / (double)chunks : 0;
}

/* ---- an epoch ---- */

/* The first epoch, as the first rank goes through it. */
struct first_epoch {
    struct plan plan;
    struct plan_step step;
    int32_t *length; /* [sequences] */
    size_t *ranges;  /* [busy + 1] */
    size_t busy;     /* ranks that can have leaves */
};

static int epoch_init(struct first_epoch *epoch, const struct config *config, const struct dataset *dataset,
    size_t ranks, struct error *error)
{
    int64_t sequences = dataset->sequences, batch = config->train.batch;
    int64_t most = batch < sequences ? batch : sequences;
    const struct plan_order order = sets_describe_order(config, dataset);
    *epoch = (struct first_epoch){.busy = ranks < (size_t)most ? ranks : (size_t)most};
    epoch->length = memory_create((size_t)sequences, sizeof *epoch->length, error);
    epoch->ranges = memory_create(epoch->busy + 1, sizeof *epoch->ranges, error);
    if (!epoch->length || !epoch->ranges)
        return -1;
    dataset_write_lengths(dataset, epoch->length);
    if (plan_init(&epoch->plan, sequences, epoch->length, batch, config->train.microbatch, config->train.seed,
            error) ||
        plan_set_order(&epoch->plan, &order, error))
        return -1;
    plan_set_epoch(&epoch->plan, 1);
    return 0;
}

static void epoch_finish(struct first_epoch *epoch)
{
    plan_step_finish(&epoch->step);
    plan_finish(&epoch->plan);
    memory_destroy(epoch->length);
    memory_destroy(epoch->ranges);
}

static int go_through(
    struct first_epoch *epoch, struct chunk_rings *inputs, struct chunk_rings *targets, struct error *error)
{
    struct plan_step *step = &epoch->step;
    for (int64_t k = 0; k < epoch->plan.steps; k++) {
        if (plan_make_step(&epoch->plan, k, step, error))
            return -1;
        size_t busy = epoch->busy < step->leaves ? epoch->busy : step->leaves;
        plan_cut(step, busy, epoch->ranges);
        for (size_t i = 0; i < step->start[epoch->ranges[1]]; i++) {
            use_sequence(inputs, step->sequence[i], step->excerpt);
            use_sequence(targets, step->sequence[i], step->excerpt);
        }
    }
    return 0;
}

int decoding_survey(const struct config *config, struct dataset *dataset, size_t ranks,
    struct decoding *decoding, struct error *error)
{
    struct first_epoch epoch = {.busy = 0};
    struct chunk_rings inputs = {.ring = NULL}, targets = {.ring = NULL};
    struct values values = values_of_inputs(dataset);
    *decoding = (struct decoding){0};
    size_t bytes = dataset_count_values(dataset);
    if (bytes <= sets_share_cache(config, bytes).train)
        return 0;
    int failed = rings_init(&inputs, dataset, &values, error);
    if (!failed && dataset->has_targets) {
        values = values_of_targets(dataset);
        failed = rings_init(&targets, dataset, &values, error);
    }
    if (!failed && count_chunks(&inputs) + count_chunks(&targets))
        failed =
            epoch_init(&epoch, config, dataset, ranks, error) || go_through(&epoch, &inputs, &targets, error);
    if (!failed)
        *decoding = (struct decoding){get_times(&inputs), get_times(&targets)};
    epoch_finish(&epoch);
    rings_finish(&inputs);
    rings_finish(&targets);
    return failed ? -1 : 0;
}

/* ---- advice ---- */

/* The largest window of which the caches of a set hold two, where windows take `all` bytes for all sequences;
 * `most` where any does. Two windows may both lie in the file whose cache has room for the least of it. */
static double find_window(
    struct dataset *dataset, const struct values *values, double all, double most, struct error *error)
{
    for (size_t f = 0; f < dataset->files; f++) {
        struct h5_chunks lie;
        int64_t rows;
        if (look_at_file(dataset, values, f, &lie, &rows, error))
            return most;
        if (!lie.rows || !lie.filtered || lie.kept * lie.rows >= rows)
            continue;
        double kept = (double)lie.kept * (double)lie.rows / (double)values->rows; /* of all rows */
        most = fmin(most, kept * all / 2);
    }
    return most;
}

/* Makes a size one that is easily said. */
static size_t round_down(size_t bytes)
{
    enum { KIB = 1 << 10, MIB = 1 << 20 };
    size_t unit = bytes >= 8 * (size_t)MIB ? MIB : KIB;
    return bytes - bytes % unit;
}

/* The largest window of which the caches have room for two. */
static size_t find_largest_window(struct dataset *dataset, struct error *error)
{
    double all = (double)dataset_count_values(dataset);
    struct values values = values_of_inputs(dataset);
    double window = find_window(dataset, &values, all, all, error);
    if (dataset->has_targets) {
        values = values_of_targets(dataset);
        window = find_window(dataset, &values, all, window, error);
    }
    return round_down((size_t)window);
}

static double get_worst(const struct decoding *decoding)
{
    return fmax(decoding->inputs, decoding->targets);
}

/* Tries windows of which two just fit the cache, and smaller ones: the smaller they are, the more chunks two
 * windows share, but the less do two pairs push each other out, as a step has sequences of both. Sets the
 * window of *config to the best and *best to the times with it, if there is one below that. */
static int choose_window(
    struct config *config, struct dataset *dataset, size_t ranks, double *best, struct error *error)
{
    enum { TRIALS = 3 };
    struct config trial = *config;
    struct error too_small;
    trial.data.shuffle = SHUFFLE_WINDOWS;
    trial.data.window = find_largest_window(dataset, error);
    for (int i = 0; i < TRIALS && trial.data.window;
         i++, trial.data.window = round_down(trial.data.window / 2)) {
        struct decoding decoding;
        if (dataset_require_window(dataset, trial.data.window, &too_small))
            break;
        if (decoding_survey(&trial, dataset, ranks, &decoding, error))
            return -1;
        if (get_worst(&decoding) < *best) {
            *best = get_worst(&decoding);
            config->data.window = trial.data.window;
        }
    }
    return 0;
}

/* Writes what windows would do, where that is much better; nothing else. */
static int advise_windows(const struct config *config, struct dataset *dataset, size_t ranks, double now,
    char text[120], struct error *error)
{
    struct config other = *config;
    double best = now / MANY;
    char window[40];
    *text = 0;
    if (choose_window(&other, dataset, ranks, &best, error))
        return -1;
    number_write_bytes(other.data.window, window, sizeof window);
    if (best < now / MANY)
        snprintf(text, 120, "data.shuffle = windows with data.window = %s makes that %.2f; ", window, best);
    return 0;
}

int decoding_advise(const struct config *config, struct dataset *dataset, size_t ranks,
    const struct decoding *decoding, char *text, size_t size, struct error *error)
{
    enum { MIB = 1 << 20 };
    double now = get_worst(decoding);
    char windows[120], cache[40];
    if (now <= MANY)
        return 0;
    if (advise_windows(config, dataset, ranks, now, windows, error))
        return -1;
    number_write_bytes((dataset_count_values(dataset) / MIB + 1) * MIB, cache, sizeof cache);
    snprintf(text, size,
        "%s: is compressed and larger than its part of data.cache: each rank decompresses a chunk %.3g times "
        "an epoch: %sdata.cache = %s keeps all of it decoded; rnn-data repack writes it without "
        "compression, or in smaller chunks",
        dataset->name, now, windows, cache);
    return 1;
}
