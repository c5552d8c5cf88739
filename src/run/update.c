/* The update of this rank's slice of the weights. The tensors of the slice are taken in stretches of
 * neighbours that have one rate; those that are frozen keep their bits: nothing is done with them but that
 * their gradient becomes zero, whatever backward has left there, so that it has no part in the norm either.
 */
#include "run/learner.h"

int learner_take_stretch(const struct learner *learner, size_t *tensor, struct learner_stretch *stretch)
{
    size_t n, i = *tensor, first = learner->slice_first, end = first + learner->slice_count;
    const struct parameter *parameter = net_get_parameters(learner->net, &n);
    const double *factor = learner->factor;
    if (i == n)
        return 0;
    size_t from = parameter[i].offset, to = from;
    stretch->factor = factor[i];
    for (; i < n && factor[i] == stretch->factor; i++)
        to += parameter[i].count;
    stretch->from = from < first ? first : from < end ? from : end;
    stretch->to = to < stretch->from ? stretch->from : to < end ? to : end;
    *tensor = i;
    return 1;
}

void learner_divide_gradient(struct learner *learner, float count)
{
    struct learner_stretch stretch;
    for (size_t tensor = 0; learner_take_stretch(learner, &tensor, &stretch);)
        for (size_t i = stretch.from; i < stretch.to; i++) {
            float *g = &learner->gradient[i - learner->slice_first];
            *g = stretch.factor == 0 ? 0 : *g / count;
        }
}

void learner_update_slice(struct learner *learner, double rate, double factor)
{
    struct learner_stretch stretch;
    optim_advance(&learner->optim, &learner->state);
    for (size_t tensor = 0; learner_take_stretch(learner, &tensor, &stretch);) {
        size_t at = stretch.from - learner->slice_first;
        struct optim_slice slice = {.n = stretch.to - stretch.from,
            .gradient = learner->gradient + at,
            .weights = learner->weights + stretch.from,
            .rate_factor = stretch.factor};
        if (stretch.factor == 0 || slice.n == 0)
            continue;
        for (size_t m = 0; m < optim_count_moments(learner->optim.optimizer); m++)
            slice.moments[m] = learner->moments[m] + at;
        optim_update(&learner->optim, &learner->state, rate, factor, &slice);
        net_bound_weights(learner->net, stretch.from, stretch.to, slice.weights);
    }
}
