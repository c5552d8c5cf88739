#include "mpi/trial.h"

#include <stdio.h>
#include <unistd.h>

static char folder[TRIAL_PATH / 2]; /* Check hands its tests no context */

const char *trial_path(const char *name)
{
    static char path[TRIAL_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void trial_write_sample(const char *name, const struct sample_shape *shape, uint64_t seed, float factor)
{
    if (mpi_suite_comm()->rank == 0) {
        struct sample sample;
        sample_init(&sample, shape, seed);
        for (int64_t i = 0; sample.values && i < sample.targets * (int64_t)shape->values; i++)
            sample.values[i] *= factor;
        sample_write(&sample, trial_path(name));
        sample_finish(&sample);
    }
    comm_barrier(mpi_suite_comm());
}

static void write_config(void)
{
    static const char text[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                               "[model]\noutput = frame\nloss = mse\nlayers = 1\nhidden = 5\n"
                               "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";
    if (mpi_suite_comm()->rank == 0) {
        FILE *file = fopen(trial_path("run.ini"), "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
    }
    comm_barrier(mpi_suite_comm());
}

void trial_begin(struct trial *trial, const char *name, const char *const *set)
{
    struct faults faults;
    size_t sets = 0;
    while (set[sets])
        sets++;
    *trial = (struct trial){.options = {.verbosity = -2}};
    faults_init(&faults, 0, NULL, NULL);
    config_init(&trial->config);
    mpi_assert(config_read(&trial->config, trial_path("run.ini"), sets, set, &faults) == 0);
    snprintf(trial->directory, sizeof trial->directory, "%s/%s", folder, name);
    trial->run = (struct run){.comm = mpi_suite_comm(),
        .config = &trial->config,
        .options = &trial->options,
        .directory = trial->directory,
        .command = ""};
}

void trial_open(struct trial *trial, const char *name, const char *const *set)
{
    struct error error;
    trial_begin(trial, name, set);
    mpi_assert(run_open(&trial->run, &error) == 0 && !trial->run.progress.finished);
}

void trial_close(struct trial *trial)
{
    run_close(&trial->run);
    config_finish(&trial->config);
}

int trial_end(struct trial *trial)
{
    int code = run_train(&trial->run);
    trial_close(trial);
    return code;
}

int trial_make(const char *name, const char *const *set)
{
    struct trial trial;
    trial_begin(&trial, name, set);
    return trial_end(&trial);
}

int trial_exists(const char *name)
{
    return access(trial_path(name), F_OK) == 0;
}

void trial_remove(const char *name)
{
    comm_barrier(mpi_suite_comm());
    if (mpi_suite_comm()->rank == 0)
        sample_remove_folder(trial_path(name));
    comm_barrier(mpi_suite_comm());
}

void trial_make_folder(void)
{
    static const struct sample_shape train = {
        .sequences = 11, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    static const struct sample_shape valid = {
        .sequences = 4, .shortest = 20, .longest = 30, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    if (mpi_suite_comm()->rank == 0)
        sample_make_folder(folder, sizeof folder);
    comm_broadcast(mpi_suite_comm(), folder, sizeof folder, 0);
    trial_write_sample("train.h5", &train, 1, 1);
    trial_write_sample("valid.h5", &valid, 2, 1);
    write_config();
}

void trial_remove_folder(void)
{
    trial_remove("");
}
