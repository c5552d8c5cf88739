/* Three microbatches go round: one that the rank computes on, two that the thread fills. The list of asked
 * microbatches is a queue in order of asking; the thread works down it and stops where no microbatch is free,
 * so memory does not depend on how far ahead the rank asks.
 *
 *     asked:  done ... done | packed packed | being read | waiting ... waiting
 *                    in use   next                next_read
 *
 * Ask number n lands in slot n mod SLOTS, which is free once the rank has moved past ask n - SLOTS. */
#include "data/reader.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <assert.h>
#include <string.h>

enum { SLOTS = 3 };

static const double MOMENT = 0.02; /* seconds */

struct ask {
    struct ask *next;
    struct value_sums *sums; /* that its values are noted in, or NULL */
    struct excerpt excerpt;
    size_t B;
    int64_t sequence[]; /* [B] */
};

struct slot {
    struct microbatch microbatch;
    struct error error; /* code 0: the microbatch is good */
};

struct reader {
    struct dataset *dataset;
    const float *mean, *deviation;
    struct value_sums *sums; /* of what is asked for from now on, as is */
    struct excerpt excerpt;
    struct reader_wait wait;
    struct slot slot[SLOTS];
    uint64_t asked, taken;    /* how many so far; the rank holds microbatch taken - 1 */
    struct ask *first, *last; /* asked for, not yet begun */

    int has_thread;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all members but the slots */
    pthread_cond_t changed;
    uint64_t ready; /* packed so far */
    int stop;
};

static struct ask *take_ask(struct reader *reader)
{
    struct ask *ask = reader->first;
    reader->first = ask->next;
    if (!reader->first)
        reader->last = NULL;
    return ask;
}

static void fill_slot(struct reader *reader, struct ask *ask, struct slot *slot)
{
    slot->error.code = EXIT_CODE_OK;
    reader->dataset->sums = ask->sums;
    slot->microbatch.excerpt = ask->excerpt;
    dataset_read_microbatch(reader->dataset, ask->B, ask->sequence, reader->mean, reader->deviation,
        &slot->microbatch, &slot->error);
    error_explain_memory(
        &slot->error, "packed microbatches", "a smaller train.microbatch (of rnn-predict, --batch) takes");
    memory_destroy(ask);
}

/* ---- the thread ---- */

static void *read_ahead(void *context)
{
    struct reader *reader = context;
    pthread_mutex_lock(&reader->lock);
    while (!reader->stop) {
        /* microbatch taken - 1 is in use, so asks up to taken + SLOTS - 2 have a free slot */
        if (!reader->first || reader->ready + 1 >= reader->taken + SLOTS) {
            pthread_cond_wait(&reader->changed, &reader->lock);
            continue;
        }
        struct ask *ask = take_ask(reader);
        struct slot *slot = &reader->slot[reader->ready % SLOTS];
        pthread_mutex_unlock(&reader->lock);
        fill_slot(reader, ask, slot);
        pthread_mutex_lock(&reader->lock);
        reader->ready++;
        pthread_cond_broadcast(&reader->changed);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

static int start_thread(struct reader *reader, struct error *error)
{
    int failed = thread_start(&reader->thread, read_ahead, reader);
    if (failed)
        return error_set(error, EXIT_CODE_INTERNAL, "%s: no thread for reading ahead: %s",
            reader->dataset->name, strerror(failed));
    reader->has_thread = 1;
    return 0;
}

/* ---- the thread that computes ---- */

struct reader *reader_create(
    struct dataset *dataset, const float *mean, const float *deviation, struct error *error)
{
    struct reader *reader = memory_create(1, sizeof *reader, error);
    if (!reader)
        return NULL;
    reader->dataset = dataset;
    reader->mean = mean;
    reader->deviation = deviation;
    for (int i = 0; i < SLOTS; i++)
        microbatch_init(&reader->slot[i].microbatch);
    thread_init_condition(&reader->changed);
    pthread_mutex_init(&reader->lock, NULL);
    if (dataset_is_kept(dataset) || start_thread(reader, error) == 0)
        return reader;
    reader_destroy(reader);
    return NULL;
}

void reader_destroy(struct reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->stop = 1;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    if (reader->has_thread)
        pthread_join(reader->thread, NULL);
    while (reader->first)
        memory_destroy(take_ask(reader));
    reader->dataset->sums = NULL;
    reader->dataset->unwanted = NULL;
    for (int i = 0; i < SLOTS; i++)
        microbatch_finish(&reader->slot[i].microbatch);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    memory_destroy(reader);
}

void reader_set_wait(struct reader *reader, const struct reader_wait *wait)
{
    assert(!reader->asked);
    reader->wait = *wait;
    reader->dataset->unwanted = wait->unwanted;
}

void reader_note(struct reader *reader, struct value_sums *sums)
{
    reader->sums = sums;
}

void reader_cut(struct reader *reader, struct excerpt excerpt)
{
    reader->excerpt = excerpt;
}

int reader_ask(struct reader *reader, size_t B, const int64_t *sequence, struct error *error)
{
    assert(B > 0);
    struct ask *ask = memory_create(sizeof *ask + B * sizeof *sequence, 1, error);
    if (!ask)
        return -1;
    ask->B = B;
    ask->sums = reader->sums;
    ask->excerpt = reader->excerpt;
    memcpy(ask->sequence, sequence, B * sizeof *sequence);
    pthread_mutex_lock(&reader->lock);
    if (reader->last)
        reader->last->next = ask;
    else
        reader->first = ask;
    reader->last = ask;
    reader->asked++;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    return 0;
}

static int is_unwanted(const struct reader *reader)
{
    return reader->wait.unwanted && *reader->wait.unwanted;
}

/* Waits for the thread to have filled the slot that is to be taken. It is no silence as long as the disk
 * answers: only a read that does not come back is one. */
static void wait_for_slot(struct reader *reader)
{
    unsigned reads = atomic_load(&reader->dataset->reads);
    pthread_mutex_lock(&reader->lock);
    assert(reader->taken < reader->asked);
    reader->taken++;
    pthread_cond_broadcast(&reader->changed);
    while (reader->ready < reader->taken && !is_unwanted(reader)) {
        thread_wait(&reader->changed, &reader->lock, MOMENT);
        unsigned now = atomic_load(&reader->dataset->reads);
        if (now != reads && reader->wait.alive)
            reader->wait.alive(reader->wait.context);
        reads = now;
    }
    pthread_mutex_unlock(&reader->lock);
}

/* The slot of the next microbatch, filled unless it is unwanted; gives the one in use back. */
static struct slot *next_slot(struct reader *reader)
{
    struct slot *slot = &reader->slot[reader->has_thread ? reader->taken % SLOTS : 0];
    if (reader->has_thread) {
        wait_for_slot(reader);
        return slot;
    }
    pthread_mutex_lock(&reader->lock); /* more may be asked for at this moment */
    assert(reader->taken < reader->asked);
    reader->taken++;
    struct ask *ask = take_ask(reader);
    pthread_mutex_unlock(&reader->lock);
    fill_slot(reader, ask, slot);
    return slot;
}

const struct microbatch *reader_next(struct reader *reader, double *wait, struct error *error)
{
    double start = clock_now();
    const struct slot *slot = next_slot(reader);
    if (wait)
        *wait += clock_now() - start;
    if (is_unwanted(reader))
        return NULL;
    if (slot->error.code == EXIT_CODE_OK)
        return &slot->microbatch;
    error_set(error, (enum exit_code)slot->error.code, "%s", slot->error.text);
    return NULL;
}
