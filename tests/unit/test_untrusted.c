/* Files that were made to do harm: what leads into other files, and sizes that the file cannot have, in
 * datasets and in checkpoints; and HDF5's lock. Files are altered with HDF5 itself (hdf5.h). */
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "ckpt/seal.h"
#include "data/dataset.h"
#include "support/checkpoints.h"
#include "support/folder.h"
#include "support/sample.h"
#include "support/suite.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256], path[300], other[300];

/* ---- the two kinds of files ---- */

static void write_dataset(const char *name)
{
    struct sample sample;
    struct sample_shape shape = {.sequences = 3,
        .shortest = 2,
        .longest = 4,
        .features = 2,
        .kind = SAMPLE_PER_FRAME_OFFSETS,
        .classes = 2,
        .names = 1,
        .version = 2};
    sample_init(&sample, &shape, 1);
    sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    sample.weights[0] = 1;
    sample_write(&sample, name);
    sample_finish(&sample);
}

/* Without its hash line, as whoever alters it would leave it. */
static void write_checkpoint(const char *name)
{
    struct checkpoint checkpoint;
    struct error error = {0};
    void *bytes;
    size_t size;
    struct net_config config = checkpoints_config(1, 2);
    config.cell = CELL_LRU;
    config.loss = LOSS_GAUSSIAN;
    net_destroy(checkpoints_make_of(&checkpoint, &config, 5));
    ck_assert_int_eq(checkpoint_encode(&checkpoint, &bytes, &size, &error), 0);
    write_file(name, bytes, size - SEAL_BYTES);
    memory_destroy(bytes);
    checkpoint_finish(&checkpoint);
}

static void read_dataset(int code, const char *part)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, 1 << 20, &error);
    ck_assert_msg(!dataset && error.code == code, "%d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, path) && strstr(error.text, part), "'%s' lacks '%s'", error.text, part);
}

static void read_checkpoint(int code, const char *part)
{
    struct error error = {0};
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    ck_assert_int_eq(checkpoint_read(path, CHECKPOINT_ANY, &checkpoint, &error), -1);
    ck_assert_msg(error.code == code, "%d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, path) && strstr(error.text, part), "'%s' lacks '%s'", error.text, part);
}

static const struct kind {
    void (*write)(const char *name);
    void (*read)(int code, const char *part);
    const char *sets[12], *groups[4];
} kinds[] = {
    {write_dataset, read_dataset,
        {"inputs", "input_offsets", "targets", "target_offsets", "target_weights", "names", NULL}, {NULL}},
    {write_checkpoint, read_checkpoint,
        {"config/text", "model/head.bias", "model/rnn.nu_l0", "optimizer/exp_avg/rnn.C_im_l0_reverse",
            "data/mean", "provenance/hosts", NULL},
        {"config", "model", "optimizer", NULL}},
};

/* ---- into other files ---- */

enum way { EXTERNAL_LINK, SOFT_THROUGH_EXTERNAL, EXTERNAL_STORAGE, VIRTUAL, WAYS };

/* `name` of the file leads to the same of `other`. The type and shape of the set stay. */
static void lead_away(hid_t file, const char *name, enum way way)
{
    char through[64];
    hid_t set = -1, type = -1, space = -1, creation = H5Pcreate(H5P_DATASET_CREATE);
    if (way >= EXTERNAL_STORAGE) {
        set = H5Dopen2(file, name, H5P_DEFAULT);
        type = H5Dget_type(set);
        space = H5Dget_space(set);
        H5Dclose(set);
    }
    H5Ldelete(file, name, H5P_DEFAULT);
    switch (way) {
    case EXTERNAL_LINK:
        H5Lcreate_external(other, name, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case SOFT_THROUGH_EXTERNAL:
        snprintf(through, sizeof through, "/elsewhere/%s", name);
        H5Lcreate_external(other, "/", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft(through, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case EXTERNAL_STORAGE:
        H5Pset_external(creation, other, 0, H5F_UNLIMITED);
        H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
        break;
    default:
        H5Pset_virtual(creation, space, other, name, space);
        H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
        break;
    }
    H5Pclose(creation);
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
}

static void expect_refused(const struct kind *kind, const char *name, enum way way)
{
    kind->write(path);
    kind->write(other);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    lead_away(file, name, way);
    ck_assert_int_ge(H5Fclose(file), 0);
    kind->read(EXIT_CODE_DATA, "only what lies in the file itself is read");
}

START_TEST(nothing_that_leads_into_another_file_is_followed)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int s = 0; kinds[k].sets[s]; s++)
            for (enum way way = 0; way < WAYS; way++)
                expect_refused(&kinds[k], kinds[k].sets[s], way);
        for (int g = 0; kinds[k].groups[g]; g++)
            for (enum way way = 0; way < EXTERNAL_STORAGE; way++)
                expect_refused(&kinds[k], kinds[k].groups[g], way);
    }
}
END_TEST

/* ---- sizes ---- */

/* A chunked set of so many rows of which one is written, in the place of `name`. */
static void claim_rows(const char *name, hid_t type, hsize_t rows, hsize_t chunk)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &rows, NULL), one = H5Screate_simple(1, (hsize_t[]){1}, NULL);
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_deflate(creation, 1);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){0}, NULL, (hsize_t[]){1}, NULL);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_INT, one, space, H5P_DEFAULT, (int[]){0}), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Sclose(one);
    H5Pclose(creation);
    H5Fclose(file);
}

