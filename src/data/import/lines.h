/* Lines of a text file, or of standard input, one at a time and of bounded length. */
#ifndef DATA_IMPORT_LINES_H
#define DATA_IMPORT_LINES_H

#include "data/import/sequence.h"

enum { LINES_MOST_BYTES = 256 << 20 }; /* of a line */

struct import_lines {
    struct import *import;
    FILE *file;
    char *text; /* the line, without its end (newline, or carriage return and newline) */
    size_t bytes, room;
    int64_t line; /* its number, from 1 */
};

/* Opens the source. *lines is ended by import_lines_close, also after a failure. */
int import_lines_open(struct import_lines *lines, struct import *import);
void import_lines_close(struct import_lines *lines); /* takes zeroes */

/* Reads the next line: 1, or 0 at the end, or -1: it is no UTF-8, holds a zero byte or is too long. Errors
 * name it from here on. A mark of UTF-8 before the first is passed over. */
int import_lines_next(struct import_lines *lines);

#endif
