/* The embedded Reber grammar (Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9,
 * 1997, section 5.1): B, then T or P, a string of the Reber grammar, the same T or P once more, and E. At
 * each fork both ways are equally likely:
 *
 *     node   0       1       2       3       4       5       6
 *     next   B>1     T>2     S>2     T>3     X>3     P>4     E
 *                    P>3     X>4     V>5     S>6     V>6
 *
 * A frame is one symbol, its class the next one; the last symbol, E, is a class only. Whoever knows the
 * grammar gives the one or two symbols that may follow their shares; the T or P before the last E can be told
 * only by whoever remembers the second symbol, over a string of any length that says nothing of it. */
#include "data/make/make.h"

enum { B, T, P, S, X, V, E, SYMBOLS };

enum { NODES = 7, END = NODES };

static const struct {
    int32_t symbol[2], next[2];
} nodes[NODES] = {
    {{B, B}, {1, 1}},
    {{T, P}, {2, 3}},
    {{S, X}, {2, 4}},
    {{T, V}, {3, 5}},
    {{X, S}, {3, 6}},
    {{P, V}, {4, 6}},
    {{E, E}, {END, END}},
};

/* A string on its way: which of its symbols are outside the inner grammar, and where in that it is. */
struct walk {
    int32_t place; /* 0, 1: before the inner string; 2: in it; 3, 4: behind it; 5: all said */
    int32_t node, branch;
};

static int32_t next_inner(struct make_draw *draw, struct walk *walk)
{
    int32_t node = walk->node;
    int fork = nodes[node].symbol[0] != nodes[node].symbol[1];
    size_t way = fork ? (size_t)make_draw_below(draw, 2) : 0;
    walk->node = nodes[node].next[way];
    walk->place += walk->node == END;
    return nodes[node].symbol[way];
}

/* The next symbol of the string. */
static int32_t next_symbol(struct make_draw *draw, struct walk *walk)
{
    switch (walk->place) {
    case 0:
        walk->place = 1;
        return B;
    case 1:
        walk->place = 2;
        return walk->branch = make_draw_below(draw, 2) ? P : T;
    case 2:
        return next_inner(draw, walk);
    case 3:
        walk->place = 4;
        return walk->branch;
    default:
        walk->place = 5;
        return E;
    }
}

static void measure(struct make_draw *draw, size_t *frames, size_t *targets)
{
    struct walk walk = {0};
    size_t symbols = 0;
    for (; walk.place < 5; symbols++)
        next_symbol(draw, &walk);
    *frames = *targets = symbols - 1;
}

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    struct walk walk = {0};
    int32_t symbol = next_symbol(draw, &walk);
    for (size_t t = 0; t < sequence->T; t++) {
        sequence->symbols[t] = symbol;
        sequence->classes[t] = symbol = next_symbol(draw, &walk);
    }
}

static const char *const class_names[] = {"B", "T", "P", "S", "X", "V", "E"};

const struct dataset_kind make_reber = {
    .name = "reber",
    .summary = "the next symbol of strings of the embedded Reber grammar",
    .title = "Embedded Reber grammar: the next symbol of each string",
    .sequences = 2000,
    .symbols = SYMBOLS,
    .target_per_frame = 1,
    .classes = SYMBOLS,
    .class_names = class_names,
    .measure = measure,
    .fill = fill,
};
