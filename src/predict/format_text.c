/* A line a sequence: its name, a tab, and its labels with blanks between them; of values the numbers of a row
 * with commas between them, and blanks between rows. */
#include "base/clean.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/results.h"
#include "predict/output.h"

#include <string.h>

static int start(struct predict_output *output, struct error *error)
{
    wording_init(&output->wording, output->config, output->names, output->dataset);
    return predict_stream_init(&output->stream, output->node->comm, output->path, error);
}

/* A tab or the end of a line within a name would be one of the format's. */
static int add_clean(struct predict_stream *stream, const char *name, struct error *error)
{
    char *copy = name ? text_copy(name, error) : NULL;
    if (!copy)
        return -1;
    text_clean(copy);
    predict_stream_add(stream, copy, strlen(copy));
    memory_destroy(copy);
    return 0;
}

static int add_class(struct predict_output *output, size_t place, size_t class, struct error *error)
{
    predict_stream_add(&output->stream, " ", place ? 1 : 0);
    return add_clean(&output->stream, wording_of_class(&output->wording, class), error);
}

static int begin_line(struct predict_output *output, int64_t sequence, struct error *error)
{
    if (add_clean(&output->stream, wording_of_sequence(&output->wording, sequence, error), error))
        return -1;
    predict_stream_add(&output->stream, "\t", 1);
    return 0;
}

static void add_values(struct predict_output *output, size_t place, const float *values)
{
    for (size_t o = 0; o < output->rows.width; o++)
        predict_stream_print(&output->stream, "%s%.9g", o ? "," : place ? " " : "", (double)values[o]);
}

static int take_rows(
    struct predict_output *output, int64_t first, int64_t end, const float *values, struct error *error)
{
    const struct predict_rows *rows = &output->rows;
    int classes = results_have_classes(output->config);
    for (int64_t s = first; s < end; s++) {
        size_t n = (size_t)(rows->offsets[s + 1] - rows->offsets[s]);
        if (begin_line(output, s, error))
            return -1;
        for (size_t r = 0; r < n; r++, values += rows->width)
            if (!classes)
                add_values(output, r, values);
            else if (add_class(output, r, results_most_probable(values, rows->width), error))
                return -1;
        predict_stream_add(&output->stream, "\n", 1);
    }
    return predict_stream_flush(&output->stream, error);
}

static int take_labels(
    struct predict_output *output, int64_t sequence, const int32_t *labels, size_t n, struct error *error)
{
    if (begin_line(output, sequence, error))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (add_class(output, i, (size_t)labels[i], error))
            return -1;
    predict_stream_add(&output->stream, "\n", 1);
    return 0;
}

const struct predict_format predict_format_text = {
    .name = "text", .start = start, .take_rows = take_rows, .take_labels = take_labels};
