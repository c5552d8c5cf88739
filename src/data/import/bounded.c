#include "data/import/bounded.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int bounded_open(struct bounded_file *file, const char *path, const char *kind, struct error *error)
{
    struct bounded_file opened = {.path = text_copy(path, error)};
    if (!opened.path)
        return -1;
    opened.stream = file_open_stream(path, kind, error);
    if (!opened.stream) {
        bounded_close(&opened);
        return -1;
    }
    off_t size = fseeko(opened.stream, 0, SEEK_END) == 0 ? ftello(opened.stream) : -1;
    if (size < 0 || fseeko(opened.stream, 0, SEEK_SET) != 0) {
        error_set(error, EXIT_CODE_IO, "%s: its size cannot be told: %s", path, strerror(errno));
        bounded_close(&opened);
        return -1;
    }
    opened.size = (int64_t)size;
    *file = opened;
    return 0;
}

void bounded_close(struct bounded_file *file)
{
    if (file->stream)
        fclose(file->stream);
    memory_destroy(file->path);
    free(file->line);
    *file = (struct bounded_file){0};
}

int bounded_read(struct bounded_file *file, void *bytes, size_t size, const char *what, struct error *error)
{
    if (bounded_require(file, size, 1, what, error) != 0)
        return -1;
    if (fread(bytes, 1, size, file->stream) != size)
        return error_set(error, EXIT_CODE_IO, "%s: %s at byte %" PRId64 " cannot be read: %s", file->path,
            what, file->at, ferror(file->stream) ? strerror(errno) : "the file has become shorter");
    file->at += (int64_t)size;
    return 0;
}

int bounded_require(
    struct bounded_file *file, uint64_t count, uint64_t each, const char *what, struct error *error)
{
    uint64_t left = (uint64_t)(file->size - file->at);
    if (each == 0 || count <= left / each)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s at byte %" PRId64 " takes %" PRIu64 " times %" PRIu64 " bytes, but the file has %" PRIu64
        " left: it is damaged or cut off, copy it again",
        file->path, what, file->at, count, each, left);
}

int bounded_seek(struct bounded_file *file, int64_t at, struct error *error)
{
    if (at < 0 || at > file->size)
        return error_set(error, EXIT_CODE_DATA, "%s: there is no byte %" PRId64 ": the file has %" PRId64,
            file->path, at, file->size);
    if (at == file->at)
        return 0;
    if (fseeko(file->stream, (off_t)at, SEEK_SET) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be read from byte %" PRId64 " on: %s", file->path,
            at, strerror(errno));
    file->at = at;
    return 0;
}

int bounded_get(struct bounded_file *file)
{
    int byte = file->at < file->size ? getc(file->stream) : EOF;
    file->at += byte != EOF;
    return byte;
}

int bounded_peek(struct bounded_file *file)
{
    int byte = file->at < file->size ? getc(file->stream) : EOF;
    return byte == EOF ? EOF : ungetc(byte, file->stream);
}

int bounded_read_line(struct bounded_file *file, struct error *error)
{
    errno = 0;
    ssize_t n = getline(&file->line, &file->room, file->stream);
    if (n < 0 && (ferror(file->stream) || errno == ENOMEM))
        return error_set(error, errno == ENOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_IO,
            "%s: line %" PRId64 " cannot be read: %s", file->path, file->lines + 1, strerror(errno));
    if (n < 0)
        return 0;
    file->at += n;
    file->lines++;
    size_t bytes = (size_t)n;
    if (bytes && file->line[bytes - 1] == '\n')
        bytes--;
    if (bytes && file->line[bytes - 1] == '\r')
        bytes--;
    file->line[bytes] = 0;
    if (strlen(file->line) != bytes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: line %" PRId64 " holds a zero byte: this is no text file", file->path, file->lines);
    if (!text_is_utf8(file->line, bytes))
        return error_set(error, EXIT_CODE_DATA,
            "%s: line %" PRId64 " is not UTF-8: convert the file with iconv", file->path, file->lines);
    return 1;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

char *bounded_next_word(char **text)
{
    char *word = *text;
    while (is_blank(*word))
        word++;
    char *end = word;
    while (*end && !is_blank(*end))
        end++;
    *text = *end ? end + 1 : end;
    *end = 0;
    return *word ? word : NULL;
}

uint32_t bounded_little_32(const unsigned char *bytes)
{
    return (uint32_t)bounded_little_16(bytes) | (uint32_t)bounded_little_16(bytes + 2) << 16;
}

uint32_t bounded_big_32(const unsigned char *bytes)
{
    return (uint32_t)bounded_big_16(bytes) << 16 | (uint32_t)bounded_big_16(bytes + 2);
}

uint16_t bounded_little_16(const unsigned char *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

uint16_t bounded_big_16(const unsigned char *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

float bounded_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
