/* Items of arrays: numbers are put together byte by byte, so that their order is that of the file, and
 * converted as C converts them. */
#include "data/import/array.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { BLOCK_ITEMS = 512 };

/* The bytes of an item as an unsigned number. */
static uint64_t gather(const struct import_array *array, const unsigned char *item)
{
    uint64_t bits = 0;
    static const uint16_t probe = 1;
    int little = (*(const unsigned char *)&probe == 1) != array->swapped;
    for (size_t b = 0; b < array->bytes; b++)
        bits |= (uint64_t)item[little ? b : array->bytes - 1 - b] << 8 * b;
    return bits;
}

/* The IEEE number of 16 bits. */
static double widen_half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static int64_t to_integer(const struct import_array *array, uint64_t bits)
{
    int shift = 64 - 8 * (int)array->bytes;
    if (array->kind == 'i')
        return (int64_t)(bits << shift) >> shift;
    return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
}

static double to_real(const struct import_array *array, uint64_t bits)
{
    double wide;
    float narrow;
    uint32_t half = (uint32_t)bits;
    if (array->kind == 'i')
        return (double)to_integer(array, bits);
    if (array->kind != 'f')
        return (double)bits;
    if (array->bytes == 2)
        return widen_half(bits);
    memcpy(&narrow, &half, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return array->bytes == 4 ? (double)narrow : wide;
}

int import_array_read_floats(struct import_array *array, int64_t n, float *out)
{
    unsigned char block[BLOCK_ITEMS * 8];
    assert(!import_array_is_text(array));
    for (int64_t first = 0, some; first < n; first += some) {
        some = n - first < BLOCK_ITEMS ? n - first : BLOCK_ITEMS;
        if (import_array_read_bytes(array, block, (size_t)some * array->bytes))
            return -1;
        for (int64_t i = 0; i < some; i++)
            out[first + i] = (float)to_real(array, gather(array, block + (size_t)i * array->bytes));
    }
    return 0;
}

int import_array_read_integers(struct import_array *array, int64_t n, int64_t *out)
{
    unsigned char block[BLOCK_ITEMS * 8];
    if (!import_array_is_whole(array))
        return import_array_refuse(array, "does not hold integers");
    for (int64_t first = 0, some; first < n; first += some) {
        some = n - first < BLOCK_ITEMS ? n - first : BLOCK_ITEMS;
        if (import_array_read_bytes(array, block, (size_t)some * array->bytes))
            return -1;
        for (int64_t i = 0; i < some; i++)
            out[first + i] = to_integer(array, gather(array, block + (size_t)i * array->bytes));
    }
    return 0;
}

/* Writes a character as UTF-8, and returns its bytes; 0: it is none. */
static size_t write_character(uint64_t code, char *text)
{
    if (code < 0x80)
        return text[0] = (char)code, 1;
    if (code < 0x800)
        return text[0] = (char)(0xc0 | code >> 6), text[1] = (char)(0x80 | (code & 63)), 2;
    if (code >= 0xd800 && code < 0xe000)
        return 0;
    if (code < 0x10000)
        return text[0] = (char)(0xe0 | code >> 12), text[1] = (char)(0x80 | (code >> 6 & 63)),
               text[2] = (char)(0x80 | (code & 63)), 3;
    if (code > 0x10ffff)
        return 0;
    return text[0] = (char)(0xf0 | code >> 18), text[1] = (char)(0x80 | (code >> 12 & 63)),
           text[2] = (char)(0x80 | (code >> 6 & 63)), text[3] = (char)(0x80 | (code & 63)), 4;
}

static int encode_text(struct import_array *array, const unsigned char *item, char *text)
{
    struct import_array letter = *array;
    letter.bytes = 4;
    size_t used = 0;
    for (size_t at = 0; at < array->bytes; at += 4) {
        uint64_t code = gather(&letter, item + at);
        if (code == 0)
            break;
        size_t n = used + 4 <= ARRAY_MOST_TEXT ? write_character(code, text + used) : 0;
        if (n == 0)
            return import_array_refuse(array, "has a text that is no Unicode, or too long");
        used += n;
    }
    text[used] = 0;
    return 0;
}

int import_array_read_text(struct import_array *array, char text[ARRAY_MOST_TEXT + 1])
{
    unsigned char item[ARRAY_MOST_ITEM];
    assert(import_array_is_text(array));
    if (import_array_read_bytes(array, item, array->bytes))
        return -1;
    if (array->kind == 'U')
        return encode_text(array, item, text);
    size_t n = array->bytes;
    while (n && item[n - 1] == 0)
        n--;
    if (n > ARRAY_MOST_TEXT || memchr(item, 0, n))
        return import_array_refuse(array, "has a text with a zero byte in it, or too long");
    memcpy(text, item, n);
    text[n] = 0;
    return 0;
}

int import_array_skip(struct import_array *array, int64_t n)
{
    char block[4096];
    uint64_t left = (uint64_t)n * array->bytes;
    if (array->file && left > sizeof block)
        return fseeko(array->file, (off_t)left, SEEK_CUR) ? import_array_refuse(array, "cannot be read on")
                                                          : 0;
    for (size_t some; left; left -= some) {
        some = left < sizeof block ? (size_t)left : sizeof block;
        if (import_array_read_bytes(array, block, some))
            return -1;
    }
    return 0;
}
