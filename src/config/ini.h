/* INI text, line by line: [section], key = value, comments. Lines may have any length. */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include "base/error.h"

/* A listener is called with what stands in the text; the strings last for the call. */
struct ini_listener {
    void (*section)(void *context, const char *section, int line);
    void (*pair)(void *context, const char *section, const char *name, const char *value, int line);
    void *context;
};

/* Reads the whole of a file, with a zero byte behind it: the caller's (memory_destroy). NULL and an error
 * naming the path: EXIT_CODE_IO where it cannot be read, EXIT_CODE_DATA where it is no text. */
char *ini_load(const char *path, struct error *error);

/* Goes through a text:
 *
 *     ; or # in front       the line is a comment, and so is what follows a blank and ; behind a value
 *     [section]             the keys of the section follow; those before any section belong to ""
 *     name = value          or name : value; blanks around both are dropped
 *
 * Sections and keys begin in the first column. A byte order mark in front and a carriage return at the end of
 * a line are passed over. `name` is what faults call the text: "NAME:LINE: what is wrong". Keys below a
 * section line that is itself faulty are passed over. */
void ini_scan(const char *text, const char *name, const struct ini_listener *listener, struct faults *faults);

/* Does this value come back the same when it stands behind "name = " in a line? */
int ini_value_fits(const char *value);

#endif
