#define _GNU_SOURCE /* unshare */
/* The run directory: files whole or not at all, which checkpoints stay, rows that stand once, and one job at
 * a time. */
#include "base/memory.h"
#include "base/temporary.h"
#include "ckpt/layout.h"
#include "ckpt/place.h"
#include "ckpt/process.h"
#include "ckpt/rows.h"
#include "ckpt/rundir.h"
#include "ckpt/seal.h"
#include "ckpt/status.h"
#include "ckpt/totals.h"
#include "h5/h5.h"
#include "support/checkpoints.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void put(const char *name, const char *text)
{
    write_file(in_folder(name), text, strlen(text));
}

/* The content of a file, in a buffer that the next call reuses. */
static const char *get(const char *name)
{
    static char text[1 << 16];
    FILE *file = fopen(in_folder(name), "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static int is_there(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names in the folder, sorted, a blank behind each. */
static const char *names(void)
{
    static char all[2048];
    char *name[64];
    size_t count = 0;
    DIR *stream = opendir(folder_path());
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            name[count++] = strdup(entry->d_name);
    closedir(stream);
    qsort(name, count, sizeof *name, by_name);
    all[0] = 0;
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(all, name[i]), " ");
        free(name[i]);
    }
    return all;
}

#define ck_assert_says(text, part) ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part)

/* ---- files ---- */

START_TEST(a_file_is_replaced_whole)
{
    struct error error = {0};
    ck_assert_int_eq(rundir_write_file(folder_path(), "config.ini", "one", 3, &error), 0);
    ck_assert_str_eq(get("config.ini"), "one");
    ck_assert_int_eq(rundir_write_file(folder_path(), "config.ini", "", 0, &error), 0);
    ck_assert_str_eq(get("config.ini"), "");
    char stale[TEMPORARY_NAME];
    temporary_name("config.ini", stale);
    put(stale, "left behind by a process of the same number");
    ck_assert_int_eq(rundir_write_file(folder_path(), "config.ini", "two\n", 4, &error), 0);
    ck_assert_str_eq(get("config.ini"), "two\n");
    ck_assert_str_eq(names(), "config.ini ");
}
END_TEST

