/* A folder for the files of a test, under $TMPDIR or /tmp: folder_make and folder_remove are a fixture of
 * Check. Failures of this harness fail the test. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

void folder_make(void);
void folder_remove(void); /* with all that is in it */

const char *folder_path(void);

/* "FOLDER/NAME"; the text lasts for the next few calls. */
const char *in_folder(const char *name);

/* Makes a file of these bytes. Unlike file_replace it does not wait for the disk. */
void write_file(const char *path, const void *bytes, size_t size);

#endif