START_TEST(shapes_beyond_the_file_are_refused_before_memory_is_asked_for)
{
    static const char *const sets[] = {
        "inputs", "input_offsets", "targets", "target_offsets", "target_weights"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        write_dataset(path);
        claim_rows(sets[i], H5T_STD_I64LE, (hsize_t)1 << 32, 16);
        read_dataset(EXIT_CODE_DATA, "impossible size");
    }
    write_checkpoint(path);
    claim_rows("model/head.bias", H5T_IEEE_F32LE, (hsize_t)1 << 32, 16);
    read_checkpoint(EXIT_CODE_DATA, "impossible size");
}
END_TEST

/* What memory a process may still take stands for what it takes: 256 MiB more. */
START_TEST(a_file_of_many_claims_takes_no_more_memory_than_it_is_worth)
{
#if !defined(__SANITIZE_ADDRESS__)
    struct rlimit limit = {(rlim_t)1 << 29, (rlim_t)1 << 29};
    write_dataset(path);
    claim_rows("input_offsets", H5T_STD_I64LE, (hsize_t)1 << 28, (hsize_t)1 << 20);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    read_dataset(EXIT_CODE_DATA, "impossible size");
#endif
}
END_TEST

START_TEST(a_text_attribute_larger_than_the_file_is_refused)
{
    write_dataset(path);
    FILE *file = fopen(path, "r+b");
    static char bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, file), changed = 0;
    /* the class and size of a string type of 17 bytes, "rnn-train dataset", become one of 2^30 */
    for (size_t i = 0; i + 8 <= size; i++)
        if (bytes[i] == 0x13 && bytes[i + 4] == 17 && !bytes[i + 5] && !bytes[i + 6] && !bytes[i + 7]) {
            fseek(file, (long)i + 4, SEEK_SET);
            fwrite((char[]){17, 0, 0, 64}, 1, 4, file);
            changed++;
        }
    fclose(file);
    ck_assert_uint_gt(changed, 0);
    read_dataset(EXIT_CODE_DATA, "attribute format of /");
}
END_TEST

/* ---- the lock ---- */

static pid_t lock_in_another_process(void)
{
    int ready[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0); /* a signal to -1 would go to everybody */
    if (child == 0) {
        FILE *file = fopen(path, "r+b");
        if (!file || flock(fileno(file), LOCK_EX) != 0 || write(ready[1], &byte, 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    return child;
}

/* HDF5 asks for the variable once, when it is first used: `path` is written by a process of its own. */
static void write_in_another_process(void)
{
    pid_t child = fork();
    if (child == 0) {
        write_dataset(path);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_locked_file_is_read_unless_the_environment_asks_for_locks)
{
    static const char *const values[] = {NULL, "FALSE", "BEST_EFFORT", "TRUE"};
    write_in_another_process();
    pid_t holder = lock_in_another_process();
    if (values[_i])
        setenv("HDF5_USE_FILE_LOCKING", values[_i], 1);
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, 1 << 20, &error);
    kill(holder, SIGKILL);
    if (!dataset) /* whether HDF5 heeds the variable against what the program says depends on its version */
        ck_assert_msg(_i >= 2 && error.code == EXIT_CODE_IO && strstr(error.text, path) &&
                strstr(error.text, "HDF5_USE_FILE_LOCKING=FALSE"),
            "%d: %s", error.code, error.text);
    dataset_close(dataset);
}
END_TEST

static void make_folder(void)
{
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/file.h5", folder);
    snprintf(other, sizeof other, "%s/other.h5", folder);
}

static void remove_folder(void)
{
    sample_remove_folder(folder);
}

int main(void)
{
    Suite *suite = suite_create("untrusted");
    TCase *tests = tcase_create("untrusted");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, nothing_that_leads_into_another_file_is_followed);
    tcase_add_test(tests, shapes_beyond_the_file_are_refused_before_memory_is_asked_for);
    tcase_add_test(tests, a_file_of_many_claims_takes_no_more_memory_than_it_is_worth);
    tcase_add_test(tests, a_text_attribute_larger_than_the_file_is_refused);
    tcase_add_loop_test(tests, a_locked_file_is_read_unless_the_environment_asks_for_locks, 0, 4);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
