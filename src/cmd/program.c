#include "cmd/program.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/streams.h"
#include "ckpt/place.h"
#include "cmd/completion.h"
#include "comm/launcher.h"
#include "h5/h5.h"
#include "kernel/kernel.h"
#include "pass/program.h"
#include "pass/stop.h"
#include "plan/preview.h"
#include "plan/trial.h"
#include "run/run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Prints "rnn-train 0.2.0 (...)": a line with the versions of MPI, HDF5 and compiler, and the instruction
 * set. */
static void print_version(const char *program)
{
    char mpi[96], hdf5[64];
    struct error error;
    comm_version(mpi, sizeof mpi);
    h5_version(hdf5, sizeof hdf5);
    const struct kernel *kernel = kernel_choose(&error);
    printf("%s %s (%s, %s, %s, instruction set %s of %s)\n", program, RNN_VERSION, mpi, hdf5, RNN_COMPILER,
        kernel ? kernel->name : "none", kernel_list());
}

void program_begin(const char *program)
{
    streams_begin();
    memory_begin();
    log_set_speaker(program, -1, "");
    if (!launcher_get()->first)
        log_set_level(LOG_ERROR); /* warnings about the command line are printed once */
}

int program_refuse(const struct error *error)
{
    enum { PATIENCE = 5 /* seconds */ };
    /* A launcher of MPI ends all processes once one has failed: what the first says is not said again. Who
     * still has time to speak afterwards was given another command line. srun lets its tasks be. */
    if (!launcher_get()->first)
        sleep(PATIENCE);
    if (launcher_get()->first || !launcher_get()->apart)
        log_line(LOG_ERROR, "%s", error->text);
    return error->code;
}

void program_answer(const char *program, enum options_ask ask, const struct option_table *table)
{
    struct completion completion = {.program = program};
    if (!launcher_get()->first)
        return;
    if (ask == ASK_HELP) {
        options_write_help(table, stdout);
    } else if (ask == ASK_VERSION) {
        print_version(program);
    } else {
        completion_add(&completion, NULL, NULL, table);
        completion_print(&completion, ask);
    }
}

static void log_warning(void *context, const char *text)
{
    const struct comm *comm = context;
    if (comm->rank == 0)
        log_line(LOG_WARNING, "%s", text);
}

/* What there is to say of a configuration that is read before MPI has told who speaks. */
struct remarks {
    size_t count;
    struct {
        enum log_level level;
        char *text; /* the owner's; NULL: there was no memory for it */
    } item[100];    /* more than the faults that are said; of warnings those that come first */
};

static void keep_remark(struct remarks *remarks, enum log_level level, const char *text)
{
    if (remarks->count == sizeof remarks->item / sizeof *remarks->item)
        return;
    remarks->item[remarks->count].level = level;
    remarks->item[remarks->count++].text = strdup(text);
}

static void keep_warning(void *context, const char *text)
{
    keep_remark(context, LOG_WARNING, text);
}

static void keep_fault(void *context, const char *text)
{
    keep_remark(context, LOG_ERROR, text);
}

/* Says them where `aloud`, and forgets them. */
static void end_remarks(struct remarks *remarks, int aloud)
{
    for (size_t i = 0; i < remarks->count; i++) {
        if (aloud && remarks->item[i].text)
            log_line(remarks->item[i].level, "%s", remarks->item[i].text);
        free(remarks->item[i].text);
    }
    remarks->count = 0;
}

static void log_fault(void *context, const char *text)
{
    const struct comm *comm = context;
    if (comm->rank == 0)
        log_line(LOG_ERROR, "%s", text);
}

static const char advice[] = "run the same command again to continue from the last checkpoint, without that "
                             "host if it happens again (train.watchdog sets the limit)";

enum { MOST_FAULTS = 50 /* of a configuration that are said */ };

/* Rank 0 calls. What keys say together is asked here before anything is made of them, but not of a run that
 * goes on: its own values come first (run/resume.c). */
static void check_config(const struct train_options *options, struct config *config, struct faults *faults)
{
    char directory[PATH_MAX];
    struct error error; /* which is told where the directory is needed */
    int run = options_run_directory(options, directory, sizeof directory, &error) == 0 &&
        place_look(directory) == PLACE_RUN;
    int looks = options->plan || options->check;
    if (run && looks)
        preview_take_run(directory, config);
    if (!run || looks || options->fresh)
        config_check(config, faults);
}

/* All ranks call, each with the faults of its reading, and rank 0 says what there is to say. Where there is
 * to be a run, the ranks are watched from here on. */
