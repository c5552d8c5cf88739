/* Sources that are a file for each sequence, or a list of such files. */
#ifndef DATA_IMPORT_FILES_H
#define DATA_IMPORT_FILES_H

#include "data/import/sequence.h"

/* Calls `read` for the source, or where its name ends with ".scp" for each of its lines "FILE" or "NAME
 * FILE", in which commands for a shell are refused. `name` is that of the line, or of the file without
 * folders and ending. A failure stops and is returned. */
int import_each_file(struct import *import,
    int (*read)(struct import *import, void *context, const char *name, const char *path), void *context);

#endif
