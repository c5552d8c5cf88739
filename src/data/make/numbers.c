/* Numbers from words to digits and back: "#seventeen thousand and four" becomes "17004", "=17004" becomes
 * "seventeen thousand and four", character by character.
 *
 * One alphabet serves inputs and targets: symbol k and class k are the same character, class_names says
 * which. Words of one number stand apart by a space (named "_"), tens and units are joined by a hyphen; "and"
 * stands before what is below a hundred wherever something greater leads it. The mark in front, '#' or '=',
 * says what is asked for, digits or words; targets have no mark.
 *
 * A number is uniform below a thousand, ten thousand, a hundred thousand or a million, each as often, so that
 * lengths differ. Which part a number belongs to is a hash of the number alone, the same for every seed: of
 * ten, eight are for training, one is for validation and one for the test. So no number is
 * in two parts, in whichever direction; within a part numbers may come again. */
#include "data/make/make.h"

#include "base/hash.h"

#include <assert.h>
#include <string.h>

enum { MOST_DIGITS = 6, LEAST_DIGITS = 3 };

static const char alphabet[] = "0123456789 -abcdefghijklmnopqrstuvwxyz#=";
static const char *const class_names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "_", "-", "a",
    "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v",
    "w", "x", "y", "z", "#", "="};
enum { CHARACTERS = sizeof alphabet - 1 };
static_assert(CHARACTERS == sizeof class_names / sizeof class_names[0], "a name for each character");

static const char *const units[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
    "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen"};
static const char *const tens[] = {
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

/* Adds a word behind what is there already, after a space unless it is the first. */
static void add_word(char *words, const char *word)
{
    if (*words)
        strcat(words, " ");
    strcat(words, word);
}

/* Adds the words of n, 1 to 99. */
static void add_below_hundred(char *words, uint32_t n)
{
    if (n < 20) {
        add_word(words, units[n]);
        return;
    }
    add_word(words, tens[n / 10]);
    if (n % 10) {
        strcat(words, "-");
        strcat(words, units[n % 10]);
    }
}

/* Adds the words of n, 1 to 999. */
static void add_below_thousand(char *words, uint32_t n)
{
    if (n >= 100) {
        add_word(words, units[n / 100]);
        add_word(words, "hundred");
    }
    if (n % 100 == 0)
        return;
    if (*words)
        add_word(words, "and");
    add_below_hundred(words, n % 100);
}

void make_number_words(uint32_t number, char words[MAKE_NUMBER_WORDS])
{
    words[0] = 0;
    if (number >= 1000) {
        add_below_thousand(words, number / 1000);
        add_word(words, "thousand");
    }
    if (number % 1000)
        add_below_thousand(words, number % 1000);
    if (!number)
        add_word(words, units[0]);
}

static void write_digits(uint32_t number, char digits[MAKE_NUMBER_WORDS])
{
    uint32_t power = 1;
    size_t n = 0;
    while (number / power >= 10)
        power *= 10;
    for (; power; power /= 10)
        digits[n++] = (char)('0' + number / power % 10);
    digits[n] = 0;
}

enum make_part make_number_part(uint32_t number)
{
    const unsigned char bytes[] = {number & 255, number >> 8 & 255, number >> 16 & 255, number >> 24};
    uint64_t place = hash_bytes(bytes, sizeof bytes) % 10;
    return place < 8 ? MAKE_TRAIN : place == 8 ? MAKE_VALID : MAKE_TEST;
}

uint32_t make_draw_number(struct make_draw *draw)
{
    uint64_t bound = 1;
    for (uint64_t d = LEAST_DIGITS + make_draw_below(draw, MOST_DIGITS - LEAST_DIGITS + 1); d > 0; d--)
        bound *= 10;
    uint32_t number;
    do /* of a thousand numbers a tenth belongs to the smaller parts: there always is one */
        number = (uint32_t)make_draw_below(draw, bound);
    while (make_number_part(number) != draw->part);
    return number;
}

/* What is read and what it becomes; both end with a 0 and have one character at least. */
struct pair {
    char mark, from[MAKE_NUMBER_WORDS], to[MAKE_NUMBER_WORDS];
};

static void draw_pair(struct make_draw *draw, struct pair *pair)
{
    int to_digits = make_draw_below(draw, 2) == 0;
    uint32_t number = make_draw_number(draw);
    pair->mark = to_digits ? '#' : '=';
    make_number_words(number, to_digits ? pair->from : pair->to);
    write_digits(number, to_digits ? pair->to : pair->from);
}

static void measure(struct make_draw *draw, size_t *frames, size_t *targets)
{
    struct pair pair;
    draw_pair(draw, &pair);
    *frames = 1 + strlen(pair.from);
    *targets = strlen(pair.to);
}

static int32_t number_of(char character)
{
    return (int32_t)(strchr(alphabet, character) - alphabet);
}

static void fill(struct make_draw *draw, struct make_sequence *sequence)
{
    struct pair pair = {0}; /* an analyzer does not see that measure has counted the same characters */
    draw_pair(draw, &pair);
    sequence->symbols[0] = number_of(pair.mark);
    for (size_t t = 1; t < sequence->T; t++)
        sequence->symbols[t] = number_of(pair.from[t - 1]);
    for (size_t u = 0; u < sequence->U; u++)
        sequence->classes[u] = number_of(pair.to[u]);
}

const struct dataset_kind make_numbers = {
    .name = "numbers",
    .summary = "numbers from words to digits and back",
    .title = "Numbers below a million from words to digits and back, character by character",
    .sequences = 40000,
    .symbols = CHARACTERS,
    .classes = CHARACTERS,
    .class_names = class_names,
    .measure = measure,
    .fill = fill,
};
