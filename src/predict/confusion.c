/* The counts are whole numbers in double, and so their sum over ranks is exact in any order. */
#include "predict/confusion.h"

#include "base/memory.h"
#include "net/results.h"

int predict_confusion_init(struct predict_confusion *confusion, size_t classes, struct error *error)
{
    *confusion = (struct predict_confusion){0};
    if (classes == 0 || classes > MOST_CONFUSED)
        return 0;
    confusion->counts = memory_create(classes * classes, sizeof *confusion->counts, error);
    if (!confusion->counts)
        return -1;
    confusion->classes = classes;
    return 0;
}

void predict_confusion_finish(struct predict_confusion *confusion)
{
    memory_destroy(confusion->counts);
}

void predict_confusion_declare(struct predict_confusion *confusion, struct h5_table *table)
{
    int64_t size[] = {(int64_t)confusion->classes, (int64_t)confusion->classes};
    if (confusion->classes)
        confusion->column = h5_table_add(table, "confusion", H5_INT64, 2, size);
}

void predict_confusion_count(struct predict_confusion *confusion, const struct microbatch *microbatch,
    const struct net_outputs *outputs)
{
    size_t C = confusion->classes;
    for (size_t r = 0; C && r < outputs->rows; r++)
        if (microbatch->classes[r] >= 0)
            confusion->counts[(size_t)microbatch->classes[r] * C +
                results_most_probable(outputs->values + r * outputs->stride, C)]++;
}

static int write_counts(
    const struct predict_confusion *confusion, struct h5_table *table, struct error *error)
{
    size_t C = confusion->classes;
    int64_t *counts = memory_create(C * C, sizeof *counts, error);
    for (size_t i = 0; counts && i < C * C; i++)
        counts[i] = (int64_t)confusion->counts[i];
    int failed = !counts || h5_table_write(table, confusion->column, 0, (int64_t)C, counts, error);
    memory_destroy(counts);
    return failed ? -1 : 0;
}

int predict_confusion_write(
    struct predict_confusion *confusion, const struct comm *comm, struct h5_table *table, struct error *error)
{
    if (!confusion->classes)
        return 0;
    comm_sum(comm, confusion->counts, confusion->classes * confusion->classes);
    return table ? write_counts(confusion, table, error) : 0;
}
