/* Tensors by name. Inside of the reference. */
#ifndef TESTS_REFERENCE_NAMES_H
#define TESTS_REFERENCE_NAMES_H

#include "reference.h"

struct reference_names {
    size_t n;
    struct parameter *list;
};

void reference_names_init(struct reference_names *names, const struct net_config *config);
void reference_names_finish(struct reference_names *names);
size_t reference_names_count(const struct reference_names *names); /* weights of all tensors */

/* The tensor of this name in a flat vector of weights or of their gradient; a name that is not there ends the
 * program. */
double *reference_tensor(const struct reference_names *names, double *flat, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
