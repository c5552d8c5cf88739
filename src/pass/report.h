/* A report is what rank 0 prints while work goes on, on standard output, or on standard error where that one
 * is for data: lines that stay, and in between how far the work is, in one line that is written over, or in a
 * new one every so often. */
#ifndef PASS_REPORT_H
#define PASS_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How progress is printed: --progress. */
enum progress_style { PROGRESS_AUTO, PROGRESS_LINE, PROGRESS_LOG };
extern const char *const progress_names[]; /* ends with NULL */

struct report {
    FILE *stream;         /* NULL, as before report_init: standard output */
    int silent;           /* 1: nothing is printed of progress, as on other ranks and with -q */
    int updating;         /* 1: progress is one line, written over */
    double interval;      /* seconds between reports */
    int64_t total;        /* steps of the run, or what else the work is counted in */
    int64_t first;        /* of them done when the report began */
    double started, last; /* clock_now() when it began, and at the last report */
    double frames;        /* computed since the last report */
    size_t width;         /* characters of the updating line that are on the screen */
};

/* Everything goes to `stream`. The updating line is used when asked for, or with PROGRESS_AUTO on a terminal
 * and without a launcher. */
void report_init(struct report *report, FILE *stream, enum progress_style progress, int silent,
    double interval, int64_t total, int64_t first);

/* Takes note of a step: of the frames computed in it, and its loss. */
void report_step(struct report *report, int64_t epoch, int64_t step, double frames, double loss);

/* Does the same for work without epochs and losses: `done` of report->total. */
void report_work(struct report *report, int64_t done, double frames);

/* Appends " NAME=VALUE" to the line, or nothing where the value is NaN: a figure that there is not. */
void report_figure(char *line, size_t size, const char *name, double value);

/* Prints a line that stays, also where report->silent is 1. */
void report_line(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
