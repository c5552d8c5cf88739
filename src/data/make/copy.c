/* The copying problem (Hochreiter and Schmidhuber 1997; in the form of Arjovsky, Shah and Bengio, "Unitary
 * evolution recurrent neural networks", 2016, section 4.1): ten symbols of eight, blanks, a mark, and then as
 * many frames as there are symbols to be copied, in which they are to be named in their order. All other
 * frames have the class blank, so that always answering blank, and eight classes alike at the end, has an
 * error of 10/T times 7/8. */
#include "data/make/make.h"

enum { LETTERS = 8, BLANK = LETTERS, MARK, SYMBOLS, COPIED = 10 };

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    size_t T = sequence->T, told = T - COPIED;
    for (size_t t = 0; t < T; t++) {
        sequence->symbols[t] = BLANK;
        sequence->classes[t] = BLANK;
    }
    sequence->symbols[told - 1] = MARK;
    for (size_t i = 0; i < COPIED; i++)
        sequence->symbols[i] = sequence->classes[told + i] = (int32_t)make_draw_below(draw, LETTERS);
}

static const char *const class_names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "blank"};

const struct dataset_kind make_copy = {
    .name = "copy",
    .summary = "ten symbols, to be said again at the end",
    .title = "Copying problem: the first ten symbols, at the end",
    .shortest = 120,
    .longest = 120,
    .least_length = 2 * COPIED + 1,
    .sequences = 5000,
    .symbols = SYMBOLS,
    .target_per_frame = 1,
    .classes = LETTERS + 1,
    .class_names = class_names,
    .fill = fill,
};
