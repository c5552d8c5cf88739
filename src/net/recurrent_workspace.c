/* A direction's share of the workspace of a pass: states that stay, the reserve, which may be one for several
 * directions, and room for sums that are as large as weights. */
#include "net/recurrent_steps.h"

void recurrent_take_reserve(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    const struct cell_kind *kind = r->kind;
    size_t B = pass->microbatch->B;
    struct reserve_rows rows = count_reserve_rows(r, pass);
    r->a = frames_take(arena, rows.sums, r->a_stride);
    if (kind->has_memory)
        r->c = frames_take(arena, rows.states, r->Hp);
    if (kind->mixing)
        r->s = frames_take(arena, rows.states, r->Hp);
    if (kind->saves_values)
        r->t = frames_take(arena, rows.segment, r->Hp);
    if (kind->separates_terms)
        r->u = frames_take(arena, rows.sums, r->a_stride);
    transition_take_workspace(&r->transition, pass, rows.sums, arena);
    mixing_take_workspace(&r->mixing, pass, rows.sums, arena);
    if (!pass->options.training)
        return;
    r->again = arena_take(arena, r->segment ? r->Hp : 0, sizeof(float));
    r->dc = arena_take(arena, kind->has_memory ? B * r->Hp : 0, sizeof(float));
    r->ds = arena_take(arena, kind->mixing ? B * r->Hp : 0, sizeof(float));
}

/* What stays of a direction whoever's turn it is. */
static void take_states(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    size_t B = pass->microbatch->B, T = pass->microbatch->T;
    size_t ends = r->segment ? B * ((T + r->segment - 1) / r->segment) : 0;
    int memory = r->kind->has_memory, mixes = r->kind->mixing != NULL;
    r->c_start = arena_take(arena, memory ? B * r->Hp : 0, sizeof(float));
    r->s_start = arena_take(arena, mixes ? B * r->Hp : 0, sizeof(float));
    r->c_ends = arena_take(arena, memory ? ends * r->Hp : 0, sizeof(float));
    r->s_ends = arena_take(arena, mixes ? ends * r->Hp : 0, sizeof(float));
}

void recurrent_take_workspace(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    r->segment = 0;
    r->turns = (struct arena){0};
    take_states(r, pass, arena);
    recurrent_take_reserve(r, pass, arena);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void recurrent_take_turns(struct recurrent *const *directions, size_t n, size_t segment,
    const struct pass *pass, struct arena *arena)
{
    struct arena turns = {0};
    for (size_t i = 0; i < n; i++) {
        struct arena measured = {0};
        directions[i]->segment = segment;
        take_states(directions[i], pass, arena);
        recurrent_take_reserve(directions[i], pass, &measured);
        turns.size = larger(turns.size, measured.peak);
    }
    turns.base = arena_take(arena, turns.size, 1);
    for (size_t i = 0; i < n; i++)
        directions[i]->turns = turns;
}

/* Where sums over frames lie that are as large as weights, and as vectors of them. */
static size_t count_weight_sums(const struct recurrent *r)
{
    size_t columns = r->input.columns + (r->kind->has_product ? r->Hp : 0);
    return r->width * columns + mixing_count_weights(&r->mixing);
}

static size_t count_vector_sums(const struct recurrent *r)
{
    size_t units = r->has_unit_weights ? r->kind->unit_weights * r->Hp : 0;
    return 2 * r->width + units + (r->mixing.is_there ? 2 * r->Hp : 0);
}

void recurrent_take_sums(
    struct recurrent *const *directions, size_t n, const struct pass *pass, struct arena *arena)
{
    size_t most_weights = 0, most_vectors = 0;
    if (!pass->options.training || n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        most_weights = larger(most_weights, count_weight_sums(directions[i]));
        most_vectors = larger(most_vectors, count_vector_sums(directions[i]));
    }
    struct recurrent shared = {.dW = arena_take(arena, most_weights, sizeof(float)),
        .sums = arena_take(arena, most_vectors, sizeof(float))};
    for (size_t member = 0; member < pass_members(pass); member++) {
        int64_t *before = arena_take(arena, pass->microbatch->N, sizeof *before);
        float *scratch = arena_take(arena, pass->kernel->outer_floats, sizeof *scratch);
        if (member == pass_index(pass)) {
            shared.before = before;
            shared.scratch = scratch;
        }
    }
    for (size_t i = 0; i < n; i++) {
        directions[i]->dW = shared.dW;
        directions[i]->sums = shared.sums;
        directions[i]->before = shared.before;
        directions[i]->scratch = shared.scratch;
    }
}
