/* Files written whole or not at all, whole reads, and folders.
 *
 * A file is written under a temporary name in its own folder, made durable, renamed over the old one, and the
 * rename is made durable through the folder. At every instant either the old file or the new one is there,
 * whole; whatever fails, nothing is left but what was there before, but for one case: where only the last
 * step fails, the new file is in place, and may be the old one again after a power cut. All results,
 * checkpoints and datasets are written this way; what grows while others read it (metrics.csv) or is a lock
 * takes file_write_all and file_sync alone.
 *
 * Errors are EXIT_CODE_IO (EXIT_CODE_INTERNAL without memory) and name the file and the reason; errno holds
 * the reason too, for callers who have more to say. A process that writes beyond its limit on file sizes is
 * told so only where it ignores SIGXFSZ. Nothing here is collective. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/temporary.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file on its way: begun, not yet under its name. */
struct file_writer {
    char *path;
    char *name;                     /* the last part of path */
    int folder, file;               /* descriptors */
    char temporary[TEMPORARY_NAME]; /* in the folder; "": it has no name */
};

/* Begins to replace the file of that name, or to make a new one. A path that is a folder, a device or the
 * like is refused. What other processes, which are gone, have left of it is removed. On success the caller
 * owes file_commit or file_abandon. */
int file_begin(struct file_writer *writer, const char *path, struct error *error);

/* The same for a file that never gets a name, in the folder of temporary files (TMPDIR, or else /tmp):
 * nothing is left of it however the process ends. It is read back by file_read_back and ended by
 * file_abandon. What it is for is `name`, a name of a file. */
int file_begin_apart(struct file_writer *writer, const char *name, struct error *error);

/* Reads bytes that were written before. */
int file_read_back(struct file_writer *writer, void *bytes, size_t size, int64_t at, struct error *error);

/* Makes the file this long, and takes the room on the disk at once where the file system can, so that a disk
 * that is too small is known before the work begins. */
int file_reserve(struct file_writer *writer, int64_t bytes, struct error *error);

/* Writes all bytes, at this place of the file. */
int file_write(struct file_writer *writer, const void *bytes, size_t size, int64_t at, struct error *error);

/* Makes the file durable and gives it its name. Ends the writer in every case. Returns 0; -1 where nothing
 * has changed; or FILE_PLACED with an error where the new file is in place, but its folder could not be made
 * durable. */
enum { FILE_PLACED = -2 };
int file_commit(struct file_writer *writer, struct error *error);

/* Removes what was written so far; takes a writer that has ended. */
void file_abandon(struct file_writer *writer);

/* Begin, write and commit in one, for a small file that lies in memory, in a folder that others look after:
 * the file has its temporary name from the start, and nothing is removed that others have left. */
int file_replace(const char *path, const void *bytes, size_t size, struct error *error);

/* Writes all bytes where the descriptor stands, however many calls it takes. Returns -1 and errno. */
int file_write_all(int descriptor, const void *bytes, size_t size);

/* fsync of a file or folder, where the file system has one. Returns -1 and errno. */
int file_sync(int descriptor);

/* Whether the file system of an open file has room for this many bytes in it, those that it has already among
 * them; true too where that is not known. Else errno says what a write would. It is asked before room is
 * taken: the kernel takes all that is left before it finds that it does not suffice, and what others write
 * at that moment, on the same disk, fails. */
int file_has_room(int descriptor, int64_t bytes);

/* Makes the names in a folder durable: what was created, renamed or removed in it. Returns -1 and errno. */
int file_sync_folder(const char *path);

/* Opens an ordinary file for reading. Returns its descriptor, or -1 and an error; where it is a folder, a
 * FIFO, a socket or a device, `kind` says what it should have been: "a checkpoint file". Every file that is
 * named on a command line, or in a configuration, is opened by this, or looked at by it first. */
int file_open(const char *path, const char *kind, struct error *error);

/* The same as a stream, the caller's (fclose); NULL and an error, and errno as it was at the cause. */
FILE *file_open_stream(const char *path, const char *kind, struct error *error);

/* Reads such a file whole: the caller's (memory_destroy), NULL and an error. */
char *file_read(const char *path, const char *kind, size_t *size, struct error *error);

/* Makes the folder, with the folders above it that are missing; one that is there already is as good. The
 * error names the first folder that could not be made. */
int file_make_folder(const char *path, struct error *error);

#endif
