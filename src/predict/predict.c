#include "predict/predict.h"

#include "base/log.h"
#include "net/outputs/output.h"
#include "pass/program.h"
#include "pass/stop.h"
#include "predict/evaluate.h"
#include "predict/generate.h"
#include "predict/model.h"

/* All ranks call. Refuses ranks of which some evaluate and others generate. */
static int check_task(const struct predict_options *options, const struct comm *comm, struct error *error)
{
    int64_t own = options->generate, first = own;
    comm_broadcast(comm, &first, sizeof first, 0);
    if (own != first)
        error_set(error, EXIT_CODE_DATA, "the options differ from those of rank 0: give all ranks the same");
    return comm_agree(comm, error);
}

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
        check_task(options, comm, error) || check_beam(options, model, error))
        return -1;
    return options->generate ? predict_generate(options, comm, model, error)
                             : predict_evaluate(options, comm, model, error);
}

int predict_run(const struct predict_options *options)
{
    struct comm comm;
    struct predict_model model = {0};
    struct error error = {0};
    program_start(&comm, "rnn-predict", options->verbosity);
    comm_watch(&comm, options->watchdog,
        "run the same command again, without that host if it happens again (--watchdog sets the limit)");
    stop_catch_signals();
    if (run(options, &comm, &model, &error) && comm.rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    predict_model_finish(&model);
    comm_finish(&comm);
    return error.code;
}
