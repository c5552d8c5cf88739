/* What rank 0 tells while a run goes on: epochs, and in between a line that is updated or one every so often.
 */
#ifndef PASS_REPORT_H
#define PASS_REPORT_H

#include "pass/options.h"

#include <stddef.h>
#include <stdint.h>

struct report {
    int silent;           /* other ranks, and with -q: no progress */
    int updating;         /* one line, written over */
    double interval;      /* seconds between reports */
    int64_t total;        /* steps of the run, or what else is counted */
    int64_t first;        /* steps done when it (re)started */
    double started, last; /* clock_now() */
    double frames;        /* since the last report */
    size_t width;         /* of the updating line on screen */
};

/* The updating line is taken when asked for, or with `auto` on a terminal and without a launcher. */
void report_init(struct report *report, enum progress_style progress, int silent, double interval,
    int64_t total, int64_t first);

/* After a step: frames computed in it, its loss. */
void report_step(struct report *report, int64_t epoch, int64_t step, double frames, double loss);

/* The same without epochs and losses: `done` of report->total, in whatever unit that is. */
void report_work(struct report *report, int64_t done, double frames);

/* A line of its own on standard output; an updating line on the screen is wiped first. Any rank may call, but
 * lines of a run come from rank 0 alone. */
void report_line(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
