#include "predict/predict.h"

#include "base/log.h"
#include "net/outputs/output.h"
#include "pass/program.h"
#include "pass/stop.h"
#include "predict/evaluate.h"
#include "predict/flow.h"
#include "predict/generate.h"
#include "predict/imported.h"
#include "predict/model.h"
#include "predict/stream.h"

#include <stdlib.h>

/* The outcome is the same on all ranks: all have the same model, and options that are compared. */
static int check_beam(
    const struct predict_options *options, const struct predict_model *model, struct error *error)
{
    if (!options->beam || output_makes_labels(model->config))
        return 0;
    return error_set(error, EXIT_CODE_USAGE,
        "--beam %lld: only ctc and a decoder of classes search for labels, and %s has output = %s%s: leave "
        "it out",
        (long long)options->beam, model->path, output_of(model->config)->name,
        output_of(model->config)->has_decoder ? " of real values" : "");
}

static int run(const struct predict_options *options, const struct comm *comm, struct predict_model *model,
    struct error *error)
{
    if (predict_model_load(model, comm, options->checkpoint, options->batch, error) ||
        check_beam(options, model, error))
        return -1;
    if (options->generate)
        return predict_generate(options, comm, model, error);
    struct predict_imported imported = {0};
    struct predict_options own = *options;
    int failed = predict_import(&imported, &own, comm, model, error);
    if (!failed)
        failed = options->gradient_flow ? predict_flow(&own, comm, model, &imported, error)
                                        : predict_evaluate(&own, comm, model, &imported, error);
    predict_imported_remove(&imported);
    return failed;
}

static void work(
    struct comm *comm, const struct predict_options *options, const char *advice, struct error *error)
{
    struct predict_model model = {0};
    comm_watch(comm, options->watchdog, advice);
    if (!options->import)
        stop_catch_signals();
    if (predict_is_mixed(options->output) && !options->gradient_flow && comm->rank == 0)
        log_line(LOG_WARNING,
            "mpirun of Open MPI 5 mixes standard output and standard error: the line of figures is left out "
            "(with -o FILE, or without mpirun, it is printed)");
    if (run(options, comm, &model, error) && comm->rank == 0)
        log_line(LOG_ERROR, "%s", error->text);
    if (predict_is_mixed(options->output))
        comm_set_limit(comm, 0); /* it also stands still until all is read, and ranks cannot end */
    predict_model_finish(&model);
}

int predict_run(const struct predict_options *options)
{
    struct comm comm;
    struct error error = {0};
    static const char advice[] = "run the same command again, without that host if it happens again "
                                 "(--watchdog sets the limit)";
    char *common = options_describe(options->table, options->target);
    const struct comm_purpose purpose = {
        .program = "rnn-predict", .options = common, .limit = options->watchdog, .advice = advice};
    int code = program_start(&comm, &purpose, options->verbosity);
    free(common);
    if (code == 0) {
        work(&comm, options, advice, &error);
        code = error.code;
    }
    comm_finish(&comm);
    return code;
}
