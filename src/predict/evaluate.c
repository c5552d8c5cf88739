/* The set is computed in the order of its file, by the plan and feed of validation, without updates. What a
 * sequence comes to does not depend on which others are computed with it, and sums are made without
 * rounding; so neither the number of ranks nor --batch changes a bit of what is printed or written. */
#include "predict/evaluate.h"

#include "base/hash.h"
#include "base/memory.h"
#include "net/outputs/output.h"
#include "net/results.h"
#include "pass/file_watch.h"
#include "pass/model.h"
#include "pass/report.h"
#include "pass/stop.h"
#include "pass/tally.h"
#include "predict/output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Microbatches of a rank in a step: with several, long and short ones, ranks come to about the same. */
enum { MICROBATCHES_OF_RANK = 4 };

enum { REPORT_SECONDS = 10 };

struct evaluation {
    const struct predict_options *options;
    const struct comm *comm;
    struct predict_model *model;
    struct predict_imported *imported;
    struct dataset *dataset;
    struct file_watch watch;
    struct feed feed;
    struct tally tally;
    struct net_score *scores; /* [sequences of a step]; NULL where there are no targets */
    struct predict_output output;
};

/* ---- opening ---- */

static int start_feed(struct evaluation *evaluation, int64_t microbatch, struct error *error)
{
    struct dataset *dataset = evaluation->dataset;
    int64_t batch = microbatch * MICROBATCHES_OF_RANK * evaluation->comm->ranks;
    const struct feed_config feed = {.dataset = dataset,
        .mean = evaluation->model->mean,
        .deviation = evaluation->model->deviation,
        .batch = batch < dataset->sequences ? batch : dataset->sequences,
        .microbatch = microbatch,
        .node = &evaluation->model->node,
        .stop = stop_flag()};
    if (dataset->has_targets) {
        evaluation->scores = memory_create((size_t)feed.batch, sizeof *evaluation->scores, error);
        if (!evaluation->scores || tally_init(&evaluation->tally, 0, error))
            return -1;
    }
    return feed_init(&evaluation->feed, evaluation->comm, &feed, error);
}

/* Each rank calls this for itself. Opens all that a rank needs. */
static void open_all(struct evaluation *evaluation, struct error *error)
{
    const struct predict_options *options = evaluation->options;
    const struct predict_model *model = evaluation->model;
    struct dataset *dataset = predict_open_set(evaluation->imported, evaluation->comm, options, model, error);
    evaluation->dataset = dataset;
    if (!dataset)
        return;
    int64_t microbatch = model->microbatch < dataset->sequences ? model->microbatch : dataset->sequences;
    if (options->output && predict_output_init(&evaluation->output, model, dataset, options, error))
        return;
    start_feed(evaluation, microbatch, error);
}

/* All ranks call. Ranks on other nodes may have another file under the same name, or have been given other
 * options; in either case they would not go in step, or not tell the same story. */
static int check_common(const struct evaluation *evaluation, struct error *error)
{
    const struct dataset *set = evaluation->dataset;
    int64_t shape[] = {set->sequences, set->has_targets,
        evaluation->options->output ? 1 + evaluation->options->format : 0, evaluation->feed.plan.batch,
        evaluation->options->beam};
    size_t bytes = ((size_t)set->sequences + 1) * sizeof *set->input_offsets;
    uint64_t own = hash_combine(hash_bytes(shape, sizeof shape), hash_bytes(set->input_offsets, bytes));
    uint64_t first = own;
    comm_broadcast(evaluation->comm, &first, sizeof first, 0);
    if (own != first)
        error_set(error, EXIT_CODE_DATA,
            "%s: is not the file that rank 0 has under this name, or the options differ: give all ranks the "
            "same",
            set->name);
    return comm_agree(evaluation->comm, error);
}

/* Each rank calls this for itself. What has become of the file comes before an error that may stem from it.
 */
static void look_at_file(struct evaluation *evaluation, struct error *error)
{
    if (error->code)
        file_watch_explain(&evaluation->watch, error);
    else
        file_watch_look(&evaluation->watch, error);
}

