/* Sequences worked off in pieces. The steps of an epoch follow from lengths and order: those of a batch are
 * as many as its longest sequence has pieces. What ranks compute is dealt anew at each step, as the states
 * that sequences go on from are known to all of them (run/carried.c). */
#include "data/plan.h"

#include "data/microbatches.h"

#include <assert.h>

static int64_t count_pieces(const struct plan *plan, int32_t length)
{
    return plan->most ? (length - 1) / plan->most + 1 : 1;
}

int64_t plan_count_in_batch(const struct plan *plan, int64_t batch)
{
    int64_t rest = plan->sequences - batch * plan->batch;
    return rest < plan->batch ? rest : plan->batch;
}

void plan_count_pieces(struct plan *plan)
{
    int64_t batches = plan_count_batches(plan->sequences, plan->batch), sum = 0;
    for (int64_t batch = 0; batch < batches; batch++) {
        int64_t first = batch * plan->batch, end = first + plan_count_in_batch(plan, batch);
        int32_t longest = 1;
        for (int64_t i = first; i < end; i++)
            longest = plan->length[plan->order[i]] > longest ? plan->length[plan->order[i]] : longest;
        plan->first_step[batch] = sum;
        sum += count_pieces(plan, longest);
    }
    plan->first_step[batches] = plan->steps = sum;
}

int64_t plan_find_batch(const struct plan *plan, int64_t step)
{
    int64_t low = 0, high = plan_count_batches(plan->sequences, plan->batch);
    if (!plan->first_step)
        return step;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (plan->first_step[middle] <= step)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t plan_count_going(const struct plan *plan, int64_t step)
{
    if (!plan->first_step || step >= plan->steps)
        return 0;
    int64_t batch = plan_find_batch(plan, step);
    return plan->first_step[batch] == step ? 0 : plan_count_in_batch(plan, batch);
}

/* Do all epochs have as many steps, whatever their order? */
static int are_epochs_alike(const struct plan *plan)
{
    int alike = !plan->first_step || plan->keeps_order || plan->batch >= plan->sequences;
    int64_t pieces = count_pieces(plan, plan->length[0]), s = 1;
    while (!alike && s < plan->sequences && count_pieces(plan, plan->length[s]) == pieces)
        s++;
    return alike || s == plan->sequences;
}

int64_t plan_count_all_steps(struct plan *plan, int64_t epochs, int64_t part, int64_t parts)
{
    int64_t sum = 0;
    if (are_epochs_alike(plan))
        return part == 0 ? epochs * plan->steps : 0;
    for (int64_t epoch = 1 + part; epoch <= epochs; epoch += parts) {
        plan_set_epoch(plan, epoch);
        sum += plan->steps;
    }
    plan_set_epoch(plan, 0);
    return sum;
}

/* Takes over what a leaf has in the excerpt, of sequences sorted by length, behind what is taken; returns how
 * many that are. */
static size_t take_leaf(const struct plan *plan, struct plan_step *out, size_t leaf, size_t used)
{
    size_t first = out->start[leaf], n = 0;
    int64_t frames = 0;
    for (size_t i = first; i < out->start[leaf + 1]; i++, n++) {
        int32_t length = plan->length[out->sequence[i]];
        if (length <= out->excerpt.first)
            break;
        frames += excerpt_length(out->excerpt, length);
        if (excerpt_goes_on(out->excerpt, length))
            out->going = out->sequences;
        out->sequence[used + n] = out->sequence[i];
        out->place[used + n] = out->place[i];
    }
    out->frames[leaf] = frames;
    return n;
}

/* The first of a leaf is its longest, in the excerpt too. */
void plan_take_piece(const struct plan *plan, int64_t step, struct plan_step *out)
{
    size_t leaves = 0, used = 0;
    out->excerpt = (struct excerpt){.first = 0};
    out->going = 0;
    if (!plan->first_step)
        return;
    out->excerpt.first = (step - plan->first_step[plan_find_batch(plan, step)]) * plan->most;
    out->excerpt.most = plan->most;
    for (size_t leaf = 0; leaf < out->leaves; leaf++) {
        size_t n = take_leaf(plan, out, leaf, used);
        if (!n)
            continue;
        int32_t longest = excerpt_length(out->excerpt, plan->length[out->sequence[used]]);
        out->frames[leaves] = out->frames[leaf];
        out->cost[leaves] = microbatch_cost(out->frames[leaf], longest);
        out->start[leaves++] = used;
        used += n;
    }
    assert(leaves > 0);
    out->leaves = leaves;
    out->sequences = used;
    out->start[leaves] = used;
}
