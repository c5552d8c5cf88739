/* What dump_net and dump_decoder share. A failure ends the program. */
#ifndef TESTS_PYTORCH_DUMP_H
#define TESTS_PYTORCH_DUMP_H

#include "h5/h5.h"
#include "net/net.h"

/* Of every net. */
#define HUBER_DELTA 0.5
#define QUANTILES                                                                                            \
    {                                                                                                        \
        0.1, 0.5, 0.75                                                                                       \
    }
enum { QUANTILES_COUNT = 3 };

_Noreturn void dump_fail(const char *text);

/* Where the word stands among the names, which end with NULL. */
int dump_choose(const char *word, const char *const names[]);

/* One of "real", "symbols" and "embedding" (of so many numbers) as the inputs of the net. */
void dump_choose_inputs(const char *word, size_t embedding, struct net_config *config);

/* The group /gradient, with a set for each tensor of the net. */
void dump_gradient(struct h5_image *image, const struct net *net, const float *gradient);

/* A checkpoint of the weights, as a run would write it. */
void dump_checkpoint(const char *path, const struct net *net, const float *weights);

#endif
