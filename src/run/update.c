/* The update of this rank's slices of the weights. The tensors of a slice are taken in stretches of
 * neighbours that have one rate; those that are frozen keep their bits: nothing is done with them but that
 * their gradient becomes zero, whatever backward has left there, so that it has no part in the norm either.
 */
#include "run/learner.h"

int learner_take_stretch(const struct learner *learner, struct learner_stretch *stretch)
{
    size_t n, i = stretch->tensor;
    const struct parameter *parameter = net_get_parameters(learner->net, &n);
    const double *factor = learner->factor;
    if (i == n) {
        stretch->slice++;
        i = 0;
    }
    if (stretch->slice == learner->slices)
        return 0;
    const struct reduce_slice *slice = &learner->slice[stretch->slice];
    size_t first = slice->first, end = first + slice->count;
    size_t from = parameter[i].offset, to = from;
    stretch->factor = factor[i];
    for (; i < n && factor[i] == stretch->factor; i++)
        to += parameter[i].count;
    stretch->from = from < first ? first : from < end ? from : end;
    stretch->to = to < stretch->from ? stretch->from : to < end ? to : end;
    stretch->gradient = slice->sum ? slice->sum + (stretch->from - first) : NULL;
    stretch->at = slice->at + (stretch->from - first);
    stretch->tensor = i;
    return 1;
}

void learner_divide_gradient(struct learner *learner, float count)
{
    struct learner_stretch stretch = {0};
    while (learner_take_stretch(learner, &stretch))
        for (size_t i = 0; i < stretch.to - stretch.from; i++) {
            float *g = &stretch.gradient[i];
            *g = stretch.factor == 0 ? 0 : *g / count;
        }
}

void learner_update_slices(struct learner *learner, double rate, double factor)
{
    struct learner_stretch stretch = {0};
    optim_advance(&learner->optim, &learner->state);
    while (learner_take_stretch(learner, &stretch)) {
        struct optim_slice slice = {.n = stretch.to - stretch.from,
            .gradient = stretch.gradient,
            .weights = learner->weights + stretch.from,
            .rate_factor = stretch.factor};
        if (stretch.factor == 0 || slice.n == 0)
            continue;
        for (size_t m = 0; m < optim_count_moments(learner->optim.optimizer); m++)
            slice.moments[m] = learner->moments[m] + stretch.at;
        optim_update(&learner->optim, &learner->state, rate, factor, &slice);
        net_bound_weights(learner->net, stretch.from, stretch.to, slice.weights);
    }
}
