/* An HDF5 file: attributes, names, rows, labels, confusion. It begins with room on the disk for all whose
 * size is known; only labels that are searched for, whose number nobody knows before they are made, get their
 * place at the end. It appears under its name when it is whole (h5/table.h). */
#include "data/names.h"
#include "net/losses/loss.h"
#include "net/results.h"
#include "predict/output.h"

enum { FORMAT_VERSION = 1 };

/* Sequences have the names of the dataset, outputs those of the network: what they mean is what it was
 * trained on. */
static int write_names(const struct predict_output *output, struct error *error)
{
    static const enum names_of of_outputs[] = {NAMES_OF_CLASSES, NAMES_OF_TARGETS};
    const struct dataset *dataset = output->dataset;
    struct h5_image *image = h5_table_image(output->table);
    for (size_t i = 0; i < sizeof of_outputs / sizeof *of_outputs; i++) {
        const struct name_list *list = &output->names->list[of_outputs[i]];
        if (list->text)
            h5_image_texts(
                image, names_lists[of_outputs[i]], (int64_t)list->n, (const char *const *)list->text);
    }
    return dataset_copy_names(dataset, image, error);
}

/* Declares the sets "outputs" and, where rows have classes, "labels". */
static void declare_rows(struct predict_output *output)
{
    const struct predict_rows *rows = &output->rows;
    int64_t heads = (int64_t)loss_count_heads(output->config);
    int64_t size[] = {rows->offsets[output->dataset->sequences], (int64_t)rows->width / heads, heads};
    output->outputs = h5_table_add(output->table, "outputs", H5_FLOAT32, heads > 1 ? 3 : 2, size);
    if (results_have_classes(output->config))
        output->classes = h5_table_add(output->table, "labels", H5_INT32, 1, size);
}

static int start(struct predict_output *output, struct error *error)
{
    int64_t offsets = output->dataset->sequences + 1;
    output->table = h5_table_create(error);
    if (!output->table)
        return -1;
    struct h5_image *image = h5_table_image(output->table);
    h5_image_attribute_text(image, "/", "format", "rnn-train predictions");
    h5_image_attribute_int32(image, "/", "format_version", FORMAT_VERSION);
    if (output->has_rows)
        h5_image_int64(image, "output_offsets", 1, &offsets, output->rows.offsets);
    if (write_names(output, error))
        return -1;
    if (output->has_rows)
        declare_rows(output);
    predict_confusion_declare(&output->confusion, output->table);
    return h5_table_start(
        output->table, predict_is_standard_output(output->path) ? NULL : output->path, error);
}

static int take_rows(
    struct predict_output *output, int64_t first, int64_t end, const float *values, struct error *error)
{
    const struct predict_rows *rows = &output->rows;
    int64_t row = rows->offsets[first], n = rows->offsets[end] - row;
    if (h5_table_write(output->table, output->outputs, row, n, values, error))
        return -1;
    if (!results_have_classes(output->config))
        return 0;
    if (scratch_grow(&output->class_rows, (size_t)n * sizeof(int32_t), error))
        return -1;
    int32_t *classes = output->class_rows.block;
    for (size_t r = 0; r < (size_t)n; r++)
        classes[r] = (int32_t)results_most_probable(values + r * rows->width, rows->width);
    return h5_table_write(output->table, output->classes, row, n, classes, error);
}

static int write_piece(void *context, const void *bytes, size_t size, struct error *error)
{
    return predict_write_standard_output(context, bytes, size, error);
}

static int commit(struct predict_output *output, struct error *error)
{
    struct h5_table *table = output->table;
    if (output->has_labels && predict_labels_write(&output->labels, table, error))
        return -1;
    output->table = NULL;
    return predict_is_standard_output(output->path)
        ? h5_table_pour(table, write_piece, (void *)output->node->comm, error)
        : h5_table_finish(table, error);
}

const struct predict_format predict_format_hdf5 = {
    .name = "hdf5", .has_all = 1, .is_binary = 1, .start = start, .take_rows = take_rows, .commit = commit};
