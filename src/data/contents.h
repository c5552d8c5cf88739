/* What is known of a dataset file that is open, for all who read from it; data/dataset.h opens and closes. */
#ifndef DATA_CONTENTS_H
#define DATA_CONTENTS_H

#include "base/error.h"
#include "base/identity.h"
#include "h5/h5.h"
#include "net/losses/loss.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* How many targets a sequence has. */
enum target_kind {
    TARGET_FRAME,    /* one per frame: target_offsets absent or equal to input_offsets */
    TARGET_SEQUENCE, /* one per sequence */
    TARGET_ANY       /* any number, also 0 */
};

struct value_sums;

/* What a dataset has a number of, and each of its files a part. */
enum dataset_part { PART_INPUTS, PART_TARGETS /* rows */, PART_SEQUENCES, DATASET_PARTS };

/* One of the files that a dataset lies in. */
struct dataset_file {
    char *path;
    struct h5_file *h5;
    struct file_identity identity; /* when it was opened */
    int64_t first[DATASET_PARTS];  /* the first row or sequence of the dataset that is in it */
};

/* Where a sequence lies: in which file, and what number it has there. Messages say both. */
struct dataset_place {
    const struct dataset_file *file;
    int64_t sequence;
};

struct dataset {
    char *name; /* for messages: the path of its file, or that of the first and how many more there are */
    int64_t sequences, frames;
    int32_t longest;
    size_t features; /* I of real-valued inputs, 0 with symbols */
    int32_t symbols; /* n_symbols, 0 with real-valued inputs */
    int has_targets;
    int32_t classes; /* n_classes, 0 with real-valued targets */
    size_t values;   /* O of real-valued targets, 0 with classes */
    int64_t targets; /* rows of /targets */
    /* The narrowest that fits; nothing where there are no targets. Where all sequences have one frame, one
     * target a frame and one a sequence are the same, and this says FRAME: whoever needs one per sequence
     * takes TARGET_FRAME too if longest == 1. The microbatch's rows of frames are its sequences then. */
    enum target_kind target_kind;
    /* Set by whoever opened it, before anything is read: microbatches shall have their targets in the order
     * of any number of them (struct microbatch: target_start) whatever target_kind is, and a class of -1 or a
     * value that is NaN is refused. */
    int any_targets;
    /* Set likewise: each sequence needs as many frames as a path of ctc through its labels has. */
    int aligns;
    /* Set likewise: the loss, which says what targets that are real values may be; NULL: any finite number.
     */
    const struct loss_kind *loss;
    int version;             /* format_version: from 2 on a NaN among targets of real values is no target */
    int has_weights;         /* of targets */
    int64_t *input_offsets;  /* [sequences + 1] */
    int64_t *target_offsets; /* [sequences + 1], or NULL when absent */
    /* The files that it lies in, one behind the other, as if they were one. Whoever asks for sequences or
     * rows counts through all of them; only data/ knows that there may be several (data/files.h). */
    size_t files;
    struct dataset_file *file; /* [files] */
    size_t cache;              /* bytes this set may keep decoded */
    /* Wholly decoded when it fits the cache, else NULL and read as microbatches ask for it. */
    float *kept_inputs;    /* [frames][features] */
    int32_t *kept_symbols; /* [frames] */
    int32_t *kept_classes; /* [targets] */
    float *kept_values;    /* [targets][values] */
    float *kept_weights;   /* [targets] */
    void *own;             /* the memory that these lie in; NULL: it is somebody else's (data/kept.h) */
    void *block;           /* where nothing is kept: room for the rows being read */
    /* Takes note of the values that microbatches read from the file (data/fingerprint.h); NULL: none are. */
    struct value_sums *sums;
    /* Of microbatches that are read from the file: how many reads have come back, and, where it is not NULL,
     * what is looked at before each. Once that is not 0 nothing more is read: a microbatch fails without an
     * error. */
    atomic_uint reads;
    const volatile sig_atomic_t *unwanted;
};

/* Are its values in memory, so that the file is read no more? */
static inline int dataset_is_kept(const struct dataset *dataset)
{
    return dataset->kept_inputs || dataset->kept_symbols;
}

/* Frames of sequence s. */
static inline int32_t dataset_length(const struct dataset *dataset, int64_t s)
{
    return (int32_t)(dataset->input_offsets[s + 1] - dataset->input_offsets[s]);
}

/* Those of all sequences: length [sequences]. */
static inline void dataset_write_lengths(const struct dataset *dataset, int32_t *length)
{
    for (int64_t s = 0; s < dataset->sequences; s++)
        length[s] = dataset_length(dataset, s);
}

/* Targets of sequence s; 0 where the dataset has none. */
static inline int32_t dataset_targets(const struct dataset *dataset, int64_t s)
{
    if (!dataset->has_targets || !dataset->target_offsets)
        return dataset->has_targets ? dataset_length(dataset, s) : 0;
    return (int32_t)(dataset->target_offsets[s + 1] - dataset->target_offsets[s]);
}

/* Targets come as any number of them: the file has such, or any_targets says so. */
static inline int dataset_has_any_targets(const struct dataset *dataset)
{
    return dataset->has_targets && (dataset->target_kind == TARGET_ANY || dataset->any_targets);
}

/* The file that a row or sequence lies in. */
const struct dataset_file *dataset_find_file(
    const struct dataset *dataset, enum dataset_part part, int64_t number);

/* Where sequence s lies. */
struct dataset_place dataset_find_place(const struct dataset *dataset, int64_t s);

/* Name of a sequence, the caller's (memory_destroy). NULL where the file has none (error->code stays 0) or it
 * cannot be read. */
char *dataset_name(const struct dataset *dataset, int64_t s, struct error *error);

/* Writes an integer of a set for a message, as it is in the row of that file: `value` is what was read of it,
 * `most` the largest that this could have become (and -most - 1 the least). */
void dataset_write_integer(const struct dataset_file *file, const char *set, int64_t row, int64_t value,
    int64_t most, char text[H5_INTEGER_TEXT]);

/* ` "name"` of a sequence for messages, short and without control characters; empty where there is none. */
void dataset_write_name(const struct dataset *dataset, int64_t s, char *text, size_t size);
void dataset_write_feature(
    const struct dataset *dataset, int64_t i, char *text, size_t size); /* of a feature */
enum { DATASET_NAME = 80 };                                             /* bytes of room for it */

/* Are the files still what they were when they were opened? Where not, EXIT_CODE_DATA says what has changed,
 * and what follows from it, `consequence`. HDF5 does not notice: it reads other numbers, or zeroes behind the
 * end. */
#define DATASET_DOUBT "what is said of it may not be so"
int dataset_require_unchanged(const struct dataset *dataset, const char *consequence, struct error *error);

#endif
