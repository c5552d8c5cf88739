/* A checkpoint is read as for resuming, or where it has no hash line as for predicting; then what reading
 * does not ask is asked: are the shapes those of the model it names, are the moments finite. Of metrics.csv
 * the rows that belong to the newest sound checkpoint are looked at: what lies behind them is cut off by a
 * resume. */
#include "ckpt/verify.h"

#include "base/clean.h"
#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/read.h"
#include "ckpt/rows.h"
#include "ckpt/rundir.h"
#include "ckpt/status.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void verify_report(struct verdict *verdict, int code, const char *path, const char *format, ...)
{
    char line[DIRECTORY_PATH + 1200];
    const char *word = code == 0 ? "sound" : code == EXIT_CODE_DATA ? "damaged" : "unreadable";
    va_list arguments;
    int n = snprintf(line, sizeof line, "%.4200s: %s: ", path, word);
    va_start(arguments, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, arguments);
    va_end(arguments);
    if (!verdict->code)
        verdict->code = code;
    verdict->say(verdict->context, text_clean(line));
}

/* Reports an error of the file, whose text may begin with the path. */
static void report_error(struct verdict *verdict, const char *path, const struct error *error)
{
    size_t n = strlen(path);
    const char *text = error->text;
    if (strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0)
        text += n + 2;
    verify_report(verdict, error->code, path, "%s", text);
}

/* ---- checkpoints ---- */

static int check_finite(
    const char *path, const char *what, const struct checkpoint *c, const float *values, struct error *error)
{
    for (size_t i = 0; i < c->parameters && values; i++) {
        const struct parameter *p = &c->parameter[i];
        for (size_t j = 0; j < p->count; j++)
            if (!isfinite(values[p->offset + j]))
                return error_set(error, EXIT_CODE_DATA,
                    "%s: number %zu of %s of %s is not finite: the run had diverged: use an older checkpoint",
                    path, j, what, p->name);
    }
    return 0;
}

static int check_content(const char *path, const struct checkpoint *c, struct error *error)
{
    struct net *net = net_describe(&c->model, error);
    if (!net)
        return error_prefix(error, "%s: ", path);
    int outcome = checkpoint_fits(c, path, net, error);
    net_destroy(net);
    for (size_t m = 0; outcome == 0 && m < optim_count_moments(c->optimizer); m++)
        outcome = check_finite(path, optim_moment_name(c->optimizer, m), c, c->moments[m], error);
    return outcome;
}

static void report_sound(
    const char *path, const struct checkpoint *checkpoint, int sealed, struct verdict *verdict)
{
    const struct progress *progress = &checkpoint->progress;
    const char *unsealed = sealed
        ? ""
        : " (no hash line: rewritten by another program, as h5repack; its group hashes are right: it "
          "serves rnn-predict and --init, a run cannot go on from it)";
    if (checkpoint->weights_alone)
        verify_report(verdict, 0, path, "weights=%zu weights_hash=%016" PRIx64 " (weights alone)%s",
            checkpoint->count, checkpoint->weights_hash, unsealed);
    else
        verify_report(verdict, 0, path,
            "step=%" PRId64 " epoch=%" PRId64 " weights=%zu weights_hash=%016" PRIx64 "%s", progress->step,
            checkpoint_epoch(progress), checkpoint->count, checkpoint->weights_hash, unsealed);
}

/* Fills *checkpoint and reports what is good about it; or reports what is not, and returns -1. A `step` of -1
 * stands for any. */
static int look_at(const char *path, int64_t step, int must_be_sealed, struct checkpoint *checkpoint,
    struct verdict *verdict)
{
    struct error error = {0};
    int sealed = 0;
    enum checkpoint_trust trust = must_be_sealed ? CHECKPOINT_SEALED : CHECKPOINT_ANY;
    int outcome = checkpoint_read_sealed(path, trust, checkpoint, &sealed, &error);
    if (outcome == 0 && step >= 0 && checkpoint->progress.step != step)
        outcome = error_set(&error, EXIT_CODE_DATA,
            "%s: holds step %" PRId64 ", not what its name says: rename it", path, checkpoint->progress.step);
    if (outcome == 0)
        outcome = check_content(path, checkpoint, &error);
    if (outcome != 0) {
        report_error(verdict, path, &error);
        return -1;
    }
    report_sound(path, checkpoint, sealed, verdict);
    return 0;
}

void verify_checkpoint(const char *path, struct verdict *verdict)
{
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    look_at(path, -1, 0, &checkpoint, verdict);
    checkpoint_finish(&checkpoint);
}

