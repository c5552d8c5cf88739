/* What a pass goes on from and leaves, where sequences are computed in pieces (struct net_carry): of a
 * sequence one row of numbers, of each recurrent layer in turn h [H] and, of a cell that has a memory, c [H].
 * Private to this folder. */
#ifndef NET_CARRY_H
#define NET_CARRY_H

#include "net/stack.h"

/* How many numbers a sequence has. */
size_t carry_count(const struct stack *stack);

/* Every member calls, between stack_take_workspace and stack_forward: layers start from what the pass
 * carries, or as they do without. */
void carry_begin(struct stack *stack, const struct pass *pass);

/* Every member calls, after stack_forward: takes what the pass is to leave. */
void carry_end(const struct stack *stack, const struct pass *pass);

#endif
