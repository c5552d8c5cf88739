/* The form .tsv of the UCR archive of 2018: a class, then values, with tabulators between. NaN at the end
 * pads what is shorter. */
#include "data/import/series.h"

#include <string.h>

int import_series_read_tsv(struct import_series *series)
{
    int more;
    series->has_classes = 1;
    series->dimensions = 1;
    while ((more = import_lines_next(series->lines)) > 0) {
        char *text = series->lines->text, *values = strchr(text, '\t');
        if (!*text)
            continue;
        if (!values)
            return import_refuse(
                series->lines->import, "a class and values with tabulators between are wanted");
        *values++ = 0;
        if (import_series_read_dimension(series, values, '\t') || import_series_end(series, text, 1))
            return -1;
    }
    return more;
}
