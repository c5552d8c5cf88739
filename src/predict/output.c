/* The file of rnn-predict -o. Sequences are computed in the order of the file, a step of them at a time, but
 * within a step they are sorted by length and dealt to ranks. Each rank lays its rows out sequence by
 * sequence; the shares come to rank 0, a few ranks at a time so that its memory does not grow with their
 * number; there the sequences are put back into order and written, the run of rows that they are in one
 * piece. So the bytes of the file do not depend on ranks or batch. */
#include "predict/output.h"
#include "predict/labels.h"

#include "base/memory.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COLLECT_BYTES = 32 << 20 /* of several ranks at once; one rank may have more */ };

enum { FORMAT_VERSION = 1, MOST_CONFUSED = 1024 /* classes of a confusion matrix */ };

/* A sequence in what was collected. */
struct collected_rows {
    int64_t sequence;
    size_t row; /* its first */
};

static int room_grow(struct room *room, size_t bytes, struct error *error)
{
    if (bytes <= room->bytes)
        return 0;
    memory_destroy(room->block);
    room->bytes = 0;
    room->block = memory_create(bytes, 1, error);
    if (!room->block)
        return -1;
    room->bytes = bytes;
    return 0;
}

static size_t sequence_rows(const struct predict *predict, int64_t s)
{
    return (size_t)(predict->output.offsets[s + 1] - predict->output.offsets[s]);
}

static size_t row_bytes(const struct predict *predict)
{
    return predict->output.width * sizeof(float);
}

/* Each row is one of the classes. */
static int labels_rows(const struct net_config *model)
{
    return loss_of(model)->takes_classes && !output_makes_labels(model);
}

/* ---- the file ---- */

/* `count` texts of the dataset, where it has them. */
static int copy_texts(struct predict *predict, const char *name, int64_t count, struct error *error)
{
    struct h5_file *file = predict->dataset->file;
    char **texts = NULL;
    if (count == 0 || !h5_has(file, name))
        return 0;
    if (h5_read_texts(file, name, 0, count, &texts, error))
        return -1;
    h5_image_texts(h5_table_image(predict->output.table), name, count, (const char *const *)texts);
    memory_destroy(texts);
    return 0;
}

int predict_refuse_same_file(const char *output, const char *input, struct error *error)
{
    struct stat one, other;
    if (stat(output, &one) || stat(input, &other) || one.st_dev != other.st_dev || one.st_ino != other.st_ino)
        return 0;
    return error_set(
        error, EXIT_CODE_USAGE, "%s: is the file that is read: name another one for the output", output);
}

static int start_file(struct predict *predict, struct error *error)
{
    struct predict_output *output = &predict->output;
    const struct dataset *dataset = predict->dataset;
    int64_t rows = output->offsets[dataset->sequences], offsets = dataset->sequences + 1;
    int64_t classes = dataset->classes;
    struct h5_image *image = h5_table_image(output->table);
    h5_image_attribute_text(image, "/", "format", "rnn-train predictions");
    h5_image_attribute_int32(image, "/", "format_version", FORMAT_VERSION);
    if (output->width)
        h5_image_int64(image, "output_offsets", 1, &offsets, output->offsets);
    if (copy_texts(predict, "names", dataset->sequences, error) ||
        copy_texts(predict, "class_names", dataset->classes, error) ||
        copy_texts(predict, "target_names", (int64_t)dataset->values, error))
        return -1;
    if (output->width)
        output->outputs =
            h5_table_add(output->table, "outputs", H5_FLOAT32, 2, (int64_t[]){rows, (int64_t)output->width});
    if (labels_rows(predict->model))
        output->labels = h5_table_add(output->table, "labels", H5_INT32, 1, &rows);
    if (output->confusion)
        output->confusion_column =
            h5_table_add(output->table, "confusion", H5_INT64, 2, (int64_t[]){classes, classes});
    return h5_table_start(output->table, predict->options->output, error);
}

/* Rows are frames, sequences, or the values that a decoder makes of a sequence. */
static int count_rows(struct predict *predict, struct error *error)
{
    const struct dataset *dataset = predict->dataset;
    const struct net_config *model = predict->model;
    enum per per = output_of(model)->rows;
    int64_t rows = per == PER_SEQUENCE ? 1 : (int64_t)model->target_length;
    int64_t *offsets = memory_create((size_t)dataset->sequences + 1, sizeof *offsets, error);
    predict->output.offsets = offsets;
    predict->output.width = per == PER_TARGET && output_makes_labels(model) ? 0 : net_count_head(model);
    for (int64_t s = 0; offsets && s <= dataset->sequences; s++)
        offsets[s] = per == PER_FRAME ? dataset->input_offsets[s] : s * rows;
    return offsets ? 0 : -1;
}