/* All ranks call, and share the targets. */
static int require_targets(struct evaluation *evaluation, struct error *error)
{
    const struct comm *comm = evaluation->comm;
    model_require_targets(
        evaluation->model->config, evaluation->dataset, (size_t)comm->rank, (size_t)comm->ranks, error);
    look_at_file(evaluation, error);
    return comm_agree_on_parts(comm, error);
}

/* ---- computing ---- */

static int check_finite(const struct evaluation *evaluation, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error)
{
    size_t bad = microbatch->B;
    for (size_t b = 0; evaluation->scores && b < microbatch->B && bad == microbatch->B; b++)
        if (!isfinite(evaluation->scores[b].loss))
            bad = b;
    if (bad == microbatch->B)
        bad = results_find_infinite(evaluation->model->config, microbatch, outputs);
    if (bad == microbatch->B)
        return 0;
    struct dataset_place place = dataset_find_place(evaluation->dataset, microbatch->sequence[bad]);
    return error_set(error, EXIT_CODE_DATA,
        "%s: sequence %" PRId64 ": what the network makes of it is not finite: give inputs of the size that "
        "it was trained on",
        place.file->path, place.sequence);
}

/* Takes the scores and outputs of a microbatch. */
static int keep(struct evaluation *evaluation, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error)
{
    if (check_finite(evaluation, microbatch, outputs, error))
        return -1;
    if (evaluation->scores)
        tally_add(&evaluation->tally, microbatch->B, evaluation->scores);
    return evaluation->options->output ? predict_output_keep(&evaluation->output, microbatch, outputs, error)
                                       : 0;
}

/* Computes a microbatch with this rank's team, and takes what it came to where this rank leads. Of a team
 * that a member has left it is nothing; why it left is told by that member. */
static int compute_microbatch(struct evaluation *evaluation, struct net_pass pass,
    const struct microbatch *microbatch, struct error *error)
{
    struct predict_model *model = evaluation->model;
    struct net_outputs outputs;
    pass.team = teamwork_team(&model->teamwork);
    if (net_forward(model->net, &pass, microbatch, &outputs, evaluation->scores, error))
        return -1;
    if (stop_signal() || model->teamwork.team.left || !teamwork_leads(&model->teamwork))
        return 0;
    return keep(evaluation, microbatch, &outputs, error);
}

/* Each rank calls this for itself. Computes the microbatches that its team has in the step at hand, or leaves
 * them where it is told to stop: what a microbatch has come to by then is nothing. A rank that has failed
 * tells its node so, where it forms teams. */
static void compute_step(struct evaluation *evaluation, struct error *error)
{
    const struct net_pass pass = {.beam = (size_t)evaluation->options->beam, .unwanted = stop_flag()};
    const struct feed_step *step = &evaluation->feed.now;
    const size_t *range = step->ranges + step->team.first;
    size_t leaf = range[0];
    double wait = 0;
    do {
        const struct microbatch *microbatch = teamwork_take(
            &evaluation->model->teamwork, &evaluation->feed, &pass, leaf < range[1], &wait, error);
        if (!microbatch || compute_microbatch(evaluation, pass, microbatch, error))
            return;
        comm_show_life(evaluation->comm);
    } while (++leaf < range[1] && !stop_signal());
}

/* All ranks call, though one may have failed before. Moves on to the next step and computes this rank's part
 * of it. A rank that has none, as there was no memory to plan it, cannot know whether others wait for it in a
 * team. */
static int next_step(struct evaluation *evaluation, int64_t index, struct error *error)
{
    const struct comm *comm = evaluation->comm;
    struct error unplanned = {0};
    int failed = feed_next(&evaluation->feed, &unplanned);
    if (failed && index > 0)
        comm_fatal(comm, -1, unplanned.code, "%s", unplanned.text);
    if (failed)
        *error = unplanned;
    if (index == 0 && comm_agree(comm, error))
        return -1;
    if (evaluation->options->output && !error->code)
        predict_output_start_step(&evaluation->output, &evaluation->feed.now, error);
    compute_step(evaluation, error);
    return 0;
}