/* What is known of the rows of metrics.csv. */
struct known_rows {
    struct progress newest; /* of the newest sound checkpoint; that of a beginning where there is none */
    struct epoch_ends ends; /* its; to be destroyed */
};

static void take_rows(struct checkpoint *checkpoint, struct known_rows *known)
{
    known->newest = checkpoint->progress;
    known->ends = checkpoint->ends;
    checkpoint->ends = (struct epoch_ends){0};
}

static int look_at_checkpoints(const char *directory, struct known_rows *known, struct verdict *verdict)
{
    struct steps steps;
    struct error error = {0};
    if (directory_list_steps(directory, &steps, &error) != 0) {
        report_error(verdict, directory, &error);
        return -1;
    }
    int found = 0;
    for (size_t i = 0; i < steps.count; i++) {
        char path[DIRECTORY_PATH];
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        directory_step_path(directory, steps.step[i], path, sizeof path);
        if (look_at(path, steps.step[i], 1, &checkpoint, verdict) == 0 && !found++)
            take_rows(&checkpoint, known);
        checkpoint_finish(&checkpoint);
    }
    free(steps.step);
    return 0;
}

/* ---- metrics.csv ---- */

static void report_rows(const char *path, const struct row_plan *plan, const struct row_check *check,
    int sound, struct verdict *verdict)
{
    if (sound < 0)
        verify_report(verdict, EXIT_CODE_IO, path, "cannot be read: copy it, or see to the disk");
    else if (!sound)
        verify_report(verdict, EXIT_CODE_DATA, path,
            "%s: put the file of the run back; else the run makes it anew of what is left when it goes on",
            check->why);
    else if (check->empty)
        verify_report(verdict, 0, path, "%" PRId64 " rows up to step %" PRId64 ", %" PRId64 " of them lost",
            plan->rows, plan->step, check->empty);
    else
        verify_report(verdict, 0, path, "%" PRId64 " rows up to step %" PRId64, plan->rows, plan->step);
}

static void look_at_metrics(const char *directory, const struct known_rows *known, struct verdict *verdict)
{
    char path[DIRECTORY_PATH];
    struct row_plan plan;
    struct row_check check = {.why = "is missing"};
    rows_plan(&known->newest, &known->ends, &plan);
    snprintf(path, sizeof path, "%s/metrics.csv", directory);
    struct error error = {0};
    FILE *file = file_open_stream(path, "the rows of a run", &error);
    if (!file && errno != ENOENT) {
        report_error(verdict, path, &error);
        return;
    }
    int sound = file ? rows_check(file, &plan, &check) : 0;
    if (file)
        fclose(file);
    report_rows(path, &plan, &check, sound, verdict);
}

/* ---- the rest ---- */

static void look_at_status(const char *directory, struct verdict *verdict)
{
    static const char advice[] = "it tells people and scripts only: the run writes it anew when it goes on";
    char path[DIRECTORY_PATH];
    struct run_status status;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/status", directory);
    int found = status_read(directory, &status, &error);
    if (found == 1)
        verify_report(verdict, 0, path, "state=%s step=%" PRId64, status.state, status.step);
    else if (found == 0)
        verify_report(verdict, EXIT_CODE_DATA, path, "%s: %s", strerror(ENOENT), advice);
    else
        report_error(verdict, path, &error);
}

static void look_at_lock(const char *directory, struct verdict *verdict)
{
    char path[DIRECTORY_PATH], story[512];
    struct error error = {0};
    snprintf(path, sizeof path, "%s/lock", directory);
    int found = lock_look(directory, story, sizeof story, &error);
    if (found < 0)
        report_error(verdict, path, &error);
    else if (found)
        verify_report(verdict, 0, path,
            found == 1 ? "a job runs here, files may change meanwhile: %s"
                       : "of a job that is gone, the next one takes it over: %s",
            story);
}

void verify_run(const char *directory, struct verdict *verdict)
{
    struct known_rows known = {.newest = {.epoch = 1}};
    char path[DIRECTORY_PATH];
    if (look_at_checkpoints(directory, &known, verdict) != 0)
        return;
    snprintf(path, sizeof path, "%s/best.h5", directory);
    if (access(path, F_OK) == 0) {
        struct checkpoint best;
        checkpoint_init(&best);
        look_at(path, -1, 1, &best, verdict);
        checkpoint_finish(&best);
    }
    look_at_metrics(directory, &known, verdict);
    memory_destroy(known.ends.step);
    look_at_status(directory, verdict);
    look_at_lock(directory, verdict);
}
