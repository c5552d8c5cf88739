/* A binary object begins with a zero byte and "B"; a token says what it is, and a count in it is a byte that
 * says how wide the count is, and then the count. A vector of integers has no token. Everything else is text.
 *
 * What a compressed matrix stands for is computed in 32-bit floats, in the order in which Kaldi does it. */
#include "data/import/kaldi_object.h"

#include "base/array.h"
#include "base/numbers.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 16, NUMBER_BYTES = 64, BLOCK = 4096 };

/* What the functions of this file share: the place of an object, for messages. */
struct kaldi_place_of {
    struct bounded_file *file;
    const char *key;
    int64_t at; /* its first byte */
    struct error *error;
};

static int refuse(const struct kaldi_place_of *place, const char *what)
{
    char shown[TEXT_SHOWN];
    return error_set(place->error, EXIT_CODE_DATA, "%s: the object of key %s at byte %" PRId64 " %s",
        place->file->path, text_show(place->key, shown), place->at, what);
}

static int out_of_memory(const struct kaldi_place_of *place)
{
    char shown[TEXT_SHOWN];
    return error_set(place->error, EXIT_CODE_INTERNAL, "%s: out of memory for the object of key %s",
        place->file->path, text_show(place->key, shown));
}

/* ---- binary ---- */

/* Reads a count with the byte of its width. */
static int read_count(const struct kaldi_place_of *place, int32_t *count)
{
    unsigned char bytes[5];
    if (bounded_read(place->file, bytes, sizeof bytes, "a count", place->error) != 0)
        return -1;
    if (bytes[0] != 4)
        return refuse(place, "has a count that is not of 4 bytes: it is damaged, or no matrix or integers");
    *count = (int32_t)bounded_little_32(bytes + 1);
    return *count < 0 ? refuse(place, "has a negative count: it is damaged") : 0;
}

/* Makes room for a matrix whose elements take `each` bytes in the file: none is made for more than it holds.
 */
static int reserve_matrix(const struct kaldi_place_of *place, int32_t rows, int32_t columns, size_t each,
    struct kaldi_object *object)
{
    if (rows <= 0 || columns <= 0)
        return refuse(place, "is an empty matrix: a sequence has a frame and a feature at least");
    uint64_t n = (uint64_t)rows * (uint64_t)columns;
    if (bounded_require(place->file, n, each, "a matrix", place->error) != 0)
        return -1;
    float *values = array_reserve(object->values, &object->value_room, (size_t)n, sizeof *values);
    if (!values)
        return out_of_memory(place);
    object->values = values;
    object->rows = (size_t)rows;
    object->columns = (size_t)columns;
    return 0;
}

static int read_plain(const struct kaldi_place_of *place, int is_double, struct kaldi_object *object)
{
    int32_t rows = 0, columns = 0;
    unsigned char block[BLOCK];
    size_t each = is_double ? 8 : 4;
    if (read_count(place, &rows) != 0 || read_count(place, &columns) != 0 ||
        reserve_matrix(place, rows, columns, each, object) != 0)
        return -1;
    size_t n = object->rows * object->columns, most = sizeof block / each;
    for (size_t first = 0; first < n; first += most) {
        size_t some = n - first < most ? n - first : most;
        if (bounded_read(place->file, block, some * each, "a matrix", place->error) != 0)
            return -1;
        for (size_t i = 0; i < some; i++)
            if (is_double) {
                double value;
                uint64_t bits =
                    bounded_little_32(block + 8 * i) | (uint64_t)bounded_little_32(block + 8 * i + 4) << 32;
                memcpy(&value, &bits, sizeof value);
                object->values[first + i] = (float)value;
            } else {
                object->values[first + i] = bounded_float(bounded_little_32(block + 4 * i));
            }
    }
    return 0;
}

struct kaldi_compression {
    float least, range;
    int32_t rows, columns;
};

static int read_compression(const struct kaldi_place_of *place, struct kaldi_compression *compression)
{
    unsigned char bytes[16];
    if (bounded_read(place->file, bytes, sizeof bytes, "the header of a compressed matrix", place->error) !=
        0)
        return -1;
    *compression = (struct kaldi_compression){bounded_float(bounded_little_32(bytes)),
        bounded_float(bounded_little_32(bytes + 4)), (int32_t)bounded_little_32(bytes + 8),
        (int32_t)bounded_little_32(bytes + 12)};
    return 0;
}

/* Bytes or 16-bit numbers, row by row, that divide the range evenly. */
static int read_even(const struct kaldi_place_of *place, size_t each, struct kaldi_object *object)
{
    struct kaldi_compression header;
    unsigned char block[BLOCK];
    if (read_compression(place, &header) != 0 ||
        reserve_matrix(place, header.rows, header.columns, each, object) != 0)
        return -1;
    float step = header.range * (1.0f / (each == 2 ? 65535.0f : 255.0f));
    size_t n = object->rows * object->columns, most = sizeof block / each;
    for (size_t first = 0; first < n; first += most) {
        size_t some = n - first < most ? n - first : most;
        if (bounded_read(place->file, block, some * each, "a compressed matrix", place->error) != 0)
            return -1;
        for (size_t i = 0; i < some; i++) {
            unsigned v = each == 2 ? bounded_little_16(block + 2 * i) : block[i];
            object->values[first + i] = header.least + (float)v * step;
        }
    }
    return 0;
}

