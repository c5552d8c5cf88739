/* Reading ahead: microbatches are read and packed on a thread of their own while the rank computes, in the
 * order in which they were asked for. A dataset that is kept decoded is packed at once, without a thread. */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "data/dataset.h"

#include <signal.h>

struct reader;

/* Memory: two packed microbatches ahead besides the one in use, and a list of what was asked for.
 * `mean`, `deviation` as in dataset_read_microbatch (NULL: none), kept by reference. Owned by the caller.
 * While a reader lives nobody else reads from its dataset. */
struct reader *reader_create(
    struct dataset *dataset, const float *mean, const float *deviation, struct error *error);
void reader_destroy(struct reader *reader); /* takes NULL; drops what was asked for */

/* What a wait for a microbatch looks at. */
struct reader_wait {
    const volatile sig_atomic_t *unwanted; /* not 0: nothing more is waited for, or read; NULL: never */
    /* Called now and then while reads come back from the disk; NULL: nothing is. */
    void (*alive)(const void *context);
    const void *context;
};

/* To be called before anything is asked for; `unwanted`, once it is not 0, stays so. */
void reader_set_wait(struct reader *reader, const struct reader_wait *wait);

/* From now on what is asked for is noted in `sums` (data/fingerprint.h) as it is read; NULL: it is not. Where
 * the dataset is kept, nothing is read any more, and nothing noted. */
void reader_note(struct reader *reader, struct value_sums *sums);

/* From now on what is asked for are these frames of the sequences, each of which has some of them. */
void reader_cut(struct reader *reader, struct excerpt excerpt);

/* Asks for a microbatch of B sequences (falling lengths; copied). It never waits for a microbatch, and takes
 * any number of them. This, reader_note and reader_cut may be called by another thread than reader_next is.
 */
int reader_ask(struct reader *reader, size_t B, const int64_t *sequence, struct error *error);

/* The next microbatch that was asked for, valid until the next call; waits for it (or packs it, where the
 * dataset is kept), and adds the seconds that took to *wait. NULL and an error where this one could not be
 * read; those asked for after it follow as before. NULL and no error where microbatches are unwanted: there
 * are no others then. Asking for none before is a mistake of ours. */
const struct microbatch *reader_next(struct reader *reader, double *wait, struct error *error);

#endif
