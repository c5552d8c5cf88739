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

void rows_plan(const struct progress *at, struct row_plan *plan)
{
    int64_t ended = at->epoch - 1;
    *plan = (struct row_plan){.rows = at->metrics_rows,
        .step = at->step,
        .steps_of_epoch = ended > 0 ? (at->step - at->position) / ended : INT64_MAX,
        .validated = at->metrics_rows > at->step};
    int64_t steps = ended > 0 ? ended * plan->steps_of_epoch + at->position : at->step;
    plan->known = ended >= 0 && plan->steps_of_epoch > 0 && steps == at->step &&
        plan->rows == at->step + (plan->validated ? ended : 0);
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
    int64_t before = (key->step - 1) / plan->steps_of_epoch; /* epochs */
    int64_t place = key->step - 1 + (plan->validated ? before : 0);
    if (key->epoch != before + 1)
        return -1;
    if (!key->valid)
        return place;
    int is_last = plan->validated && key->step % plan->steps_of_epoch == 0 && place + 1 < plan->rows;
    return is_last ? place + 1 : -1;
}

void rows_at_place(const struct row_plan *plan, int64_t place, struct row_key *key)
{
    int64_t n = plan->steps_of_epoch, width = plan->validated ? n + 1 : n;
    int64_t before = n == INT64_MAX ? 0 : place / width, rest = n == INT64_MAX ? place : place % width;
    key->epoch = before + 1;
    key->valid = rest == n;
    key->step = before * (n == INT64_MAX ? 0 : n) + rest + !key->valid;
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
