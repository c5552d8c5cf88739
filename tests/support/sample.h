/* Small datasets for tests, in memory and as files of the project's format. */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include "h5/h5.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

enum sample_targets {
    SAMPLE_NO_TARGETS,
    SAMPLE_PER_FRAME,         /* without target_offsets */
    SAMPLE_PER_FRAME_OFFSETS, /* with target_offsets equal to input_offsets */
    SAMPLE_PER_SEQUENCE,
    SAMPLE_ANY,  /* 0 to 3 targets a sequence */
    SAMPLE_THREE /* 3 targets each */
};

struct sample_shape {
    int64_t sequences;
    int32_t shortest, longest; /* lengths are drawn between them */
    size_t features;           /* or */
    int32_t symbols;
    enum sample_targets kind;
    int32_t classes; /* or */
    size_t values;
    int shares;  /* 1: inputs and values lie from 0 to 1, as the targets of a sigmoid do */
    int names;   /* 1: names "sequence N" */
    int version; /* format_version; 0: 1 */
};

/* Arrays as in the file; a test may change them before writing. */
struct sample {
    struct sample_shape shape;
    int64_t frames, targets;
    int64_t *input_offsets,
        *target_offsets; /* [sequences + 1]; target_offsets NULL where the file has none */
    float *inputs;       /* [frames][features] */
    int32_t *symbols;    /* [frames] */
    int32_t *classes;    /* [targets] */
    float *values;       /* [targets][values] */
    float *weights;      /* [targets]; NULL where the file has none, as at the start */
};

/* Drawn from the seed. A failure of the harness fails the test. */
void sample_init(struct sample *sample, const struct sample_shape *shape, uint64_t seed);
void sample_finish(struct sample *sample);

/* The sample as an image to which more may be added, leaving out the set `without` (NULL: none). */
struct h5_image *sample_image(const struct sample *sample, const char *without);

/* Finishes the image and writes it. */
void sample_save(struct h5_image *image, const char *path);
void sample_write(const struct sample *sample, const char *path); /* both */

/* Writes sequences first .. end - 1 of the sample as a dataset. */
void sample_write_part(const struct sample *sample, int64_t first, int64_t end, const char *path);

/* A folder of its own under $TMPDIR or /tmp, made by main before the suite and removed after it. */
void sample_make_folder(char *folder, size_t size);
void sample_remove_folder(const char *folder); /* with the files in it */
int sample_count_files(const char *folder);

/* From now on no file of this process may be written beyond so many bytes, as on a disk that is full;
 * RLIM_INFINITY: as many as at the start. */
void sample_limit_files(rlim_t bytes);

#endif
