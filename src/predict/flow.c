#include "predict/flow.h"

#include "base/file.h"
#include "ckpt/flow_file.h"
#include "pass/file_watch.h"
#include "pass/flow.h"
#include "pass/report.h"
#include "pass/stop.h"
#include "predict/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int check_layers(const struct predict_model *model, struct error *error)
{
    if (model->config->layers > 0)
        return 0;
    return error_set(error, EXIT_CODE_USAGE,
        "--gradient-flow: %s has no recurrent layer (model.layers = 0), and so no time that a gradient goes "
        "back through: leave it out",
        model->path);
}

static int write_curves(const struct predict_options *options, const struct comm *comm,
    const struct predict_model *model, const struct flow_curves *curves, struct error *error)
{
    const char *path = options->output;
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (stream) {
        flow_file_print_header(stream);
        flow_file_print(stream, model->config, model->epoch, curves);
    }
    int failed = !stream || fclose(stream) != 0
        ? error_set(error, EXIT_CODE_INTERNAL, "%s: no memory for its rows", path)
        : predict_is_standard_output(path) ? predict_write_standard_output(comm, bytes, size, error)
                                           : file_replace(path, bytes, size, error);
    free(bytes);
    return failed;
}

/* Of one direction: where a hundredth is left, and the norms on the way. */
static void print_direction(
    struct report *report, const struct net_config *config, const struct flow_curves *curves, size_t n)
{
    struct flow_direction direction = flow_find_direction(config, n);
    char text[FLOW_MOST_DISTANCES * 48] = "", name[32];
    flow_report_reach(text, sizeof text, flow_find_reach(curves, n));
    for (size_t k = 0; k < curves->distances; k++) {
        snprintf(name, sizeof name, "norm_%" PRId64, (int64_t)1 << k);
        report_figure(text, sizeof text, name, curves->norm[n * curves->distances + k]);
    }
    report_line(report, "layer=%zu direction=%s%s", direction.layer, flow_name_direction(direction), text);
}

static void print_all(const struct predict_options *options, const struct flow *flow,
    const struct net_config *config, const struct flow_curves *curves)
{
    struct report report;
    char text[64] = "";
    int64_t frames = 0;
    report_init(&report, predict_report_stream(options), PROGRESS_AUTO, 1, 0, 0, 0);
    for (size_t n = 0; n < curves->directions; n++)
        print_direction(&report, config, curves, n);
    for (size_t i = 0; i < flow->n; i++)
        frames += flow->length[i];
    flow_report_reach(text, sizeof text, flow_find_least_reach(curves));
    report_line(&report, "sequences=%zu frames=%" PRId64 "%s", flow->n, frames, text);
}

/* Each rank calls this for itself. Computes its share. What has become of the file comes before an error that
 * may stem from it. */
static void compute(struct flow *flow, const struct flow_task *task, struct file_watch *watch,
    struct flow_curves *curves, struct error *error)
{
    int left = 0;
    if (flow_init(flow, task, error) || flow_compute(flow, &left, error))
        file_watch_explain(watch, error);
    else if (left)
        error_set(error, EXIT_CODE_IO, "stopped by %s: nothing is written", stop_signal_name(stop_signal()));
    else if (file_watch_look_now(watch, error) == 0)
        flow_curves_init(curves, flow->directions, flow->distances, error);
}

/* All ranks call. Computes all shares, and makes the curves on every rank. */
static int measure(
    struct flow *flow, const struct flow_task *task, struct flow_curves *curves, struct error *error)
{
    struct file_watch watch;
    struct fingerprint print;
    if (file_watch_begin(&watch, task->comm, task->dataset, 0, &print, error))
        return -1;
    compute(flow, task, &watch, curves, error);
    if (comm_agree(task->comm, error))
        return -1;
    flow_gather(flow, curves);
    return 0;
}

int predict_flow(const struct predict_options *options, const struct comm *comm, struct predict_model *model,
    struct predict_imported *imported, struct error *error)
{
    struct flow flow = {0};
    struct flow_curves curves = {0};
    if (check_layers(model, error))
        return -1;
    const struct flow_task task = {.comm = comm,
        .net = model->net,
        .dataset = predict_open_set(imported, comm, options, model, error),
        .mean = model->mean,
        .deviation = model->deviation,
        .microbatch = model->microbatch,
        .stop = stop_flag()};
    int failed = comm_agree(comm, error); /* now everybody has it open who can */
    predict_imported_remove(imported);
    failed = failed || measure(&flow, &task, &curves, error);
    if (!failed && comm->rank == 0) {
        print_all(options, &flow, model->config, &curves);
        if (options->output)
            write_curves(options, comm, model, &curves, error);
    }
    failed = failed || comm_agree(comm, error);
    flow_curves_finish(&curves);
    flow_finish(&flow);
    dataset_close(task.dataset);
    return failed ? -1 : 0;
}
