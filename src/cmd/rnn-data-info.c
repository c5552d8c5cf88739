/* `rnn-data info` prints one line per thing worth knowing, the class counts cut to the most frequent few. */
#include "cmd/rnn-data.h"

#include "cmd/show.h"
#include "data/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CLASSES = 10 };

static void print_attribute(const char *label, const char *text)
{
    if (!text)
        return;
    show_label(label);
    show_text(text);
    putchar('\n');
}

static void print_bytes(int64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit < 4; unit++)
        size /= 1024;
    show_label("size");
    printf(unit ? "%.1f %s\n" : "%.0f %s\n", size, units[unit]);
}

static void print_inputs(const struct summary *summary)
{
    const struct dataset *dataset = summary->dataset;
    show_label("inputs");
    if (dataset->symbols) {
        printf("one of %d symbols per frame", dataset->symbols);
        show_names(summary->symbol_names, (size_t)dataset->symbols);
        return;
    }
    printf("%zu feature%s per frame", dataset->features, dataset->features == 1 ? "" : "s");
    show_names(summary->feature_names, dataset->features);
}

static void print_targets(const struct summary *summary)
{
    static const char *const each[] = {
        [TARGET_FRAME] = "per frame",
        [TARGET_SEQUENCE] = "per sequence",
        [TARGET_ANY] = "each, any number per sequence",
    };
    const struct dataset *dataset = summary->dataset;
    show_label("targets");
    if (!dataset->has_targets) {
        puts("none");
        return;
    }
    if (dataset->classes)
        printf("one of %d classes", dataset->classes);
    else
        printf("%zu value%s", dataset->values, dataset->values == 1 ? "" : "s");
    printf(" %s, %" PRId64 " in all", each[dataset->target_kind], dataset->targets);
    show_names(summary->target_names, dataset->values);
}

struct class_count {
    int64_t count;
    int32_t class;
};

static int compare_counts(const void *a, const void *b)
{
    const struct class_count *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return (left->class > right->class) - (left->class < right->class);
}

/* Prints how many of the targets they are, and in percent. */
static void print_count(const struct summary *summary, int64_t count)
{
    show_label("");
    printf("%8" PRId64 "  %5.1f %%  ", count, 100 * (double)count / (double)summary->dataset->targets);
}

static void print_class(const struct summary *summary, const struct class_count *entry)
{
    print_count(summary, entry->count);
    printf("class %d", entry->class);
    if (summary->class_names) {
        fputs(" = ", stdout);
        show_text(summary->class_names[entry->class]);
    }
    putchar('\n');
}

/* Prints classes in their order where all fit, else the most frequent, and the rest in one line. */
static int print_classes(const struct summary *summary, struct error *error)
{
    const struct dataset *dataset = summary->dataset;
    if (!summary->class_count || !dataset->targets)
        return 0;
    int32_t classes = dataset->classes, shown = classes < MOST_CLASSES ? classes : MOST_CLASSES;
    struct class_count *entries = calloc((size_t)classes, sizeof *entries);
    if (!entries)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory counting %d classes", classes);
    for (int32_t c = 0; c < classes; c++)
        entries[c] = (struct class_count){summary->class_count[c], c};
    if (shown < classes)
        qsort(entries, (size_t)classes, sizeof *entries, compare_counts);
    int64_t rest = dataset->targets - summary->untargeted;
    for (int32_t c = 0; c < shown; c++) {
        print_class(summary, &entries[c]);
        rest -= entries[c].count;
    }
    if (shown < classes) {
        print_count(summary, rest);
        printf("the other %d\n", classes - shown);
    }
    if (summary->untargeted) {
        print_count(summary, summary->untargeted);
        puts("no target (class -1)");
    }
    free(entries);
    return 0;
}

/* Tells how many values are missing, where any is. */
static void print_missing(const struct summary *summary)
{
    int64_t missing = 0;
    for (size_t o = 0; summary->targets && o < summary->dataset->values; o++)
        missing += summary->targets[o].missing;
    if (!missing)
        return;
    double all = (double)summary->dataset->targets * (double)summary->dataset->values;
    show_label("");
    printf("%8" PRId64 "  %5.1f %%  no target (NaN)\n", missing, 100 * (double)missing / all);
}

static void print_weights(const struct summary *summary)
{
    if (!summary->dataset->has_weights)
        return;
    show_label("weights");
    printf("%g to %g, mean %g\n", summary->weights.least, summary->weights.most, summary->weights.mean);
}

/* Prints a line for each column, below a line that says what the numbers are. */
static void print_columns(
    const char *what, const struct column_statistics *columns, size_t count, char *const *names)
{
    if (!columns)
        return;
    printf("  %-7s %12s %12s %12s %12s  unchanged\n", what, "mean", "deviation", "least", "most");
    for (size_t i = 0; i < count; i++) {
        const struct column_statistics *column = &columns[i];
        if (column->least > column->most)
            printf("  %7zu %12s %12s %12s %12s  %9s", i, "-", "-", "-", "-", "-");
        else
            printf("  %7zu %12.6g %12.6g %12.6g %12.6g  %7.1f %%", i, column->mean, column->deviation,
                column->least, column->most, 100 * column->unchanged);
        if (names)
            fputs("  ", stdout);
        show_text(names ? names[i] : "");
        putchar('\n');
    }
}

int info_print(const char *path, struct error *error)
{
    struct summary summary;
    if (summary_init(&summary, path, error))
        return -1;
    const struct dataset *dataset = summary.dataset;
    show_text(path);
    putchar('\n');
    print_attribute("title", summary.title);
    print_attribute("source", summary.source);
    show_label("sequences");
    printf("%" PRId64 "\n", dataset->sequences);
    show_label("frames");
    printf("%" PRId64 "\n", dataset->frames);
    show_label("lengths");
    printf("%d to %d, median %g\n", summary.shortest, summary.longest, summary.median);
    print_inputs(&summary);
    print_targets(&summary);
    int status = print_classes(&summary, error);
    print_missing(&summary);
    print_weights(&summary);
    print_bytes(summary.bytes);
    print_columns("feature", summary.inputs, dataset->features, summary.feature_names);
    print_columns("target", summary.targets, dataset->values, summary.target_names);
    summary_finish(&summary);
    return status;
}
