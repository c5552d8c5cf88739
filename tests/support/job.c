#include "support/job.h"

#include "base/clock.h"
#include "base/temporary.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 64, PATH_BYTES = 2048 };

static struct {
    const char *program, *mpirun;
    char folder[256], shared[256];
} place;

/* ---- the folder ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

static void remove_folder(const char *path)
{
    if (*path)
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void job_open(void)
{
    place.program = getenv("RNN_TRAIN");
    place.mpirun = getenv("MPIRUN");
    if (!place.mpirun)
        place.mpirun = "mpirun";
    if (!place.program) {
        fputs("RNN_TRAIN does not say where rnn-train is\n", stderr);
        exit(EXIT_FAILURE);
    }
    sample_make_folder(place.folder, sizeof place.folder);
    snprintf(place.shared, sizeof place.shared, "/dev/shm/rnn-test-XXXXXX");
    if (!mkdtemp(place.shared))
        snprintf(place.shared, sizeof place.shared, "%s", place.folder);
    /* jobs side by side on few cores: none is tied to a core, none needs to read another's memory */
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0);
    setenv("PRTE_MCA_hwloc_default_binding_policy", "none", 0);
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    setenv("OMPI_MCA_orte_tmpdir_base", place.folder, 1);
    setenv("PRTE_MCA_prte_tmpdir_base", place.folder, 1);
    setenv("OMPI_MCA_btl_vader_backing_directory", place.shared, 1);
    setenv("OMPI_MCA_btl_sm_backing_directory", place.shared, 1);
}

void job_close(void)
{
    remove_folder(place.shared);
    remove_folder(place.folder);
}

const char *job_path(const char *name)
{
    static char room[16][PATH_BYTES];
    static unsigned next;
    char *path = room[next++ % 16];
    if (*name == '/')
        snprintf(path, PATH_BYTES, "%s", name);
    else
        snprintf(path, PATH_BYTES, "%s/%s", place.folder, name);
    return path;
}

/* ---- files ---- */

void job_write(const char *name, const void *bytes, size_t size)
{
    const char *path = job_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void job_write_text(const char *name, const char *text)
{
    job_write(name, text, strlen(text));
}

char *job_read(const char *name, size_t *size)
{
    const char *path = job_path(name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    size_t used = 0, room = 1 << 16;
    char *bytes = malloc(room);
    for (size_t n; bytes && (n = fread(bytes + used, 1, room - used - 1, file)) > 0;) {
        used += n;
        if (room - used - 1 == 0)
            bytes = realloc(bytes, room *= 2);
    }
    ck_assert_ptr_nonnull(bytes);
    fclose(file);
    bytes[used] = 0;
    if (size)
        *size = used;
    return bytes;
}

int job_exists(const char *name)
{
    return access(job_path(name), F_OK) == 0;
}

void job_copy(const char *from, const char *to)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "cp", "-r", job_path(from), job_path(to), NULL);
    ck_assert_msg(result.status == 0, "%s", result.errors);
    command_result_finish(&result);
}

void job_remove(const char *name)
{
    const char *path = job_path(name);
    ck_assert_msg(unlink(path) == 0, "%s: %s", path, strerror(errno));
}

void job_flip(const char *name, size_t at)
{
    size_t size;
    char *bytes = job_read(name, &size);
    ck_assert_uint_lt(at, size);
    bytes[at] ^= 0x10;
    job_write(name, bytes, size);
    free(bytes);
}

int job_same_file(const char *one, const char *other)
{
    size_t n, m;
    char *left = job_read(one, &n), *right = job_read(other, &m);
    int same = n == m && memcmp(left, right, n) == 0;
    free(left);
    free(right);
    return same;
}

