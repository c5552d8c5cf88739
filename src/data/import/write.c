/* Everything is known now: labels get their numbers, missing values theirs, and each part goes block by block
 * from where it waited into its file. All files are whole before the first of them has its name. */
#include "data/import/intake.h"

#include "base/clean.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20 };

/* What all parts have in common. */
struct import_final {
    struct import *import;
    const char *const *feature_names; /* [features + marks]; NULL */
    const char *const *symbol_names, *const *class_names;
    int32_t symbols, classes;
    size_t marks;   /* columns that say where a value is missing */
    size_t *marked; /* [marks] the feature of each */
    double *fill;   /* [features] what stands for a missing value */
    const char *source;
};

/* ---- missing values ---- */

static int take_marks(struct import_final *final, struct error *error)
{
    const struct import *import = final->import;
    const struct import_like *like = &import->like;
    size_t features = import->declared.features, m = 0;
    char text[IMPORT_FEATURE];
    final->marked = memory_create(features, sizeof *final->marked, error);
    if (!final->marked)
        return -1;
    int masks = import->options->missing == IMPORT_MISSING_MASK;
    for (size_t i = 0; masks && !like->path && i < features; i++)
        if (import->gaps.missed[i])
            final->marked[m++] = i;
    for (; like->path && m < like->marks; m++)
        final->marked[m] = like->marked[m];
    final->marks = m;
    for (size_t i = 0; masks && i < features; i++) {
        size_t k = 0;
        while (k < m && final->marked[k] != i)
            k++;
        if (import->gaps.missed[i] && k == m)
            return error_set(error, EXIT_CODE_DATA,
                "%s: %s has no value in places, but %s has no column "
                "that says so: --missing mean, or make that one anew with more data",
                import->declared.source, import_show_feature(import, i, text), like->path);
    }
    return 0;
}

/* Names of features with those of marks behind them, in one block; without names features are numbered. */
static int name_marks(struct import_final *final, struct error *error)
{
    const struct name_list *names = &final->import->declared.names.list[NAMES_OF_FEATURES];
    size_t features = final->import->declared.features, all = features + final->marks, longest = 24;
    if (!names->text && !final->marks)
        return 0;
    for (size_t i = 0; names->text && i < features; i++)
        longest = strlen(names->text[i]) > longest ? strlen(names->text[i]) : longest;
    size_t room = longest + sizeof IMPORT_MARK;
    const char **list = memory_create(all, sizeof *list + room, error);
    if (!list)
        return -1;
    char *text = (char *)(list + all);
    for (size_t i = 0; i < all; i++, text += room) {
        size_t feature = i < features ? i : final->marked[i - features];
        const char *mark = i < features ? "" : IMPORT_MARK;
        if (names->text)
            snprintf(text, room, "%s%s", names->text[feature], mark);
        else
            snprintf(text, room, "feature %zu%s", feature, mark);
        list[i] = text;
    }
    final->feature_names = list;
    return 0;
}

static int take_means(struct import_final *final, struct error *error)
{
    const struct import *import = final->import;
    const struct import_gaps *gaps = &import->gaps;
    char text[IMPORT_FEATURE];
    final->fill = memory_create(import->declared.features, sizeof *final->fill, error);
    if (!final->fill)
        return -1;
    if (import->options->missing != IMPORT_MISSING_MEAN)
        return 0;
    if (import->like.path)
        return import_like_means(&import->like, final->fill, error);
    for (size_t i = 0; i < import->declared.features; i++)
        if (gaps->present[i])
            final->fill[i] = gaps->sum[i] / (double)gaps->present[i];
        else if (gaps->missed[i])
            return error_set(error, EXIT_CODE_DATA,
                "%s: %s has no value at all%s: it has no mean: leave it out", import->declared.source,
                import_show_feature(import, i, text), import->split.parts > 1 ? " in the training part" : "");
    return 0;
}

/* ---- rows ---- */

static void fill_row(const struct import_final *final, const float *row, float *out)
{
    size_t features = final->import->declared.features;
    for (size_t i = 0; i < features; i++)
        out[i] = isnan(row[i]) ? (float) final->fill[i] : row[i];
    for (size_t m = 0; m < final->marks; m++)
        out[features + m] = isnan(row[final->marked[m]]) ? 1 : 0;
}

