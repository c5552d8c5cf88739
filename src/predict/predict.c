/* rnn-predict: the set in the order of its file, by the plan and feed of validation, without updates. What a
 * sequence comes to does not depend on which others are computed with it, and sums are made in the order of
 * the dataset; so neither the number of ranks nor --batch changes a bit of what is printed or written. */
#include "predict/predict.h"
#include "predict/generate.h"
#include "predict/labels.h"
#include "predict/model.h"
#include "predict/output.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "pass/model.h"
#include "pass/program.h"
#include "pass/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Microbatches of a rank in a step: with several, long and short ones, ranks come to about the same. */
enum { MICROBATCHES_OF_RANK = 4 };

enum { REPORT_SECONDS = 10 };

/* This rank's own opening. */
static void open_dataset(struct predict *predict, struct error *error)
{
    predict->dataset = dataset_open(predict->options->dataset, predict->options->cache, error);
    if (!predict->dataset || model_accepts(predict->model, predict->dataset, 0, error) ||
        model_require_targets(predict->model, predict->dataset, error))
        return;
    struct dataset *dataset = predict->dataset;
    int64_t microbatch = predict->microbatch < dataset->sequences ? predict->microbatch : dataset->sequences;
    int64_t batch = microbatch * MICROBATCHES_OF_RANK * predict->comm->ranks;
    predict->microbatch = microbatch;
    if (predict_begin_output(predict, error))
        return;
    if (dataset->has_targets) {
        predict->scores = memory_create((size_t)microbatch, sizeof *predict->scores, error);
        if (!predict->scores || tally_init(&predict->tally, (size_t)dataset->sequences, 0, error))
            return;
        tally_start(&predict->tally, (size_t)dataset->sequences, NULL);
    }
    const struct feed_config feed = {.dataset = dataset,
        .mean = predict->shift,
        .deviation = predict->scale,
        .batch = batch < dataset->sequences ? batch : dataset->sequences,
        .microbatch = microbatch};
    feed_init(&predict->feed, predict->comm, &feed, error);
}

/* All. Ranks on other nodes may have another file under the same name, or have been given other options; in
 * either case they would not go in step. */
static int check_common(struct predict *predict, struct error *error)
{
    const struct dataset *set = predict->dataset;
    int64_t shape[] = {set->sequences, set->has_targets, predict->options->output != NULL,
        predict->feed.plan.batch, predict->options->beam};
    size_t bytes = ((size_t)set->sequences + 1) * sizeof *set->input_offsets;
    uint64_t own = hash_combine(hash_bytes(shape, sizeof shape), hash_bytes(set->input_offsets, bytes));
    uint64_t first = own;
    comm_broadcast(predict->comm, &first, sizeof first, 0);
    if (own != first)
        error_set(error, EXIT_CODE_DATA,
            "%s: is not the file that rank 0 has under this name, or the options differ: give all ranks the "
            "same",
            set->path);
    return comm_agree(predict->comm, error);
}

/* This rank's microbatches of the step at hand. */
static int compute_step(struct predict *predict, struct error *error)
{
    const struct net_pass pass = {.beam = (size_t)predict->options->beam};
    const size_t *ranges = predict->feed.now.ranges + predict->comm->rank;
    size_t kept = 0;
    double wait = 0;
    for (size_t leaf = ranges[0]; leaf < ranges[1]; leaf++) {
        const struct microbatch *microbatch = reader_next(predict->feed.reader, &wait, error);
        struct net_outputs outputs;
        if (!microbatch || net_forward(predict->net, &pass, microbatch, &outputs, predict->scores, error))
            return -1;
        if (predict->scores)
            tally_add(&predict->tally, microbatch, predict->scores);
        if (predict->options->output)
            predict_keep(predict, microbatch, &outputs, &kept);
        if (predict->options->output && output_makes_labels(predict->model) &&
            predict_keep_labels(predict, microbatch, &outputs, error))
            return -1;
        comm_show_life(predict->comm);
    }
    return 0;
}

static void report_progress(struct predict *predict, int64_t *done)
{
    const struct plan_step *step = &predict->feed.now.plan;
    double frames = 0;
    for (size_t leaf = 0; leaf < step->leaves; leaf++)
        frames += (double)step->frames[leaf];
    *done += (int64_t)step->sequences;
    report_work(&predict->report, *done, frames);
}

