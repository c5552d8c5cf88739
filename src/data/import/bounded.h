/* A file that is read from front to back and knows how many bytes it has left: a count that stands in it is
 * held against them before memory is asked for, so that a damaged file costs no more than a sound one. */
#ifndef DATA_IMPORT_BOUNDED_H
#define DATA_IMPORT_BOUNDED_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bounded_file {
    FILE *stream;
    char *path;
    int64_t size, at; /* bytes of the file, and those before the next one */
    int64_t lines;    /* that bounded_read_line has read */
    char *line;       /* the last of them */
    size_t room;
};

/* Opens an ordinary file (base/file.h), of which `kind` says what it should be: "a Kaldi archive". On success
 * the caller owes bounded_close, which also takes zeroes. */
int bounded_open(struct bounded_file *file, const char *path, const char *kind, struct error *error);
void bounded_close(struct bounded_file *file);

/* Reads exactly so many bytes; the error says that the file ends within `what`. */
int bounded_read(struct bounded_file *file, void *bytes, size_t size, const char *what, struct error *error);

/* Refuses `count` items of `each` bytes of which the file has not that many left. */
int bounded_require(
    struct bounded_file *file, uint64_t count, uint64_t each, const char *what, struct error *error);

/* Moves to this byte. Refuses one that lies behind the end. */
int bounded_seek(struct bounded_file *file, int64_t at, struct error *error);

/* The next byte, or EOF. bounded_peek leaves it where it is. */
int bounded_get(struct bounded_file *file);
int bounded_peek(struct bounded_file *file);

/* Reads the next line, without its end (newline, or carriage return and newline), into file->line. Returns 1,
 * 0 at the end of the file, or -1 and an error: a line that holds a zero byte or is no UTF-8 is refused. */
int bounded_read_line(struct bounded_file *file, struct error *error);

/* Cuts the next word off a text of words separated by blanks and moves *text behind it: NULL where there is
 * none left. The word is ended in place. */
char *bounded_next_word(char **text);

/* Numbers as they lie in a file, the lowest byte first, or the highest. */
uint32_t bounded_little_32(const unsigned char *bytes);
uint32_t bounded_big_32(const unsigned char *bytes);
uint16_t bounded_little_16(const unsigned char *bytes);
uint16_t bounded_big_16(const unsigned char *bytes);
float bounded_float(uint32_t bits);

#endif
