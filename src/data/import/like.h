/* The dataset of --like, or the network that reads what is imported: what an import has to have too. */
#ifndef DATA_IMPORT_LIKE_H
#define DATA_IMPORT_LIKE_H

#include "data/dataset.h"
#include "data/import/import.h"
#include "data/names.h"

struct import_like {
    const char *path;                     /* NULL: there is none */
    struct dataset *dataset;              /* of a network one without a file, that says what it takes */
    const struct import_pattern *pattern; /* the network; NULL: a dataset */
    size_t features;                      /* without the columns that say what is missing */
    size_t marks;                         /* how many of these there are, behind all features */
    struct net_names names;               /* features without these columns */
    size_t *marked;                       /* [marks]: the feature of each */
};

/* What the name of a feature has behind it in the column that says where it is missing. */
#define IMPORT_MARK " is missing"

/* Opens and looks. *like (zeroes) is ended by import_like_finish, also after a failure. */
int import_like_init(struct import_like *like, const char *path, struct error *error);
int import_like_init_pattern(
    struct import_like *like, const struct import_pattern *pattern, struct error *error);
void import_like_finish(struct import_like *like); /* takes zeroes */

/* The means of its features, mean [features], those that are to stand for missing values. */
int import_like_means(const struct import_like *like, double *mean, struct error *error);

#endif
