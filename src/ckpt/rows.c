#include "ckpt/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURES = 10 /* columns behind step, epoch and split */ };

const char rows_header[] = "step,epoch,split,sequences,frames,loss,error,learning_rate,gradient_norm,seconds,"
                           "frames_per_second,data_wait,comm_wait\n";

const char *rows_find_column(const char *row, enum row_column column)
{
    for (int left = (int)column; row && left > 0; left--) {
        row = strchr(row, ',');
        row += row != NULL;
    }
    return row;
}

int rows_read_figure(const char *row, enum row_column column, double *figure)
{
    const char *at = rows_find_column(row, column);
    char *end = NULL;
    if (!at)
        return -1;
    *figure = strtod(at, &end);
    return end > at && *end == ',' ? 0 : -1;
}

/* The last step of the first so many epochs. */
static int64_t end_of(const struct row_plan *plan, int64_t epochs)
{
    if (epochs == 0)
        return 0;
    return plan->ends ? (int64_t)plan->ends->step[epochs - 1] : epochs * plan->steps_of_epoch;
}

void rows_plan(const struct progress *at, const struct epoch_ends *ends, struct row_plan *plan)
{
    int64_t ended = at->epoch - 1;
    *plan = (struct row_plan){.rows = at->metrics_rows,
        .step = at->step,
        .steps_of_epoch = ended > 0 ? (at->step - at->position) / ended : INT64_MAX,
        .ends = ends && ends->n ? ends : NULL,
        .validated = at->metrics_rows > at->step};
    plan->known = ended >= 0 && plan->steps_of_epoch > 0 && (!plan->ends || (int64_t)ends->n == ended) &&
        (ended == 0 || end_of(plan, ended) + at->position == at->step) &&
        plan->rows == at->step + (plan->validated ? ended : 0);
}

/* How many epochs ended before step `step`, or, counting their rows "valid" too, before the row of a place.
 */
static int64_t count_epochs(const struct row_plan *plan, int64_t step, int64_t rows_of_end)
{
    size_t low = 0, high = plan->ends ? plan->ends->n : 0;
    if (!plan->ends)
        return plan->steps_of_epoch == INT64_MAX ? 0 : (step - 1) / (plan->steps_of_epoch + rows_of_end);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (end_of(plan, (int64_t)middle + 1) + ((int64_t)middle + 1) * rows_of_end < step)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low;
}

/* Is it the last step of an epoch that has ended, before which so many have? */
static int is_last(const struct row_plan *plan, int64_t step, int64_t before)
{
    if (plan->ends)
        return before < (int64_t)plan->ends->n && end_of(plan, before + 1) == step;
    return step % plan->steps_of_epoch == 0;
}

/* Nothing but numbers stands behind the split. */
static int count_figures(const char *text, int *empty)
{
    int commas = 0;
    size_t n = strlen(text);
    if (strspn(text, "0123456789.,+-einfa") != n)
        return -1;
    for (const char *c = text; *c; c++)
        commas += *c == ',';
    *empty = strspn(text, ",") == n;
    return commas;
}

int rows_parse(const char *line, struct row_key *key)
{
    struct row_key found = {0};
    int at = 0;
    if (sscanf(line, "%" SCNd64 ",%" SCNd64 ",%n", &found.step, &found.epoch, &at) != 2 || !at)
        return 0;
    found.valid = strncmp(line + at, "valid,", 6) == 0;
    if ((!found.valid && strncmp(line + at, "train,", 6) != 0) ||
        count_figures(line + at + 5, &found.empty) != FIGURES)
        return 0;
    *key = found;
    return 1;
}

int64_t rows_find_place(const struct row_plan *plan, const struct row_key *key)
{
    if (key->step < 1 || key->step > plan->step)
        return -1;
    int64_t before = count_epochs(plan, key->step, 0);
    int64_t place = key->step - 1 + (plan->validated ? before : 0);
    if (key->epoch != before + 1)
        return -1;
    if (!key->valid)
        return place;
    return plan->validated && is_last(plan, key->step, before) && place + 1 < plan->rows ? place + 1 : -1;
}

void rows_at_place(const struct row_plan *plan, int64_t place, struct row_key *key)
{
    int64_t before = count_epochs(plan, place + 1, plan->validated), first = end_of(plan, before);
    int64_t row = place - (plan->validated ? before : 0) - first;
    key->epoch = before + 1;
    key->valid = plan->validated && row > 0 && is_last(plan, first + row, before);
    key->step = first + row + !key->valid;
    key->empty = 1;
}

/* Reads a line into `line`, without its newline. Returns 0 where there is none that is whole. */
static int next_line(FILE *file, char *line, size_t size)
{
    if (!fgets(line, (int)size, file))
        return 0;
    size_t n = strlen(line);
    if (n == 0 || line[n - 1] != '\n')
        return 0;
    line[n - 1] = 0;
    return 1;
}

int rows_check(FILE *file, const struct row_plan *plan, struct row_check *check)
{
    char line[1024];
    *check = (struct row_check){0};
    if (!fgets(line, sizeof line, file) || strcmp(line, rows_header) != 0) {
        snprintf(check->why, sizeof check->why, "does not begin with its header");
        return ferror(file) ? -1 : 0;
    }
    for (int64_t place = 0; place < plan->rows; place++) {
        struct row_key key;
        if (!next_line(file, line, sizeof line)) {
            snprintf(check->why, sizeof check->why,
                "has %" PRId64 " rows, but %" PRId64 " belong to the checkpoint", place, plan->rows);
            return ferror(file) ? -1 : 0;
        }
        if (!rows_parse(line, &key) || (plan->known && rows_find_place(plan, &key) != place)) {
            snprintf(check->why, sizeof check->why, "its row %" PRId64 " is not the one that belongs there",
                place + 1);
            return 0;
        }
        check->empty += key.empty;
    }
    check->end = ftello(file);
    return 1;
}
