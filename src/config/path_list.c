/* The block is as large as it could have to be: for each comma a path more, each with the longer of the two
 * folders in front. */
#include "config/path_list.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t";

/* Is this a backslash that only says what the character behind it is? */
static int is_escape(const char *c)
{
    return c[0] == '\\' && (c[1] == ',' || c[1] == '\\');
}

/* Copies the next path of a list, and moves *list behind its comma, or to NULL where there is none. */
static void take_path(const char **list, char *path)
{
    const char *c = *list;
    char *end = path, *last = path; /* last: behind the last character that is no blank */
    for (; *c && *c != ','; c++) {
        c += is_escape(c);
        *end++ = *c;
        last = strchr(blanks, *c) ? last : end;
    }
    *(*c ? last : end) = '\0';
    *list = *c ? c + 1 + strspn(c + 1, blanks) : NULL;
}

/* Where the path begins with the folder of the user, *directory becomes that, and *path what is behind it. */
static const char *expand_home(const char **path, const char **directory)
{
    const char *home = getenv("HOME");
    if (**path != '~')
        return NULL;
    if ((*path)[1] != '/')
        return "no folder but ~/ is known by such a sign (a file's name may begin with it behind ./)";
    if (!home || *home != '/')
        return "HOME does not say which folder ~/ is";
    *directory = home;
    *path += 1 + strspn(*path + 1, "/");
    return NULL;
}

/* Writes a path that is absolute, which takes the room of it and the folder and two bytes more. */
static const char *write_absolute(const char *path, const char *directory, char *absolute)
{
    const char *why = expand_home(&path, &directory);
    if (why)
        return why;
    size_t folder = *path == '/' || strcmp(directory, "/") == 0 ? 0 : strlen(directory);
    memcpy(absolute, directory, folder + 1); /* with its zero byte, or one that is written over */
    if (*path != '/')
        absolute[folder++] = '/';
    strcpy(absolute + folder, path);
    return NULL;
}

static const char *check_path(const char *path)
{
    size_t n = strlen(path);
    if (n == 0)
        return "no path before or behind a comma";
    if (n > 1 && (path[0] == '"' || path[0] == '\'') && path[n - 1] == path[0])
        return "quotes are part of a path: leave them out";
    return NULL;
}

/* Fills the block `made` with the paths of a text; `path` has room for one. */
static const char *fill(const char *text, const char *directory, size_t most, char *path, char **made)
{
    char *next = (char *)(made + most + 1);
    size_t n = 0;
    while (text) {
        take_path(&text, path);
        const char *why = check_path(path);
        if (!why && directory)
            why = write_absolute(path, directory, next);
        else if (!why)
            strcpy(next, path);
        if (why)
            return why;
        made[n++] = next;
        next += strlen(next) + 1;
    }
    return NULL;
}

const char *path_list_read(const char *text, const char *directory, char ***paths)
{
    const char *home = getenv("HOME"), *why = NULL;
    char **made = NULL;
    if (*text) {
        size_t most = 1, folder = (directory ? strlen(directory) : 0) + (home ? strlen(home) : 0) + 2;
        for (const char *c = text; *c; c++)
            most += *c == ',';
        char *path = memory_create(strlen(text) + 1, 1, NULL);
        made = memory_create((most + 1) * sizeof *made + most * folder + strlen(text) + 1, 1, NULL);
        why = path && made ? fill(text, directory, most, path, made) : "out of memory";
        memory_destroy(path);
    }
    if (why) {
        memory_destroy(made);
        return why;
    }
    memory_destroy(*paths);
    *paths = made;
    return NULL;
}

/* Would this backslash say something of what is behind it, be it a comma between two paths? */
static int needs_escape(const char *c)
{
    return *c == ',' || is_escape(c) || (c[0] == '\\' && c[1] == '\0');
}

size_t path_list_write(char *const *paths, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; paths && paths[i]; i++) {
        const char *between = i ? ", " : "";
        for (const char *c = paths[i]; *c; c++, between = "") {
            size_t room = used < size ? size - used : 0;
            used += (size_t)snprintf(
                room ? text + used : NULL, room, "%s%s%c", between, needs_escape(c) ? "\\" : "", *c);
        }
    }
    if (used == 0 && size)
        text[0] = '\0';
    return used;
}
