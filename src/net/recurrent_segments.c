/* Where memory is short, a direction keeps what it gives, and its memories at the end of every segment of so
 * many steps. The rest of what backward reads, a direction's reserve, is there for one segment: forward
 * leaves it behind as it goes, and backward, which comes to the segments in the opposite order, makes it
 * again before each. That takes the products of forward once more, but of many frames at once where forward
 * goes step by step: what the steps before gave is known by then.
 *
 * The gradients by weights are sums over all frames, by rising frames. In a reverse direction backward rises
 * too, so that it adds a segment when it is done with it. In the other it comes to the last frame first: what
 * these sums read has rows of all frames there, and they are made at the end. So it is where members of a
 * team go different ways through a layer. */
#include "net/recurrent_steps.h"

#include <string.h>

int sums_at_end(const struct recurrent *r, const struct pass *pass)
{
    return !r->segment || !r->reverse || pass_members(pass) > 1;
}

/* Do sums over frames read states, and not outputs alone? */
static int sums_states(const struct recurrent *r)
{
    return r->kind->mixing || (r->has_unit_weights && r->kind->has_memory);
}

/* Members of a team read each other's rows of what is mixed: none may be gone before all have. */
static int keeps_all_frames(const struct recurrent *r, const struct pass *pass)
{
    return pass_members(pass) > 1 || (pass->options.training && sums_at_end(r, pass));
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct reserve_rows count_reserve_rows(const struct recurrent *r, const struct pass *pass)
{
    size_t B = pass->microbatch->B, N = pass->microbatch->N;
    struct reserve_rows rows = {N, N, N};
    if (!r->segment)
        return rows;
    int all = keeps_all_frames(r, pass);
    rows.segment = smaller(r->segment * B, N);
    rows.sums = all ? N : rows.segment;
    rows.states = all && sums_states(r) ? N : smaller((r->segment + 1) * B, N);
    return rows;
}

void recurrent_begin_turn(struct recurrent *r, const struct pass *pass)
{
    if (r->segment)
        recurrent_take_reserve(r, pass, &(struct arena){.base = r->turns.base, .size = r->turns.size});
}

/* The step before a segment in the direction's own time; there is one. */
static struct step step_before(const struct recurrent *r, const struct microbatch *microbatch, size_t from)
{
    return step_at(r, microbatch, step_time(r, microbatch, from - 1));
}

void open_segment(struct recurrent *r, const struct pass *pass, struct range segment)
{
    const struct microbatch *microbatch = pass->microbatch;
    int all = !r->segment || keeps_all_frames(r, pass);
    size_t first, end;
    find_frames(r, microbatch, segment, &first, &end);
    size_t states = segment.from > 0 && !r->reverse ? step_before(r, microbatch, segment.from).first : first;
    r->t.first = first;
    r->a.first = r->u.first = r->transition.first = all ? 0 : first;
    mixing_move(&r->mixing, all ? 0 : first);
    r->c.first = r->s.first = all && (!r->segment || sums_states(r)) ? 0 : states;
}

/* Copies this member's units of the states of a step from or to what is kept of the end of its segment. */
static void copy_states(const struct recurrent *r, struct step step, size_t B, size_t segment, int keep)
{
    const struct frames *states[2] = {r->kind->has_memory ? &r->c : NULL, r->kind->mixing ? &r->s : NULL};
    float *const ends[2] = {r->c_ends, r->s_ends};
    for (size_t i = 0; i < 2; i++)
        for (size_t b = 0; b < step.rows && states[i]; b++) {
            float *near = row_at(frames_at(states[i], step.first), b) + r->from;
            float *kept = ends[i] + (segment * B + b) * r->Hp + r->from;
            memcpy(keep ? kept : near, keep ? near : kept, (r->to - r->from) * sizeof(float));
        }
}

void load_states(const struct recurrent *r, const struct microbatch *microbatch, struct range segment)
{
    if (segment.from > 0 && r->from < r->to)
        copy_states(
            r, step_before(r, microbatch, segment.from), microbatch->B, segment.from / r->segment - 1, 0);
}

void keep_states(const struct recurrent *r, const struct microbatch *microbatch, struct range segment)
{
    if (r->segment && r->from < r->to)
        copy_states(r, step_before(r, microbatch, segment.to), microbatch->B, segment.from / r->segment, 1);
}

/* Takes the rows of another step into a run where they go on from rows that lie as its own do. */
static int join(struct step_part *run, const struct step_part *next)
{
    int above = next->first == run->first + run->rows && next->before == run->before + run->rows;
    int below = next->first + next->rows == run->first && next->before + next->rows == run->before;
    if (above || below)
        run->rows += next->rows;
    if (below) {
        run->first = next->first;
        run->before = next->before;
    }
    return above || below;
}

/* W_hh m of all steps of a span. Those between which no sequence begins or ends are one product; but layers
 * between h' and W_hh, whose masks go by rows of the microbatch, are computed step by step. */
static void products_again(
    const struct recurrent *r, const struct pass *pass, struct range span, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct step_part joined = {0};
    for (size_t i = span.from; i < span.to && !pass_is_unwanted(pass); i++) {
        struct step_part run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        if (run[1].rows > 0)
            run_product(r, pass, run[1], Y);
        if (run[0].rows == 0 || (joined.rows > 0 && !r->transition.on && join(&joined, &run[0])))
            continue;
        if (joined.rows > 0)
            run_product(r, pass, joined, Y);
        joined = run[0];
    }
    if (joined.rows > 0 && !pass_is_unwanted(pass))
        run_product(r, pass, joined, Y);
}

/* The cells of a step. Their outputs are there already, where others may be reading them. */
static void step_again(const struct recurrent *r, const struct pass *pass, size_t i, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct step_part run[2];
    split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
    for (size_t k = 0; k < 2; k++) {
        if (run[k].rows == 0)
            continue;
        struct cell_step step = step_of(r, microbatch, run[k], Y);
        if (!r->kind->mixing)
            step.h = as_rows(r->again + r->from, 0);
        r->kind->forward(pass->kernel, &step);
    }
}

void segment_again(
    struct recurrent *r, const struct pass *pass, struct range segment, struct rows X, struct rows Y)
{
    const struct microbatch *microbatch = pass->microbatch;
    int idle = r->from == r->to;
    open_segment(r, pass, segment);
    load_states(r, microbatch, segment);
    for (size_t i = segment.from; i < segment.to && !pass_is_unwanted(pass);) {
        struct range span = span_at(r, microbatch, segment, i);
        size_t first, end;
        find_frames(r, microbatch, span, &first, &end);
        if (!idle)
            span_forward(r, pass, first, end, X);
        if (!idle && r->kind->has_product)
            products_again(r, pass, span, Y);
        for (; i < span.to && !idle; i++)
            step_again(r, pass, i, Y);
        i = span.to;
        if (!r->kind->mixing)
            continue;
        struct mixing_frames frames = mixing_frames_of(r, first, end, X, Y);
        frames.out = as_rows(r->again, 0);
        span_mix(r, pass, &frames);
    }
}
