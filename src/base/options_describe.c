/* The values that a command line has come to, as text: what was not given stands there with its default. */
#include "base/options.h"

#include <inttypes.h>
#include <stdlib.h>

static void write_text(FILE *stream, const char *text)
{
    fprintf(stream, " %s", text ? text : "none");
}

static void write_list(FILE *stream, const struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        write_text(stream, list->item[i]);
    if (!list->count)
        write_text(stream, NULL);
}

static void write_value(FILE *stream, const struct option_row *row, const void *target)
{
    const void *place = (const char *)target + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        write_text(stream, *(const int *)place ? "yes" : "no");
        break;
    case OPTION_TEXT:
        write_text(stream, *(const char *const *)place);
        break;
    case OPTION_LIST:
        write_list(stream, place);
        break;
    case OPTION_CHOICE:
        write_text(stream, row->names[*(const int *)place]);
        break;
    case OPTION_WHOLE_OR_NONE:
        write_text(stream, *(const int *)((const char *)target + row->given) ? "yes" : "no");
        fprintf(stream, " %" PRId64, *(const int64_t *)place);
        break;
    case OPTION_UNSIGNED:
        fprintf(stream, " %" PRIu64, *(const uint64_t *)place);
        break;
    case OPTION_POSITIVE:
    case OPTION_SECONDS:
        fprintf(stream, " %.17g", *(const double *)place);
        break;
    case OPTION_BYTES:
        fprintf(stream, " %zu", *(const size_t *)place);
        break;
    default:
        fprintf(stream, " %" PRId64, *(const int64_t *)place);
    }
}

char *options_describe(const struct option_table *table, const void *target)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream && i < table->rows; i++) {
        const struct option_row *row = &table->row[i];
        if (row->own || row->kind == OPTION_ASK || row->kind == OPTION_COUNTER)
            continue;
        fprintf(stream, "--%s", row->name);
        write_value(stream, row, target);
        fputc('\n', stream);
    }
    if (stream && fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
