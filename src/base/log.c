#include "base/log.h"

#include "base/clean.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* This is the only mutable state of this folder: who speaks, and how much. */
static struct {
    enum log_level level;
    char speaker[160];
} state = {LOG_WARNING, "rnn-train:"};

void log_set_speaker(const char *program, int rank, const char *host)
{
    if (rank < 0)
        snprintf(state.speaker, sizeof state.speaker, "%s:", program);
    else
        snprintf(state.speaker, sizeof state.speaker, "%s: [rank %d on %s]", program, rank, host);
}

void log_set_level(enum log_level level)
{
    state.level = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level > state.level)
        return;
    char line[2048];
    int used = snprintf(line, sizeof line, "%s %s", state.speaker, level == LOG_WARNING ? "warning: " : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    size_t n = strlen(text_clean(line));
    line[n] = '\n';
    if (write(STDERR_FILENO, line, n + 1) < 0)
        return; /* nowhere left to complain to */
}

static size_t add_text(char *line, size_t used, size_t room, const char *text)
{
    while (*text && used < room)
        line[used++] = *text++;
    return used;
}

void log_texts(const char *const *texts)
{
    char line[2048];
    size_t room = sizeof line - 1, used = add_text(line, 0, room, state.speaker);
    used = add_text(line, used, room, " ");
    for (; *texts; texts++)
        used = add_text(line, used, room, *texts);
    line[used] = '\0';
    text_clean(line);
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}
