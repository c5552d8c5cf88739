/* exp, log and cos in double from additions and multiplications alone: the same bits on every processor,
 * compiler and C library, which the library's own functions do not promise. Built with -ffp-contract=off.
 * Their errors are below 2 units in the last place over the ranges that are used (tests/unit/test_base.c). */
#ifndef BASE_MATHEMATICS_H
#define BASE_MATHEMATICS_H

#define MATH_PI 3.14159265358979323846

double math_exp(double x); /* 0 below -745.14, infinity above 709.79, NaN stays */
double math_log(double x); /* -infinity at 0, NaN below */
double math_cos(double x); /* |x| up to 1e5 */

#endif
