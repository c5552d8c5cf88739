/* How the commands named info print what is in a file. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include <stddef.h>

/* Prints a text of a file that anyone may have written: control characters do not reach the terminal. */
void show_text(const char *text);

/* Begins a line: what it tells, in front of it. */
void show_label(const char *label);

/* Ends a line by the first few of the names, where there are any (NULL: there are none). */
void show_names(char *const *names, size_t count);

#endif
