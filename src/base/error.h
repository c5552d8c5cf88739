/* What went wrong outside the program, in words a user can act on.
 *
 * A function that can fail for such a reason takes a struct error and returns a negative number (or NULL)
 * after error_set. Outputs are untouched on failure. Mistakes of ours are asserts, not errors. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* Exit codes of the programs; an error carries the one it leads to. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_DATA = 65,     /* bad data or configuration */
    EXIT_CODE_INTERNAL = 70, /* out of memory and the like */
    EXIT_CODE_IO = 74,       /* input or output failed */
    EXIT_CODE_DIVERGED = 76, /* loss or gradient not finite */
    EXIT_CODE_REPLICAS = 77, /* weights differ between ranks */
    EXIT_CODE_STUCK = 124    /* a rank stopped answering */
};

struct error {
    int code;        /* enum exit_code; 0: no error */
    char text[1024]; /* "FILE: what is wrong: what to do", no newline */
};

/* Fills *error and returns -1. A text that is too long is cut. A NULL error is allowed, here and below. */
int error_set(struct error *error, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a text in front of an error's own: error_prefix(e, "%s: ", path). Returns -1. */
int error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where the error is that there was no memory, it gets what that was for in front, and what makes it less
 * behind: "weights: out of memory: no block of 4096 bytes to be had: a smaller model.hidden takes less";
 * and how much there is for all processes. Other errors stay as they are. Returns -1. */
int error_explain_memory(struct error *error, const char *what, const char *remedy);

/* Errors of one pass over a configuration or a dataset, all of them: each is handed to `say` as it is found.
 * What is merely worth knowing goes to `warn`, where there is one. */
struct faults {
    size_t count; /* faults found so far; only the first `most` of them are said */
    size_t most;
    int code; /* enum exit_code of the first */
    void (*say)(void *context, const char *text);
    void (*warn)(void *context, const char *text); /* NULL: warnings are not told */
    void *context;
};

/* faults_add counts a fault and says it, unless `most` of them were said before. */
void faults_init(
    struct faults *faults, size_t most, void (*say)(void *context, const char *text), void *context);
void faults_add(struct faults *faults, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void faults_warn(struct faults *faults, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