/* The value of a byte between the percentiles 0, 25, 75 and 100 of its column. */
static float interpolate(const float percentile[4], unsigned v)
{
    if (v <= 64)
        return percentile[0] + (percentile[1] - percentile[0]) * (float)v * (1.0f / 64.0f);
    if (v <= 192)
        return percentile[1] + (percentile[2] - percentile[1]) * (float)(v - 64) * (1.0f / 128.0f);
    return percentile[2] + (percentile[3] - percentile[2]) * (float)(v - 192) * (1.0f / 63.0f);
}

static int read_column(
    const struct kaldi_place_of *place, const float percentile[4], size_t column, struct kaldi_object *object)
{
    unsigned char block[BLOCK];
    for (size_t first = 0; first < object->rows; first += BLOCK) {
        size_t some = object->rows - first < BLOCK ? object->rows - first : BLOCK;
        if (bounded_read(place->file, block, some, "a compressed matrix", place->error) != 0)
            return -1;
        for (size_t i = 0; i < some; i++)
            object->values[(first + i) * object->columns + column] = interpolate(percentile, block[i]);
    }
    return 0;
}

/* The percentiles of all columns come first, then their bytes, column by column. */
static int read_by_columns(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    struct kaldi_compression header;
    if (read_compression(place, &header) != 0 ||
        reserve_matrix(place, header.rows, header.columns, 1, object) != 0)
        return -1;
    int outcome =
        bounded_require(place->file, object->columns, 8 + object->rows, "a compressed matrix", place->error);
    size_t bytes = 8 * object->columns;
    unsigned char *percentiles = outcome == 0 ? malloc(bytes) : NULL;
    if (outcome == 0 && !percentiles)
        outcome = out_of_memory(place);
    if (outcome == 0)
        outcome = bounded_read(place->file, percentiles, bytes, "the percentiles of a matrix", place->error);
    for (size_t c = 0; outcome == 0 && c < object->columns; c++) {
        float percentile[4];
        for (size_t k = 0; k < 4; k++)
            percentile[k] = header.least +
                header.range * 1.52590218966964e-05f * (float)bounded_little_16(percentiles + 8 * c + 2 * k);
        outcome = read_column(place, percentile, c, object);
    }
    free(percentiles);
    return outcome;
}

/* Reads letters and the blank behind them. */
static int read_token(const struct kaldi_place_of *place, char token[TOKEN_BYTES])
{
    size_t n = 0;
    int byte = bounded_get(place->file);
    for (; byte > ' ' && byte < 127 && n + 1 < TOKEN_BYTES; byte = bounded_get(place->file))
        token[n++] = (char)byte;
    token[n] = 0;
    return byte == ' ' && n ? 0 : refuse(place, "is binary, but begins with no token: it is damaged");
}

static int read_binary_matrix(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    char token[TOKEN_BYTES] = "", text[128];
    if (bounded_peek(place->file) == 4)
        return refuse(place, "is a vector of integers, not a matrix: name a file of features");
    if (read_token(place, token) != 0)
        return -1;
    if (strcmp(token, "FM") == 0 || strcmp(token, "DM") == 0)
        return read_plain(place, token[0] == 'D', object);
    if (strcmp(token, "CM") == 0)
        return read_by_columns(place, object);
    if (strcmp(token, "CM2") == 0 || strcmp(token, "CM3") == 0)
        return read_even(place, token[2] == '2' ? 2 : 1, object);
    snprintf(
        text, sizeof text, "is \"%s\", but what is read are the matrices FM, DM, CM, CM2 and CM3", token);
    return refuse(place, text);
}

static int reserve_integers(const struct kaldi_place_of *place, size_t n, struct kaldi_object *object)
{
    int32_t *integers = array_reserve(object->integers, &object->integer_room, n, sizeof *integers);
    if (!integers)
        return out_of_memory(place);
    object->integers = integers;
    return 0;
}

static int read_binary_integers(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    int32_t n = 0;
    unsigned char item[5];
    if (bounded_peek(place->file) != 4)
        return refuse(place, "is no vector of integers: name a file of alignments");
    if (read_count(place, &n) != 0 ||
        bounded_require(place->file, (uint64_t)n, sizeof item, "a vector of integers", place->error) != 0 ||
        reserve_integers(place, (size_t)n, object) != 0)
        return -1;
    for (int32_t i = 0; i < n; i++) {
        if (bounded_read(place->file, item, sizeof item, "a vector of integers", place->error) != 0)
            return -1;
        if (item[0] != 4)
            return refuse(
                place, "holds an integer that is not of 4 bytes: it is damaged, or holds vectors or pairs");
        object->integers[i] = (int32_t)bounded_little_32(item + 1);
    }
    object->rows = (size_t)n;
    return 0;
}

/* ---- text ---- */

static int skip_blanks(struct bounded_file *file)
{
    int byte = bounded_peek(file);
    for (; byte == ' ' || byte == '\t' || byte == '\r'; byte = bounded_peek(file))
        bounded_get(file);
    return byte;
}