/* All. A rank that fails, or is told to stop, says so at the end of its part of the step; what goes wrong in
 * writing a step is seen with the next. */
static int compute(struct predict *predict, struct error *error)
{
    int64_t done = 0;
    for (int64_t index = 0; index < predict->feed.plan.steps; index++) {
        if (error->code == 0 && feed_next(&predict->feed, error) == 0 &&
            predict_make_room(predict, error) == 0)
            compute_step(predict, error);
        if (error->code == 0 && stop_signal())
            error_set(
                error, EXIT_CODE_IO, "stopped by %s: nothing is written", stop_signal_name(stop_signal()));
        if (comm_agree(predict->comm, error))
            return -1;
        predict_write_step(predict, error);
        report_progress(predict, &done);
    }
    return comm_agree(predict->comm, error);
}

/* All. */
static void say_result(struct predict *predict)
{
    const struct dataset *dataset = predict->dataset;
    char scores[128] = "";
    if (predict->scores) {
        struct net_score sum = tally_sum(&predict->tally, predict->comm);
        snprintf(scores, sizeof scores, " loss=%.9g error=%.9g", tally_mean(sum.loss, sum.counted),
            tally_mean(sum.errors, sum.labels));
        size_t n = strlen(scores);
        if (output_of(predict->model)->targets == PER_TARGET)
            snprintf(scores + n, sizeof scores - n, " sequence_error=%.9g",
                tally_mean(tally_count_wrong(&predict->tally), (double)dataset->sequences));
    }
    if (predict->comm->rank == 0)
        report_line(&predict->report, "sequences=%" PRId64 " frames=%" PRId64 "%s", dataset->sequences,
            dataset->frames, scores);
}

/* The same on all ranks: all have the same model, and options that check_common compares. */
static int check_beam(const struct predict *predict, struct error *error)
{
    if (!predict->options->beam || output_makes_labels(predict->model))
        return 0;
    return error_set(error, EXIT_CODE_USAGE,
        "--beam %lld: only ctc and a decoder of classes search for labels, and %s has output = %s%s: leave "
        "it out",
        (long long)predict->options->beam, predict->checkpoint, output_of(predict->model)->name,
        output_of(predict->model)->has_decoder ? " of real values" : "");
}

/* All. Do all ranks evaluate, or do all generate? */
static int check_task(const struct predict *predict, struct error *error)
{
    int64_t own = predict->options->generate, first = own;
    comm_broadcast(predict->comm, &first, sizeof first, 0);
    if (own != first)
        error_set(error, EXIT_CODE_DATA, "the options differ from those of rank 0: give all ranks the same");
    return comm_agree(predict->comm, error);
}

static int run(struct predict *predict, struct error *error)
{
    if (predict_load_model(predict, error) || check_task(predict, error) || check_beam(predict, error))
        return -1;
    if (predict->options->generate)
        return predict_generate(predict, error);
    open_dataset(predict, error);
    if (comm_agree(predict->comm, error) || check_common(predict, error))
        return -1;
    report_init(&predict->report, predict->options->progress,
        predict->comm->rank != 0 || predict->options->verbosity < 0, REPORT_SECONDS,
        predict->dataset->sequences, 0);
    if (compute(predict, error))
        return -1;
    predict_sum_confusion(predict);
    predict_finish_output(predict, error);
    if (comm_agree(predict->comm, error))
        return -1;
    say_result(predict);
    return 0;
}

static void finish(struct predict *predict)
{
    feed_finish(&predict->feed);
    predict_destroy_output(predict);
    predict_destroy_labels(predict);
    tally_finish(&predict->tally);
    memory_destroy(predict->scores);
    memory_destroy(predict->shift);
    dataset_close(predict->dataset);
    net_destroy(predict->net);
}

int predict_run(const struct predict_options *options)
{
    struct comm comm;
    struct error error = {0};
    program_start(&comm, "rnn-predict", options->verbosity);
    comm_watch(&comm, options->watchdog,
        "run the same command again, without that host if it happens again (--watchdog sets the limit)");
    stop_catch_signals();
    struct predict predict = {.options = options, .comm = &comm};
    if (run(&predict, &error) && comm.rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    finish(&predict);
    comm_finish(&comm);
    return error.code;
}
