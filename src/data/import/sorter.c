/* A merge of all pieces at once by a heap. The room for a piece of them is what one piece had, divided by
 * their number: with 4 KiB for each that is enough for 16 GiB, and beyond it memory grows with the pieces, by
 * a four-thousandth of the data. */
#include "data/import/sorter.h"

#include "base/array.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 8 << 20, LEAST_BUFFER = 4 << 10 };

/* A sorted piece in the spool, and what of it is in memory. */
struct import_run {
    int64_t at, left; /* where its records begin that are not in the buffer, and how many these are */
    char *buffer;
    size_t next, loaded; /* records in the buffer */
};

static size_t row_bytes(const struct import_sorter *sorter)
{
    return sizeof(struct import_sort_key) + sorter->bytes;
}

static size_t piece_rows(const struct import_sorter *sorter)
{
    return PIECE_BYTES / row_bytes(sorter) + 1;
}

static int compare_keys(const char *one, const char *other)
{
    struct import_sort_key a, b;
    memcpy(&a, one, sizeof a);
    memcpy(&b, other, sizeof b);
    if (a.sequence != b.sequence)
        return a.sequence < b.sequence ? -1 : 1;
    if (a.order < b.order || a.order > b.order)
        return a.order < b.order ? -1 : 1;
    return a.line < b.line ? -1 : a.line > b.line;
}

static int compare_rows(const void *one, const void *other)
{
    return compare_keys(*(char *const *)one, *(char *const *)other);
}

/* Sorts the block and puts it into the spool as a piece. */
static int end_piece(struct import_sorter *sorter, struct error *error)
{
    size_t bytes = row_bytes(sorter);
    if (!sorter->in_block)
        return 0;
    struct import_run *runs = array_grow(sorter->run, &sorter->run_room, sorter->runs, sizeof *runs);
    if (!runs)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    sorter->run = runs;
    runs[sorter->runs++] = (struct import_run){.at = sorter->written, .left = (int64_t)sorter->in_block};
    for (size_t r = 0; r < sorter->in_block; r++)
        sorter->sorted[r] = sorter->block + r * bytes;
    qsort(sorter->sorted, sorter->in_block, sizeof *sorter->sorted, compare_rows);
    for (size_t r = 0; r < sorter->in_block; r++)
        if (spool_write(&sorter->spool, sorter->sorted[r], bytes, error))
            return -1;
    sorter->written += (int64_t)(sorter->in_block * bytes);
    sorter->in_block = 0;
    return 0;
}

int import_sorter_add(
    struct import_sorter *sorter, const struct import_sort_key *key, const void *record, struct error *error)
{
    size_t rows = piece_rows(sorter), bytes = row_bytes(sorter);
    if (!sorter->block && !(sorter->block = memory_create(rows, bytes, error)))
        return -1;
    if (!sorter->sorted && !(sorter->sorted = memory_create(rows, sizeof *sorter->sorted, error)))
        return -1;
    if (sorter->in_block == rows && end_piece(sorter, error))
        return -1;
    char *row = sorter->block + sorter->in_block++ * bytes;
    memcpy(row, key, sizeof *key);
    memcpy(row + sizeof *key, record, sorter->bytes);
    return 0;
}

/* ---- merging ---- */

static size_t buffer_rows(const struct import_sorter *sorter)
{
    size_t bytes = PIECE_BYTES / sorter->runs;
    return (bytes < LEAST_BUFFER ? LEAST_BUFFER : bytes) / row_bytes(sorter) + 1;
}

static const char *front(const struct import_sorter *sorter, size_t run)
{
    return sorter->run[run].buffer + sorter->run[run].next * row_bytes(sorter);
}

/* Loads records where the buffer of a piece is used up; 0: there are no more. */
static int load(struct import_sorter *sorter, struct import_run *run, struct error *error)
{
    size_t bytes = row_bytes(sorter), most = buffer_rows(sorter);
    if (run->next < run->loaded || run->left == 0)
        return run->next < run->loaded;
    run->loaded = run->left < (int64_t)most ? (size_t)run->left : most;
    run->next = 0;
    if (spool_read_at(&sorter->spool, run->at, run->buffer, run->loaded * bytes, error))
        return -1;
    run->at += (int64_t)(run->loaded * bytes);
    run->left -= (int64_t)run->loaded;
    return 1;
}

/* Moves the piece at this place of the heap down to where it belongs. */
static void sink(struct import_sorter *sorter, size_t place)
{
    for (size_t least = place;; place = least) {
        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < sorter->heaped; child++)
            if (compare_keys(front(sorter, sorter->heap[child]), front(sorter, sorter->heap[least])) < 0)
                least = child;
        if (least == place)
            return;
        size_t run = sorter->heap[place];
        sorter->heap[place] = sorter->heap[least];
        sorter->heap[least] = run;
    }
}

static int begin_merge(struct import_sorter *sorter, struct error *error)
{
    if (end_piece(sorter, error) || spool_rewind(&sorter->spool, error) ||
        !(sorter->heap = memory_create(sorter->runs, sizeof *sorter->heap, error)))
        return -1;
    memory_destroy(sorter->block);
    memory_destroy(sorter->sorted);
    sorter->block = NULL;
    sorter->sorted = NULL;
    for (size_t r = 0; r < sorter->runs; r++) {
        struct import_run *run = &sorter->run[r];
        run->buffer = memory_create(buffer_rows(sorter), row_bytes(sorter), error);
        if (!run->buffer || load(sorter, run, error) < 0)
            return -1;
        sorter->heap[sorter->heaped++] = r;
    }
    for (size_t place = sorter->heaped; place-- > 0;)
        sink(sorter, place);
    return 0;
}

int import_sorter_next(
    struct import_sorter *sorter, struct import_sort_key *key, void *record, struct error *error)
{
    if (!sorter->heap && begin_merge(sorter, error))
        return -1;
    if (sorter->heaped == 0)
        return 0;
    const char *row = front(sorter, sorter->heap[0]);
    memcpy(key, row, sizeof *key);
    memcpy(record, row + sizeof *key, sorter->bytes);
    struct import_run *run = &sorter->run[sorter->heap[0]];
    run->next++;
    int more = load(sorter, run, error);
    if (more < 0)
        return -1;
    if (!more)
        sorter->heap[0] = sorter->heap[--sorter->heaped];
    sink(sorter, 0);
    return 1;
}

void import_sorter_finish(struct import_sorter *sorter)
{
    for (size_t r = 0; r < sorter->runs; r++)
        memory_destroy(sorter->run[r].buffer);
    free(sorter->run);
    memory_destroy(sorter->heap);
    memory_destroy(sorter->block);
    memory_destroy(sorter->sorted);
    spool_finish(&sorter->spool);
}
