/* Are files sound? Nothing is changed. Each file gets one line, "FILE: sound: ...", "FILE: damaged: ..." or
 * "FILE: unreadable: ...", which says what and what to do. */
#ifndef CKPT_VERIFY_H
#define CKPT_VERIFY_H

#include "base/error.h"

struct verdict {
    void (*say)(void *context, const char *line);
    void *context;
    int code; /* enum exit_code of the first file that is not sound; 0: all are */
};

/* Looks at a checkpoint, with its hash line or (as after h5repack) without. */
void verify_checkpoint(const char *path, struct verdict *verdict);

/* Looks at a run directory but for its config.ini, whose content this folder does not know: every checkpoint,
 * best.h5, metrics.csv up to the newest sound checkpoint, status, lock. */
void verify_run(const char *directory, struct verdict *verdict);

/* Reports the line of a file. A `code` of 0 stands for sound. */
void verify_report(struct verdict *verdict, int code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
