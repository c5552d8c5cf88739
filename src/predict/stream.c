/* A pipe takes bytes when its reader does, which may be never: a pager waits for its user. So nothing is
 * written that might have to wait: poll says that there is room, for PIPE_BUF bytes at least, and no more
 * than these are written then. Ordinary files are always ready. */
#include "predict/stream.h"

#include "base/memory.h"
#include "comm/end.h"
#include "comm/launcher.h"
#include "pass/stop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, A_WHILE = 500 /* milliseconds */ };

int predict_is_standard_output(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

int predict_is_mixed(const char *path)
{
    return predict_is_standard_output(path) && launcher_get()->mixes;
}

/* ---- standard output ---- */

static int refuse(struct error *error)
{
    int no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    if (errno == EPIPE)
        return error_set(error, EXIT_CODE_IO,
            "standard output: whoever reads it is gone, before all of the outputs were written");
    return error_set(error, EXIT_CODE_IO, "standard output: cannot be written: %s%s", strerror(errno),
        no_room ? ": make room, or name another disk, and run the same command again" : "");
}

/* Waits until there is room in what standard output is. */
static int await_room(const struct comm *comm, struct error *error)
{
    struct pollfd place = {.fd = STDOUT_FILENO, .events = POLLOUT};
    for (;;) {
        int ready = poll(&place, 1, A_WHILE);
        comm_show_life(comm);
        if (stop_signal())
            return error_set(error, EXIT_CODE_IO,
                "stopped by %s: the outputs on standard output end in their midst",
                stop_signal_name(stop_signal()));
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return refuse(error);
    }
}

int predict_write_standard_output(
    const struct comm *comm, const void *bytes, size_t size, struct error *error)
{
    static int begun;
    const char *at = bytes, *end = at + size;
    if (!begun && launcher_get()->mixes)
        end_let_launcher_read();
    begun = 1;
    while (at < end) {
        size_t piece = (size_t)(end - at) < PIPE_BUF ? (size_t)(end - at) : PIPE_BUF;
        if (await_room(comm, error))
            return -1;
        ssize_t n = write(STDOUT_FILENO, at, piece);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return refuse(error);
        at += n > 0 ? n : 0;
    }
    return 0;
}

/* ---- streams ---- */

int predict_stream_init(
    struct predict_stream *stream, const struct comm *comm, const char *path, struct error *error)
{
    *stream = (struct predict_stream){.comm = comm, .block = memory_create(BLOCK, 1, error)};
    if (!stream->block)
        return -1;
    if (predict_is_standard_output(path))
        return 0;
    if (file_begin(&stream->file, path, error))
        return -1;
    stream->begun = 1;
    return 0;
}

void predict_stream_finish(struct predict_stream *stream)
{
    memory_destroy(stream->block);
    if (stream->begun)
        file_abandon(&stream->file);
    *stream = (struct predict_stream){0};
}

static void write_out(struct predict_stream *stream, const void *bytes, size_t size)
{
    if (stream->error.code)
        return;
    if (stream->begun)
        file_write(&stream->file, bytes, size, stream->at, &stream->error);
    else
        predict_write_standard_output(stream->comm, bytes, size, &stream->error);
    stream->at += (int64_t)size;
}

void predict_stream_add(struct predict_stream *stream, const void *bytes, size_t size)
{
    if (size > BLOCK - stream->used) {
        write_out(stream, stream->block, stream->used);
        stream->used = 0;
    }
    if (size > BLOCK) {
        write_out(stream, bytes, size);
    } else if (size) {
        memcpy(stream->block + stream->used, bytes, size);
        stream->used += size;
    }
}

void predict_stream_print(struct predict_stream *stream, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    predict_stream_add(stream, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

int predict_stream_flush(struct predict_stream *stream, struct error *error)
{
    write_out(stream, stream->block, stream->used);
    stream->used = 0;
    if (stream->error.code)
        return error_set(error, (enum exit_code)stream->error.code, "%s", stream->error.text);
    return 0;
}

int predict_stream_commit(struct predict_stream *stream, struct error *error)
{
    if (predict_stream_flush(stream, error))
        return -1;
    if (!stream->begun)
        return 0;
    stream->begun = 0;
    return file_commit(&stream->file, error);
}
