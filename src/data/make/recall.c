/* The first symbol, to be named at the end, over noise that says nothing of it: the latch problem of Bengio,
 * Simard and Frasconi ("Learning long-term dependencies with gradient descent is difficult", IEEE
 * Transactions on Neural Networks 5, 1994, section 2.2) with four things to remember. Nothing in between has
 * to be known, so that whoever fails at a length has forgotten, or was never told by the gradient what to
 * remember. */
#include "data/make/make.h"

enum { MARKS = 4, NOISE = 4 };

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    sequence->symbols[0] = (int32_t)make_draw_below(draw, MARKS);
    for (size_t t = 1; t < sequence->T; t++)
        sequence->symbols[t] = MARKS + (int32_t)make_draw_below(draw, NOISE);
    sequence->classes[0] = sequence->symbols[0];
}

static const char *const class_names[] = {"a", "b", "c", "d"};

const struct dataset_kind make_recall = {
    .name = "recall",
    .summary = "the first symbol, to be named at the end",
    .title = "Recall: the first symbol, at the end",
    .shortest = 50,
    .longest = 150,
    .least_length = 1,
    .sequences = 2000,
    .symbols = MARKS + NOISE,
    .classes = MARKS,
    .class_names = class_names,
    .fill = fill,
};