static int write_inputs(
    const struct import_final *final, struct import_part *part, size_t column, struct error *error)
{
    size_t features = final->import->declared.features, width = features + final->marks;
    int64_t block = (int64_t)(BLOCK_BYTES / (width * sizeof(float))) + 1;
    float *rows = memory_create((size_t)block, features * sizeof *rows, error);
    float *out = rows ? memory_create((size_t)block, width * sizeof *out, error) : NULL;
    int failed = !out || spool_rewind(&part->inputs, error);
    for (int64_t first = 0, n; !failed && first < part->frames; first += n) {
        n = part->frames - first < block ? part->frames - first : block;
        failed = spool_read(&part->inputs, rows, (size_t)n * features * sizeof *rows, error);
        for (int64_t r = 0; r < n && !failed; r++)
            fill_row(final, rows + (size_t)r * features, out + (size_t)r * width);
        failed = failed || h5_table_write(part->table, column, first, n, out, error);
    }
    memory_destroy(rows);
    memory_destroy(out);
    return failed ? -1 : 0;
}

/* What waits in a spool, and the column that it goes to: labels by way of their numbers, values as they are.
 */
struct import_column {
    struct spool *spool;
    size_t column, width; /* width: of 4 bytes each */
    int64_t rows;
    const int32_t *order; /* NULL: as they are */
};

static int write_column(struct import_part *part, const struct import_column *column, struct error *error)
{
    size_t row = column->width * sizeof(int32_t);
    int64_t block = (int64_t)(BLOCK_BYTES / row) + 1;
    int32_t *items = memory_create((size_t)block, row, error);
    int failed = !items || spool_rewind(column->spool, error);
    for (int64_t first = 0, n; !failed && first < column->rows; first += n) {
        n = column->rows - first < block ? column->rows - first : block;
        failed = spool_read(column->spool, items, (size_t)n * row, error);
        for (int64_t i = 0; i < n && column->order && !failed; i++)
            items[i] = items[i] < 0 ? -1 : column->order[items[i]];
        failed = failed || h5_table_write(part->table, column->column, first, n, items, error);
    }
    memory_destroy(items);
    return failed ? -1 : 0;
}

/* ---- a file ---- */

/* The columns of a file. */
struct import_columns {
    size_t inputs, input_offsets, targets, target_offsets, names;
    int has_offsets;
};

static void write_head(const struct import_final *final, struct import_part *part)
{
    const struct import *import = final->import;
    const struct import_declared *declared = &import->declared;
    struct h5_image *image = h5_table_image(part->table);
    int64_t width = (int64_t)(declared->features + final->marks);
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    h5_image_attribute_int32(image, "/", "format_version", part->missing ? 2 : 1);
    if (import->options->title)
        h5_image_attribute_text(image, "/", "title", import->options->title);
    h5_image_attribute_text(image, "/", "source", final->source);
    if (final->feature_names)
        h5_image_texts(image, names_lists[NAMES_OF_FEATURES], width, final->feature_names);
    if (final->symbol_names)
        h5_image_texts(image, names_lists[NAMES_OF_SYMBOLS], final->symbols, final->symbol_names);
    if (final->class_names)
        h5_image_texts(image, names_lists[NAMES_OF_CLASSES], final->classes, final->class_names);
    const struct name_list *targets = &declared->names.list[NAMES_OF_TARGETS];
    if (targets->text)
        h5_image_texts(
            image, names_lists[NAMES_OF_TARGETS], (int64_t)targets->n, (const char *const *)targets->text);
}

static void declare_columns(
    const struct import_final *final, struct import_part *part, struct import_columns *columns)
{
    const struct import_declared *declared = &final->import->declared;
    struct h5_table *table = part->table;
    int64_t offsets = part->sequences + 1;
    int64_t inputs[2] = {part->frames, (int64_t)(declared->features + final->marks)};
    int64_t targets[2] = {part->targets, (int64_t)declared->values};
    columns->inputs = declared->has_symbols ? h5_table_add(table, "inputs", H5_INT32, 1, inputs)
                                            : h5_table_add(table, "inputs", H5_FLOAT32, 2, inputs);
    columns->input_offsets = h5_table_add(table, "input_offsets", H5_INT64, 1, &offsets);
    if (declared->targets != IMPORT_NO_TARGETS)
        columns->targets = declared->has_classes ? h5_table_add(table, "targets", H5_INT32, 1, targets)
                                                 : h5_table_add(table, "targets", H5_FLOAT32, 2, targets);
    columns->has_offsets = declared->targets > IMPORT_PER_FRAME;
    if (columns->has_offsets)
        columns->target_offsets = h5_table_add(table, "target_offsets", H5_INT64, 1, &offsets);
    if (part->longest_name)
        columns->names = h5_table_add_texts(table, "names", part->sequences, part->longest_name);
}

