/* The form .ts: "@key value" lines, "@data", then a case a line: dimensions with ":" between, and the target
 * last. */
#include "data/import/series.h"

#include "base/numbers.h"
#include "base/text.h"
#include "data/import/bounded.h"

#include <string.h>
#include <strings.h>

/* Cuts a word off, which is empty where there is none. */
static char *next_word(char **text)
{
    char *word = bounded_next_word(text);
    return word ? word : *text;
}

static int read_truth(struct import_series *series, const char *key, const char *value, int *truth)
{
    char shown[TEXT_SHOWN];
    *truth = strcasecmp(value, "true") == 0;
    if (*truth || strcasecmp(value, "false") == 0)
        return 0;
    return import_refuse(
        series->lines->import, "@%s %s: true or false is wanted", key, text_show(value, shown));
}

static int read_classes(struct import_series *series, char *rest)
{
    if (read_truth(series, "classLabel", next_word(&rest), &series->has_classes))
        return -1;
    for (char *name; series->has_classes && *(name = next_word(&rest));)
        if (import_series_add_class(series, name, strlen(name)))
            return -1;
    return 0;
}

static int read_dimensions(struct import_series *series, const char *value)
{
    int64_t n;
    char shown[TEXT_SHOWN];
    if (number_read_integer(value, &n) != NUMBER_OK || n < 1 || n > IMPORT_MOST_WIDTH)
        return import_refuse(series->lines->import, "@dimensions %s: a number of 1 and more is wanted",
            text_show(value, shown));
    series->dimensions = (size_t)n;
    return 0;
}

/* A line of the header; *data where it is the last. */
static int read_key(struct import_series *series, char *text, int *data)
{
    char *rest = text + 1, *key = next_word(&rest);
    int truth = 0;
    *data = strcasecmp(key, "data") == 0;
    if (strcasecmp(key, "classLabel") == 0)
        return read_classes(series, rest);
    if (strcasecmp(key, "targetLabel") == 0) {
        if (read_truth(series, key, next_word(&rest), &series->has_values))
            return -1;
        if (series->has_values)
            series->has_classes = 0;
        return 0;
    }
    if (strcasecmp(key, "dimensions") == 0 || strcasecmp(key, "dimension") == 0)
        return read_dimensions(series, next_word(&rest));
    if (strcasecmp(key, "univariate") == 0) {
        if (read_truth(series, key, next_word(&rest), &truth))
            return -1;
        if (truth)
            series->dimensions = 1;
        return 0;
    }
    if (strcasecmp(key, "timeStamps") != 0)
        return 0; /* a name, or what follows from the cases */
    if (read_truth(series, key, next_word(&rest), &truth))
        return -1;
    return truth ? import_refuse(
                       series->lines->import, "@timeStamps true: values with times of their own are not read")
                 : 0;
}

static int read_case(struct import_series *series, char *text)
{
    char *target = NULL, *end = NULL;
    if (series->has_classes || series->has_values) {
        target = strrchr(text, ':');
        if (!target)
            return import_refuse(
                series->lines->import, "the case has no target: one is wanted behind its last ':'");
        *target++ = 0;
        target = next_word(&target);
    }
    for (char *dimension = text; dimension; dimension = end) {
        end = strchr(dimension, ':');
        if (end)
            *end++ = 0;
        if (import_series_read_dimension(series, dimension, ','))
            return -1;
    }
    return import_series_end(series, target, 0);
}

int import_series_read_ts(struct import_series *series)
{
    int data = 0, more;
    series->has_classes = 1;
    while ((more = import_lines_next(series->lines)) > 0) {
        char *text = series->lines->text + strspn(series->lines->text, " \t");
        if (!*text || (!data && (*text == '#' || *text == '%')))
            continue;
        if (!data && *text != '@')
            return import_refuse(series->lines->import, "neither '@key value' nor a comment before @data");
        if (data ? read_case(series, text) : read_key(series, text, &data))
            return -1;
    }
    if (more == 0 && !data)
        return import_refuse(
            series->lines->import, "there is no @data: the file is cut, or none of this form");
    return more;
}
