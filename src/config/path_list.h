/* A list of paths as people write it: "a.h5, my data.h5". It is cut at commas; blanks around a comma go with
 * it, and others belong to a path. In a path \, is a comma, and \\ a backslash before one of these two; any
 * other backslash is one. */
#ifndef CONFIG_PATH_LIST_H
#define CONFIG_PATH_LIST_H

#include <stddef.h>

/* Replaces *paths, a block of the caller's (memory_destroy) or NULL, by the paths of a text: pointers, the
 * last of which is NULL, and what they point to. It becomes NULL where the text is empty. A path is relative
 * to `directory`, which is absolute, or to HOME where it begins with ~/; with NULL it stays as it is. Returns
 * NULL, or what is wrong with the text, and *paths is untouched; running out of memory is among that. */
const char *path_list_read(const char *text, const char *directory, char ***paths);

/* Writes paths (NULL: none) as a text that path_list_read takes. Returns the length of the whole text, as
 * snprintf does. */
size_t path_list_write(char *const *paths, char *text, size_t size);

#endif
