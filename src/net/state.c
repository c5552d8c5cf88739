/* A forward direction's rows at the last step of a microbatch of equal lengths are rows N - B .. N - 1 of h
 * and c, and those of an earlier step lie as many rows before them; the next microbatch's layers go on from
 * them (net/recurrent.h, START_GIVEN), which gives the bits of one microbatch: every step is the product of
 * the step before it. */
#include "net/state.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

int state_refuse_reverse(const struct stack *stack, struct error *error)
{
    for (size_t l = 0; l < stack->L; l++)
        if (stack->layer[l].D > 1)
            return error_set(error, EXIT_CODE_USAGE,
                "layer %zu is bidirectional: it starts from the end of a sequence, so that one cannot go on",
                l);
    return 0;
}

struct net_state *state_create(const struct stack *stack, size_t B, struct error *error)
{
    struct net_state *state = memory_create(1, sizeof *state, error);
    if (!state)
        return NULL;
    *state = (struct net_state){.B = B, .L = stack->L};
    int memory = cell_of(stack->config)->has_memory;
    for (size_t l = 0; l < stack->L; l++) {
        size_t Hp = stack->layer[l].direction[0].Hp;
        state->h[l] = memory_create(B * Hp, sizeof(float), error);
        state->c[l] = memory ? memory_create(B * Hp, sizeof(float), error) : NULL;
        if (!state->h[l] || (memory && !state->c[l])) {
            state_destroy(state);
            return NULL;
        }
    }
    return state;
}

void state_restart(struct net_state *state)
{
    state->started = 0;
}

void state_destroy(struct net_state *state)
{
    if (!state)
        return;
    for (size_t l = 0; l < state->L; l++) {
        memory_destroy(state->h[l]);
        memory_destroy(state->c[l]);
    }
    memory_destroy(state);
}

void state_load(const struct net_state *state, struct stack *stack, const struct microbatch *microbatch)
{
    assert(state->B == microbatch->B && microbatch->N == microbatch->T * microbatch->B);
    for (size_t l = 0; l < stack->L && state->started; l++) {
        struct layer *layer = &stack->layer[l];
        struct recurrent *r = &layer->direction[0];
        struct rows h = recurrent_start_h(r, microbatch, as_rows(layer->h, layer->stride));
        r->start = START_GIVEN;
        for (size_t b = 0; b < microbatch->B; b++)
            memcpy(row_at(h, b), state->h[l] + b * r->Hp, r->Hp * sizeof(float));
        if (state->c[l])
            memcpy(recurrent_start_c(r), state->c[l], microbatch->B * r->Hp * sizeof(float));
    }
}

void state_save(
    struct net_state *state, const struct stack *stack, const struct microbatch *microbatch, size_t kept)
{
    size_t last = microbatch->first[kept - 1];
    for (size_t l = 0; l < stack->L; l++) {
        const struct layer *layer = &stack->layer[l];
        const struct recurrent *r = &layer->direction[0];
        struct rows h = recurrent_states(r, as_rows(layer->h, layer->stride), last);
        for (size_t b = 0; b < microbatch->B; b++)
            memcpy(state->h[l] + b * r->Hp, row_at(h, b), r->Hp * sizeof(float));
        if (state->c[l])
            memcpy(state->c[l], frames_at(&r->c, last).data, microbatch->B * r->Hp * sizeof(float));
    }
    state->started = 1;
}
