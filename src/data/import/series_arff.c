/* The form .arff: "@attribute" lines, of which the last names the classes, "@data", then a case a line, with
 * commas between. A case of several dimensions is one value in quotes, in which the two characters "\n" stand
 * between them.
 */
#include "data/import/series.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* What the header has said so far. */
struct arff_header {
    int relational; /* cases are in quotes */
    int nested;     /* within the attributes of such a case */
    int ends_in_class;
};

/* Cuts a name off, which may stand in quotes. Returns what follows, past blanks. */
static const char *skip_name(const char *text)
{
    text += strspn(text, " \t");
    const char *end = *text == '\'' || *text == '"' ? strchr(text + 1, *text) : NULL;
    text = end ? end + 1 : text + strcspn(text, " \t");
    return text + strspn(text, " \t");
}

/* "{a, 'b c'}" */
static int read_classes(struct import_series *series, const char *text)
{
    for (text++; *text && *text != '}';) {
        text += strspn(text, " \t,");
        int quoted = *text == '\'' || *text == '"';
        const char *end = quoted ? strchr(text + 1, *text) : text + strcspn(text, ",}");
        if (!end || !*end)
            break;
        size_t n = (size_t)(end - text) - (quoted ? 1 : 0);
        while (!quoted && n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
            n--;
        if (n && import_series_add_class(series, text + quoted, n))
            return -1;
        text = quoted ? end + 1 : end;
        text += strspn(text, " \t");
    }
    return *text == '}' ? 0 : import_refuse(series->lines->import, "the list of classes does not end in '}'");
}

static int read_attribute(struct import_series *series, struct arff_header *header, const char *text)
{
    char shown[TEXT_SHOWN];
    const char *type = skip_name(text);
    if (header->nested)
        return 0;
    if (header->ends_in_class)
        return import_refuse(
            series->lines->import, "an attribute behind the one of classes: that is to be the last");
    if (*type == '{') {
        header->ends_in_class = 1;
        return read_classes(series, type);
    }
    if (strncasecmp(type, "relational", 10) == 0) {
        header->relational = header->nested = 1;
        return 0;
    }
    if (strncasecmp(type, "numeric", 7) == 0 || strncasecmp(type, "real", 4) == 0 ||
        strncasecmp(type, "integer", 7) == 0)
        return 0;
    return import_refuse(series->lines->import,
        "an attribute of the type %s: numeric, relational and {classes} are read", text_show(type, shown));
}

/* A line of the header; *data where it is the last. */
static int read_key(struct import_series *series, struct arff_header *header, const char *text, int *data)
{
    *data = strncasecmp(text, "@data", 5) == 0;
    if (strncasecmp(text, "@end", 4) == 0)
        header->nested = 0;
    else if (strncasecmp(text, "@attribute", 10) == 0)
        return read_attribute(series, header, text + 10);
    else if (!*data && strncasecmp(text, "@relation", 9) != 0)
        return import_refuse(series->lines->import, "neither @relation, @attribute, @end nor @data");
    if (*data && !header->ends_in_class)
        return import_refuse(series->lines->import, "the last attribute is not the one of classes, {a,b}");
    series->has_classes = header->ends_in_class;
    return 0;
}

/* The dimensions of a case in quotes, which were taken off. */
static int read_dimensions(struct import_series *series, char *text)
{
    for (char *end; text; text = end) {
        end = strstr(text, "\\n");
        if (end) {
            *end = 0;
            end += 2;
        }
        if (import_series_read_dimension(series, text, ','))
            return -1;
    }
    return 0;
}

/* Cuts the class off the end of a case, which may stand in quotes; NULL: there is no comma before it. */
static char *cut_class(char *text)
{
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    text[n] = 0;
    char quote = n ? text[n - 1] : 0, *class = NULL;
    if (n > 1 && (quote == '\'' || quote == '"')) {
        text[n - 1] = 0;
        class = strrchr(text, quote);
    }
    char *end = class ? class : text + n, *comma = NULL;
    for (char *c = text; c < end; c++)
        comma = *c == ',' ? c : comma;
    if (!comma)
        return NULL;
    *comma = 0;
    return class ? class + 1 : comma + 1 + strspn(comma + 1, " \t");
}

static int read_case(struct import_series *series, const struct arff_header *header, char *text)
{
    char *class = cut_class(text);
    if (!class)
        return import_refuse(series->lines->import, "values and a class with commas between are wanted");
    if (!header->relational) {
        series->dimensions = 1;
        return import_series_read_dimension(series, text, ',') || import_series_end(series, class, 1) ? -1
                                                                                                      : 0;
    }
    char *end = *text == '\'' || *text == '"' ? strchr(text + 1, *text) : NULL;
    if (!end)
        return import_refuse(
            series->lines->import, "the dimensions of a case stand in quotes, which are not there");
    *end = 0;
    return read_dimensions(series, text + 1) || import_series_end(series, class, 1) ? -1 : 0;
}

int import_series_read_arff(struct import_series *series)
{
    struct arff_header header = {0};
    int data = 0, more;
    while ((more = import_lines_next(series->lines)) > 0) {
        char *text = series->lines->text + strspn(series->lines->text, " \t");
        if (!*text || *text == '%')
            continue;
        if (data ? read_case(series, &header, text) : read_key(series, &header, text, &data))
            return -1;
    }
    if (more == 0 && !data)
        return import_refuse(
            series->lines->import, "there is no @data: the file is cut, or none of this form");
    return more;
}
