/* The networks that ten_steps trains. */
#ifndef TESTS_PORTABLE_STUDIES_H
#define TESTS_PORTABLE_STUDIES_H

#include "net/net.h"
#include "optim/optim.h"

#include <stddef.h>
#include <stdint.h>

enum { STEPS = 10 };

struct study {
    const char *name;
    struct net_config net;
    struct optim_config optim;
    int32_t
        longest; /* most frames of a sequence; the first has more a microbatch than outer() takes at once */
    int some_dropped; /* 1: classes of -1, or values that are NaN, among the targets */
};

/* Every cell, output, loss, kind of input, optimizer and schedule, at sizes that are no multiples of a
 * vector; then every option of a network; then those that make sequences of another length; then losses
 * whose exponentials and logarithms are the network's own, with values that are missing. */
extern const struct study studies[], option_studies[], ctc_studies[], decoder_studies[], loss_studies[];
extern const size_t studies_count, option_studies_count, ctc_studies_count, decoder_studies_count,
    loss_studies_count;

#endif
