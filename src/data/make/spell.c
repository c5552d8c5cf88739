/* One to many: a number in a single frame, to be said in words, character by character: 17004 becomes
 * "seventeen thousand and four", as make_numbers has it, which numbers and parts are from too.
 *
 * A frame has ten features for each of six digits, the last digit first: feature 10 d + k is 1 where digit d
 * is k, and a digit that is not there has ten zeroes. Classes are the space (named "_"), the hyphen and the
 * letters. */
#include "data/make/make.h"

#include <assert.h>
#include <string.h>

enum { DIGITS = 6, FEATURES = 10 * DIGITS };

static const char alphabet[] = " -abcdefghijklmnopqrstuvwxyz";
static const char *const class_names[] = {"_", "-", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
    "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"};
enum { CHARACTERS = sizeof alphabet - 1 };
static_assert(CHARACTERS == sizeof class_names / sizeof class_names[0], "a name for each character");

static void measure(struct make_draw *draw, size_t *frames, size_t *targets)
{
    char words[MAKE_NUMBER_WORDS];
    make_number_words(make_draw_number(draw), words);
    *frames = 1;
    *targets = strlen(words);
}

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    uint32_t number = make_draw_number(draw), rest = number;
    char words[MAKE_NUMBER_WORDS];
    make_number_words(number, words);
    memset(sequence->inputs, 0, FEATURES * sizeof *sequence->inputs);
    for (size_t d = 0; d == 0 || rest; d++, rest /= 10)
        sequence->inputs[10 * d + rest % 10] = 1;
    for (size_t u = 0; u < sequence->U; u++)
        sequence->classes[u] = (int32_t)(strchr(alphabet, words[u]) - alphabet);
}

const struct dataset_kind make_spell = {
    .name = "spell",
    .summary = "a number in one frame, to be said in words",
    .title = "Numbers below a million, each in one frame, to be said in words",
    .sequences = 10000,
    .features = FEATURES,
    .classes = CHARACTERS,
    .class_names = class_names,
    .measure = measure,
    .fill = fill,
};
