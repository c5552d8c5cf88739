/* Digit d holds multiples of 2^(32 d - 1074), as a signed number in two's complement. A double is an integer
 * of 53 bits times a power of two of that grid, so it touches three neighbouring digits at most. */
#include "base/exact.h"

#include <math.h>
#include <string.h>

enum { PLUS_INFINITE = EXACT_DIGITS, MINUS_INFINITE, NOT_A_NUMBER };
enum { DIGIT_BITS = 32, LEAST_EXPONENT = -1074 };

static const uint64_t DIGIT_MASK = ((uint64_t)1 << DIGIT_BITS) - 1;

static void add_special(uint64_t sum[static EXACT_WORDS], double value)
{
    sum[isnan(value) ? NOT_A_NUMBER : value > 0 ? PLUS_INFINITE : MINUS_INFINITE]++;
}

void exact_add(uint64_t sum[static EXACT_WORDS], double value)
{
    uint64_t bits, mantissa, part[3];
    memcpy(&bits, &value, sizeof bits);
    unsigned exponent = bits >> 52 & 0x7ff;
    if (exponent == 0x7ff) {
        add_special(sum, value);
        return;
    }
    mantissa = bits & (((uint64_t)1 << 52) - 1);
    if (exponent > 0)
        mantissa |= (uint64_t)1 << 52;
    unsigned place = exponent > 0 ? exponent - 1 : 0, shift = place % DIGIT_BITS;
    part[0] = mantissa << shift & DIGIT_MASK;
    part[1] = mantissa >> (DIGIT_BITS - shift) & DIGIT_MASK;
    part[2] = mantissa >> (DIGIT_BITS - shift) >> DIGIT_BITS;
    uint64_t *digit = sum + place / DIGIT_BITS;
    for (int i = 0; i < 3; i++)
        digit[i] += bits >> 63 ? -part[i] : part[i];
}

/* The quotient by 2^32, rounded down, of a word as a signed number. */
static uint64_t take_carry(uint64_t word)
{
    return word >> DIGIT_BITS | (word >> 63 ? DIGIT_MASK << DIGIT_BITS : 0);
}

/* Leaves digits of 0 .. 2^32 - 1, but for the last one, which has the sign. */
void exact_carry(uint64_t sum[static EXACT_WORDS])
{
    for (int d = 0; d + 1 < EXACT_DIGITS; d++) {
        sum[d + 1] += take_carry(sum[d]);
        sum[d] &= DIGIT_MASK;
    }
}

uint64_t exact_count_nan(const uint64_t sum[static EXACT_WORDS])
{
    return sum[NOT_A_NUMBER];
}

/* The value of digits that are carried and not negative. The two or three topmost digits give 64 bits, of
 * which the lowest also stands for all below it: then the conversion rounds as the whole number would. No
 * result that is smaller than the normal doubles is rounded here, since those have no bits beyond the grid.
 */
static double round_magnitude(const uint64_t digits[static EXACT_DIGITS])
{
    int top = EXACT_DIGITS - 1, low = 0;
    if (digits[top])
        return INFINITY;
    while (top > 0 && digits[top] == 0)
        top--;
    if (top < 2)
        return ldexp((double)(digits[1] << DIGIT_BITS | digits[0]), LEAST_EXPONENT);
    while (digits[top] >> low >> 1)
        low++;
    int spare = DIGIT_BITS - 1 - low; /* zero bits above the highest one of the top digit */
    uint64_t below = digits[top - 2] << spare;
    uint64_t bits = (digits[top] << DIGIT_BITS | digits[top - 1]) << spare | below >> DIGIT_BITS;
    int rest = (below & DIGIT_MASK) != 0;
    for (int d = 0; d < top - 2; d++)
        rest |= digits[d] != 0;
    return ldexp((double)(bits | (uint64_t)rest), (top - 1) * DIGIT_BITS - spare + LEAST_EXPONENT);
}

double exact_round(uint64_t sum[static EXACT_WORDS])
{
    exact_carry(sum);
    if (sum[NOT_A_NUMBER] || (sum[PLUS_INFINITE] && sum[MINUS_INFINITE]))
        return NAN;
    if (sum[PLUS_INFINITE] || sum[MINUS_INFINITE])
        return sum[PLUS_INFINITE] ? INFINITY : -INFINITY;
    if (sum[EXACT_DIGITS - 1] >> 63 == 0)
        return round_magnitude(sum);
    uint64_t negated[EXACT_WORDS] = {0};
    for (int d = 0; d < EXACT_DIGITS; d++)
        negated[d] = -sum[d];
    exact_carry(negated);
    return -round_magnitude(negated);
}
