/* Numbers are scanned by hand, so that only decimal notation passes and every overflow is seen; the digits of
 * a real go to strtod, switched to the C locale for the moment, as a library in the process may have called
 * setlocale. */
#include "base/numbers.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name; /* as written; an 's' behind it is taken too where `plural` says so */
    int plural;
    uint64_t factor; /* how many of the smallest unit */
};

static const struct unit byte_units[] = {{"TiB", 0, (uint64_t)1 << 40}, {"GiB", 0, (uint64_t)1 << 30},
    {"MiB", 0, (uint64_t)1 << 20}, {"KiB", 0, (uint64_t)1 << 10}, {"byte", 1, 1}, {NULL, 0, 0}};
static const struct unit second_units[] = {
    {"hour", 1, 3600}, {"minute", 1, 60}, {"second", 1, 1}, {NULL, 0, 0}};
static const struct unit interval_units[] = {{"epoch", 1, INTERVAL_EPOCHS}, {"step", 1, INTERVAL_STEPS},
    {"minute", 1, INTERVAL_MINUTES}, {NULL, 0, 0}};

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *text)
{
    while (is_blank(*text))
        text++;
    return text;
}

static int ends(const char *text)
{
    return *skip_blanks(text) == '\0';
}

/* The unit that the rest of a value names, NULL where it names none of them. */
static const struct unit *find_unit(const struct unit *units, const char *text)
{
    text = skip_blanks(text);
    for (; units->name; units++) {
        size_t n = strlen(units->name);
        if (strncmp(text, units->name, n) != 0)
            continue;
        if (units->plural && text[n] == 's')
            n++;
        if (ends(text + n))
            return units;
    }
    return NULL;
}

/* Digits at *text, which moves behind them. */
static enum number_state scan_digits(const char **text, uint64_t *n)
{
    const char *c = *text;
    uint64_t sum = 0;
    int overflow = 0;
    if (!is_digit(*c))
        return NUMBER_MALFORMED;
    for (; is_digit(*c); c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        overflow |= sum > (UINT64_MAX - digit) / 10;
        sum = sum * 10 + digit;
    }
    *text = c;
    if (overflow)
        return NUMBER_OVERFLOW;
    *n = sum;
    return NUMBER_OK;
}

/* A sign and digits at *text, which moves behind them (also with NUMBER_OVERFLOW). */
static enum number_state scan_integer(const char **text, int *negative, uint64_t *n)
{
    const char *c = skip_blanks(*text);
    *negative = *c == '-';
    if (*c == '-' || *c == '+')
        c++;
    enum number_state state = scan_digits(&c, n);
    *text = c;
    return state;
}

enum number_state number_read_unsigned(const char *text, uint64_t *n)
{
    int negative;
    uint64_t size = 0;
    enum number_state state = scan_integer(&text, &negative, &size);
    if (state == NUMBER_MALFORMED || !ends(text))
        return NUMBER_MALFORMED;
    if (state == NUMBER_OVERFLOW || (negative && size > 0))
        return NUMBER_OVERFLOW;
    *n = size;
    return NUMBER_OK;
}

enum number_state number_read_integer(const char *text, int64_t *n)
{
    int negative;
    uint64_t size = 0;
    enum number_state state = scan_integer(&text, &negative, &size);
    if (state == NUMBER_MALFORMED || !ends(text))
        return NUMBER_MALFORMED;
    if (state == NUMBER_OVERFLOW || size > INT64_MAX)
        return NUMBER_OVERFLOW;
    *n = negative ? -(int64_t)size : (int64_t)size;
    return NUMBER_OK;
}

static double read_in_c_locale(const char *digits)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    double x = strtod(digits, NULL);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return x;
}

/* A decimal number at *text, which moves behind it. */
static enum number_state scan_real(const char **text, double *x)
{
    const char *start = skip_blanks(*text), *c = start;
    int digits = 0;
    if (*c == '-' || *c == '+')
        c++;
    for (; is_digit(*c); c++)
        digits++;
    if (*c == '.')
        for (c++; is_digit(*c); c++)
            digits++;
    if (digits == 0)
        return NUMBER_MALFORMED;
    if (*c == 'e' || *c == 'E') {
        const char *power = c + 1;
        if (*power == '-' || *power == '+')
            power++;
        if (is_digit(*power))
            for (c = power; is_digit(*c); c++)
                ;
    }
    char copy[128];
    size_t n = (size_t)(c - start);
    if (n >= sizeof copy)
        return NUMBER_MALFORMED;
    memcpy(copy, start, n);
    copy[n] = '\0';
    *text = c;
    double number = read_in_c_locale(copy);
    if (!isfinite(number))
        return NUMBER_OVERFLOW;
    *x = number == 0 ? 0 : number; /* no minus zero: it would be written as another text */
    return NUMBER_OK;
}

