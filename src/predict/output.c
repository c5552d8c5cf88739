/* The file begins before anything is computed, so that a disk that is too small or a path that cannot be
 * written is known at once; only labels, whose number nobody knows before they are made, get their place at
 * the end. It appears under its name when it is whole (h5/table.h). */
#include "predict/output.h"

#include "data/names.h"
#include "net/outputs/output.h"
#include "net/results.h"

#include <sys/stat.h>

enum { FORMAT_VERSION = 1 };

int predict_refuse_same_file(const char *output, const char *input, struct error *error)
{
    struct stat one, other;
    if (stat(output, &one) || stat(input, &other) || one.st_dev != other.st_dev || one.st_ino != other.st_ino)
        return 0;
    return error_set(
        error, EXIT_CODE_USAGE, "%s: is the file that is read: name another one for the output", output);
}

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

/* Rank 0 calls. */
static int start_file(struct predict_output *output, const char *path, struct error *error)
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
        predict_rows_declare(&output->rows, output->table, output->dataset->sequences);
    predict_confusion_declare(&output->confusion, output->table);
    return h5_table_start(output->table, path, error);
}

/* Makes room for what there is to be in the file. */
static int init_parts(struct predict_output *output, struct error *error)
{
    const struct dataset *dataset = output->dataset;
    const struct net_config *config = output->config;
    size_t confused = dataset->has_targets && results_have_classes(config) ? (size_t)dataset->classes : 0;
    if (output->has_rows && predict_rows_init(&output->rows, output->node, config, dataset, error))
        return -1;
    if (output->has_labels && predict_labels_init(&output->labels, output->node, dataset->sequences, error))
        return -1;
    return predict_confusion_init(&output->confusion, confused, error);
}

int predict_output_init(struct predict_output *output, const struct predict_model *model,
    const struct dataset *dataset, const char *path, struct error *error)
{
    int has_labels = output_makes_labels(model->config);
    *output = (struct predict_output){.node = &model->node,
        .config = model->config,
        .names = &model->names,
        .dataset = dataset,
        .has_rows = output_of(model->config)->rows != PER_TARGET || !has_labels,
        .has_labels = has_labels};
    if (init_parts(output, error))
        return -1;
    if (model->node.comm->rank != 0)
        return 0;
    for (size_t i = 0; i < dataset->files; i++)
        if (predict_refuse_same_file(path, dataset->file[i].path, error))
            return -1;
    if (predict_refuse_same_file(path, model->path, error))
        return -1;
    return start_file(output, path, error);
}

void predict_output_finish(struct predict_output *output)
{
    h5_table_destroy(output->table);
    predict_rows_finish(&output->rows);
    predict_labels_finish(&output->labels);
    predict_confusion_finish(&output->confusion);
}

int predict_output_start_step(
    struct predict_output *output, const struct feed_step *step, struct error *error)
{
    return output->has_rows ? predict_rows_start_step(&output->rows, step, error) : 0;
}

int predict_output_keep(struct predict_output *output, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error)
{
    predict_confusion_count(&output->confusion, microbatch, outputs);
    if (output->has_rows)
        predict_rows_keep(&output->rows, microbatch, outputs);
    return output->has_labels ? predict_labels_keep(&output->labels, microbatch, outputs, error) : 0;
}

int predict_output_write_step(
    struct predict_output *output, const struct feed_step *step, struct error *error)
{
    int failed = output->has_labels ? predict_labels_gather(&output->labels, step, error) : 0;
    if (output->has_rows &&
        predict_rows_write_step(&output->rows, step, failed ? NULL : output->table, error))
        failed = -1;
    return failed;
}

int predict_output_commit(struct predict_output *output, struct error *error)
{
    struct h5_table *table = output->table;
    if (predict_confusion_write(&output->confusion, output->node->comm, table, error))
        return -1;
    if (!table)
        return 0;
    if (output->has_labels && predict_labels_write(&output->labels, table, error))
        return -1;
    output->table = NULL;
    return h5_table_finish(table, error);
}