static int write_columns(const struct import_final *final, struct import_part *part,
    const struct import_columns *columns, struct error *error)
{
    struct import *import = final->import;
    const struct import_declared *declared = &import->declared;
    struct import_column inputs = {&part->inputs, columns->inputs, 1, part->frames, import->symbols.order};
    struct import_column targets = {&part->target_values, columns->targets,
        declared->has_classes ? 1 : declared->values, part->targets,
        declared->has_classes ? import_class_list(import)->order : NULL};
    if (declared->has_symbols ? write_column(part, &inputs, error)
                              : write_inputs(final, part, columns->inputs, error))
        return -1;
    if (import_part_write_offsets(part, &part->lengths, columns->input_offsets, error))
        return -1;
    if (declared->targets != IMPORT_NO_TARGETS && write_column(part, &targets, error))
        return -1;
    if (columns->has_offsets &&
        import_part_write_offsets(part, &part->target_lengths, columns->target_offsets, error))
        return -1;
    return part->longest_name ? import_part_write_names(part, columns->names, error) : 0;
}

static int write_part(const struct import_final *final, struct import_part *part, struct error *error)
{
    struct import_columns columns = {0};
    part->table = h5_table_create(error);
    if (!part->table)
        return -1;
    struct h5_image *image = h5_table_image(part->table);
    write_head(final, part);
    declare_columns(final, part, &columns);
    if (h5_table_start(part->table, part->path, error))
        return -1;
    if (final->import->declared.has_symbols)
        h5_image_attribute_int32(image, "inputs", "n_symbols", final->symbols);
    if (final->import->declared.has_classes)
        h5_image_attribute_int32(image, "targets", "n_classes", final->classes);
    return write_columns(final, part, &columns, error);
}

/* ---- all of them ---- */

static int order_labels(struct import_final *final, struct error *error)
{
    struct import *import = final->import;
    const struct import_declared *declared = &import->declared;
    struct import_vocabulary *symbols = &import->symbols, *classes = import_class_list(import);
    if (declared->has_symbols &&
        import_vocabulary_order(symbols, declared->least_of_symbols, IMPORT_RARE, error))
        return -1;
    if (declared->has_classes && classes != symbols &&
        import_vocabulary_order(classes, declared->least_of_classes, IMPORT_RARE, error))
        return -1;
    final->symbols = (int32_t)(symbols->limit ? symbols->limit : (int64_t)symbols->n);
    final->classes = (int32_t)(classes->limit ? classes->limit : (int64_t)classes->n);
    if (declared->has_symbols && !symbols->numbered && !symbols->unnamed)
        final->symbol_names = (const char *const *)symbols->text;
    if (declared->has_classes && !classes->numbered && !classes->unnamed)
        final->class_names = (const char *const *)classes->text;
    if (declared->has_classes && final->classes == 0)
        return error_set(
            error, EXIT_CODE_DATA, "%s: there is not one class among the targets", declared->source);
    return 0;
}

static int check_parts(const struct import *import, struct error *error)
{
    for (size_t p = 0; p < import->split.parts; p++)
        if (import->part[p].sequences == 0)
            return error_set(error, EXIT_CODE_DATA, "%s: would have no sequence%s", import->part[p].path,
                import->split.parts > 1 ? ": give another --seed, or larger shares"
                                        : ": there is none in what is imported");
    return 0;
}

static int commit(struct import *import, struct import_result *result, struct error *error)
{
    for (size_t p = 0; p < import->split.parts; p++) {
        struct import_part *part = &import->part[p];
        struct h5_table *table = part->table;
        part->table = NULL;
        if (h5_table_finish(table, error))
            return p ? error_prefix(error, "the first %zu of %zu files are in place, the next is not: ", p,
                           import->split.parts)
                     : -1;
        result->file[p] = (struct import_written){part->path, part->sequences, part->frames, part->replaces};
        result->files = p + 1;
        part->path = NULL;
    }
    result->unmatched = import->unmatched;
    return 0;
}

int import_write(struct import *import, struct import_result *result, struct error *error)
{
    char source[TEXT_SHOWN + 64], shown[TEXT_SHOWN];
    snprintf(source, sizeof source, "rnn-data import %s %s", import->kind->name,
        text_show(import->declared.source, shown));
    struct import_final final = {.import = import, .source = text_clean(source)};
    int failed = check_parts(import, error) || order_labels(&final, error) || take_marks(&final, error) ||
        name_marks(&final, error) || take_means(&final, error);
    for (size_t p = 0; p < import->split.parts && !failed; p++)
        failed = write_part(&final, &import->part[p], error);
    failed = failed || commit(import, result, error);
    memory_destroy((void *) final.feature_names);
    memory_destroy(final.marked);
    memory_destroy(final.fill);
    return failed ? -1 : 0;
}
