/* Rows that go on have all steps of the microbatch, so that their states are those of its last step; the next
 * microbatch's layers start from them (net/recurrent.h, START_GIVEN), which gives the bits of one microbatch:
 * every step is the product of the step before it. */
#include "net/carry.h"

#include <assert.h>
#include <string.h>

size_t carry_count(const struct stack *stack)
{
    size_t n = 0, parts = cell_of(stack->config)->has_memory ? 2 : 1;
    for (size_t l = 0; l < stack->L; l++)
        n += parts * stack->layer[l].direction[0].H;
    return n;
}

/* The numbers of row b of the microbatch. */
static size_t place_of(const struct net_carry *carry, size_t b)
{
    return carry->place ? (size_t)carry->place[b] : b;
}

/* Units beyond H stay zero. */
static const float *put_numbers(const struct recurrent *r, const float *numbers, float *units)
{
    memcpy(units, numbers, r->H * sizeof *units);
    memset(units + r->H, 0, (r->Hp - r->H) * sizeof *units);
    return numbers + r->H;
}

static float *take_numbers(const struct recurrent *r, const float *units, float *numbers)
{
    memcpy(numbers, units, r->H * sizeof *numbers);
    return numbers + r->H;
}

static struct rows outputs_of(const struct layer *layer)
{
    return as_rows(layer->h, layer->stride);
}

static void load_row(
    const struct stack *stack, const struct microbatch *microbatch, size_t b, const float *from)
{
    for (size_t l = 0; l < stack->L; l++) {
        const struct recurrent *r = &stack->layer[l].direction[0];
        struct rows h = recurrent_start_h(r, microbatch, outputs_of(&stack->layer[l]));
        from = put_numbers(r, from, row_at(h, b));
        if (r->kind->has_memory)
            from = put_numbers(r, from, recurrent_start_c(r) + b * r->Hp);
    }
}

static void save_row(const struct stack *stack, const struct microbatch *microbatch, size_t b, float *to)
{
    assert((size_t)microbatch->length[b] == microbatch->T);
    for (size_t l = 0; l < stack->L; l++) {
        const struct recurrent *r = &stack->layer[l].direction[0];
        struct rows h = recurrent_last_h(r, microbatch, outputs_of(&stack->layer[l]));
        to = take_numbers(r, row_at(h, b), to);
        if (r->kind->has_memory)
            to = take_numbers(r, row_at(recurrent_last_c(r, microbatch), b), to);
    }
}

void carry_begin(struct stack *stack, const struct pass *pass)
{
    const struct net_carry *carry = pass->options.carry;
    const struct microbatch *microbatch = pass->microbatch;
    int goes_on = carry && carry->before;
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++) {
            struct recurrent *r = &stack->layer[l].direction[d];
            assert(!carry || d == 0);
            r->start = goes_on ? START_GIVEN : r->usual_start;
        }
    if (!goes_on)
        return;
    for (size_t b = 0; b < microbatch->B && pass_leads(pass); b++)
        load_row(stack, microbatch, b, carry->before + place_of(carry, b) * carry_count(stack));
    pass_meet(pass);
}

void carry_end(const struct stack *stack, const struct pass *pass)
{
    const struct net_carry *carry = pass->options.carry;
    if (!carry || !pass_leads(pass))
        return;
    for (size_t b = 0; b < carry->going; b++)
        save_row(stack, pass->microbatch, b, carry->after + place_of(carry, b) * carry_count(stack));
}
