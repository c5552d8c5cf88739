/* A dataset that is being generated, and how it gets into a file. F features, O outputs. */
#ifndef PREDICT_GENERATED_H
#define PREDICT_GENERATED_H

#include "data/dataset.h"
#include "h5/h5.h"
#include "net/names.h"
#include "net/types.h"

struct generated {
    const struct net_config *config;
    const struct net_names *names; /* the network's */
    struct dataset *prime; /* sequences to go on from, or that a decoder speaks about; NULL: there are none */
    int64_t sequences;
    int64_t *input_offsets;  /* [sequences + 1] */
    int64_t *target_offsets; /* [sequences + 1] of what a decoder says; NULL: there is a target per frame */
    float *inputs;           /* [frames][F] as they stand in a file; or, of symbols, NULL */
    int32_t *symbols;        /* [frames] */
    int32_t *classes;        /* targets; NULL where they are values */
    size_t classes_room;     /* that there is memory for */
    float *values;           /* [frames][F] */
};

/* Makes room for the sequences of the prime set (without one: for a single one of one frame). `asked` targets
 * are to be drawn for each; a decoder's get their room as they come. Configuration, names and prime set are
 * kept by reference. Ended by generated_finish, also after a failure. */
int generated_init(struct generated *set, const struct net_config *config, const struct net_names *names,
    struct dataset *prime, int64_t asked, struct error *error);
void generated_finish(struct generated *set);

/* Takes the inputs of sequence s over from a microbatch that has them as the file does, and is that sequence
 * alone. */
void generated_copy_inputs(struct generated *set, int64_t s, const struct microbatch *microbatch);

/* In a set of next frames, the target of a frame and the input of the one after it are the same: makes the
 * one of the other. */
void generated_copy_target_to_next(struct generated *set, int64_t frame);
void generated_copy_input_to_target_before(struct generated *set, int64_t frame);

/* Appends n labels to the targets, which are those of sequence s. */
int generated_add_labels(
    struct generated *set, int64_t s, const int32_t *labels, size_t n, struct error *error);

/* Builds the file: its bytes are the caller's (memory_destroy). `source` tells where the set comes from. */
int generated_build(
    const struct generated *set, const char *source, void **bytes, size_t *size, struct error *error);

#endif
