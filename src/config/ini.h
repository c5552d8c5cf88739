/* INI text, line by line, through inih.
 *
 * inih 55 tells no line numbers, cuts lines at 200 bytes, takes an indented key for a continued value, and
 * drops what it does not understand; so inih is fed by a line reader of ours that counts, and turns each of
 * these into a fault of its own. */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include "base/error.h"

#include <stddef.h>

enum { INI_LONGEST_LINE = 197 }; /* bytes without the line's end: INI_MAX_LINE of inih, less its three */

/* Who is told what stands in the text; the strings last for the call. */
struct ini_listener {
    void (*section)(void *context, const char *section, int line);
    void (*pair)(void *context, const char *section, const char *name, const char *value, int line);
    void *context;
};

/* The whole of a file, with a zero byte behind it: the caller's (memory_destroy). NULL and an error naming
 * the path: EXIT_CODE_IO where it cannot be read, EXIT_CODE_DATA where it is no text. */
char *ini_load(const char *path, struct error *error);

/* Goes through a text. `name` is how its faults call it: "NAME:LINE: what is wrong". Keys below a section
 * line that is itself faulty are passed over. */
void ini_scan(const char *text, const char *name, const struct ini_listener *listener, struct faults *faults);

/* Can this value stand behind "name = " in a line, and come back the same? */
int ini_value_fits(const char *name, const char *value);

#endif
