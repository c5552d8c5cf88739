#include "train/report.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int under_launcher(void)
{
    static const char *const variables[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "MPI_LOCALRANKID", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i]))
            return 1;
    return 0;
}

void report_init(
    struct report *report, enum progress_style progress, int silent, double interval, int64_t total, int64_t first)
{
    int updating = progress == PROGRESS_LINE ||
        (progress == PROGRESS_AUTO && isatty(STDOUT_FILENO) && !under_launcher());
    *report = (struct report){.silent = silent,
        .updating = updating,
        .interval = updating ? 0.2 : interval,
        .total = total,
        .first = first,
        .started = clock_now(),
        .last = clock_now()};
}

/* 3:07, 2:15:00, 1-03:00:00 */
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

static void wipe(struct report *report)
{
    if (report->width)
        printf("\r%*s\r", (int)report->width, "");
    report->width = 0;
}

void report_step(struct report *report, int64_t epoch, int64_t step, double frames, double loss)
{
    report->frames += frames;
    double now = clock_now();
    if (report->silent || now - report->last < report->interval)
        return;
    char left[32], line[200];
    double done = (double)(step - report->first), rest = (double)(report->total - step);
    format_duration((now - report->started) / done * rest, left, sizeof left);
    int n = snprintf(line, sizeof line, "%5.1f%%  epoch %lld  step %lld  loss %.5g  %.0f frames/s  %s left",
        100.0 * (double)step / (double)report->total, (long long)epoch, (long long)step, loss,
        report->frames / (now - report->last), left);
    if (report->updating) {
        size_t before = report->width;
        report->width = (size_t)n;
        printf("\r%s%*s", line, before > (size_t)n ? (int)(before - (size_t)n) : 0, "");
    } else {
        printf("%s\n", line);
    }
    fflush(stdout);
    report->last = now;
    report->frames = 0;
}

void report_line(struct report *report, const char *format, ...)
{
    wipe(report);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}
