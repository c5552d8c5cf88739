/* What is not durable yet: files written to since their last fsync, names changed since their folder's. Only
 * of one process; calls are made with the lock of inject.c held. Paths are absolute. */
#ifndef TESTS_FAULTS_JOURNAL_H
#define TESTS_FAULTS_JOURNAL_H

#include <sys/types.h>

/* Names that are replaced or removed are kept in the folder BELOW.lost meanwhile. */
void journal_begin(const char *below);

void journal_write(int file, off_t from); /* before it */
void journal_create(const char *path);    /* after it, where there was none before */
int journal_keep(const char *path);       /* before the name goes: what to hand to the next two, or -1 */
void journal_renamed(const char *from, const char *to, int kept); /* after it */
void journal_removed(const char *path, int kept);                 /* after it */
void journal_sync(int file, const char *path); /* after it: a file's content, or a folder's names */

/* Makes it as if the machine had stopped. Bits of enum inject_loss. */
void journal_lose(unsigned loss);

#endif
