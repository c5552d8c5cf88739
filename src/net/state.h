/* States of the recurrent layers after some steps, that a later pass goes on from. Private to this folder;
 * see net_continue. */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "net/stack.h"

struct net_state {
    size_t B, L;
    int started;               /* 0: nothing has run, and layers start as they do without a state */
    float *h[NET_MOST_LAYERS]; /* [B][Hp] of each layer */
    float *c[NET_MOST_LAYERS]; /* [B][Hp] memory of a cell that has one, else NULL */
};

/* As net_state_create and net_state_destroy, of a stack. */
struct net_state *state_create(const struct stack *stack, size_t B, struct error *error);
void state_destroy(struct net_state *state); /* takes NULL */

/* Between stack_take_workspace and stack_forward: layers start from the state. */
void state_load(const struct net_state *state, struct stack *stack, const struct microbatch *microbatch);

/* After stack_forward: takes the states of the last step, of as many rows as the first; layers start as
 * before state_load. */
void state_save(struct net_state *state, struct stack *stack, const struct microbatch *microbatch);

#endif
