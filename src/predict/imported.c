/* HDF5 opens files by their names alone, so this one has a name while ranks open it. Before that it has none
 * (base/file.h), nor have the files in which data wait for it (data/import/spool.h); a process that is killed
 * in the moment between leaves one that the next with the same output removes.
 *
 * It lies beside the output, which has to be where there is room; without an output file in the folder of
 * temporary files, which ranks on other hosts need not see. */
#include "predict/imported.h"

#include "base/log.h"
#include "data/import/import.h"
#include "net/outputs/output.h"
#include "pass/model.h"
#include "pass/names.h"
#include "pass/stop.h"
#include "predict/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void warn(const char *text)
{
    log_line(LOG_WARNING, "%s", text);
}

static struct import_pattern take_pattern(const struct predict_model *model)
{
    const struct net_config *m = model->config;
    int classes = loss_of(m)->takes_classes;
    return (struct import_pattern){.path = model->path,
        .features = m->symbols ? 0 : m->inputs,
        .symbols = m->symbols ? (int32_t)m->inputs : 0,
        .classes = classes ? (int32_t)m->outputs : 0,
        .values = classes ? 0 : m->outputs,
        .per_frame = output_of(m)->targets == PER_FRAME,
        .per_sequence = output_of(m)->targets == PER_SEQUENCE,
        .names = &model->names,
        .mean = model->mean};
}

/* Removes what others have left of such a file: those that are gone. */
static void sweep(const char *folder, const char *name)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    temporary_sweep(descriptor, name);
    close(descriptor);
}

/* Names the file beside the output, or in the folder of temporary files. */
static int choose_path(char path[PATH_MAX], const char *output, struct error *error)
{
    const char *slash = output ? strrchr(output, '/') : NULL;
    char name[256], temporary[TEMPORARY_NAME], place[PATH_MAX];
    int beside = output && !predict_is_standard_output(output);
    if (!beside)
        snprintf(place, sizeof place, "%s", temporary_folder());
    else if (slash)
        snprintf(place, sizeof place, "%.*s", slash == output ? 1 : (int)(slash - output), output);
    else
        snprintf(place, sizeof place, ".");
    snprintf(name, sizeof name, "%.120s-imported", !beside ? "rnn-predict" : slash ? slash + 1 : output);
    temporary_name(name, temporary);
    sweep(place, name);
    if (snprintf(path, PATH_MAX, "%s/%s", place, temporary) < PATH_MAX)
        return 0;
    path[0] = 0;
    return error_set(error, EXIT_CODE_IO, "%s: the name is too long", place);
}

static int refuse_same_files(const struct predict_options *options, struct error *error)
{
    for (size_t i = 0; options->output && options->dataset[i]; i++)
        if (predict_refuse_same_file(options->output, options->dataset[i], error))
            return -1;
    return 0;
}

/* Rank 0 calls. */
static int import_sources(struct predict_imported *imported, const struct predict_options *options,
    const struct predict_model *model, struct error *error)
{
    const struct import_pattern pattern = take_pattern(model);
    struct import_options *import = options->import_options;
    struct import_result result;
    if (refuse_same_files(options, error) || choose_path(imported->path, options->output, error))
        return -1;
    import->output = imported->path;
    import->pattern = &pattern;
    int failed = import_run(options->import, import, options->dataset, warn, &result, error);
    if (!failed && result.unmatched)
        log_line(LOG_WARNING, "%lld sequences were left out, as --unmatched skip says",
            (long long)result.unmatched);
    import_result_finish(&result);
    import->pattern = NULL;
    imported->named = !failed;
    return failed;
}

int predict_import(struct predict_imported *imported, struct predict_options *options,
    const struct comm *comm, const struct predict_model *model, struct error *error)
{
    double limit = options->watchdog;
    if (!options->import)
        return 0;
    /* Nobody is late while rank 0 waits for a source, which may be somebody at a keyboard. */
    comm_set_limit(comm, 0);
    if (comm->rank == 0)
        import_sources(imported, options, model, error);
    int failed = comm_agree(comm, error);
    comm_broadcast(comm, &limit, sizeof limit, 0);
    comm_set_limit(comm, limit);
    stop_catch_signals();
    if (failed)
        return -1;
    comm_broadcast(comm, imported->path, sizeof imported->path, 0);
    imported->sources = options->dataset;
    imported->files[0] = imported->path;
    options->dataset = imported->files;
    return 0;
}

static int call_by_sources(
    const struct predict_imported *imported, struct dataset *dataset, struct error *error)
{
    const char *first = imported->sources[0];
    size_t more = 0;
    while (imported->sources[1 + more])
        more++;
    return dataset_call(dataset, strcmp(first, "-") == 0 ? "standard input" : first, more, error);
}

static struct dataset *open_files(const struct predict_imported *imported, const struct comm *comm,
    const struct predict_options *options, struct error *error)
{
    struct dataset *dataset = dataset_open_files(options->dataset, options->cache, error);
    if (!imported->path[0])
        return dataset;
    if (dataset && call_by_sources(imported, dataset, error) == 0)
        return dataset;
    if (!dataset && comm->rank != 0 && access(imported->path, F_OK) != 0)
        error_set(error, EXIT_CODE_IO,
            "%s: what rank 0 has imported is not to be seen here: name an output by -o FILE in a folder that "
            "all hosts have, or set TMPDIR to one",
            imported->path);
    dataset_close(dataset);
    return NULL;
}

/* What there is not needs no names. */
static int check_names(const struct predict_model *model, struct dataset *dataset, struct error *error)
{
    return dataset->has_targets ? names_check(&model->names, dataset, error)
                                : names_check_inputs(&model->names, dataset, error);
}

struct dataset *predict_open_set(const struct predict_imported *imported, const struct comm *comm,
    const struct predict_options *options, const struct predict_model *model, struct error *error)
{
    struct dataset *dataset = open_files(imported, comm, options, error);
    if (dataset && model_accepts(model->config, dataset, 0, error) == 0 &&
        (comm->rank != 0 || check_names(model, dataset, error) == 0))
        return dataset;
    dataset_close(dataset);
    return NULL;
}

void predict_imported_remove(struct predict_imported *imported)
{
    if (imported->named)
        unlink(imported->path);
    imported->named = 0;
}