/* Where rows have a true class each, and there are not too many classes for a square of them. */
static int make_confusion(struct predict *predict, struct error *error)
{
    size_t C = (size_t)predict->dataset->classes;
    if (!predict->dataset->has_targets || !labels_rows(predict->model) || C > MOST_CONFUSED)
        return 0;
    predict->output.confusion = memory_create(C * C, sizeof *predict->output.confusion, error);
    return predict->output.confusion ? 0 : -1;
}

int predict_begin_output(struct predict *predict, struct error *error)
{
    struct predict_output *output = &predict->output;
    const struct predict_options *options = predict->options;
    if (!options->output)
        return 0;
    output->counts = memory_create((size_t)predict->comm->ranks, sizeof *output->counts, error);
    if (!output->counts || count_rows(predict, error) || make_confusion(predict, error))
        return -1;
    if (output_makes_labels(predict->model) && predict_begin_labels(predict, error))
        return -1;
    if (predict->comm->rank != 0)
        return 0;
    if (predict_refuse_same_file(options->output, options->dataset, error) ||
        predict_refuse_same_file(options->output, predict->checkpoint, error))
        return -1;
    output->table = h5_table_create(error);
    return output->table ? start_file(predict, error) : -1;
}

void predict_sum_confusion(struct predict *predict)
{
    size_t C = (size_t)predict->dataset->classes;
    if (predict->output.confusion) /* whole numbers: exact in any order */
        comm_sum(predict->comm, predict->output.confusion, C * C);
}

/* Rank 0. */
static int write_confusion(struct predict *predict, struct error *error)
{
    struct predict_output *output = &predict->output;
    size_t C = (size_t)predict->dataset->classes;
    int64_t *counts = memory_create(C * C, sizeof *counts, error);
    for (size_t i = 0; counts && i < C * C; i++)
        counts[i] = (int64_t)output->confusion[i];
    int failed =
        !counts || h5_table_write(output->table, output->confusion_column, 0, (int64_t)C, counts, error);
    memory_destroy(counts);
    return failed ? -1 : 0;
}

int predict_finish_output(struct predict *predict, struct error *error)
{
    struct h5_table *table = predict->output.table;
    if (!table)
        return 0;
    if ((predict->output.confusion && write_confusion(predict, error)) ||
        (output_makes_labels(predict->model) && predict_write_labels(predict, error)))
        return -1;
    predict->output.table = NULL;
    return h5_table_finish(table, error);
}

void predict_destroy_output(struct predict *predict)
{
    struct predict_output *output = &predict->output;
    h5_table_destroy(output->table);
    memory_destroy(output->offsets);
    memory_destroy(output->confusion);
    memory_destroy(output->counts);
    memory_destroy(output->share.block);
    memory_destroy(output->all.block);
    memory_destroy(output->items.block);
    memory_destroy(output->ordered.block);
    memory_destroy(output->classes.block);
}

/* ---- the shares of ranks ---- */

/* Rows of ranks first .. last - 1 in the step at hand, and how many sequences they are. */
static size_t count_share(const struct predict *predict, int first, int last, size_t *sequences)
{
    const struct feed_step *step = &predict->feed.now;
    size_t from = step->plan.start[step->ranges[first]], to = step->plan.start[step->ranges[last]], rows = 0;
    for (size_t i = from; i < to; i++)
        rows += sequence_rows(predict, step->plan.sequence[i]);
    *sequences = to - from;
    return rows;
}

/* The ranks from `first` on that are collected together end before the one returned. */
static int end_of_group(const struct predict *predict, int first)
{
    size_t sequences, bytes = count_share(predict, first, first + 1, &sequences) * row_bytes(predict);
    int last = first + 1;
    for (; last < predict->comm->ranks; last++) {
        bytes += count_share(predict, last, last + 1, &sequences) * row_bytes(predict);
        if (bytes > COLLECT_BYTES)
            break;
    }
    return last;
}

/* Rank 0 alone: its own share is where it is already. */
static int is_collected(int first, int last)
{
    return first > 0 || last > 1;
}

int predict_make_room(struct predict *predict, struct error *error)
{
    struct predict_output *output = &predict->output;
    int rank = predict->comm->rank, failed = 0;
    size_t sequences, rows;
    if (!predict->options->output || !predict->output.width)
        return 0;
    rows = count_share(predict, rank, rank + 1, &sequences);
    if (room_grow(&output->share, rows * row_bytes(predict), error))
        return -1;
    for (int first = 0, last; rank == 0 && first < predict->comm->ranks && !failed; first = last) {
        last = end_of_group(predict, first);
        rows = count_share(predict, first, last, &sequences);
        failed = (is_collected(first, last) && room_grow(&output->all, rows * row_bytes(predict), error)) ||
            room_grow(&output->ordered, rows * row_bytes(predict), error) ||
            room_grow(&output->classes, rows * sizeof(int32_t), error) ||
            room_grow(&output->items, sequences * sizeof(struct collected_rows), error);
    }
    return failed ? -1 : 0;
}

