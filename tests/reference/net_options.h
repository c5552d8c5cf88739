/* Every option of a network with outputs of frames or sequences, or ctc, for tests that go through them alone
 * and together (recurrent_dropout, which the reference knows by its masks alone, too). A new option is one
 * line of the table in net_options.c. */
#ifndef TESTS_REFERENCE_NET_OPTIONS_H
#define TESTS_REFERENCE_NET_OPTIONS_H

#include "problem.h"

struct net_option {
    const char *name;
    void (*set)(struct net_config *config); /* NULL: nothing to set */
    unsigned cells;                         /* bit 1 << CELL_... of each cell that has it */
    int loss;                               /* enum loss that it takes, or -1: any */
    int drops_targets;                      /* problem_drop_targets belongs to it */
    int weighs_targets;                     /* problem_weigh_targets does */
};

extern const struct net_option net_options[];
extern const size_t net_options_count;

/* Whether this cell has all of these options and no two of them take different losses. */
int net_options_agree(enum cell cell, size_t n, const struct net_option *const chosen[]);

/* All options that this cell and loss have, but a net without layers; returns how many. */
size_t net_options_choose_all(enum cell cell, int loss, const struct net_option *chosen[]);

/* Sets them; chosen is in the order of the table. config has all that they do not say: cell, output, a loss
 * for when they leave it free, sizes of layers, inputs and outputs. */
void net_options_apply(struct net_config *config, size_t n, const struct net_option *const chosen[]);

/* Whether one of them is about the losses of rows, which ctc has not. */
int net_options_take_rows(size_t n, const struct net_option *const chosen[]);

/* Whether problem_drop_targets belongs to one of them. */
int net_options_drop_targets(size_t n, const struct net_option *const chosen[]);

/* Whether problem_weigh_targets does. */
int net_options_weigh_targets(size_t n, const struct net_option *const chosen[]);

#endif
