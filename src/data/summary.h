/* What `rnn-data info` tells of a dataset file. Memory is bounded, since values are read in slabs. */
#ifndef DATA_SUMMARY_H
#define DATA_SUMMARY_H

#include "data/dataset.h"
#include "data/statistics.h"

struct summary {
    struct dataset *dataset; /* open, nothing kept */
    int64_t bytes;           /* of the file */
    int32_t shortest, longest;
    double median;        /* length; of an even count, the mean of the two in the middle */
    char *title, *source; /* NULL where the file has none */
    /* NULL where the file has none, or another number of them than there are features, outputs, classes,
     * symbols.
     */
    char **feature_names, **target_names, **class_names, **symbol_names;
    struct column_statistics *inputs, *targets; /* [features], [values]; NULL where they are no real values */
    struct column_statistics weights;           /* of targets, where the file has them */
    int64_t *class_count; /* [classes]; NULL without classes, or with more than SUMMARY_MOST_CLASSES */
    int64_t untargeted;   /* rows of the targets of class -1, no target; counted with class_count */
};

enum { SUMMARY_MOST_CLASSES = 1 << 20 };

/* Opens and reads what there is to tell. *summary is ended by summary_finish. Errors as in dataset_open, and
 * EXIT_CODE_DATA for a class out of range, a number that is not finite, or a file that has changed meanwhile.
 */
int summary_init(struct summary *summary, const char *path, struct error *error);
void summary_finish(struct summary *summary); /* takes zeroes */

#endif