START_TEST(a_directory_that_cannot_be_written_says_why)
{
    struct error error = {0};
    put("file", "");
    ck_assert_int_eq(rundir_write_file(in_folder("none"), "status", "x", 1, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "No such file");
    ck_assert_int_eq(rundir_create(in_folder("file/run"), &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "Not a directory");
    ck_assert_int_eq(rundir_create("/proc/rnn-train-run", &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_int_eq(rundir_create("", &error), -1);
    if (geteuid() != 0) {
        ck_assert_int_eq(mkdir(in_folder("closed"), 0555), 0);
        ck_assert_int_eq(rundir_create(in_folder("closed"), &error), -1);
        ck_assert_says(error.text, "no file can be created in it");
    }
}
END_TEST

START_TEST(missing_parents_are_created)
{
    struct error error = {0};
    ck_assert_int_eq(rundir_create(in_folder("a/b//c/"), &error), 0);
    ck_assert_int_eq(rundir_create(in_folder("a/b/c"), &error), 0);
    ck_assert_int_eq(rundir_write_file(in_folder("a/b/c"), "status", "x", 1, &error), 0);
    ck_assert(is_there("a/b/c/status"));
    ck_assert_int_eq(chdir(folder_path()), 0);
    ck_assert_int_eq(rundir_create("here", &error), 0);
    ck_assert_int_eq(rundir_create("x/../y", &error), 0);
    ck_assert(is_there("here") && is_there("y"));
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(status_has_four_lines_and_is_read_again)
{
    struct run_status status = {.state = "stopped", .step = 57, .reason = "two\nlines"}, read;
    struct error error = {0};
    ck_assert_int_eq(status_read(folder_path(), &read, NULL), 0);
    ck_assert_int_eq(status_write(folder_path(), &status, NULL), 0);
    ck_assert_str_eq(get("status"), "state=stopped\nstep=57\nreason=two?lines\nrun=\n");
    status = (struct run_status){.state = "running", .run = "0123456789abcdef"};
    ck_assert_int_eq(status_write(folder_path(), &status, NULL), 0);
    ck_assert_str_eq(get("status"), "state=running\nstep=0\nreason=\nrun=0123456789abcdef\n");
    ck_assert_int_eq(status_read(folder_path(), &read, NULL), 1);
    ck_assert_str_eq(read.state, "running");
    ck_assert_str_eq(read.run, "0123456789abcdef");
    put("status", "state=stopped\nstep=7\nreason=as before runs had identifiers\n");
    ck_assert_int_eq(status_read(folder_path(), &read, NULL), 1);
    ck_assert_int_eq(read.step, 7);
    ck_assert_str_eq(read.run, "");
    static const char *const others[] = {"", "state=\nstep=1\nreason=\n", "state=on\nstep=x\nreason=\n",
        "state=on\nstep=-1\nreason=\n", "step=1\nstate=on\nreason=\n", "state=on\nstep=1\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put("status", others[i]);
        ck_assert_int_eq(status_read(folder_path(), &read, &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    }
}
END_TEST

START_TEST(a_run_is_known_by_what_only_a_run_writes_and_cleared_of_it_alone)
{
    struct error error;
    ck_assert_int_eq(place_look(in_folder("none")), PLACE_FREE);
    ck_assert_int_eq(rundir_clear(in_folder("none"), NULL), 0);
    const char *const nothing[] = {".config.ini.tmp-node-1-17", ".checkpoint-0000000002.h5.tmp-5",
        ".best.h5.tmp-n-5", "lock", ".lock.tmp-node-7", ".nfs0000001"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        put(nothing[i], "");
    ck_assert_int_eq(place_look(folder_path()), PLACE_FREE);
    const char *const others[] = {"notes.txt", "checkpoint-1.h5", "checkpoint-0000000001.h5.bak",
        "checkpoint-00000000x1.h5", ".notes.tmp-1", "config.ini.tmp-5", "checkpoint-0000000001.h5.kept-1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(others[i], "");
    put("config.ini", "[data]\n");
    put("metrics.csv", "step,epoch\n1,1\n");
    put("status", "thesis: chapter 2\n");
    put("best.h5", "");
    ck_assert_int_eq(place_look(folder_path()), PLACE_OTHER);
    ck_assert_int_eq(place_check(folder_path(), &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "is neither empty nor a run directory (it holds ");
    put("status", "state=running\nstep=0\nreason=\n");
    ck_assert_int_eq(place_look(folder_path()), PLACE_RUN);
    put("status", "");
    put("metrics.csv", rows_header);
    ck_assert_int_eq(place_check(folder_path(), &error), 0);
    put("metrics.csv", "");
    put("checkpoint-12345678901.h5", "");
    ck_assert_int_eq(place_look(folder_path()), PLACE_RUN);
    ck_assert_int_eq(rundir_clear(folder_path(), NULL), 0);
    ck_assert_str_eq(names(),
        ".lock.tmp-node-7 .nfs0000001 .notes.tmp-1 checkpoint-0000000001.h5.bak "
        "checkpoint-0000000001.h5.kept-1 "
        "checkpoint-00000000x1.h5 checkpoint-1.h5 config.ini.tmp-5 lock notes.txt ");
}
END_TEST

START_TEST(a_configuration_must_not_be_the_runs_own_by_another_name)
{
    struct error error;
    char run[512], link_path[512], hard[512], dots[512], mine[512];
    snprintf(run, sizeof run, "%s", in_folder("run"));
    ck_assert_int_eq(mkdir(run, 0777), 0);
    put("run/config.ini", "");
    put("mine.ini", "");
    snprintf(mine, sizeof mine, "%s", in_folder("mine.ini"));
    snprintf(link_path, sizeof link_path, "%s", in_folder("link.ini"));
    snprintf(hard, sizeof hard, "%s", in_folder("hard.ini"));
    snprintf(dots, sizeof dots, "%s", in_folder("run/../run/config.ini"));
    ck_assert_int_eq(symlink(in_folder("run/config.ini"), link_path), 0);
    ck_assert_int_eq(link(in_folder("run/config.ini"), hard), 0);
    ck_assert_int_eq(place_check_config(run, mine, &error), 0);
    ck_assert_int_eq(place_check_config(run, dots, &error), 0);
    ck_assert_int_eq(place_check_config(run, in_folder("none.ini"), &error), 0);
    ck_assert_int_eq(place_check_config(run, hard, &error), -1);
    ck_assert_int_eq(place_check_config(run, link_path, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "/link.ini: is ");
    ck_assert_says(error.text, "/run/config.ini by another name");
}
END_TEST

START_TEST(what_cannot_be_removed_is_named_with_its_reason)
{
    struct error error = {0};
    ck_assert_int_eq(mkdir(in_folder("config.ini"), 0777), 0);
    ck_assert_int_eq(rundir_clear(folder_path(), &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "/config.ini: cannot be removed: ");
    ck_assert_int_eq(rmdir(in_folder("config.ini")), 0);
}
END_TEST

/* ---- checkpoints ---- */

static char said[4096];

static void take_said(void *context, const char *text)
{
    strcat(strcat(said, text), "\n");
}

/* The directory as a process of the run of checkpoints_make finds it, which has written nothing yet; what is
 * said goes to `said`. Of damaged checkpoints metrics.csv knows up to step 100. */
static struct own *owner(void)
{
    static struct own own;
    own_finish(&own);
    own = (struct own){.directory = folder_path(), .warn = take_said, .run = CHECKPOINTS_RUN, .known = 100};
    return &own;
}

static void save_by(struct own *own, int64_t step, int64_t keep)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    net_destroy(checkpoints_make(&checkpoint, 1, 2, step));
    ck_assert_msg(rundir_save(own, &checkpoint, keep, &error) == 0, "%s", error.text);
    checkpoint_finish(&checkpoint);
}

static void save(int64_t step, int64_t keep)
{
    save_by(owner(), step, keep);
}

/* Loads the newest; the step, 0 where there is none, -1 where none is valid. What is said goes to `said`. */

static int64_t load(void)
{
    struct checkpoint checkpoint, want;
    struct error error = {0};
    said[0] = 0;
    checkpoint_init(&checkpoint);
    int outcome = rundir_load_newest(owner(), &checkpoint, &error);
    if (outcome <= 0) {
        ck_assert_int_eq(error.code, outcome ? EXIT_CODE_DATA : 0);
        strcat(said, error.text);
        return outcome;
    }
    int64_t step = checkpoint.progress.step;
    net_destroy(checkpoints_make(&want, 1, 2, step));
    checkpoints_compare(&want, &checkpoint);
    checkpoint_finish(&want);
    checkpoint_finish(&checkpoint);
    return step;
}

START_TEST(the_newest_are_kept_and_the_newest_is_loaded)
{
    ck_assert_int_eq(load(), 0);
    for (int64_t step = 1; step <= 12; step++) {
        save(step, step < 6 ? 2 : 3);
        ck_assert_int_eq(load(), step);
        ck_assert_str_eq(said, "");
    }
    ck_assert_str_eq(names(), "checkpoint-0000000010.h5 checkpoint-0000000011.h5 checkpoint-0000000012.h5 ");
    put(".checkpoint-0000000013.h5.tmp-99", "cut short by a crash");
    put("checkpoint-0000000002.txt", "not ours");
    save(20, 0);
    ck_assert_str_eq(names(), "checkpoint-0000000002.txt checkpoint-0000000020.h5 ");
    char path[600];
    directory_step_path(folder_path(), 20, path, sizeof path);
    ck_assert_str_eq(path, in_folder("checkpoint-0000000020.h5"));
}
END_TEST

START_TEST(best_is_the_same_bytes)
{
    struct checkpoint checkpoint;
    char command[1200];
    net_destroy(checkpoints_make(&checkpoint, 1, 2, 5));
    ck_assert_int_eq(rundir_save(owner(), &checkpoint, 1, NULL), 0);
    ck_assert_int_eq(rundir_save_best(owner(), &checkpoint, NULL), 0);
    checkpoint_finish(&checkpoint);
    snprintf(command, sizeof command, "cmp '%s' '%s'", in_folder("best.h5"),
        in_folder("checkpoint-0000000005.h5"));
    ck_assert_int_eq(system(command), 0);
}
END_TEST

static void damage(const char *name)
{
    FILE *file = fopen(in_folder(name), "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, 5000, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 5000, SEEK_SET);
    fputc(byte ^ 4, file);
    fclose(file);
}

START_TEST(damaged_checkpoints_are_passed_over_and_told)
{
    save(10, 3);
    save(20, 3);
    save(30, 3);
    damage("checkpoint-0000000030.h5");
    ck_assert_int_eq(load(), 20);
    ck_assert_says(said, "checkpoint-0000000030.h5: is damaged");
    ck_assert_int_eq(truncate(in_folder("checkpoint-0000000020.h5"), 7000), 0);
    ck_assert_int_eq(load(), 10);
    ck_assert_says(said, "checkpoint-0000000020.h5: has no hash line");
    put("checkpoint-0000000040.h5", "");
    ck_assert_int_eq(load(), 10);
    ck_assert_says(said, "checkpoint-0000000040.h5: is empty");
    damage("checkpoint-0000000010.h5");
    ck_assert_int_eq(load(), -1);
    ck_assert_says(said, "none of its 4 checkpoints is valid");
}
END_TEST

START_TEST(saving_after_a_fallback_never_leaves_damaged_ones_alone)
{
    save(10, 2);
    save(20, 2);
    damage("checkpoint-0000000020.h5");
    ck_assert_int_eq(load(), 10);
    save(15, 1);
    ck_assert_str_eq(names(), "checkpoint-0000000015.h5 ");
    ck_assert_int_eq(load(), 15);
}
END_TEST

START_TEST(a_checkpoint_under_another_name_is_not_resumed_from)
{
    save(10, 2);
    save(20, 2);
    ck_assert_int_eq(rename(in_folder("checkpoint-0000000010.h5"), in_folder("checkpoint-0000000090.h5")), 0);
    ck_assert_int_eq(load(), 20);
    ck_assert_says(said, "checkpoint-0000000090.h5: holds step 10");
}
END_TEST

/* ---- whose files they are ---- */

static void put_newer(const char *name)
{
    struct h5_image *image = h5_image_create(NULL);
    void *bytes;
    size_t size;
    h5_image_attribute_text(image, "/", "format", "rnn-train checkpoint");
    h5_image_attribute_int32(image, "/", "format_version", CHECKPOINT_VERSION + 1);
    ck_assert_int_eq(h5_image_finish(image, &bytes, &size, NULL), 0);
    seal_write(bytes, size, (char *)bytes + size);
    write_file(in_folder(name), bytes, size + SEAL_BYTES);
    memory_destroy(bytes);
}

static void refuse_newer(const char *file)
{
    struct error error = {0};
    ck_assert_int_eq(rundir_refuse_newer(folder_path(), &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "nothing was changed: --fresh would remove what a newer program wrote: ");
    ck_assert_says(error.text, file);
}

START_TEST(a_newer_programs_checkpoint_is_refused_and_never_touched)
{
    save(10, 3);
    ck_assert_int_eq(rundir_refuse_newer(folder_path(), NULL), 0);
    put_newer("checkpoint-0000000020.h5");
    ck_assert_int_eq(load(), -1);
    ck_assert_says(said, "nothing was changed: ");
    ck_assert_says(said, "checkpoint-0000000020.h5: has checkpoint format");
    ck_assert_says(said, "use the version that wrote it");
    refuse_newer("checkpoint-0000000020.h5: has checkpoint format");
    ck_assert_str_eq(names(), "checkpoint-0000000010.h5 checkpoint-0000000020.h5 ");
    save(30, 1);
    ck_assert_int_eq(rundir_forget_later(owner(), 15, NULL), 0);
    ck_assert_str_eq(names(), "checkpoint-0000000020.h5 ");
    put_newer("best.h5");
    refuse_newer("best.h5: has checkpoint format");
    save(20, 1);
    ck_assert_str_eq(names(), "best.h5 checkpoint-0000000020.h5 checkpoint-0000000020.h5.kept-1 ");
}
END_TEST

/* Puts a checkpoint of another run there; "" stands for one of a time without identifiers. */
static void put_of(const char *run, int64_t step)
{
    struct checkpoint checkpoint;
    void *bytes;
    size_t size;
    char path[600];
    net_destroy(checkpoints_make(&checkpoint, 1, 2, step));
    snprintf(checkpoint.provenance.run, sizeof CHECKPOINTS_RUN, "%s", run);
    ck_assert_int_eq(checkpoint_encode(&checkpoint, &bytes, &size, NULL), 0);
    directory_step_path(folder_path(), step, path, sizeof path);
    write_file(path, bytes, size);
    memory_destroy(bytes);
    checkpoint_finish(&checkpoint);
}

static void copy(const char *from, const char *to)
{
    char command[1200];
    snprintf(command, sizeof command, "cp '%s' '%s'", in_folder(from), in_folder(to));
    ck_assert_int_eq(system(command), 0);
}

START_TEST(only_what_the_run_wrote_itself_is_replaced_or_removed)
{
    save(10, 9);
    save(20, 9);
    put_of("00000000000000b2", 25);
    copy("checkpoint-0000000020.h5", "checkpoint-0000000099.h5");
    save(30, 2); /* 30 and 20 are the run's own */
    ck_assert_str_eq(names(),
        "checkpoint-0000000020.h5 checkpoint-0000000025.h5 "
        "checkpoint-0000000030.h5 checkpoint-0000000099.h5 ");
    ck_assert_int_eq(load(), 30);
    ck_assert_says(said, "checkpoint-0000000099.h5: holds step 20, not what its name says");
    said[0] = 0;
    save(99, 1);
    ck_assert_says(said, "checkpoint-0000000099.h5: was not written by this run");
    ck_assert_str_eq(
        names(), "checkpoint-0000000025.h5 checkpoint-0000000099.h5 checkpoint-0000000099.h5.kept-1 ");
    put_of("00000000000000b2", 120);
    ck_assert_int_eq(load(), 99);
    ck_assert_says(said, "checkpoint-0000000120.h5: is of another run");
    ck_assert_int_eq(rundir_forget_later(owner(), 1, NULL), 0);
    ck_assert_str_eq(
        names(), "checkpoint-0000000025.h5 checkpoint-0000000099.h5.kept-1 checkpoint-0000000120.h5 ");
}
END_TEST

/* How often the file was read since the last call. */
static int count_reads(int watch)
{
    char events[4096] __attribute__((aligned(8)));
    int reads = 0;
    for (ssize_t size; (size = read(watch, events, sizeof events)) > 0;)
        for (char *at = events; at < events + size;) {
            const struct inotify_event *event = (const void *)at;
            reads += (event->mask & IN_ACCESS) != 0;
            at += sizeof *event + event->len;
        }
    return reads;
}

START_TEST(what_is_not_the_runs_is_read_once_and_again_when_it_has_changed)
{
    struct own *own = owner();
    put_of("00000000000000b2", 25);
    int watch = inotify_init1(IN_NONBLOCK);
    ck_assert_int_ge(inotify_add_watch(watch, in_folder("checkpoint-0000000025.h5"), IN_ACCESS), 0);
    save_by(own, 30, 1);
    ck_assert_int_gt(count_reads(watch), 0);
    save_by(own, 40, 1);
    save_by(own, 50, 1);
    ck_assert_int_eq(count_reads(watch), 0);
    put_of(CHECKPOINTS_RUN, 25);
    save_by(own, 60, 1); /* it is the run's own now, and no longer needed */
    ck_assert_str_eq(names(), "checkpoint-0000000060.h5 ");
    close(watch);
}
END_TEST

START_TEST(of_a_time_without_identifiers_metrics_knows_the_runs_steps)
{
    put_of("", 90);
    put_of("", 100);
    put_of("", 110);
    save(130, 1);
    ck_assert_str_eq(names(), "checkpoint-0000000110.h5 checkpoint-0000000130.h5 ");
    put("metrics.csv", "step,epoch\n1,1,train\n103,2,train\nnone\n17,2,valid\n");
    ck_assert_int_eq(metrics_last_step(folder_path()), 103);
    ck_assert_int_eq(unlink(in_folder("metrics.csv")), 0);
    ck_assert_int_eq(metrics_last_step(folder_path()), 0);
}
END_TEST

START_TEST(somebody_elses_best_is_kept_under_another_name)
{
    struct checkpoint checkpoint;
    struct own *own = owner();
    put_of("00000000000000b2", 10);
    ck_assert_int_eq(rename(in_folder("checkpoint-0000000010.h5"), in_folder("best.h5")), 0);
    net_destroy(checkpoints_make(&checkpoint, 1, 2, 20));
    said[0] = 0;
    ck_assert_int_eq(rundir_save_best(own, &checkpoint, NULL), 0);
    ck_assert_says(said, "best.h5: was not written by this run");
    ck_assert_int_eq(rundir_save_best(own, &checkpoint, NULL), 0);
    ck_assert_int_eq(rundir_save_best(owner(), &checkpoint, NULL), 0);
    ck_assert_str_eq(names(), "best.h5 best.h5.kept-1 ");
    checkpoint_finish(&checkpoint);
}
END_TEST

START_TEST(no_two_runs_have_one_identifier)
{
    struct own one = {.run = ""}, other = {.run = ""};
    own_begin_run(&one);
    own_begin_run(&other);
    ck_assert_uint_eq(strlen(one.run), OWN_RUN - 1);
    ck_assert_str_ne(one.run, other.run);
}
END_TEST

/* Saves that must fail for want of room, and leave all as it was. */
static void save_without_room(void)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    net_destroy(checkpoints_make(&checkpoint, 1, 2, 20));
    ck_assert_int_eq(rundir_save(owner(), &checkpoint, 1, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "checkpoint-0000000020.h5: cannot be written");
    ck_assert_says(error.text, "make room");
    ck_assert_int_eq(rundir_save_best(owner(), &checkpoint, &error), -1);
    ck_assert_says(error.text, "best.h5");
    checkpoint_finish(&checkpoint);
}

START_TEST(a_file_size_limit_leaves_the_old_checkpoint)
{
    save(10, 1);
    struct checkpoint checkpoint;
    net_destroy(checkpoints_make(&checkpoint, 1, 2, 10));
    ck_assert_int_eq(rundir_save_best(owner(), &checkpoint, NULL), 0);
    checkpoint_finish(&checkpoint);
    struct rlimit limit, small = {20000, 20000};
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    save_without_room();
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_str_eq(names(), "best.h5 checkpoint-0000000010.h5 ");
    ck_assert_int_eq(load(), 10);
    save(20, 1);
    ck_assert_int_eq(load(), 20);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_checkpoint)
{
    char *fill = memory_create(1, 1 << 20, NULL);
    /* In a space of mounts of its own, which ends with this process however it ends. */
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("test", folder_path(), "tmpfs", 0, "size=40k") != 0) {
        memory_destroy(fill);
        return; /* not permitted here: the limit of file sizes stands for it */
    }
    save(10, 1);
    struct error error = {0};
    int outcome = rundir_write_file(folder_path(), "config.ini", fill, 1 << 20, &error);
    int code = error.code;
    save_without_room();
    char left[2048];
    snprintf(left, sizeof left, "%s", names());
    int64_t step = load();
    ck_assert_int_eq(umount(folder_path()), 0);
    memory_destroy(fill);
    ck_assert_int_eq(outcome, -1);
    ck_assert_int_eq(code, EXIT_CODE_IO);
    ck_assert_says(error.text, "No space left on device");
    ck_assert_str_eq(left, "checkpoint-0000000010.h5 ");
    ck_assert_int_eq(step, 10);
}
END_TEST

/* ---- metrics ---- */

static const char header[] =
    "step,epoch,split,sequences,frames,loss,error,learning_rate,gradient_norm,seconds,"
    "frames_per_second,data_wait,comm_wait\n";

/* The progress of a run in its first epoch. */
static struct progress first_epoch(int64_t steps)
{
    return (struct progress){.epoch = 1, .step = steps, .position = steps, .metrics_rows = steps};
}

/* Opens metrics.csv; the warning goes to `said`. */
static struct metrics *open_at(const struct progress *at)
{
    struct error error = {0};
    struct metrics *metrics = metrics_open(folder_path(), at, NULL, said, sizeof said, &error);
    ck_assert_msg(metrics != NULL, "%s", error.text);
    return metrics;
}

static struct metrics *open_rows(int64_t rows)
{
    struct progress at = first_epoch(rows);
    return open_at(&at);
}

static int64_t sync_at(struct metrics *metrics, struct progress at)
{
    ck_assert_int_eq(metrics_sync(metrics, &at, NULL, said, sizeof said, NULL), 0);
    return at.metrics_rows;
}

START_TEST(rows_stand_behind_a_header)
{
    struct metrics *metrics = open_rows(0);
    struct metrics_row row = {
        7, 2, "train", 64, 6400, 1.0 / 3, -NAN, 0.001, 1e-30, 0.25, 123456789.0, 0, INFINITY};
    ck_assert_int_eq(metrics_add(metrics, &row, NULL), 0);
    row.split = "valid";
    row.loss = -INFINITY;
    row.step = INT64_MAX;
    ck_assert_int_eq(metrics_add(metrics, &row, NULL), 0);
    ck_assert_int_eq(sync_at(metrics, first_epoch(0)), 2);
    metrics_close(metrics);
    char want[1024];
    snprintf(want, sizeof want,
        "%s7,2,train,64,6400,0.333333333,,0.001,1e-30,0.25,123456789,0,inf\n"
        "9223372036854775807,2,valid,64,6400,-inf,,0.001,1e-30,0.25,123456789,0,inf\n",
        header);
    ck_assert_str_eq(get("metrics.csv"), want);
    metrics_close(NULL);
}
END_TEST

START_TEST(totals_are_of_all_rows_or_not_at_all)
{
    static const char train[] = "1,1,train,4,30,1,0,0.1,1,2,15,0,0\n2,1,train,4,50,1,0,0.1,1,3,15,0,0\n",
                      valid[] = "2,1,valid,8,90,1,0,0.1,,7,15,0,0\n", lost[] = "3,2,train,,,,,,,,,,\n";
    char text[1024];
    struct totals totals = {-1, -1};
    ck_assert_int_eq(totals_read(folder_path(), &totals), -1);
    put("metrics.csv", header);
    ck_assert_int_eq(totals_read(folder_path(), &totals), -1);
    snprintf(text, sizeof text, "%s%s%s%s", header, train, valid, lost);
    put("metrics.csv", text);
    ck_assert_int_eq(totals_read(folder_path(), &totals), -1);
    ck_assert(totals.seconds == -1 && totals.frames_per_second == -1);
    snprintf(text, sizeof text, "%s%s%s", header, train, valid);
    put("metrics.csv", text);
    ck_assert_int_eq(totals_read(folder_path(), &totals), 0);
    ck_assert(totals.seconds == 12 && totals.frames_per_second == 16);
}
END_TEST

static int64_t add_steps(struct metrics *metrics, int64_t first, int64_t last)
{
    for (int64_t step = first; step <= last; step++) {
        struct metrics_row row = {.step = step, .epoch = 1, .split = "train"};
        ck_assert_int_eq(metrics_add(metrics, &row, NULL), 0);
    }
    return sync_at(metrics, first_epoch(last));
}

/* Header, then the steps from 1 to `last` once each. */
static void check_steps(int64_t last)
{
    const char *text = get("metrics.csv");
    ck_assert_ptr_eq(strstr(text, header), text);
    int64_t want = 1;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1)
        ck_assert_int_eq(strtoll(line, NULL, 10), want++);
    ck_assert_int_eq(want, last + 1);
}

START_TEST(a_resume_cuts_rows_behind_the_checkpoint)
{
    struct metrics *metrics = open_rows(0);
    ck_assert_int_eq(add_steps(metrics, 1, 1000), 1000); /* more than is read at once */
    add_steps(metrics, 1001, 1005);
    metrics_close(metrics);
    FILE *file = fopen(in_folder("metrics.csv"), "ab");
    fputs("1006,1,tra", file);
    fclose(file);
    metrics = open_rows(1000);
    check_steps(1000);
    ck_assert_int_eq(add_steps(metrics, 1001, 1001), 1001);
    metrics_close(metrics);
    check_steps(1001);
    metrics = open_rows(1);
    metrics_close(metrics);
    check_steps(1);
    metrics = open_rows(0);
    metrics_close(metrics);
    ck_assert_str_eq(get("metrics.csv"), header);
}
END_TEST

/* A run of two steps an epoch that validates, in its third epoch: 1 2 v 3 4 v 5. */
static const struct progress third_epoch = {.epoch = 3, .step = 5, .position = 1, .metrics_rows = 7};
static const char whole_rows[] =
    "1,1,train,8,80,0.5,nan,0.1,1,2,40,0,0\n2,1,train,8,80,0.4,nan,0.1,1,2,40,0,0\n"
    "2,1,valid,4,40,0.6,nan,0.1,nan,2,20,0,0\n3,2,train,8,80,0.3,nan,0.1,1,2,40,0,0\n"
    "4,2,train,8,80,0.2,nan,0.1,1,2,40,0,inf\n4,2,valid,4,40,0.5,nan,0.1,nan,2,20,0,0\n"
    "5,3,train,8,80,1e-05,nan,0.1,1,2,40,0,0\n";

/* metrics.csv of this content, opened at third_epoch: what is there then, and what was said. */
static void salvage(const char *content, const char *want, const char *part)
{
    char all[2048];
    if (content)
        put("metrics.csv", content);
    metrics_close(open_at(&third_epoch));
    snprintf(all, sizeof all, "%s%s", header, want);
    ck_assert_str_eq(get("metrics.csv"), all);
    ck_assert_says(said, part);
    ck_assert(*part || !*said);
    metrics_close(open_at(&third_epoch));
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(get("metrics.csv"), all);
}

START_TEST(rows_are_made_anew_of_what_is_left)
{
    static const char lost[] =
        "1,1,train,,,,,,,,,,\n2,1,train,,,,,,,,,,\n2,1,valid,,,,,,,,,,\n3,2,train,,,,,,,,,,\n"
        "4,2,train,,,,,,,,,,\n4,2,valid,,,,,,,,,,\n5,3,train,,,,,,,,,,\n";
    char text[2048], mixed[2048];
    snprintf(text, sizeof text, "%s%s6,3,train,8,", header, whole_rows);
    salvage(text, whole_rows, "");
    salvage(whole_rows, whole_rows, "with all of its 7 rows");
    for (const char *from = text, *end = text + strlen(text); from < end;
         from++) { /* as another system writes */
        size_t n = strlen(mixed);
        n = from == text ? 0 : n;
        n += (size_t)sprintf(mixed + n, *from == '\n' ? "\r\n" : "%c", *from);
    }
    salvage(mixed, whole_rows, "does not begin with its header: made anew of what there was, with all");
    size_t three = (size_t)(strstr(whole_rows, "3,2,") - whole_rows),
           last = sizeof "1,1,train,,,,,,,,,,\n" - 1;
    snprintf(text, sizeof text, "%s%.*s", header, (int)three, whole_rows);
    snprintf(mixed, sizeof mixed, "%.*s%s", (int)three, whole_rows, lost + 3 * last);
    salvage(text, mixed, "has 3 rows, but 7 belong to the checkpoint");
    snprintf(text, sizeof text, "%s%s%s", header, strstr(whole_rows, "4,2,train"), whole_rows);
    salvage(text, whole_rows, "its row 1 is not the one that belongs there");
    salvage("", lost, "7 of its 7 rows cannot be had again");
    ck_assert_int_eq(unlink(in_folder("metrics.csv")), 0);
    salvage(NULL, lost, "/metrics.csv: is missing: ");
}
END_TEST

static void write_three_steps(void)
{
    struct metrics *metrics = open_rows(0);
    add_steps(metrics, 1, 3);
    metrics_close(metrics);
}

START_TEST(rows_are_never_written_through_a_link)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s6,3,train,8,80,0,0,0,0,0,0,0,0\n", header, whole_rows);
    for (int hard = 0; hard < 2; hard++) {
        unlink(in_folder("metrics.csv"));
        put("thesis.csv", text);
        int (*make)(const char *, const char *) = hard ? link : symlink;
        ck_assert_int_eq(make(in_folder("thesis.csv"), in_folder("metrics.csv")), 0);
        salvage(NULL, whole_rows, "link");
        write_three_steps();
        ck_assert_str_eq(get("thesis.csv"), text);
    }
    ck_assert_int_eq(unlink(in_folder("metrics.csv")), 0);
    ck_assert_int_eq(symlink(in_folder("nowhere"), in_folder("metrics.csv")), 0);
    write_three_steps();
    check_steps(3);
    ck_assert(!is_there("nowhere"));
}
END_TEST

START_TEST(what_is_done_to_the_rows_of_a_live_run_is_noticed_and_undone)
{
    struct metrics *metrics = open_rows(0);
    add_steps(metrics, 1, 3);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(unlink(in_folder("metrics.csv")), 0);
    ck_assert_int_eq(add_steps(metrics, 4, 4), 4);
    ck_assert_says(said, "was removed while the run wrote it: made anew of what there was, with all");
    check_steps(4);
    put("other", "an editor saves\r\n");
    ck_assert_int_eq(rename(in_folder("other"), in_folder("metrics.csv")), 0);
    ck_assert_int_eq(add_steps(metrics, 5, 5), 5);
    ck_assert_says(said, "was replaced while the run wrote it");
    check_steps(5);
    ck_assert_int_eq(truncate(in_folder("metrics.csv"), (off_t)strlen(header)), 0);
    ck_assert_int_eq(add_steps(metrics, 6, 7), 7);
    ck_assert_says(said, "was changed while the run wrote it");
    ck_assert_says(said, "5 of its 7 rows cannot be had again");
    check_steps(7);
    metrics_close(metrics);
}
END_TEST

START_TEST(where_the_order_of_rows_is_not_known_they_are_counted)
{
    struct error error = {0};
    struct progress at = {.epoch = 4, .step = 3, .position = 0, .metrics_rows = 4};
    put("metrics.csv", header);
    FILE *file = fopen(in_folder("metrics.csv"), "ab");
    fputs(whole_rows, file);
    fclose(file);
    metrics_close(open_at(&at));
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(strstr(get("metrics.csv"), "\n3,2,"), "\n3,2,train,8,80,0.3,nan,0.1,1,2,40,0,0\n");
    at.metrics_rows = 5;
    ck_assert_ptr_null(metrics_open(folder_path(), &at, NULL, said, sizeof said, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "has 4 rows, but 5 belong to the checkpoint: put the file of the run back");
    ck_assert_ptr_null(metrics_open(in_folder("none"), &third_epoch, NULL, said, sizeof said, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
}
END_TEST

START_TEST(a_row_without_room_is_cut_off_again)
{
    struct metrics *metrics = open_rows(0);
    add_steps(metrics, 1, 2);
    struct rlimit limit, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){strlen(get("metrics.csv")) + 5, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct error error = {0};
    struct metrics_row row = {.step = 3, .epoch = 1, .split = "train"};
    ck_assert_int_eq(metrics_add(metrics, &row, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "metrics.csv");
    check_steps(2);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(sync_at(metrics, first_epoch(2)), 2);
    add_steps(metrics, 3, 3);
    metrics_close(metrics);
    check_steps(3);
}
END_TEST

/* ---- lock ---- */

static struct lock *take_well(char *warning)
{
    struct error error = {0};
    struct lock *lock = lock_take(folder_path(), "4711", warning, 512, &error);
    ck_assert_msg(lock != NULL, "%s", error.text);
    return lock;
}

static void take_badly(const char *part)
{
    struct error error = {0};
    char warning[512];
    ck_assert_ptr_null(lock_take(folder_path(), "4711", warning, sizeof warning, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, part);
}

START_TEST(a_live_run_is_refused_by_host_process_and_job)
{
    char warning[512], part[128], host[64];
    struct lock *lock = take_well(warning);
    ck_assert_str_eq(warning, "");
    ck_assert_str_eq(names(), "lock ");
    gethostname(host, sizeof host);
    snprintf(part, sizeof part, "process %ld on %s, SLURM job 4711", (long)getpid(), host);
    take_badly(part);
    ck_assert_int_eq(lock_beat(lock), 0);
    ck_assert_str_eq(names(), "lock ");
    lock_release(lock);
    ck_assert_str_eq(names(), "");
    lock_release(take_well(warning));
    lock_release(NULL);
}
END_TEST

START_TEST(another_process_is_refused_while_we_live)
{
    char warning[512];
    struct lock *lock = take_well(warning);
    pid_t child = fork();
    if (child == 0) {
        struct error error = {0};
        _exit(lock_take(folder_path(), "4711", warning, sizeof warning, &error) ? 1 : error.code);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_CODE_DATA);
    lock_release(lock);
}
END_TEST

/* A child takes the lock and ends without releasing it: reaped, or as a zombie. */
static pid_t abandon_lock(void)
{
    pid_t child = fork();
    if (child == 0) {
        char warning[512];
        _exit(lock_take(folder_path(), "4711", warning, sizeof warning, NULL) ? 0 : 1);
    }
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(info.si_status, 0);
    return child;
}

START_TEST(the_lock_of_a_dead_process_is_taken_over)
{
    char warning[512], part[64];
    for (int reaped = 0; reaped < 2; reaped++) {
        pid_t child = abandon_lock();
        ck_assert(is_there("lock"));
        if (reaped)
            waitpid(child, NULL, 0);
        struct lock *lock = take_well(warning);
        snprintf(part, sizeof part, "taken over from process %ld", (long)child);
        ck_assert_says(warning, part);
        ck_assert_str_eq(names(), "lock ");
        take_badly("a job runs in this directory");
        lock_release(lock);
        if (!reaped)
            waitpid(child, NULL, 0);
    }
}
END_TEST

/* Writes the lock of a made-up process, with a heartbeat and a last change so many seconds ago. */
static void forge(const struct process *process, double age)
{
    char text[512];
    time_t then = time(NULL) - (time_t)age;
    snprintf(text, sizeof text,
        "heartbeat=%012lld\nhost=%s\nprocess=%ld\njob=%s\nstart=%lld\nboot=%s\nspace=%s\n", (long long)then,
        process->host, process->number, process->job, process->start, process->boot, process->space);
    put("lock", text);
    struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("lock"), times, 0), 0);
}

START_TEST(a_number_used_again_is_not_the_old_process)
{
    char warning[512];
    struct process process;
    process_self(&process, "");
    forge(&process, 1);
    take_badly("a job runs in this directory");
    process.start--;
    forge(&process, 1);
    lock_release(take_well(warning));
    ck_assert_says(warning, "which is gone");
    process_self(&process, "");
    process.boot[0] ^= 1; /* before the last reboot */
    forge(&process, 1);
    lock_release(take_well(warning));
    ck_assert_says(warning, "which is gone");
}
END_TEST

START_TEST(on_another_host_the_heartbeat_decides)
{
    char warning[512];
    struct process process;
    for (int container = 0; container < 2; container++) {
        process_self(&process, "");
        strcpy(container ? process.space : process.host, "elsewhere");
        process.number = 1 << 22;
        forge(&process, LOCK_STALE_SECONDS - 20);
        take_badly("process 4194304 on ");
        forge(&process, -3600);
        take_badly("in the future");
        forge(&process, LOCK_STALE_SECONDS + 5);
        lock_release(take_well(warning));
        ck_assert_says(warning, "taken over from process 4194304");
    }
}
END_TEST

START_TEST(a_lock_that_is_none_is_respected_for_a_while)
{
    char warning[512];
    const char *const contents[] = {"", "no lock at all", "heartbeat=1\nhost=\nprocess=x\nstart=\n"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        put("lock", contents[i]);
        take_badly("does not say whose it is");
        struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("lock"), old, 0), 0);
        lock_release(take_well(warning));
        ck_assert_says(warning, "did not say whose it was");
    }
}
END_TEST

START_TEST(a_link_is_no_lock_and_no_heartbeat_lasts_for_ever)
{
    char warning[512];
    struct error error = {0};
    ck_assert_int_eq(symlink(in_folder("nowhere"), in_folder("lock")), 0);
    ck_assert_ptr_null(lock_take(folder_path(), "", warning, sizeof warning, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "/lock: cannot be read: is a link, and no lock of a run: remove it");
    ck_assert(!is_there("nowhere"));
    ck_assert_int_eq(unlink(in_folder("lock")), 0);
    static const char *const beats[] = {"inf", "1e300", "999999999999"};
    for (size_t i = 0; i < sizeof beats / sizeof *beats; i++) {
        char text[300];
        snprintf(text, sizeof text,
            "heartbeat=%s\nhost=elsewhere\nprocess=77\njob=5\nstart=5\nboot=\nspace=\n", beats[i]);
        put("lock", text);
        ck_assert_ptr_null(lock_take(folder_path(), "", warning, sizeof warning, &error));
        ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("lock"), (struct timespec[]){{1, 0}, {1, 0}}, 0), 0);
        struct lock *lock = lock_take(folder_path(), "", warning, sizeof warning, &error);
        ck_assert_msg(lock != NULL, "%s", error.text);
        ck_assert_says(warning, "taken over");
        struct process holder;
        lock_holder(lock, &holder);
        ck_assert(lock_held_by(folder_path(), &holder));
        holder.number++;
        ck_assert(!lock_held_by(folder_path(), &holder));
        lock_release(lock);
        ck_assert(!lock_held_by(folder_path(), &holder));
    }
}
END_TEST

START_TEST(somebody_elses_lock_is_not_released)
{
    char warning[512];
    struct process process;
    struct lock *lock = take_well(warning);
    process_self(&process, "");
    strcpy(process.host, "elsewhere");
    unlink(in_folder("lock"));
    forge(&process, 1);
    lock_release(lock);
    ck_assert_says(get("lock"), "host=elsewhere");
}
END_TEST

START_TEST(the_heartbeat_is_renewed_in_place_and_loss_is_noticed)
{
    char warning[512], content[512];
    struct error error = {0};
    struct stat before, after;
    ck_assert_int_eq(mkdir(in_folder("other"), 0777), 0);
    struct lock *lock = take_well(warning);
    struct lock *lost = lock_take(in_folder("other"), "4711", warning, sizeof warning, &error);
    ck_assert_ptr_nonnull(lost);
    ck_assert_int_eq(unlink(in_folder("other/lock")), 0);
    snprintf(content, sizeof content, "%.511s", get("lock"));
    stat(in_folder("lock"), &before);
    int losses = 0;
    for (time_t start = time(NULL); time(NULL) - start <= LOCK_BEAT_SECONDS + 1; sleep(1)) {
        ck_assert_int_eq(lock_beat(lock), 0);
        losses += lock_beat(lost) != 0;
    }
    ck_assert_int_eq(losses, 1);
    stat(in_folder("lock"), &after);
    ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
    ck_assert_str_ne(content, get("lock"));
    ck_assert_str_eq(strchr(content, '\n'), strchr(get("lock"), '\n'));
    lock_release(lost);
    lock_release(lock);
    ck_assert_str_eq(names(), "other ");
}
END_TEST

/* Processes that go for one lock at the same moment; how many got it. */
static int race(int processes)
{
    int start[2], got = 0;
    pid_t child[64];
    ck_assert_int_eq(pipe(start), 0);
    for (int i = 0; i < processes; i++)
        if ((child[i] = fork()) == 0) {
            char byte, warning[512];
            close(start[1]);
            ssize_t n = read(start[0], &byte, 1);
            struct lock *lock =
                n == 0 ? lock_take(folder_path(), "4711", warning, sizeof warning, NULL) : NULL;
            nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* alive until all have tried */
            _exit(lock != NULL);
        }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < processes; i++) {
        int status;
        ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
        got += WEXITSTATUS(status);
    }
    return got;
}

START_TEST(of_many_that_start_at_once_one_gets_the_lock)
{
    for (int round = 0; round < 12; round++) { /* from the second on, the lock of a dead one lies there */
        ck_assert_int_eq(race(16), 1);
        ck_assert_str_eq(names(), "lock ");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rundir");
    TCase *cases = tcase_create("rundir");
    tcase_set_timeout(cases, 100);
    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    tcase_add_test(cases, a_file_is_replaced_whole);
    tcase_add_test(cases, a_directory_that_cannot_be_written_says_why);
    tcase_add_test(cases, missing_parents_are_created);
    tcase_add_test(cases, status_has_four_lines_and_is_read_again);
    tcase_add_test(cases, a_run_is_known_by_what_only_a_run_writes_and_cleared_of_it_alone);
    tcase_add_test(cases, a_configuration_must_not_be_the_runs_own_by_another_name);
    tcase_add_test(cases, what_cannot_be_removed_is_named_with_its_reason);
    tcase_add_test(cases, the_newest_are_kept_and_the_newest_is_loaded);
    tcase_add_test(cases, best_is_the_same_bytes);
    tcase_add_test(cases, damaged_checkpoints_are_passed_over_and_told);
    tcase_add_test(cases, saving_after_a_fallback_never_leaves_damaged_ones_alone);
    tcase_add_test(cases, a_checkpoint_under_another_name_is_not_resumed_from);
    tcase_add_test(cases, a_newer_programs_checkpoint_is_refused_and_never_touched);
    tcase_add_test(cases, only_what_the_run_wrote_itself_is_replaced_or_removed);
    tcase_add_test(cases, what_is_not_the_runs_is_read_once_and_again_when_it_has_changed);
    tcase_add_test(cases, of_a_time_without_identifiers_metrics_knows_the_runs_steps);
    tcase_add_test(cases, somebody_elses_best_is_kept_under_another_name);
    tcase_add_test(cases, no_two_runs_have_one_identifier);
    tcase_add_test(cases, a_file_size_limit_leaves_the_old_checkpoint);
    tcase_add_test(cases, a_full_disk_leaves_the_old_checkpoint);
    tcase_add_test(cases, rows_stand_behind_a_header);
    tcase_add_test(cases, totals_are_of_all_rows_or_not_at_all);
    tcase_add_test(cases, a_resume_cuts_rows_behind_the_checkpoint);
    tcase_add_test(cases, rows_are_made_anew_of_what_is_left);
    tcase_add_test(cases, rows_are_never_written_through_a_link);
    tcase_add_test(cases, what_is_done_to_the_rows_of_a_live_run_is_noticed_and_undone);
    tcase_add_test(cases, where_the_order_of_rows_is_not_known_they_are_counted);
    tcase_add_test(cases, a_row_without_room_is_cut_off_again);
    tcase_add_test(cases, a_live_run_is_refused_by_host_process_and_job);
    tcase_add_test(cases, another_process_is_refused_while_we_live);
    tcase_add_test(cases, the_lock_of_a_dead_process_is_taken_over);
    tcase_add_test(cases, a_number_used_again_is_not_the_old_process);
    tcase_add_test(cases, on_another_host_the_heartbeat_decides);
    tcase_add_test(cases, a_lock_that_is_none_is_respected_for_a_while);
    tcase_add_test(cases, somebody_elses_lock_is_not_released);
    tcase_add_test(cases, a_link_is_no_lock_and_no_heartbeat_lasts_for_ever);
    tcase_add_test(cases, the_heartbeat_is_renewed_in_place_and_loss_is_noticed);
    tcase_add_test(cases, of_many_that_start_at_once_one_gets_the_lock);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
