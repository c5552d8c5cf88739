#include "pass/report.h"

#include "base/clean.h"
#include "base/clock.h"
#include "comm/launcher.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const progress_names[] = {
    [PROGRESS_AUTO] = "auto", [PROGRESS_LINE] = "line", [PROGRESS_LOG] = "log", NULL};

void report_init(struct report *report, FILE *stream, enum progress_style progress, int silent,
    double interval, int64_t total, int64_t first)
{
    int updating = progress == PROGRESS_LINE ||
        (progress == PROGRESS_AUTO && isatty(fileno(stream)) && !launcher_get()->launched);
    *report = (struct report){.stream = stream,
        .silent = silent,
        .updating = updating,
        .interval = updating ? 0.2 : interval,
        .total = total,
        .first = first,
        .started = clock_now(),
        .last = clock_now()};
}

/* Writes a duration as 3:07, 2:15:00 or 1-03:00:00. */
static void format_duration(double seconds, char *text, size_t size)
{
    long s = (long)(seconds + 0.5);
    if (s >= 86400)
        snprintf(text, size, "%ld-%02ld:%02ld:%02ld", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
    else if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

static FILE *stream_of(const struct report *report)
{
    return report->stream ? report->stream : stdout;
}

static void wipe(struct report *report)
{
    if (report->width)
        fprintf(stream_of(report), "\r%*s\r", (int)report->width, "");
    report->width = 0;
}

static int is_due(const struct report *report)
{
    return !report->silent && clock_now() - report->last >= report->interval;
}

static void print_work(struct report *report, int64_t done, const char *what)
{
    char left[32], line[200];
    double now = clock_now(), share = (double)(done - report->first), rest = (double)(report->total - done);
    format_duration((now - report->started) / share * rest, left, sizeof left);
    int n = snprintf(line, sizeof line, "%5.1f%%%s  %.0f frames/s  %s left",
        100.0 * (double)done / (double)report->total, what, report->frames / (now - report->last), left);
    if (report->updating) {
        size_t before = report->width;
        report->width = (size_t)n;
        fprintf(stream_of(report), "\r%s%*s", line, before > (size_t)n ? (int)(before - (size_t)n) : 0, "");
    } else {
        fprintf(stream_of(report), "%s\n", line);
    }
    fflush(stream_of(report));
    report->last = now;
    report->frames = 0;
}

void report_step(struct report *report, int64_t epoch, int64_t step, double frames, double loss)
{
    char what[100];
    report->frames += frames;
    if (!is_due(report))
        return;
    snprintf(what, sizeof what, "  epoch %lld  step %lld", (long long)epoch, (long long)step);
    size_t used = strlen(what);
    if (!isnan(loss)) /* of a step in which nothing counted there is none */
        snprintf(what + used, sizeof what - used, "  loss %.5g", loss);
    print_work(report, step, what);
}

void report_work(struct report *report, int64_t done, double frames)
{
    report->frames += frames;
    if (is_due(report))
        print_work(report, done, "");
}

void report_figure(char *line, size_t size, const char *name, double value)
{
    size_t used = strlen(line);
    if (!isnan(value))
        snprintf(line + used, size - used, " %s=%.9g", name, value);
}

void report_line(struct report *report, const char *format, ...)
{
    char line[8192];
    wipe(report);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stream_of(report), "%s\n", text_clean(line));
    fflush(stream_of(report));
}
