/* A class for every frame that nobody can tell from one side.
 *
 * Of the eight symbols 0 to 3 are marks and 4 to 7 are filling. Inside a sequence a symbol is a mark with
 * probability 1/4; the first and the last symbol always are. Marks and filling are uniform. The class of a
 * frame is
 *
 *     (the nearest mark before it + the nearest mark after it) mod 4,
 *
 * both strictly, and 0 in place of a mark where there is none (before the first frame, after the last).
 *
 * Why one direction is lost: which mark comes next is uniform on 0 to 3 and independent of everything up to
 * and including the frame, even of where it will come, so given all that the class is uniform on 0 to 3: the
 * expected error of any predictor is 3/4 on every frame but the last of a sequence, that is at least
 * 3/4 (1 - sequences / frames) in all. The same holds backwards. Both directions together can reach 0. A sum
 * modulo 4 of what the two sides say is no sum of one function of each, so a linear map of the two states of
 * a single layer does not do it either: two layers do. */
#include "data/make/make.h"

enum { MARKS = 4, SYMBOLS = 8, ONE_IN = 4 };

static int32_t draw_symbol(struct make_draw *draw, int always_mark)
{
    int filling = make_draw_below(draw, ONE_IN) != 0 && !always_mark;
    if (filling)
        return MARKS + (int32_t)make_draw_below(draw, SYMBOLS - MARKS);
    return (int32_t)make_draw_below(draw, MARKS);
}

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    size_t T = sequence->T;
    int32_t *symbols = sequence->symbols, *classes = sequence->classes;
    for (size_t t = 0; t < T; t++)
        symbols[t] = draw_symbol(draw, t == 0 || t == T - 1);
    int32_t before = 0;
    for (size_t t = 0; t < T; t++) {
        classes[t] = before;
        if (symbols[t] < MARKS)
            before = symbols[t];
    }
    int32_t after = 0;
    for (size_t t = T; t-- > 0;) {
        classes[t] = (classes[t] + after) % MARKS;
        if (symbols[t] < MARKS)
            after = symbols[t];
    }
}

static const char *const class_names[] = {"0", "1", "2", "3"};

const struct dataset_kind make_context = {
    .name = "context",
    .summary = "a class per frame from the symbols before and after it",
    .title = "Context: a class from the nearest marks before and after each frame",
    .shortest = 40,
    .longest = 80,
    .sequences = 2000,
    .symbols = SYMBOLS,
    .target_per_frame = 1,
    .classes = MARKS,
    .class_names = class_names,
    .fill = fill,
};
