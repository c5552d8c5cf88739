/* The adding problem (Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997,
 * section 5.4), in the form that later work uses: two features a frame, a value uniform in (0, 1) and a mark.
 * Exactly two frames are marked, one in the first half of the sequence (the shorter half, where the length is
 * odd) and one in the rest; the one target of the sequence is the sum of the two marked values.
 *
 * Always answering 1 has a mean squared error of 1/6. */
#include "data/make/make.h"

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    size_t T = sequence->T, half = T / 2;
    size_t first = (size_t)make_draw_below(draw, half);
    size_t second = half + (size_t)make_draw_below(draw, T - half);
    for (size_t t = 0; t < T; t++) {
        sequence->inputs[2 * t] = (float)make_draw_uniform(draw);
        sequence->inputs[2 * t + 1] = t == first || t == second;
    }
    sequence->values[0] = sequence->inputs[2 * first] + sequence->inputs[2 * second];
}

static const char *const feature_names[] = {"value", "mark"};
static const char *const target_names[] = {"sum"};

const struct dataset_kind make_adding = {
    .name = "adding",
    .summary = "the sum of two marked values of a sequence",
    .title = "Adding problem: the sum of the two marked values",
    .shortest = 50,
    .longest = 150,
    .least_length = 2,
    .sequences = 5000,
    .features = 2,
    .values = 1,
    .feature_names = feature_names,
    .target_names = target_names,
    .fill = fill,
};
