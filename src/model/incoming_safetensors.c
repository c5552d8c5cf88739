/* safetensors (huggingface/safetensors, README, "Format"). The header is read by jansson. As the library does
 * it, a file is refused whose tensors overlap, leave holes or do not fill the buffer: nothing hides in it. */
#include "model/incoming.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

static int recognizes(const unsigned char *bytes, size_t size)
{
    return size > LENGTH_BYTES && bytes[LENGTH_BYTES] == '{';
}

#ifdef HAVE_JANSSON

#include <jansson.h>

static const uint64_t most_header = 100000000; /* bytes, as the library has it */

static uint64_t read_length(const unsigned char *bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        n |= (uint64_t)bytes[i] << 8 * i;
    return n;
}

/* A tensor and the part of the buffer that it takes. */
struct span {
    struct incoming_tensor tensor;
    uint64_t begin, end;
};

struct spans {
    const struct incoming *incoming;
    struct span *span;
    size_t count, room;
    uint64_t buffer; /* bytes */
};

static int refuse(const struct spans *spans, const char *name, const char *what, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA,
        "%s: tensor %.100s %s: the file is damaged, or no safetensors file", spans->incoming->path, name,
        what);
}

/* Takes a whole number from 0 to `most`. */
static int take_number(const json_t *json, uint64_t most, uint64_t *number)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 || (uint64_t)json_integer_value(json) > most)
        return -1;
    *number = (uint64_t)json_integer_value(json);
    return 0;
}

static int take_shape(const json_t *json, struct incoming_tensor *tensor)
{
    size_t n = json_array_size(json);
    if (!json_is_array(json) || n > INCOMING_MOST_DIMENSIONS)
        return -1;
    for (size_t d = 0; d < n; d++)
        if (take_number(json_array_get(json, d), INT64_MAX, &tensor->size[d]) != 0)
            return -1;
    tensor->dimensions = (int)n;
    return 0;
}

static int take_type(const struct spans *spans, const json_t *json, struct span *span, struct error *error)
{
    const char *type = json_string_value(json);
    if (!type)
        return refuse(spans, span->tensor.name, "has no dtype", error);
    span->tensor.bytes = strcmp(type, "F32") == 0 ? 4 : strcmp(type, "F64") == 0 ? 8 : 0;
    if (span->tensor.bytes)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: tensor %.100s is of type %.20s: floats of 32 or 64 bits are read: save it as such",
        spans->incoming->path, span->tensor.name, type);
}

static int take_span(struct spans *spans, const char *name, const json_t *json, struct error *error)
{
    struct span span = {.tensor = {.name = name}};
    const json_t *offsets = json_object_get(json, "data_offsets");
    if (take_type(spans, json_object_get(json, "dtype"), &span, error) != 0)
        return -1;
    if (take_shape(json_object_get(json, "shape"), &span.tensor) != 0)
        return refuse(spans, name, "has no shape", error);
    if (json_array_size(offsets) != 2 ||
        take_number(json_array_get(offsets, 0), spans->buffer, &span.begin) != 0 ||
        take_number(json_array_get(offsets, 1), spans->buffer, &span.end) != 0 || span.begin > span.end)
        return refuse(spans, name, "lies outside of the file", error);
    struct span *wider = array_grow(spans->span, &spans->room, spans->count, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    spans->span = wider;
    spans->span[spans->count++] = span;
    return 0;
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *p = a, *q = b;
    if (p->begin != q->begin)
        return p->begin < q->begin ? -1 : 1;
    return (p->end > q->end) - (p->end < q->end);
}

/* Takes the tensors in the order in which they lie, each of which begins where the one before it ends. */
static int take_all(struct incoming *incoming, struct spans *spans, const char *buffer, struct error *error)
{
    uint64_t at = 0;
    if (spans->count)
        qsort(spans->span, spans->count, sizeof *spans->span, compare_spans);
    for (size_t i = 0; i < spans->count; i++) {
        struct span *span = &spans->span[i];
        if (span->begin != at)
            return refuse(spans, span->tensor.name,
                span->begin < at ? "overlaps another" : "does not begin where the one before it ends", error);
        at = span->end;
    }
    if (at != spans->buffer)
        return error_set(error, EXIT_CODE_DATA,
            "%s: its tensors end %llu bytes before the file does: it is damaged", incoming->path,
            (unsigned long long)(spans->buffer - at));
    for (size_t i = 0; i < spans->count; i++) {
        struct span *span = &spans->span[i];
        const struct parameter *p = incoming_find(incoming, &span->tensor, error);
        if (!p)
            return -1;
        if (span->end - span->begin != p->count * span->tensor.bytes)
            return refuse(spans, p->name, "does not have the bytes that its shape takes", error);
        span->tensor.values = buffer + span->begin;
        if (incoming_take(incoming, &span->tensor, error) != 0)
            return -1;
    }
    return 0;
}

static int take_header(
    struct incoming *incoming, json_t *header, const char *buffer, uint64_t size, struct error *error)
{
    struct spans spans = {.incoming = incoming, .buffer = size};
    const char *name;
    json_t *value;
    int failed = 0;
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, "__metadata__") != 0 && !failed)
            failed = take_span(&spans, name, value, error) != 0;
    }
    if (!failed)
        failed = take_all(incoming, &spans, buffer, error) != 0;
    free(spans.span);
    return failed ? -1 : 0;
}

static int read_safetensors(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    json_error_t why;
    uint64_t length = read_length((const unsigned char *)bytes);
    if (length > size - LENGTH_BYTES || length > most_header)
        return error_set(error, EXIT_CODE_DATA,
            "%s: a header of %llu bytes does not fit into it: it is cut, or no safetensors file",
            incoming->path, (unsigned long long)length);
    json_t *header = json_loadb(bytes + LENGTH_BYTES, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(header)) {
        json_decref(header);
        return error_set(error, EXIT_CODE_DATA, "%s: its header is no JSON object: %s: the file is damaged",
            incoming->path, header ? "it is something else" : why.text);
    }
    int outcome =
        take_header(incoming, header, bytes + LENGTH_BYTES + length, size - LENGTH_BYTES - length, error);
    json_decref(header);
    return outcome;
}

#else

static int read_safetensors(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE,
        "%s: this program was built without jansson, which reads safetensors files: build it with jansson",
        incoming->path);
}

#endif

const struct incoming_kind incoming_safetensors = {
    "a safetensors file", .recognizes = recognizes, .read = read_safetensors};
