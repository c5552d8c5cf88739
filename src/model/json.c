#include "model/json.h"

#include <stdio.h>

void json_write_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20)
            fprintf(stream, "\\u%04x", byte);
        else
            fprintf(stream, "%s%c", byte == '"' || byte == '\\' ? "\\" : "", byte);
    }
    fputc('"', stream);
}

void json_write_texts(FILE *stream, char *const *texts, size_t n)
{
    fputc('[', stream);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", stream);
        json_write_text(stream, texts[i]);
    }
    fputc(']', stream);
}

void json_write_numbers(FILE *stream, const double *numbers, size_t n)
{
    fputc('[', stream);
    for (size_t i = 0; i < n; i++)
        fprintf(stream, "%s%.17g", i ? ", " : "", numbers[i]);
    fputc(']', stream);
}
