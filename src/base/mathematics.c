/* The argument is reduced to a small interval, where a Taylor or atanh series gives the value, which is then
 * scaled back exactly. These are series and no fitted polynomials, since their coefficients are known in
 * closed form, and speed does not matter here. */
#include "base/mathematics.h"

#include <math.h>

/* ln 2 and pi/2 in two parts: the first has trailing zeros, so that n times it is exact. */
static const double LN2_HIGH = 0x1.62e42fee00000p-1, LN2_LOW = 0x1.a39ef35793c76p-33;
static const double HALF_PI_HIGH = 0x1.921fb54400000p+0, HALF_PI_LOW = 0x1.0b4611a626331p-34;

double math_exp(double x)
{
    if (isnan(x))
        return x;
    if (x > 709.782712893384)
        return INFINITY;
    if (x < -745.133219101941)
        return 0;
    double n = rint(x * 1.4426950408889634);
    double high = x - n * LN2_HIGH, low = n * LN2_LOW, r = high - low; /* |r| <= ln 2 / 2 */
    double sum = 0;
    for (int k = 14; k >= 2; k--)
        sum = (1 + sum * r) / k; /* exp(r) - 1 = r + r^2 sum: Horner's form of the Taylor series */
    double e = 1 + (high + (r * r * sum - low));
    return ldexp(ldexp(e, (int)n / 2), (int)n - (int)n / 2);
}

double math_log(double x)
{
    if (isnan(x) || x == INFINITY)
        return x;
    if (x <= 0)
        return x == 0 ? -INFINITY : NAN;
    int exponent;
    double m = frexp(x, &exponent); /* in [1/2, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double f = m - 1, s = f / (2 + f), z = s * s; /* log(1 + f) = 2 atanh(s), |s| <= 0.172 */
    double sum = 0;
    for (int k = 23; k >= 3; k -= 2)
        sum = (sum + 2.0 / k) * z;
    /* 2 s = f - s f exactly in the mathematics, with less rounding than 2 * s */
    return exponent * LN2_HIGH + (f - (s * (f - sum) - exponent * LN2_LOW));
}

/* sin and cos of r + low, |r| <= pi/4. */
static double sine_series(double r, double low)
{
    double z = r * r, sum = 0;
    for (int k = 19; k >= 3; k -= 2)
        sum = (1 + sum) * (-z / (k * (k - 1)));
    return r + (r * sum + low);
}

static double cosine_series(double r, double low)
{
    double z = r * r, sum = 0;
    for (int k = 20; k >= 4; k -= 2)
        sum = (1 + sum) * (-z / (k * (k - 1)));
    double half = 0.5 * z, w = 1 - half;
    return w + (((1 - w) - half) + (-half * sum - r * low));
}

double math_cos(double x)
{
    double n = rint(x * 0.63661977236758134);
    double high = x - n * HALF_PI_HIGH, low = n * HALF_PI_LOW, r = high - low;
    double rest = (high - r) - low;
    switch (((int)fmod(n, 4) + 4) % 4) { /* quarter turns */
    case 0:
        return cosine_series(r, rest);
    case 1:
        return -sine_series(r, rest);
    case 2:
        return -cosine_series(r, rest);
    default:
        return sine_series(r, rest);
    }
}