/* Reads the next word of a text object: 1; 0 at the end of its line, or of the file. */
static int read_word(const struct kaldi_place_of *place, char word[NUMBER_BYTES])
{
    size_t n = 0;
    int byte = skip_blanks(place->file);
    if (byte == EOF || byte == '\n') {
        bounded_get(place->file);
        return 0;
    }
    for (; byte != EOF && byte > ' '; byte = bounded_peek(place->file)) {
        if (n + 1 == NUMBER_BYTES)
            return refuse(place, "holds a word that is too long for a number: it is damaged");
        word[n++] = (char)bounded_get(place->file);
    }
    word[n] = 0;
    return n ? 1 : refuse(place, "holds a control character: it is damaged");
}

static int refuse_word(const struct kaldi_place_of *place, const char *word, const char *wanted)
{
    char text[NUMBER_BYTES + 64];
    snprintf(text, sizeof text, "has \"%s\" where %s should be", word, wanted);
    return refuse(place, text);
}

static int add_value(
    const struct kaldi_place_of *place, const char *word, size_t n, struct kaldi_object *object)
{
    double value;
    if (number_read_real(word, &value) != NUMBER_OK)
        return refuse_word(place, word, "a finite number");
    float *values = array_grow(object->values, &object->value_room, n, sizeof *values);
    if (!values)
        return out_of_memory(place);
    object->values = values;
    values[n] = (float)value;
    return 0;
}

/* Ends a row of so many numbers; empty ones do not count. */
static int end_row(const struct kaldi_place_of *place, size_t numbers, struct kaldi_object *object)
{
    if (numbers == 0)
        return 0;
    if (object->rows && numbers != object->columns)
        return refuse(place, "has rows of unequal length");
    object->columns = numbers;
    object->rows++;
    return 0;
}

/* Reads rows behind the opening bracket to the closing one. */
static int read_text_rows(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    char word[NUMBER_BYTES];
    size_t n = 0, numbers = 0;
    object->rows = object->columns = 0;
    for (;;) {
        int got = read_word(place, word);
        if (got < 0)
            return -1;
        if (got == 0 && place->file->at == place->file->size)
            return refuse(place, "ends without a closing bracket: the file is cut off");
        if (got && strcmp(word, "]") != 0) {
            if (add_value(place, word, n, object) != 0)
                return -1;
            n++;
            numbers++;
            continue;
        }
        if (end_row(place, numbers, object) != 0)
            return -1;
        numbers = 0;
        if (got)
            break;
    }
    return object->rows ? 0
                        : refuse(place, "is an empty matrix: a sequence has a frame and a feature at least");
}

static int read_text_matrix(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    char word[NUMBER_BYTES];
    int got = read_word(place, word);
    if (got < 0)
        return -1;
    if (got == 0 || strcmp(word, "[") != 0)
        return refuse_word(place, got ? word : "", "the opening bracket of a matrix");
    if (read_text_rows(place, object) != 0)
        return -1;
    got = read_word(place, word);
    return got <= 0 ? got : refuse_word(place, word, "the end of the line");
}

static int read_text_integers(const struct kaldi_place_of *place, struct kaldi_object *object)
{
    char word[NUMBER_BYTES];
    int64_t value;
    object->rows = 0;
    for (int got; (got = read_word(place, word)) != 0; object->rows++) {
        if (got < 0)
            return -1;
        if (number_read_integer(word, &value) != NUMBER_OK || value < INT32_MIN || value > INT32_MAX)
            return refuse_word(place, word, "a whole number of 32 bits");
        if (object->rows >= object->integer_room &&
            reserve_integers(place, object->rows * 2 + 16, object) != 0)
            return -1;
        object->integers[object->rows] = (int32_t)value;
    }
    return 0;
}

/* ---- both ---- */

/* Takes the two bytes with which a binary object begins: 1; 0 where it is text. */
static int begins_binary(const struct kaldi_place_of *place)
{
    if (bounded_peek(place->file) != 0)
        return 0;
    bounded_get(place->file);
    return bounded_get(place->file) == 'B'
        ? 1
        : refuse(place, "begins with a zero byte, but no B: it is damaged");
}

int kaldi_read_matrix(
    struct bounded_file *file, const char *key, struct kaldi_object *object, struct error *error)
{
    struct kaldi_place_of place = {file, key, file->at, error};
    int binary = begins_binary(&place);
    if (binary < 0)
        return -1;
    return binary ? read_binary_matrix(&place, object) : read_text_matrix(&place, object);
}

int kaldi_read_integers(
    struct bounded_file *file, const char *key, struct kaldi_object *object, struct error *error)
{
    struct kaldi_place_of place = {file, key, file->at, error};
    int binary = begins_binary(&place);
    if (binary < 0)
        return -1;
    object->columns = 0;
    return binary ? read_binary_integers(&place, object) : read_text_integers(&place, object);
}

void kaldi_object_finish(struct kaldi_object *object)
{
    free(object->values);
    free(object->integers);
    *object = (struct kaldi_object){0};
}
