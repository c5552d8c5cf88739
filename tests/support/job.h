/* Jobs of rnn-train, started as a user starts them, and what they say and leave behind.
 *
 * A test program works in one folder: job_open makes it before the suite and job_close removes it after, with
 * all that is in it. What jobs of Open MPI leave behind when they are killed lies in that folder too, and in
 * one beside it in shared memory. Names without a slash at the beginning are names in the folder. Failures of
 * this harness fail the test. */
#ifndef TESTS_SUPPORT_JOB_H
#define TESTS_SUPPORT_JOB_H

#include "support/command.h"
#include "support/sample.h"

#include <stdint.h>

/* The time limit of a job on a quick machine (command_patience); none should come near it. */
enum { JOB_SECONDS = 100 };

/* The program is that of the environment variable RNN_TRAIN, with mpirun from MPIRUN. */
void job_open(void);
void job_close(void);

/* "FOLDER/NAME"; the text lasts for the next few calls. */
const char *job_path(const char *name);

/* ---- files ---- */

void job_write(const char *name, const void *bytes, size_t size);
void job_write_text(const char *name, const char *text);
char *job_read(const char *name, size_t *size); /* with a zero byte behind; free. size may be NULL */
int job_exists(const char *name);
void job_copy(const char *from, const char *to);       /* a folder with its files */
void job_remove(const char *name);                     /* a file that is there */
void job_flip(const char *name, size_t at);            /* one bit of the byte `at` */
int job_same_file(const char *one, const char *other); /* byte by byte */
int job_count(const char *run, const char *beginning); /* files of a folder whose names begin so */

/* A dataset drawn from the seed. */
void job_write_sample(const char *name, const struct sample_shape *shape, uint64_t seed);

/* ---- jobs ---- */

/* `rnn-train -o RUN WORD... CONFIG` on so many ranks; 0: without mpirun. The words, at most 40, end with
 * NULL. RUN NULL: without -o. CONFIG NULL: without. */
void job_run(struct command_result *result, int ranks, const char *config, const char *run, ...)
    __attribute__((sentinel));
void job_start(struct command_process *process, int ranks, const char *config, const char *run, ...)
    __attribute__((sentinel));

/* Is the program built with MPICH? May be called outside of tests. */
int job_has_mpich(void);

/* The most of these ranks with which a wrong command line is told once: the first rank tells it, and the
 * launcher ends the others. mpiexec of MPICH may leave them to themselves as long as MPI has not started, and
 * each tells it after a while, so there it is tried without a launcher alone (0). */
int job_most_tellers(int ranks);

/* Waits until a process of the command is writing the file, be it without a name or under a temporary one. */
void job_await_writing(const struct command_process *process, const char *name);

/* Can files of the folder have no name while they are written? Else what a kill leaves goes with the next. */
int job_has_unnamed_files(void);

/* For a shell under mpirun: is this rank 0? By such a shell ranks get different commands; Open MPI 5.0.7's
 * mpirun crashes on a command line with a colon, which would give them too. */
#define JOB_IS_RANK_0 "[ \"${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}\" = 0 ]"

/* The job ended with this exit code, in time, and left no process behind. */
void job_expect(const struct command_result *result, int code);

/* job_run and job_expect of 0; the final weights hash of its `finished:` line into hash. */
void job_finish(char hash[static 17], int ranks, const char *config, const char *run, ...)
    __attribute__((sentinel));

/* Writes train.h5 and valid.h5, 16 short sequences of 2 features and a class of 3 each, and the configuration
 * as base.ini, and has the run directory `run` made by them. */
void job_train_small(const char *config);

/* ---- what it said ---- */

/* How many of the lines begin so, and the `number`th of them (from 1; a copy, free; NULL where there are
 * fewer). */
int job_count_lines(const char *text, const char *beginning);
char *job_line(const char *text, const char *beginning, int number);

/* The value of "NAME=" in the first line that begins so. */
void job_field(const char *text, const char *beginning, const char *name, char value[static 64]);

/* Has the first line that begins so a "NAME="? */
int job_has_field(const char *text, const char *beginning, const char *name);

/* Standard error has this many lines of rnn-train (mpirun adds its own), the first has all the parts (ended
 * by NULL). */
void job_complains(const struct command_result *result, int lines, ...) __attribute__((sentinel));

/* ---- what it left ---- */

/* The value of KEY= in the run's status file. */
void job_status(const char *run, const char *key, char value[static 256]);

/* Rows of metrics.csv so far: lines but the header; 0 where there is no file. */
int64_t job_metrics_rows(const char *run);

/* metrics.csv is whole: its header; a train row for each step in order, a valid row (where there is
 * validation) behind the last step of each epoch; 13 numbers in each; and no more. */
void job_check_metrics(const char *run, int64_t epochs, int64_t steps_of_epoch, int validation);

#endif
