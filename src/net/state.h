/* States of the forward directions of recurrent layers after some steps, that a later pass goes on from.
 * Private to this folder; see net_continue. */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "net/stack.h"

struct net_state {
    size_t B, L;
    int started;               /* 0: nothing has run, and layers start as they do without a state */
    float *h[NET_MOST_LAYERS]; /* [B][Hp] of each layer */
    float *c[NET_MOST_LAYERS]; /* [B][Hp] memory of a cell that has one, else NULL */
};

/* As net_state_create_windows and net_state_destroy, of a stack; the first refuses one that has a reverse
 * direction. */
int state_refuse_reverse(const struct stack *stack, struct error *error);
struct net_state *state_create(const struct stack *stack, size_t B, struct error *error);
void state_destroy(struct net_state *state); /* takes NULL */
void state_restart(struct net_state *state); /* as net_state_restart */

/* Between carry_begin and stack_forward: layers start this pass from the state. */
void state_load(const struct net_state *state, struct stack *stack, const struct microbatch *microbatch);

/* After stack_forward: takes the states after the first `kept` steps, each of as many rows. */
void state_save(
    struct net_state *state, const struct stack *stack, const struct microbatch *microbatch, size_t kept);

#endif