int job_count(const char *run, const char *beginning)
{
    int count = 0;
    const char *path = job_path(run);
    DIR *folder = opendir(path);
    ck_assert_msg(folder != NULL, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0 &&
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

void job_write_sample(const char *name, const struct sample_shape *shape, uint64_t seed)
{
    struct sample sample;
    sample_init(&sample, shape, seed);
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

/* ---- jobs ---- */

static void start(
    struct command_process *process, int ranks, const char *config, const char *run, va_list more)
{
    const char *words[MOST_WORDS], *word;
    char number[16];
    int n = 0;
    if (ranks) {
        snprintf(number, sizeof number, "%d", ranks);
        words[n++] = place.mpirun;
        words[n++] = "-np";
        words[n++] = number;
    }
    words[n++] = place.program;
    if (run) {
        words[n++] = "-o";
        words[n++] = job_path(run);
    }
    while ((word = va_arg(more, const char *))) {
        ck_assert_int_lt(n, MOST_WORDS - 2);
        words[n++] = word;
    }
    if (config)
        words[n++] = job_path(config);
    words[n] = NULL;
    command_start(
        &(struct command){.argv = words, .directory = place.folder, .seconds = JOB_SECONDS}, process);
}

void job_start(struct command_process *process, int ranks, const char *config, const char *run, ...)
{
    va_list more;
    va_start(more, run);
    start(process, ranks, config, run, more);
    va_end(more);
}

/* Has the process a file open that is without a name in the folder, or has the temporary name of this one? */
static int is_writing(pid_t pid, const char *name)
{
    char folder[64], unnamed[300], named[300];
    snprintf(folder, sizeof folder, "/proc/%ld/fd", (long)pid);
    snprintf(unnamed, sizeof unnamed, "%s#", job_path(""));
    snprintf(named, sizeof named, "/.%s.tmp-", name);
    DIR *entries = opendir(folder);
    int found = 0;
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));) {
        char target[1024];
        ssize_t n = readlinkat(dirfd(entries), entry->d_name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        found = strncmp(target, unnamed, strlen(unnamed)) == 0 || strstr(target, named);
    }
    if (entries)
        closedir(entries);
    return found;
}

int job_has_mpich(void)
{
    char line[1024] = "";
    FILE *version = popen("exec \"$RNN_TRAIN\" --version </dev/null", "r");
    if (version && !fgets(line, sizeof line, version))
        *line = '\0';
    if (version)
        pclose(version);
    return strstr(line, "(MPICH") != NULL;
}

int job_most_tellers(int ranks)
{
    return job_has_mpich() ? 0 : ranks;
}

void job_await_writing(const struct command_process *process, const char *name)
{
    for (int i = 0; i < 10000; i++) {
        pid_t pids[64];
        int count = command_processes(process, pids, 64);
        for (int k = 0; k < count && k < 64; k++)
            if (is_writing(pids[k], name))
                return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_abort_msg("%s: nobody writes it", name);
}

int job_has_unnamed_files(void)
{
    int here = open(job_path(""), O_RDONLY | O_DIRECTORY);
    int file = temporary_create_unnamed(here, "trial");
    if (file >= 0)
        close(file);
    close(here);
    return file >= 0;
}

void job_run(struct command_result *result, int ranks, const char *config, const char *run, ...)
{
    struct command_process process;
    va_list more;
    va_start(more, run);
    start(&process, ranks, config, run, more);
    va_end(more);
    command_wait(&process, result);
}

void job_expect(const struct command_result *result, int code)
{
    ck_assert_msg(
        !result->timed_out, "the job took too long:\n%.1500s%.1500s", result->output, result->errors);
    ck_assert_msg(result->status == code, "exit code %d, not %d:\n%.1500s%.1500s", result->status, code,
        result->output, result->errors);
    ck_assert_msg(result->left_behind == 0, "%d processes were left behind", result->left_behind);
}

void job_finish(char hash[static 17], int ranks, const char *config, const char *run, ...)
{
    struct command_process process;
    struct command_result result;
    char value[64];
    va_list more;
    va_start(more, run);
    start(&process, ranks, config, run, more);
    va_end(more);
    command_wait(&process, &result);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "weights_hash", value);
    ck_assert_uint_eq(strlen(value), 16);
    memcpy(hash, value, 17);
    command_result_finish(&result);
}

void job_train_small(const char *config)
{
    char hash[17];
    struct sample_shape shape = {.sequences = 16,
        .shortest = 1,
        .longest = 9,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    job_write_sample("train.h5", &shape, 1);
    job_write_sample("valid.h5", &shape, 2);
    job_write_text("base.ini", config);
    job_finish(hash, 0, "base.ini", "run", NULL);
}

/* ---- what it said ---- */

static const char *find_line(const char *text, const char *beginning, int number)
{
    for (const char *line = text; *line;) {
        if (strncmp(line, beginning, strlen(beginning)) == 0 && --number == 0)
            return line;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return NULL;
}

int job_count_lines(const char *text, const char *beginning)
{
    int count = 0;
    while (find_line(text, beginning, count + 1))
        count++;
    return count;
}

char *job_line(const char *text, const char *beginning, int number)
{
    const char *line = find_line(text, beginning, number);
    return line ? strndup(line, strcspn(line, "\n")) : NULL;
}

void job_field(const char *text, const char *beginning, const char *name, char value[static 64])
{
    char key[64];
    char *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no line '%s...' in:\n%.3000s", beginning, text);
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(line, key);
    ck_assert_msg(at != NULL, "no '%s' in: %s", key, line);
    at += strlen(key);
    snprintf(value, 64, "%.*s", (int)strcspn(at, " "), at);
    free(line);
}

int job_has_field(const char *text, const char *beginning, const char *name)
{
    char key[64], *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no line '%s...' in:\n%.3000s", beginning, text);
    snprintf(key, sizeof key, " %s=", name);
    int has = strstr(line, key) != NULL;
    free(line);
    return has;
}

void job_complains(const struct command_result *result, int lines, ...)
{
    ck_assert_msg(job_count_lines(result->errors, "rnn-train: ") == lines,
        "not %d lines of rnn-train:\n%.3000s", lines, result->errors);
    char *line = job_line(result->errors, "rnn-train: ", 1);
    ck_assert_msg(line != NULL, "nothing was said");
    va_list parts;
    va_start(parts, lines);
    for (const char *part; (part = va_arg(parts, const char *));)
        ck_assert_msg(strstr(line, part) != NULL, "'%s' is not in: %s", part, line);
    va_end(parts);
    free(line);
}

/* ---- what it left ---- */

static const char *file_of(const char *run, const char *file)
{
    char name[PATH_BYTES];
    snprintf(name, sizeof name, "%.500s/%.200s", run, file);
    return job_path(name);
}

void job_status(const char *run, const char *key, char value[static 256])
{
    char beginning[64];
    char *text = job_read(file_of(run, "status"), NULL);
    snprintf(beginning, sizeof beginning, "%s=", key);
    char *line = job_line(text, beginning, 1);
    ck_assert_msg(line != NULL, "no %s in the status file:\n%s", beginning, text);
    snprintf(value, 256, "%s", line + strlen(beginning));
    free(line);
    free(text);
}

int64_t job_metrics_rows(const char *run)
{
    const char *path = file_of(run, "metrics.csv");
    if (access(path, F_OK) != 0)
        return 0;
    char *text = job_read(path, NULL);
    int64_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    free(text);
    return lines ? lines - 1 : 0;
}

/* "STEP,EPOCH,SPLIT," and ten numbers, of which those that there are not are empty. */
static const char *check_row(const char *row, int64_t step, int64_t epoch, const char *split)
{
    char beginning[64];
    int length = (int)strcspn(row, "\n"), commas = 0;
    int n = snprintf(beginning, sizeof beginning, "%" PRId64 ",%" PRId64 ",%s,", step, epoch, split);
    ck_assert_msg(
        strncmp(row, beginning, (size_t)n) == 0, "wanted %s..., found %.*s", beginning, length, row);
    for (const char *c = row + n - 1; *c == ','; commas++) {
        char *end;
        strtod(c + 1, &end);
        ck_assert_msg(end > c + 1 || c[1] == ',', "not all numbers: %.*s", length, row);
        c = end;
    }
    ck_assert_msg(commas == 10 && row[length] == '\n', "not 13 whole columns: %.*s", length, row);
    return row + length + 1;
}

void job_check_metrics(const char *run, int64_t epochs, int64_t steps_of_epoch, int validation)
{
    static const char header[] = "step,epoch,split,sequences,frames,loss,error,learning_rate,gradient_norm,"
                                 "seconds,frames_per_second,data_wait,comm_wait\n";
    char *text = job_read(file_of(run, "metrics.csv"), NULL);
    ck_assert_msg(strncmp(text, header, sizeof header - 1) == 0, "another header: %s", text);
    const char *row = text + sizeof header - 1;
    for (int64_t epoch = 1, step = 0; epoch <= epochs; epoch++) {
        for (int64_t i = 0; i < steps_of_epoch; i++)
            row = check_row(row, ++step, epoch, "train");
        if (validation)
            row = check_row(row, step, epoch, "valid");
    }
    ck_assert_msg(!*row, "more rows than steps: %s", row);
    free(text);
}
