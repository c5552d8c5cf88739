/* Networks of two files, held against each other. */
#ifndef MODEL_NETWORK_H
#define MODEL_NETWORK_H

#include "base/error.h"
#include "net/types.h"

enum { NETWORK_DIFFERENCE = 256 };

/* Do the networks compute the same of their inputs, given the same weights? Keys that only matter while a
 * network learns may differ. Returns 0, or 1 and what of the other one differs, as "another model.hidden (5,
 * not 4)"; -1 and an error without memory. */
int network_compare(const struct net_config *one, const struct net_config *other,
    char what[NETWORK_DIFFERENCE], struct error *error);

#endif
