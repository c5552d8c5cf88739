/* Comma-separated values as RFC 4180 has them, but for the ends of lines, which are those of the system: a
 * header, then a row for each row of outputs, or for each label that was found. */
#include "base/memory.h"
#include "net/outputs/output.h"
#include "net/results.h"
#include "predict/output.h"

#include <inttypes.h>
#include <string.h>

/* Adds a field. In quotes anything can stand, with quotes written twice. */
static void add_field(struct predict_stream *stream, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        predict_stream_add(stream, text, strlen(text));
        return;
    }
    predict_stream_add(stream, "\"", 1);
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        predict_stream_add(stream, text, (size_t)(quote - text) + 1);
        predict_stream_add(stream, "\"", 1);
    }
    predict_stream_add(stream, text, strlen(text));
    predict_stream_add(stream, "\"", 1);
}

/* What the column is called that numbers the rows of a sequence; NULL: there is one of each. */
static const char *name_place(const struct predict_output *output)
{
    static const char *const places[] = {
        [PER_FRAME] = "frame", [PER_SEQUENCE] = NULL, [PER_TARGET] = "place"};
    return places[output->has_labels ? PER_TARGET : output_of(output->config)->rows];
}

static int write_header(struct predict_output *output, struct error *error)
{
    struct predict_stream *stream = &output->stream;
    const char *place = name_place(output);
    predict_stream_print(stream, "name%s%s", place ? "," : "", place ? place : "");
    if (output->has_labels || results_have_classes(output->config))
        predict_stream_print(stream, ",label");
    for (size_t o = 0; output->has_rows && o < output->rows.width; o++) {
        char *name = wording_of_output(&output->wording, o, error);
        if (!name)
            return -1;
        predict_stream_add(stream, ",", 1);
        add_field(stream, name);
        memory_destroy(name);
    }
    predict_stream_add(stream, "\n", 1);
    return 0;
}

static int start(struct predict_output *output, struct error *error)
{
    wording_init(&output->wording, output->config, output->names, output->dataset);
    if (predict_stream_init(&output->stream, output->node->comm, output->path, error))
        return -1;
    return write_header(output, error);
}

/* Adds name and place of a row, of the sequence that was last asked for. */
static int begin_row(struct predict_output *output, int64_t sequence, size_t place, struct error *error)
{
    const char *name = wording_of_sequence(&output->wording, sequence, error);
    if (!name)
        return -1;
    add_field(&output->stream, name);
    if (name_place(output))
        predict_stream_print(&output->stream, ",%zu", place);
    return 0;
}

static void add_class(struct predict_output *output, size_t class)
{
    predict_stream_add(&output->stream, ",", 1);
    add_field(&output->stream, wording_of_class(&output->wording, class));
}

static int take_rows(
    struct predict_output *output, int64_t first, int64_t end, const float *values, struct error *error)
{
    const struct predict_rows *rows = &output->rows;
    int classes = results_have_classes(output->config);
    for (int64_t s = first; s < end; s++)
        for (int64_t r = rows->offsets[s]; r < rows->offsets[s + 1]; r++, values += rows->width) {
            if (begin_row(output, s, (size_t)(r - rows->offsets[s]), error))
                return -1;
            if (classes)
                add_class(output, results_most_probable(values, rows->width));
            for (size_t o = 0; o < rows->width; o++)
                predict_stream_print(&output->stream, ",%.9g", (double)values[o]);
            predict_stream_add(&output->stream, "\n", 1);
        }
    return predict_stream_flush(&output->stream, error);
}

static int take_labels(
    struct predict_output *output, int64_t sequence, const int32_t *labels, size_t n, struct error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (begin_row(output, sequence, i, error))
            return -1;
        add_class(output, (size_t)labels[i]);
        predict_stream_add(&output->stream, "\n", 1);
    }
    return 0;
}

const struct predict_format predict_format_csv = {
    .name = "csv", .start = start, .take_rows = take_rows, .take_labels = take_labels};
