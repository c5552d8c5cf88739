/* The output begins before anything is computed, so that a disk that is too small or a path that cannot be
 * written is known at once. */
#include "predict/output.h"

#include "comm/launcher.h"
#include "net/outputs/output.h"
#include "net/results.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREDICT_FORMAT(enumerator, name) extern const struct predict_format predict_format_##name;
#include "predict/list.h"
#undef PREDICT_FORMAT

static const struct predict_format *const formats[] = {
#define PREDICT_FORMAT(enumerator, name) [PREDICT_##enumerator] = &predict_format_##name,
#include "predict/list.h"
#undef PREDICT_FORMAT
};

static int look_at_output(const char *path, struct stat *status)
{
    return predict_is_standard_output(path) ? fstat(STDOUT_FILENO, status) : stat(path, status);
}

int predict_refuse_same_file(const char *output, const char *input, struct error *error)
{
    struct stat one, other;
    if (look_at_output(output, &one) || stat(input, &other) || one.st_dev != other.st_dev ||
        one.st_ino != other.st_ino)
        return 0;
    return error_set(error, EXIT_CODE_USAGE, "%s: is the file that is read: name another one for the output",
        predict_is_standard_output(output) ? input : output);
}

/* A launcher gives its ranks a terminal of its own, whatever becomes of what it reads there. */
int predict_refuse_terminal(const char *path, const char *what, struct error *error)
{
    if (!predict_is_standard_output(path) || launcher_get()->launched || !isatty(STDOUT_FILENO))
        return 0;
    return error_set(error, EXIT_CODE_USAGE,
        "standard output: is a terminal, and %s is nothing to read there: name a file by -o FILE, or lead it "
        "elsewhere",
        what);
}

/* Makes room for what there is to be written. */
static int init_parts(struct predict_output *output, struct error *error)
{
    const struct dataset *dataset = output->dataset;
    const struct net_config *config = output->config;
    int confuses = output->format->has_all && dataset->has_targets && results_have_classes(config);
    if (output->has_rows && predict_rows_init(&output->rows, output->node, config, dataset, error))
        return -1;
    if (output->has_labels && predict_labels_init(&output->labels, output->node, dataset->sequences, error))
        return -1;
    return predict_confusion_init(&output->confusion, confuses ? (size_t)dataset->classes : 0, error);
}

/* Rank 0 calls. */
static int start(struct predict_output *output, const struct predict_model *model, struct error *error)
{
    const struct dataset *dataset = output->dataset;
    for (size_t i = 0; i < dataset->files; i++)
        if (predict_refuse_same_file(output->path, dataset->file[i].path, error))
            return -1;
    if (predict_refuse_same_file(output->path, model->path, error) ||
        (output->format->is_binary && predict_refuse_terminal(output->path, output->format->name, error)))
        return -1;
    return output->format->start(output, error);
}

int predict_output_init(struct predict_output *output, const struct predict_model *model,
    const struct dataset *dataset, const struct predict_options *options, struct error *error)
{
    int has_labels = output_makes_labels(model->config);
    const struct predict_format *format = formats[options->format];
    *output = (struct predict_output){.format = format,
        .path = options->output,
        .node = &model->node,
        .config = model->config,
        .names = &model->names,
        .dataset = dataset,
        .has_rows = !has_labels || (format->has_all && output_of(model->config)->rows != PER_TARGET),
        .has_labels = has_labels};
    if (init_parts(output, error))
        return -1;
    return model->node.comm->rank == 0 ? start(output, model, error) : 0;
}

void predict_output_finish(struct predict_output *output)
{
    h5_table_destroy(output->table);
    memory_destroy(output->class_rows.block);
    predict_stream_finish(&output->stream);
    wording_finish(&output->wording);
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

static int take_rows(void *context, int64_t first, int64_t end, const float *values, struct error *error)
{
    struct predict_output *output = context;
    return output->format->take_rows(output, first, end, values, error);
}

/* Rank 0 calls. Hands over the labels of the step that was gathered. */
static int hand_over_labels(struct predict_output *output, const struct feed_step *step, struct error *error)
{
    struct predict_labels *labels = &output->labels;
    for (int64_t s = labels->end - (int64_t)step->plan.sequences; s < labels->end; s++) {
        size_t n;
        const int32_t *of_sequence = predict_labels_of(labels, s, &n);
        if (output->format->take_labels(output, s, of_sequence, n, error))
            return -1;
    }
    predict_labels_forget(labels);
    return predict_stream_flush(&output->stream, error);
}

static int write_labels(struct predict_output *output, const struct feed_step *step, struct error *error)
{
    if (predict_labels_gather(&output->labels, step, error))
        return -1;
    if (output->node->comm->rank != 0 || !output->format->take_labels)
        return 0;
    return hand_over_labels(output, step, error);
}

int predict_output_write_step(
    struct predict_output *output, const struct feed_step *step, struct error *error)
{
    const struct predict_rows_taker taker = {take_rows, output};
    int failed = output->has_labels ? write_labels(output, step, error) : 0;
    int takes = !failed && output->node->comm->rank == 0;
    if (output->has_rows && predict_rows_write_step(&output->rows, step, takes ? &taker : NULL, error))
        failed = -1;
    return failed;
}

int predict_output_commit(struct predict_output *output, struct error *error)
{
    if (predict_confusion_write(&output->confusion, output->node->comm, output->table, error))
        return -1;
    if (output->node->comm->rank != 0)
        return 0;
    return output->format->commit ? output->format->commit(output, error)
                                  : predict_stream_commit(&output->stream, error);
}
