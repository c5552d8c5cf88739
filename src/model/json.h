/* JSON as far as what is exported needs it. */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <stddef.h>
#include <stdio.h>

void json_write_text(FILE *stream, const char *text); /* in quotes; the text is UTF-8 */
void json_write_texts(FILE *stream, char *const *texts, size_t n);
void json_write_numbers(FILE *stream, const double *numbers, size_t n); /* that are read back as they were */

#endif