enum number_state number_read_real(const char *text, double *x)
{
    double number = 0;
    enum number_state state = scan_real(&text, &number);
    if (state == NUMBER_MALFORMED || !ends(text))
        return NUMBER_MALFORMED;
    if (state == NUMBER_OK)
        *x = number;
    return state;
}

enum number_state number_read_bytes(const char *text, size_t *bytes)
{
    int negative;
    uint64_t n = 0;
    enum number_state state = scan_integer(&text, &negative, &n);
    if (state == NUMBER_MALFORMED)
        return state;
    const struct unit *unit = find_unit(byte_units, text);
    if (!unit && !(ends(text) && state == NUMBER_OK && n == 0))
        return NUMBER_MALFORMED;
    if (state == NUMBER_OVERFLOW || (negative && n > 0) || (unit && n > SIZE_MAX / unit->factor))
        return NUMBER_OVERFLOW;
    *bytes = unit ? (size_t)(n * unit->factor) : 0;
    return NUMBER_OK;
}

enum number_state number_read_seconds(const char *text, double *seconds)
{
    double n = 0;
    enum number_state state = scan_real(&text, &n);
    if (state == NUMBER_MALFORMED)
        return state;
    const struct unit *unit = find_unit(second_units, text);
    if (!unit && !(ends(text) && state == NUMBER_OK && n == 0))
        return NUMBER_MALFORMED;
    if (unit)
        n *= (double)unit->factor;
    if (state == NUMBER_OVERFLOW || !isfinite(n))
        return NUMBER_OVERFLOW;
    *seconds = n;
    return NUMBER_OK;
}

enum number_state number_read_interval(const char *text, int64_t *n, enum interval *unit)
{
    int negative;
    uint64_t size = 0;
    enum number_state state = scan_integer(&text, &negative, &size);
    if (state == NUMBER_MALFORMED)
        return state;
    const struct unit *found = find_unit(interval_units, text);
    if (!found)
        return NUMBER_MALFORMED;
    if (state == NUMBER_OVERFLOW || size > INT64_MAX)
        return NUMBER_OVERFLOW;
    *n = negative ? -(int64_t)size : (int64_t)size;
    *unit = (enum interval)found->factor;
    return NUMBER_OK;
}

enum number_state number_read_clock(const char *text, int64_t *seconds)
{
    uint64_t days = 0, part[3];
    const char *c = skip_blanks(text), *dash = strchr(c, '-');
    if (dash) {
        if (scan_digits(&c, &days) != NUMBER_OK || c != dash || days > 100000)
            return NUMBER_MALFORMED;
        c++;
    }
    for (int i = 0; i < 3; i++) {
        const char *start = c;
        if (i > 0 && *c++ != ':')
            return NUMBER_MALFORMED;
        if (scan_digits(&c, &part[i]) != NUMBER_OK || (i > 0 && (c - start != 3 || part[i] > 59)))
            return NUMBER_MALFORMED;
    }
    if (!ends(c) || part[0] > (dash ? 23 : 100000))
        return NUMBER_MALFORMED;
    *seconds = (int64_t)(((days * 24 + part[0]) * 60 + part[1]) * 60 + part[2]);
    return NUMBER_OK;
}

size_t number_write_real(double x, char *text, size_t size)
{
    char digits[64];
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        /* Further digits for 90, whose shortest spelling is 9e+01. */
        if (strtod(digits, NULL) == x && (!strstr(digits, "e+") || fabs(x) >= 1e15))
            break;
    }
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return (size_t)snprintf(text, size, "%s", digits);
}

size_t number_write_bytes(size_t bytes, char *text, size_t size)
{
    const struct unit *unit = byte_units;
    while (unit->factor > 1 && (bytes == 0 || bytes % unit->factor != 0))
        unit++;
    size_t n = (size_t)(bytes / unit->factor);
    return (size_t)snprintf(text, size, "%zu %s%s", n, unit->name, unit->plural && n != 1 ? "s" : "");
}

size_t number_write_seconds(double seconds, char *text, size_t size)
{
    const struct unit *unit = second_units;
    /* A larger unit only for whole numbers that come back exactly. */
    while (unit->factor > 1 && (seconds == 0 || seconds > 1e15 || fmod(seconds, (double)unit->factor) != 0))
        unit++;
    double n = seconds / (double)unit->factor;
    char number[64];
    number_write_real(n, number, sizeof number);
    return (size_t)snprintf(text, size, "%s %s%s", number, unit->name, n != 1 ? "s" : "");
}

size_t number_write_interval(int64_t n, enum interval unit, char *text, size_t size)
{
    const char *name = interval_units[unit].name;
    return (size_t)snprintf(text, size, "%lld %s%s", (long long)n, name, n != 1 ? "s" : "");
}