static void report_progress(const struct evaluation *evaluation, struct report *report, int64_t *done)
{
    const struct plan_step *step = &evaluation->feed.now.plan;
    double frames = 0;
    for (size_t leaf = 0; leaf < step->leaves; leaf++)
        frames += (double)step->frames[leaf];
    *done += (int64_t)step->sequences;
    report_work(report, *done, frames);
}

/* All ranks call. A rank that fails, or is told to stop, says so at the end of its part of the step; what
 * goes wrong in writing a step is seen with the next. */
static int compute(struct evaluation *evaluation, struct report *report, struct error *error)
{
    int64_t done = 0;
    for (int64_t index = 0; index < evaluation->feed.plan.steps; index++) {
        if (next_step(evaluation, index, error))
            return -1;
        look_at_file(evaluation, error);
        if (error->code == 0 && stop_signal())
            error_set(
                error, EXIT_CODE_IO, "stopped by %s: nothing is written", stop_signal_name(stop_signal()));
        if (comm_agree(evaluation->comm, error))
            return -1;
        if (evaluation->options->output)
            predict_output_write_step(&evaluation->output, &evaluation->feed.now, error);
        report_progress(evaluation, report, &done);
    }
    return comm_agree(evaluation->comm, error);
}

/* All ranks call. Prints the line about the whole set on rank 0. */
static void say_result(struct evaluation *evaluation, struct report *report)
{
    const struct dataset *dataset = evaluation->dataset;
    char scores[128] = "";
    if (evaluation->scores) {
        size_t n;
        uint64_t *words = tally_words(&evaluation->tally, &n);
        comm_sum_uint64(evaluation->comm, words, n);
        struct net_score sum = tally_total(&evaluation->tally);
        report_figure(scores, sizeof scores, "loss", tally_mean(sum.loss, sum.counted));
        report_figure(scores, sizeof scores, "error", tally_mean(sum.errors, sum.labels));
        if (output_of(evaluation->model->config)->targets == PER_TARGET)
            report_figure(scores, sizeof scores, "sequence_error",
                tally_mean(tally_count_wrong(&evaluation->tally), (double)dataset->sequences));
    }
    if (evaluation->comm->rank == 0 && !predict_is_mixed(evaluation->options->output))
        report_line(report, "sequences=%" PRId64 " frames=%" PRId64 "%s", dataset->sequences, dataset->frames,
            scores);
}

static int evaluate(struct evaluation *evaluation, struct error *error)
{
    const struct predict_options *options = evaluation->options;
    struct report report;
    struct fingerprint print;
    open_all(evaluation, error);
    if (comm_agree(evaluation->comm, error))
        return -1;
    predict_imported_remove(evaluation->imported);
    if (check_common(evaluation, error) ||
        file_watch_begin(&evaluation->watch, evaluation->comm, evaluation->dataset, 0, &print, error) ||
        require_targets(evaluation, error))
        return -1;
    report_init(&report, predict_report_stream(options), options->progress,
        evaluation->comm->rank != 0 || options->verbosity < 0 || predict_is_mixed(options->output),
        REPORT_SECONDS, evaluation->dataset->sequences, 0);
    if (compute(evaluation, &report, error))
        return -1;
    file_watch_look_now(&evaluation->watch, error);
    if (comm_agree(evaluation->comm, error))
        return -1;
    if (options->output)
        predict_output_commit(&evaluation->output, error);
    if (comm_agree(evaluation->comm, error))
        return -1;
    say_result(evaluation, &report);
    return 0;
}

int predict_evaluate(const struct predict_options *options, const struct comm *comm,
    struct predict_model *model, struct predict_imported *imported, struct error *error)
{
    struct evaluation evaluation = {.options = options, .comm = comm, .model = model, .imported = imported};
    int failed = evaluate(&evaluation, error);
    feed_finish(&evaluation.feed);
    predict_output_finish(&evaluation.output);
    tally_finish(&evaluation.tally);
    memory_destroy(evaluation.scores);
    dataset_close(evaluation.dataset);
    return failed;
}
