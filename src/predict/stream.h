/* Text on its way to a file, which appears under its name when it is whole (base/file.h), or to standard
 * output, where it is at once what it is. */
#ifndef PREDICT_STREAM_H
#define PREDICT_STREAM_H

#include "base/file.h"
#include "comm/comm.h"

/* What stands for standard output in place of the name of a file. */
int predict_is_standard_output(const char *path);

/* Is `path` standard output, and the launcher one that mixes it with standard error (comm/launcher.h)? Open
 * MPI 5 keeps what a rank has written behind the last end of a line, and puts it before the next piece that
 * it gets from that rank, be it of the other stream (openpmix, issue 3858). So nothing may be written to
 * standard error behind the outputs, but why they are not whole. */
int predict_is_mixed(const char *path);

struct predict_stream {
    const struct comm *comm;
    int begun; /* 1: it goes to the file, and else to standard output */
    struct file_writer file;
    int64_t at;  /* bytes of the file so far */
    char *block; /* bytes that wait */
    size_t used;
    struct error error; /* the first failure; code 0: none */
};

/* Rank 0 calls, and keeps comm by reference. Ended by predict_stream_finish, also after a failure, which
 * leaves no file. */
int predict_stream_init(
    struct predict_stream *stream, const struct comm *comm, const char *path, struct error *error);
void predict_stream_finish(struct predict_stream *stream); /* takes zeroes */

/* Adds bytes, or a text. A failure to write them is kept: nothing more is written then, and
 * predict_stream_flush returns it. */
void predict_stream_add(struct predict_stream *stream, const void *bytes, size_t size);
void predict_stream_print(struct predict_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes all that waits, so that who reads standard output has it. */
int predict_stream_flush(struct predict_stream *stream, struct error *error);

/* Flushes, and gives a file its name. */
int predict_stream_commit(struct predict_stream *stream, struct error *error);

/* Rank 0 calls. Writes all bytes to standard output. While whoever reads it takes his time this rank shows
 * life, so that none of the others takes it for one that hangs; when the program is told to stop it fails.
 * What stands on standard error is seen to be read first, where the launcher mixes the two. */
int predict_write_standard_output(
    const struct comm *comm, const void *bytes, size_t size, struct error *error);

#endif