static int agree_on_config(struct comm *comm, const struct train_options *options, struct config *config,
    struct faults *faults, struct remarks *remarks)
{
    struct error error = {0};
    if (comm->rank == 0)
        check_config(options, config, faults);
    int code = faults->code;
    end_remarks(remarks, comm->rank == 0);
    if (!options->plan && !options->check)
        comm_watch(comm, config->train.watchdog, advice);
    if (code) {
        if (comm->rank == 0)
            return comm_agree(comm, &(struct error){.code = code}), code;
        error_set(&error, (enum exit_code)code, "%s: cannot be read here as on rank 0", options->config);
    }
    if (comm_agree(comm, &error) == 0)
        return 0;
    if (comm->rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    return error.code;
}

static int train(struct comm *comm, const struct train_options *options, struct config *config,
    const char *command, double start)
{
    char directory[PATH_MAX];
    struct error error = {0};
    if (options_run_directory(options, directory, sizeof directory, &error)) {
        if (comm->rank == 0)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    struct run run = {.comm = comm,
        .config = config,
        .options = options,
        .directory = directory,
        .command = command,
        .start = start};
    struct last_words words = {.tell = run_tell_end, .context = &run};
    if (!options->trial)
        comm_before_end(comm, &words);
    int code = options->trial ? trial_make(&run) : run_train(&run);
    comm_before_end(comm, NULL);
    run_close(&run);
    return code;
}

/* Rank 0 calls. */
static int check(const struct comm *comm, const struct train_options *options, const struct config *config)
{
    char directory[PATH_MAX];
    struct error error;
    struct faults faults;
    if (options_run_directory(options, directory, sizeof directory, &error)) {
        log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    faults_init(&faults, 100, log_fault, (void *)comm);
    faults.warn = log_warning;
    int code = preview_check(config, options, directory, &faults);
    if (faults.count >= faults.most)
        log_line(LOG_ERROR, "no more than %zu faults are told: there may be others", faults.most);
    return code;
}

/* Ranks that run share this node, as far as is known here; others are thought to have a processor each. */
static struct planned_ranks count_ranks(const struct comm *comm, const struct train_options *options)
{
    size_t all = (size_t)(options->plan_ranks ? options->plan_ranks : comm->ranks), node = all;
    if (options->ranks_per_node)
        node = (size_t)options->ranks_per_node;
    else if (options->plan_ranks)
        node = machine_count_processors();
    return (struct planned_ranks){.all = all, .node = node < all ? node : all};
}

/* All ranks call. Rank 0 alone does what --plan and --check ask for. */
static int preview(const struct comm *comm, const struct train_options *options, const struct config *config)
{
    struct error error = {0};
    int64_t code = 0;
    if (comm->rank == 0 && options->check) {
        code = check(comm, options, config);
    } else if (comm->rank == 0) {
        struct planned_ranks ranks = count_ranks(comm, options);
        if (preview_plan(config, &ranks, options, &error)) {
            log_line(LOG_ERROR, "%s", error.text);
            code = error.code;
        }
    }
    comm_broadcast(comm, &code, sizeof code, 0);
    return (int)code;
}

/* All ranks call. Starts MPI on all for the same purpose. Returns the exit code. */
static int start(struct comm *comm, const struct train_options *options, double watchdog)
{
    char *common = options_describe(&train_option_table, options);
    const struct comm_purpose purpose = {
        .program = "rnn-train", .options = common, .limit = watchdog, .advice = advice};
    int code = program_start(comm, &purpose, options->verbosity);
    free(common);
    return code;
}

int program_train(const struct train_options *options, const char *command)
{
    double begun = clock_now();
    struct comm comm;
    struct config config;
    struct remarks remarks = {0};
    struct faults faults;
    if (!options->plan && !options->check && launcher_hopeless())
        return EXIT_CODE_USAGE;
    if (!options->plan && !options->check && !options->trial)
        stop_catch_signals(); /* as early as a job may be asked to stop */
    /* Every rank reads before MPI starts, since train.watchdog holds for that start, too. */
    faults_init(&faults, MOST_FAULTS, keep_fault, &remarks);
    faults.warn = keep_warning;
    config_read_keys(&config, options->config, options->set.count, options->set.item, &faults);
    int code = start(&comm, options, config.train.watchdog);
    if (code == 0)
        code = agree_on_config(&comm, options, &config, &faults, &remarks);
    if (code == 0 && (options->plan || options->check))
        code = preview(&comm, options, &config);
    else if (code == 0 && launcher_misplaced(&comm))
        code = EXIT_CODE_USAGE;
    else if (code == 0)
        code = train(&comm, options, &config, command, begun);
    end_remarks(&remarks, 0);
    config_finish(&config);
    comm_finish(&comm);
    return code;
}