/* The most probable of O classes, the first of equals as in training. */
static size_t most_probable(const float *values, size_t O)
{
    size_t most = 0;
    for (size_t o = 1; o < O; o++)
        most = values[o] > values[most] ? o : most;
    return most;
}

static void count_confusion(
    struct predict *predict, const struct microbatch *microbatch, const struct net_outputs *outputs)
{
    size_t C = predict->model->outputs;
    for (size_t r = 0; r < outputs->rows; r++)
        if (microbatch->classes[r] >= 0)
            predict->output.confusion[(size_t)microbatch->classes[r] * C +
                most_probable(outputs->values + r * outputs->stride, C)]++;
}

/* Row i of what the net made of row b of the microbatch. */
static size_t output_row(
    const struct net_config *model, const struct microbatch *microbatch, size_t b, size_t i)
{
    enum per per = output_of(model)->rows;
    return per == PER_FRAME   ? microbatch_frame(microbatch, b, i)
        : per == PER_SEQUENCE ? b
                              : b * model->target_length + i;
}

void predict_keep(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, size_t *kept)
{
    size_t O = predict->output.width;
    float *to = (float *)predict->output.share.block + *kept * O;
    if (predict->output.confusion)
        count_confusion(predict, microbatch, outputs);
    for (size_t b = 0; b < microbatch->B && O; b++)
        for (size_t i = 0; i < sequence_rows(predict, microbatch->sequence[b]); i++, to += O, ++*kept)
            memcpy(to, outputs->values + output_row(predict->model, microbatch, b, i) * outputs->stride,
                O * sizeof *to);
}

/* ---- into the file, rank 0 ---- */

static int compare_items(const void *a, const void *b)
{
    const struct collected_rows *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* The sequences of ranks first .. last - 1 as they were collected, sorted by their place in the file. */
static struct collected_rows *sort_items(struct predict *predict, int first, int last, size_t *n)
{
    const struct feed_step *step = &predict->feed.now;
    const int64_t *sequence = step->plan.sequence + step->plan.start[step->ranges[first]];
    struct collected_rows *items = predict->output.items.block;
    count_share(predict, first, last, n);
    for (size_t i = 0, row = 0; i < *n; i++) {
        items[i] = (struct collected_rows){sequence[i], row};
        row += sequence_rows(predict, sequence[i]);
    }
    if (*n)
        qsort(items, *n, sizeof *items, compare_items);
    return items;
}

static int write_run(struct predict *predict, int64_t row, size_t rows, struct error *error)
{
    struct predict_output *output = &predict->output;
    if (h5_table_write(output->table, output->outputs, row, (int64_t)rows, output->ordered.block, error))
        return -1;
    if (!labels_rows(predict->model))
        return 0;
    const float *values = output->ordered.block;
    int32_t *classes = output->classes.block;
    for (size_t r = 0; r < rows; r++)
        classes[r] = (int32_t)most_probable(values + r * output->width, output->width);
    return h5_table_write(output->table, output->labels, row, (int64_t)rows, output->classes.block, error);
}

static int write_group(
    struct predict *predict, int first, int last, const float *collected, struct error *error)
{
    struct predict_output *output = &predict->output;
    size_t n, O = output->width;
    const struct collected_rows *items = sort_items(predict, first, last, &n);
    for (size_t i = 0, end; i < n; i = end) {
        size_t rows = 0;
        for (end = i; end < n && items[end].sequence == items[i].sequence + (int64_t)(end - i); end++) {
            size_t more = sequence_rows(predict, items[end].sequence);
            memcpy((float *)output->ordered.block + rows * O, collected + items[end].row * O,
                more * row_bytes(predict));
            rows += more;
        }
        if (write_run(predict, output->offsets[items[i].sequence], rows, error))
            return -1;
    }
    return 0;
}

/* All. */
static const float *collect_group(struct predict *predict, int first, int last)
{
    struct predict_output *output = &predict->output;
    if (!is_collected(first, last))
        return output->share.block;
    for (int r = 0; r < predict->comm->ranks; r++) {
        size_t sequences, in = r >= first && r < last;
        output->counts[r] = in ? count_share(predict, r, r + 1, &sequences) * row_bytes(predict) : 0;
    }
    comm_collect(predict->comm, output->share.block, output->counts[predict->comm->rank], output->counts,
        output->all.block);
    return output->all.block;
}

int predict_write_step(struct predict *predict, struct error *error)
{
    int failed = 0;
    if (!predict->options->output)
        return 0;
    if (output_makes_labels(predict->model))
        failed = predict_collect_labels(predict, error);
    for (int first = 0, last; first < predict->comm->ranks && predict->output.width; first = last) {
        last = end_of_group(predict, first);
        const float *collected = collect_group(predict, first, last);
        if (predict->comm->rank == 0 && !failed)
            failed = write_group(predict, first, last, collected, error);
    }
    return failed ? -1 : 0;
}
