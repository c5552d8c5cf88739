/* Temporary files: what a file is before it has its name. One that has a name is ".NAME.tmp-HOST-PROCESS", in
 * the folder of NAME, so that processes of one number on two hosts do not write into one file. */
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

#include <stddef.h>

enum { TEMPORARY_NAME = 256 };

/* Returns the folder of files that need no other: TMPDIR, or else /tmp. */
const char *temporary_folder(void);

/* Writes the name that a temporary file of this process has for NAME. */
void temporary_name(const char *name, char temporary[TEMPORARY_NAME]);

/* Returns the length of NAME where this is the name of a temporary file of any process, or else 0; programs
 * of before put no HOST into it. */
size_t temporary_base(const char *temporary);

/* Creates the file in the folder, and takes the place of one that an earlier process of the same number left
 * behind. Returns its descriptor, or -1 and errno. */
int temporary_create(int folder, const char *temporary);

/* Creates a file that has no name, so that nothing is left of it however the process ends, and for which
 * temporary_link is known to work. Returns its descriptor; or -1 where the file system has no such files, as
 * those of a network, or /proc is not there. `name` is the one that it is to replace. */
int temporary_create_unnamed(int folder, const char *name);

/* Gives a file without a name this one. Returns -1 and errno. */
int temporary_link(int file, int folder, const char *temporary);

/* Removes what processes have left behind that were to write NAME: those of this host that are gone, and what
 * nobody has written to for a day. */
void temporary_sweep(int folder, const char *name);

#endif
