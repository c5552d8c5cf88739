/* Time series of the UCR and UEA archives, in the three forms that they come in. */
#include "data/import/series.h"

#include <string.h>
#include <strings.h>

enum series_form { FORM_BY_NAME, FORM_TS, FORM_ARFF, FORM_TSV };

struct ts_options {
    struct import_options common;
    enum series_form form;
};

static enum series_form find_form(const char *source)
{
    const char *end = strrchr(source, '.');
    if (end && strcasecmp(end, ".arff") == 0)
        return FORM_ARFF;
    return end && strcasecmp(end, ".tsv") == 0 ? FORM_TSV : FORM_TS;
}

static int read_ts(struct import *import, const void *options)
{
    static int (*const readers[])(struct import_series * series) = {
        [FORM_TS] = import_series_read_ts,
        [FORM_ARFF] = import_series_read_arff,
        [FORM_TSV] = import_series_read_tsv,
    };
    enum series_form form = ((const struct ts_options *)options)->form;
    struct import_lines lines;
    struct import_series series = {.lines = &lines};
    int failed = import_lines_open(&lines, import);
    if (form == FORM_BY_NAME)
        form = find_form(import_source(import));
    failed = failed || readers[form](&series);
    if (!failed && !series.declared)
        failed = import_refuse(import, "no case is in it");
    import_series_finish(&series);
    import_lines_close(&lines);
    return failed ? -1 : 0;
}

static const char *const form_names[] = {"auto", "ts", "arff", "tsv", NULL};

static const struct option_row rows[] = {
    {"form", 0, OPTION_CHOICE, offsetof(struct ts_options, form), .names = form_names, .argument = "NAME",
        .help = "auto (by the end of the name; else ts), ts, arff or tsv"},
};

const struct import_kind import_ts = {
    .name = "ts",
    .summary = "time series of the UCR and UEA archives: .ts, .arff, .tsv",
    .streams = 1,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .size = sizeof(struct ts_options),
    .read = read_ts,
};
