/* Checkpoints there and back, and every way of damaging one. Files are altered with HDF5 itself (hdf5.h). */
#include "base/hash.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "ckpt/fits.h"
#include "ckpt/layout.h"
#include "ckpt/seal.h"
#include "support/checkpoints.h"
#include "support/command.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void encode(const struct checkpoint *checkpoint, char **bytes, size_t *size)
{
    struct error error = {0};
    void *block = NULL;
    ck_assert_msg(checkpoint_encode(checkpoint, &block, size, &error) == 0, "%s", error.text);
    *bytes = block;
}

/* A small checkpoint in a file, its bytes too. */
struct written {
    struct checkpoint checkpoint;
    char *bytes;
    size_t size;
    char path[512];
};

static void write_small(struct written *written)
{
    net_destroy(checkpoints_make(&written->checkpoint, 1, 2, 57));
    encode(&written->checkpoint, &written->bytes, &written->size);
    snprintf(written->path, sizeof written->path, "%s/small.h5", folder_path());
    write_file(written->path, written->bytes, written->size);
}

static void finish_small(struct written *written)
{
    memory_destroy(written->bytes);
    checkpoint_finish(&written->checkpoint);
}

#define ck_assert_says(text, part) ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part)

/* A read that must fail, with this code and these words, and leave the checkpoint alone. */
static void read_badly(const char *path, enum checkpoint_trust trust, int code, const char *part)
{
    struct error error = {0};
    struct checkpoint read, untouched;
    checkpoint_init(&read);
    checkpoint_init(&untouched);
    ck_assert_int_lt(checkpoint_read(path, trust, &read, &error), 0);
    ck_assert_msg(error.code == code, "code %d: %s", error.code, error.text);
    ck_assert_says(error.text, path);
    ck_assert_says(error.text, part);
    ck_assert_mem_eq(&read, &untouched, sizeof read);
}

static void read_well(const char *path, enum checkpoint_trust trust, const struct checkpoint *want)
{
    struct error error = {0};
    struct checkpoint read;
    checkpoint_init(&read);
    ck_assert_msg(checkpoint_read(path, trust, &read, &error) == 0, "%s", error.text);
    checkpoints_compare(want, &read);
    checkpoint_finish(&read);
}

START_TEST(what_is_written_is_read_back)
{
    struct written w;
    write_small(&w);
    struct checkpoint read;
    checkpoint_init(&read);
    read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
    ck_assert_int_eq(checkpoint_read(w.path, CHECKPOINT_ANY, &read, NULL), 0);
    checkpoints_compare(&w.checkpoint, &read);
    ck_assert_str_eq(read.provenance.version, "0.1.0");
    ck_assert_str_eq(read.provenance.command, "rnn-train x.ini");
    ck_assert_str_eq(read.provenance.hosts, "node1 node2");
    ck_assert_str_eq(read.provenance.libraries, "HDF5");
    ck_assert_str_eq(read.provenance.job, "");
    ck_assert_str_eq(read.provenance.time, "2024-05-06T07:08:09");
    ck_assert_int_eq(read.provenance.ranks, 2);
    ck_assert_str_eq(read.provenance.run, CHECKPOINTS_RUN);
    ck_assert_str_eq(read.provenance.files[DATA_TRAIN], "device=1\ndevice=2\ndevice=3");
    ck_assert_str_eq(read.provenance.files[DATA_VALID], "");
    checkpoint_finish(&read);
    checkpoint_finish(&read);
    finish_small(&w);
}
END_TEST

START_TEST(every_optimizer_and_depth_is_read_back)
{
    const size_t layers[] = {1, 2, 5, NET_MOST_LAYERS, 3, 2};
    for (int o = OPTIMIZER_SGD; o <= OPTIMIZER_ADAMW; o++) {
        struct checkpoint checkpoint;
        char *bytes;
        size_t size;
        net_destroy(checkpoints_make(&checkpoint, layers[o], 0, o));
        checkpoint.optimizer = (enum optimizer)o;
        for (size_t m = optim_count_moments(checkpoint.optimizer); m < OPTIM_MOST_MOMENTS; m++) {
            memory_destroy(checkpoint.moments[m]);
            checkpoint.moments[m] = NULL;
        }
        if (o % 2) { /* no standardization */
            checkpoint.features = 0;
            memory_destroy(checkpoint.mean);
            memory_destroy(checkpoint.deviation);
            checkpoint.mean = checkpoint.deviation = NULL;
        }
        encode(&checkpoint, &bytes, &size);
        write_file(in_folder("each.h5"), bytes, size);
        read_well(in_folder("each.h5"), CHECKPOINT_SEALED, &checkpoint);
        memory_destroy(bytes);
        checkpoint_finish(&checkpoint);
    }
}
END_TEST

/* What src/ckpt/layout.c does not list is zero when it is read. */
static void check_words(const void *structure, size_t bytes)
{
    uint64_t word;
    ck_assert_uint_eq(bytes % sizeof word, 0);
    for (size_t at = 0; at < bytes; at += sizeof word) {
        memcpy(&word, (const char *)structure + at, sizeof word);
        ck_assert_msg(word != 0, "byte %zu of %zu is not read back", at, bytes);
    }
}

START_TEST(every_word_of_the_structures_is_read_back)
{
    struct written w;
    struct checkpoint read;
    write_small(&w);
    memory_destroy(w.bytes);
    memset(&w.checkpoint.progress, 1, sizeof w.checkpoint.progress);
    memset(&w.checkpoint.optim, 1, sizeof w.checkpoint.optim);
    memset(w.checkpoint.data, 1, sizeof w.checkpoint.data);
    w.checkpoint.progress.finished = 1;
    for (int i = 0; i < DATA_SETS; i++)
        w.checkpoint.data[i].complete = 1;
    encode(&w.checkpoint, &w.bytes, &w.size);
    write_file(w.path, w.bytes, w.size);
    checkpoint_init(&read);
    ck_assert_int_eq(checkpoint_read(w.path, CHECKPOINT_SEALED, &read, NULL), 0);
    checkpoints_compare(&w.checkpoint, &read);
    check_words(&read.progress, sizeof read.progress);
    check_words(&read.optim, sizeof read.optim);
    check_words(read.data, sizeof read.data);
    check_words(&read.provenance, sizeof read.provenance);
    checkpoint_finish(&read);
    finish_small(&w);
}
END_TEST

static void forget_flow(struct checkpoint *checkpoint)
{
    flow_curves_finish(&checkpoint->flow.curves);
    checkpoint->flow = (struct flow_record){0};
}

/* States of three sequences, of which one has ended, and where two epochs did. */
static void fill_pieces(struct checkpoint *c)
{
    c->going = 3;
    c->numbers = 5;
    c->states = memory_create(c->going * c->numbers, sizeof *c->states, NULL);
    for (size_t i = 0; i < 10; i++)
        c->states[i] = (float)i / 4 - 1;
    c->ends.n = 2;
    c->ends.step = memory_create(2, sizeof *c->ends.step, NULL);
    c->ends.step[0] = 3;
    c->ends.step[1] = 4;
    c->progress.step = 9;
}

START_TEST(states_and_ends_of_epochs_are_read_back_and_judged)
{
    struct written w;
    write_small(&w);
    fill_pieces(&w.checkpoint);
    memory_destroy(w.bytes);
    encode(&w.checkpoint, &w.bytes, &w.size);
    write_file(w.path, w.bytes, w.size);
    read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
    static const double wrong[][2] = {{4, 4}, {0, 4}, {4, 10}, {4, NAN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        w.checkpoint.ends.step[0] = wrong[i][0];
        w.checkpoint.ends.step[1] = wrong[i][1];
        memory_destroy(w.bytes);
        encode(&w.checkpoint, &w.bytes, &w.size);
        write_file(w.path, w.bytes, w.size);
        read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "ends of epochs that do not rise to its step");
    }
    finish_small(&w);
}
END_TEST

START_TEST(every_member_of_the_model_is_read_back)
{
    for (int cell = CELL_RNN; cell <= CELL_GRU; cell++)
        for (int symbols = 0; symbols < 2; symbols++) {
            struct written w;
            write_small(&w);
            forget_flow(&w.checkpoint);
            struct net_config *model = &w.checkpoint.model;
            model->cell = (enum cell)cell;
            model->output = (enum output)(cell % 2);
            model->loss = (enum loss)(cell % 3);
            model->symbols = symbols;
            model->embedding = symbols ? 7 : 0;
            model->dropout = cell * 0.125;
            model->bidirectional[0] = cell % 2;
            if (symbols)
                w.checkpoint.names.list[NAMES_OF_SYMBOLS] = w.checkpoint.names.list[NAMES_OF_FEATURES];
            if (symbols)
                w.checkpoint.names.list[NAMES_OF_FEATURES] = (struct name_list){0};
            memory_destroy(w.bytes);
            encode(&w.checkpoint, &w.bytes, &w.size);
            write_file(w.path, w.bytes, w.size);
            read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
            finish_small(&w);
        }
}
END_TEST

/* A decoder with all options; its weights are not looked at here. */
static void fill_options(struct net_config *model)
{
    model->cell = CELL_LSTM;
    model->output = OUTPUT_DECODER;
    model->loss = LOSS_SOFTMAX;
    model->input_layers = 2;
    model->input_size[0] = 3;
    model->input_size[1] = 5;
    model->output_layers = 1;
    model->output_size[0] = 7;
    model->transition_layers = 2;
    model->residual = model->normalize = model->initial_state = model->peepholes = 1;
    model->recurrent_dropout = 0.5;
    model->timescale = 60.5;
    model->input_noise = 0.1;
    model->class_weights = 2;
    model->class_weight[0] = 0.3;
    model->class_weight[1] = 1e-300;
    model->label_smoothing = 0.2;
    model->huber_delta = 3;
    model->quantiles = 2;
    model->quantile[0] = 0.025;
    model->quantile[1] = 0.975;
    model->attention = ATTENTION_DOT;
    model->decoder_layers = 3;
    model->decoder_hidden = 4;
    model->decoder_embedding = 2;
    model->attention_size = 0;
    model->target_length = 0;
}

START_TEST(every_option_is_read_back)
{
    struct written w;
    write_small(&w);
    fill_options(&w.checkpoint.model);
    memory_destroy(w.bytes);
    encode(&w.checkpoint, &w.bytes, &w.size);
    write_file(w.path, w.bytes, w.size);
    read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
    finish_small(&w);
}
END_TEST

START_TEST(options_that_cannot_go_together_are_refused_by_name)
{
    static const struct {
        size_t place;
        int value;
        const char *says;
    } bad[] = {{offsetof(struct net_config, cell), CELL_GRU, "peepholes"},
        {offsetof(struct net_config, loss), LOSS_MSE, "class_weights"},
        {offsetof(struct net_config, decoder_hidden), 0, "decoder_hidden"},
        {offsetof(struct net_config, attention), ATTENTION_ADDITIVE, "attention_size"},
        {offsetof(struct net_config, attention), ATTENTION_NONE, NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct written w;
        write_small(&w);
        fill_options(&w.checkpoint.model);
        memcpy((char *)&w.checkpoint.model + bad[i].place, &bad[i].value, sizeof bad[i].value);
        memory_destroy(w.bytes);
        encode(&w.checkpoint, &w.bytes, &w.size);
        write_file(w.path, w.bytes, w.size);
        if (bad[i].says)
            read_badly(w.path, CHECKPOINT_SEALED, EXIT_CODE_DATA, bad[i].says);
        else
            read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
        finish_small(&w);
    }
}
END_TEST

/* As earlier releases wrote them: the same list, less what they did not know. */
START_TEST(files_of_earlier_versions_are_read)
{
    struct written w;
    struct error error = {0};
    struct section whole = {.way = SECTION_WRITE, .error = &error, .most = SIZE_MAX, .version = _i};
    char digits[17];
    void *image;
    size_t size;
    write_small(&w);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)w.checkpoint.weights_hash);
    whole.image = h5_image_create(&error);
    h5_image_attribute_text(whole.image, "/", "format", "rnn-train checkpoint");
    h5_image_attribute_int32(whole.image, "/", "format_version", _i);
    h5_image_attribute_text(whole.image, "/", "weights_hash", digits);
    ck_assert_int_eq(layout_pass(&whole, &w.checkpoint), 0);
    ck_assert_int_eq(h5_image_finish(whole.image, &image, &size, &error), 0);
    write_file(w.path, image, size);
    if (_i < 2)
        w.checkpoint.progress.epoch_labels = w.checkpoint.progress.epoch_counted;
    if (_i < 3) {
        w.checkpoint.optim.reduction = 1;
        w.checkpoint.progress.skipped = w.checkpoint.progress.backs = 0;
        w.checkpoint.progress.anchor = w.checkpoint.progress.step;
    }
    if (_i < 5) {
        memset(w.checkpoint.data, 0, sizeof w.checkpoint.data);
        net_names_finish(&w.checkpoint.names);
    }
    if (_i < 6)
        w.checkpoint.progress.plan_version = 1;
    if (_i < 8)
        forget_flow(&w.checkpoint);
    read_well(w.path, CHECKPOINT_ANY, &w.checkpoint);
    memory_destroy(image);
    finish_small(&w);
}
END_TEST

START_TEST(equal_checkpoints_give_equal_bytes)
{
    struct written a, b;
    write_small(&a);
    write_small(&b);
    ck_assert_uint_eq(a.size, b.size);
    ck_assert_mem_eq(a.bytes, b.bytes, a.size);
    finish_small(&a);
    finish_small(&b);
}
END_TEST

START_TEST(the_last_line_tells_hash_and_length)
{
    struct written w;
    write_small(&w);
    char want[128];
    size_t image = w.size - SEAL_BYTES;
    snprintf(want, sizeof want, "\nrnn-train image xxh3=%016llx bytes=%012zu\n",
        (unsigned long long)hash_bytes(w.bytes, image), image);
    ck_assert_uint_eq(strlen(want), SEAL_BYTES);
    ck_assert_mem_eq(w.bytes + image, want, SEAL_BYTES);
    finish_small(&w);
}
END_TEST

/* Changes one byte of an open file. */
static void poke(int descriptor, size_t at, char byte)
{
    ck_assert_int_eq(pwrite(descriptor, &byte, 1, (off_t)at), 1);
}

START_TEST(a_flipped_bit_in_any_byte_is_refused)
{
    struct written w;
    write_small(&w);
    int descriptor = open(w.path, O_WRONLY);
    size_t magic = w.size - SEAL_BYTES;
    for (size_t i = 0; i < w.size; i++) {
        struct error error = {0};
        struct checkpoint read;
        checkpoint_init(&read);
        poke(descriptor, i, (char)(w.bytes[i] ^ (1 << i % 8)));
        if (checkpoint_read(w.path, CHECKPOINT_SEALED, &read, &error) == 0)
            ck_abort_msg("byte %zu of %zu", i, w.size);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        if (i < magic || i >= magic + 22) { /* in the words of the line: no line, but sound groups */
            if (checkpoint_read(w.path, CHECKPOINT_ANY, &read, &error) == 0)
                ck_abort_msg("byte %zu of %zu", i, w.size);
            ck_assert_says(error.text, "damaged");
        }
        poke(descriptor, i, w.bytes[i]);
    }
    close(descriptor);
    read_well(w.path, CHECKPOINT_SEALED, &w.checkpoint);
    finish_small(&w);
}
END_TEST

START_TEST(a_file_cut_or_grown_anywhere_is_refused)
{
    struct written w;
    write_small(&w);
    for (size_t cut = w.size; cut-- > 0;) {
        ck_assert_int_eq(truncate(w.path, (off_t)cut), 0);
        const char *says = cut == 0 ? "empty" : cut < 8 ? "is not a checkpoint" : "has no hash line";
        read_badly(w.path, CHECKPOINT_SEALED, EXIT_CODE_DATA, says);
        if (cut < w.size - SEAL_BYTES && cut % 16 == 0)
            read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, cut < 48 ? "not" : "truncated");
    }
    write_file(w.path, w.bytes, w.size);
    FILE *file = fopen(w.path, "ab");
    fputc('\n', file);
    fclose(file);
    read_badly(w.path, CHECKPOINT_SEALED, EXIT_CODE_DATA, "has no hash line");
    finish_small(&w);
}
END_TEST

static int call_repack(const char *from, const char *to, const char *filter)
{
    struct command_result result;
    if (filter)
        command_call(&result, 60, "h5repack", "-f", filter, from, to, NULL);
    else
        command_call(&result, 60, "h5repack", from, to, NULL);
    int status = result.status;
    command_result_finish(&result);
    return status;
}

START_TEST(a_repacked_file_serves_but_is_not_resumed_from)
{
    struct written w;
    write_small(&w);
    const char *const filters[] = {NULL, "GZIP=9", "SHUF"};
    for (int i = 0; i < 3; i++) {
        int status = call_repack(w.path, in_folder("repacked.h5"), filters[i]);
        if (status == 127)
            break; /* no h5repack here */
        ck_assert_int_eq(status, 0);
        read_well(in_folder("repacked.h5"), CHECKPOINT_ANY, &w.checkpoint);
        read_badly(in_folder("repacked.h5"), CHECKPOINT_SEALED, EXIT_CODE_DATA, "--init");
    }
    finish_small(&w);
}
END_TEST

/* The file without its line, opened to be altered. */
static hid_t open_bare(struct written *w)
{
    write_file(w->path, w->bytes, w->size - SEAL_BYTES);
    hid_t file = H5Fopen(w->path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    return file;
}

static void change_attribute(hid_t file, const char *object, const char *name, hid_t type, const void *value)
{
    hid_t id = H5Oopen(file, object, H5P_DEFAULT), attribute = H5Aopen(id, name, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, type, value), 0);
    H5Aclose(attribute);
    H5Oclose(id);
}

static void change_first(hid_t file, const char *name)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set), type = H5Dget_type(set);
    hsize_t n = (hsize_t)H5Sget_simple_extent_npoints(space);
    char *values = calloc(n, H5Tget_size(type));
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    values[0] ^= 1;
    ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    free(values);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
}

START_TEST(group_hashes_see_every_change)
{
    struct written w;
    write_small(&w);
    const char *const sets[] = {"/config/text", "/model/head.bias", "/model/rnn.weight_hh_l0_reverse",
        "/optimizer/exp_avg/head.weight", "/optimizer/exp_avg_sq/rnn.bias_ih_l0", "/data/mean",
        "/data/deviation", "/provenance/hosts"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        hid_t file = open_bare(&w);
        change_first(file, sets[i]);
        H5Fclose(file);
        read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "does not have the content its hash was made of");
    }
    const char *const integers[][2] = {{"/optimizer", "step"}, {"/optimizer", "plateau_wait"},
        {"/progress", "epoch"}, {"/progress", "metrics_rows"}, {"/progress", "best_epoch"},
        {"/data", "classes"}, {"/model", "inputs"}, {"/provenance", "ranks"}};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        hid_t file = open_bare(&w);
        change_attribute(file, integers[i][0], integers[i][1], H5T_NATIVE_INT, (int[]){9});
        H5Fclose(file);
        read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "does not have the content its hash was made of");
    }
    finish_small(&w);
}
END_TEST

/* The attribute anew, since the width of the one that is there would cut the text. */
static void change_text(hid_t file, const char *group, const char *name, const char *value)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(value) ? strlen(value) : 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    ck_assert_int_ge(H5Adelete_by_name(file, group, name, H5P_DEFAULT), 0);
    hid_t attribute =
        H5Acreate_by_name(file, group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, type, value), 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

START_TEST(impossible_values_are_refused_by_name)
{
    struct written w;
    write_small(&w);
    const struct {
        const char *group, *name;
        int64_t value;
        const char *says;
    } bad[] = {{"/model", "layers", 0, "not 0 numbers"}, {"/model", "layers", -1, "layers = -1"},
        {"/model", "peepholes", 2, "peepholes = 2"},
        {"/model", "transition_layers", 65, "transition_layers = 65"},
        {"/model", "decoder_hidden", 65536, "sizes"},
        {"/model", "decoder_hidden", 65537, "decoder_hidden = 65537"},
        {"/model", "class_weights", 4097, "= 4097"}, {"/model", "class_weights", 1, "class_weight_0"},
        {"/model", "quantiles", 65, "= 65"}, {"/model", "quantiles", 4, "quantile_3"},
        {"/model", "target_length", (int64_t)1 << 31, "target_length"},
        {"/model", "layers", NET_MOST_LAYERS + 1, "layers = 65"}, {"/model", "layers", 2, "not 2 numbers"},
        {"/model", "outputs", INT64_MAX, "sizes"}, {"/model", "symbols", 2, "symbols = 2"},
        {"/model", "inputs", -1, "inputs = -1"}, {"/progress", "step", -1, "step = -1"},
        {"/progress", "finished", 2, "finished = 2"},
        {"/data", "standardized_features", INT64_MAX, "standardized_features"},
        {"/data", "standardized_features", 3, "another shape"},
        {"/model/head.weight", "offset", 1, "not where the one before ends"},
        {"/model/head.weight", "offset", -1, "not where the one before ends"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hid_t file = open_bare(&w);
        change_attribute(file, bad[i].group, bad[i].name, H5T_NATIVE_INT64, &bad[i].value);
        H5Fclose(file);
        read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, bad[i].says);
    }
    const struct {
        const char *name, *value, *says;
    } odd[] = {{"cell", "gruu", "cell = 'gruu'"}, {"initial_state", "1", "initial_state = '1'"},
        {"hidden", "0", "hidden = '0', which cannot be"}, {"hidden", " 3", "hidden = ' 3'"},
        {"hidden", "3 3", "hidden = '3 3', not 1 numbers"}, {"bidirectional", "2", "bidirectional = '2'"},
        {"bidirectional", "", "bidirectional = '', not 1 numbers"}, {"input_layers", "3,4", "'3,4'"},
        {"input_layers", "7 99999", "'7 99999', which cannot be"}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        hid_t file = open_bare(&w);
        change_text(file, "/model", odd[i].name, odd[i].value);
        H5Fclose(file);
        read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, odd[i].says);
    }
    hid_t file = open_bare(&w);
    H5Ldelete(file, "/model/head.bias", H5P_DEFAULT);
    H5Fclose(file);
    read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "/model");
    file = open_bare(&w);
    H5Ldelete(file, "/optimizer/exp_avg", H5P_DEFAULT);
    H5Fclose(file);
    read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "/optimizer/exp_avg is not there");
    file = open_bare(&w);
    H5Adelete_by_name(file, "/data", "hash", H5P_DEFAULT);
    H5Fclose(file);
    read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "group /data has no attribute hash");
    file = open_bare(&w);
    change_attribute(file, "/", "format_version", H5T_NATIVE_INT, (int[]){CHECKPOINT_VERSION + 1});
    H5Fclose(file);
    read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "this program reads 1 to");
    finish_small(&w);
}
END_TEST

START_TEST(sets_larger_than_the_file_are_refused_before_memory_is_asked_for)
{
    struct written w;
    write_small(&w);
    hid_t file = open_bare(&w);
    H5Ldelete(file, "/model/head.bias", H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){(hsize_t)1 << 40}, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, (hsize_t[]){16});
    hid_t set =
        H5Dcreate2(file, "/model/head.bias", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    hid_t memory = H5Screate_simple(1, (hsize_t[]){1}, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){0}, NULL, (hsize_t[]){1}, NULL);
    H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, (float[]){1});
    H5Sclose(memory);
    H5Sclose(space);
    H5Pclose(creation);
    H5Dclose(set);
    H5Fclose(file);
    read_badly(w.path, CHECKPOINT_ANY, EXIT_CODE_DATA, "head.bias of an impossible size");
    finish_small(&w);
}
END_TEST

/* Reads in a process of its own: HDF5 1.10 reads behind the end of a damaged attribute, and may die of it. */
enum tried { TRIED_REFUSED = 40, TRIED_RIGHT, TRIED_WRONG, TRIED_DIED };

static enum tried try_read(const char *path, const struct checkpoint *want)
{
    pid_t child = fork();
    if (child == 0) {
        struct error error = {0};
        struct checkpoint read;
        checkpoint_init(&read);
        alarm(20);
        if (!freopen("/dev/null", "w", stderr)) /* what a sanitizer says of HDF5 */
            _exit(TRIED_WRONG);
        if (checkpoint_read(path, CHECKPOINT_ANY, &read, &error) != 0)
            _exit(error.code == EXIT_CODE_DATA && error.text[0] ? TRIED_REFUSED : TRIED_WRONG);
        int same = read.count == want->count && memcmp(read.weights, want->weights, 4 * read.count) == 0 &&
            read.progress.step == want->progress.step && strcmp(read.config, want->config) == 0;
        _exit(same ? TRIED_RIGHT : TRIED_WRONG);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : TRIED_DIED;
    return code >= TRIED_REFUSED && code <= TRIED_WRONG ? (enum tried)code : TRIED_DIED;
}

START_TEST(damage_in_a_file_without_line_is_never_taken_for_good)
{
    struct written w;
    write_small(&w);
    size_t image = w.size - SEAL_BYTES;
    write_file(w.path, w.bytes, image);
    int descriptor = open(w.path, O_WRONLY), count[TRIED_DIED + 1] = {0};
    for (size_t i = 0; i < image; i += 61) {
        poke(descriptor, i, (char)(w.bytes[i] ^ (i % 3 ? 0xff : 1 << i % 8)));
        count[try_read(w.path, &w.checkpoint)]++;
        poke(descriptor, i, w.bytes[i]);
    }
    close(descriptor);
    ck_assert_int_eq(count[TRIED_WRONG], 0);
    ck_assert_int_gt(count[TRIED_REFUSED], 50);
    ck_assert_int_lt(count[TRIED_DIED], count[TRIED_REFUSED] / 10);
    finish_small(&w);
}
END_TEST

START_TEST(files_that_are_no_checkpoints_say_so)
{
    read_badly(in_folder("missing.h5"), CHECKPOINT_ANY, EXIT_CODE_IO, "No such file");
    read_badly(folder_path(), CHECKPOINT_ANY, EXIT_CODE_IO, "folder");
    write_file(in_folder("text.h5"), "hello, this is a text\n", 22);
    read_badly(in_folder("text.h5"), CHECKPOINT_ANY, EXIT_CODE_DATA, "is not a checkpoint");
    struct h5_image *image = h5_image_create(NULL);
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    void *bytes;
    size_t size;
    ck_assert_int_eq(h5_image_finish(image, &bytes, &size, NULL), 0);
    write_file(in_folder("dataset.h5"), bytes, size);
    memory_destroy(bytes);
    read_badly(in_folder("dataset.h5"), CHECKPOINT_ANY, EXIT_CODE_DATA, "'rnn-train dataset'");
    read_badly(in_folder("dataset.h5"), CHECKPOINT_SEALED, EXIT_CODE_DATA, "dataset.h5");
}
END_TEST

START_TEST(h5diff_finds_nothing_but_provenance)
{
    struct written w;
    write_small(&w);
    memory_destroy(w.checkpoint.provenance.hosts);
    w.checkpoint.provenance.hosts = strdup("another and a longer list of hosts");
    w.checkpoint.provenance.ranks = 8;
    char *bytes;
    size_t size;
    encode(&w.checkpoint, &bytes, &size);
    const char *other = in_folder("other.h5");
    write_file(other, bytes, size);
    struct command_result result;
    command_call(&result, 60, "h5diff", "--exclude-path", "/provenance", w.path, other, NULL);
    if (result.status != 127) {
        ck_assert_msg(result.status == 0 && result.output[0] == 0, "%s%s", result.output, result.errors);
        command_result_finish(&result);
        command_call(&result, 60, "h5diff", w.path, other, NULL);
        ck_assert_int_eq(result.status, 1);
    }
    command_result_finish(&result);
    memory_destroy(bytes);
    finish_small(&w);
}
END_TEST

START_TEST(common_tools_read_it)
{
    struct written w;
    write_small(&w);
    static const char python[] = "import sys, h5py\n"
                                 "f = h5py.File(sys.argv[1], 'r')\n"
                                 "print(sorted(f), {k: v[()].shape for k, v in f['model'].items()})\n"
                                 "print(f.attrs['weights_hash'], f['config/text'][0].decode())\n";
    const char *const tools[][5] = {{"h5ls", "-r", w.path}, {"h5dump", w.path}, {"ncdump", "-h", w.path},
        {"/usr/bin/python3", "-c", python, w.path}};
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        struct command_result result;
        if (i == 3) {
            command_call(&result, 60, "/usr/bin/python3", "-c", "import h5py", NULL);
            int status = result.status;
            command_result_finish(&result);
            if (status != 0)
                continue;
        }
        command_run(&(struct command){.argv = tools[i], .seconds = 60}, &result);
        if (result.status != 127) {
            ck_assert_msg(result.status == 0 && result.errors[0] == 0, "%s: %s", tools[i][0], result.errors);
            ck_assert_says(result.output, "rnn.weight_hh_l0_reverse");
            ck_assert_says(result.output, "provenance");
        }
        command_result_finish(&result);
    }
    finish_small(&w);
}
END_TEST

/* Outputs whose heads differ in kind: rows, labels of a decoder, values of a decoder. */
static struct net_config config_of_head(int kind, enum cell cell, size_t outputs)
{
    struct net_config config = checkpoints_config(2, 3);
    config.cell = cell;
    config.outputs = outputs;
    config.output_layers = 1;
    config.output_size[0] = 4;
    if (kind == 0)
        return config;
    config.output = OUTPUT_DECODER;
    config.attention = ATTENTION_DOT;
    config.decoder_layers = 2;
    config.decoder_hidden = 3; /* as many as there are values: shapes alone would not tell them apart */
    config.loss = kind == 1 ? LOSS_SOFTMAX : LOSS_MSE;
    config.decoder_embedding = kind == 1 ? 5 : 0;
    config.target_length = kind == 1 ? 0 : 6;
    return config;
}

/* What goes by the targets, said once more by names. */
static int is_head(int kind, const char *name)
{
    static const char *const inputs[] = {"weight_ih", "B_re", "B_im", "D"};
    int found =
        strncmp(name, "head.", 5) == 0 || (kind == 1 && strcmp(name, "decoder.embedding.weight") == 0);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        char first[64];
        snprintf(first, sizeof first, "decoder.rnn.%s_l0", inputs[i]);
        found |= kind == 2 && strcmp(name, first) == 0;
    }
    return found;
}

static void expect_body(
    int kind, const struct checkpoint *was, const struct checkpoint *is, const unsigned char *head)
{
    size_t heads = 0;
    for (size_t i = 0; i < is->parameters; i++) {
        const struct parameter *p = &is->parameter[i], *q = checkpoint_find_parameter(was, p->name);
        ck_assert_msg(head[i] == is_head(kind, p->name), "%s", p->name);
        ck_assert_ptr_nonnull(q);
        for (size_t j = 0; j < p->count; j++)
            ck_assert_msg(
                is->weights[p->offset + j] == (head[i] ? 0 : was->weights[q->offset + j]), "%s", p->name);
        heads += head[i];
    }
    ck_assert_uint_ge(heads, 2);
    ck_assert_uint_eq(is->parameters, was->parameters);
    ck_assert(is->weights_alone && !is->moments[0]);
}

START_TEST(a_body_goes_into_a_network_of_other_outputs_without_its_head)
{
    for (int kind = 0; kind < 3; kind++) {
        struct error error = {0};
        struct checkpoint from, same;
        struct net_config few = config_of_head(kind, (enum cell)_i, 3);
        struct net_config many = config_of_head(kind, (enum cell)_i, 8);
        struct net *own = checkpoints_make_of(&from, &few, 1), *again = checkpoints_make_of(&same, &few, 1);
        struct net *net = net_create(&many, &error);
        ck_assert_msg(net != NULL, "%s", error.text);
        unsigned char *head = net_find_head(net, &error);
        ck_assert_ptr_nonnull(head);
        ck_assert_msg(checkpoint_take_body(&from, "x.h5", net, head, &error) == 0, "%s", error.text);
        ck_assert_int_eq(checkpoint_fits(&from, "x.h5", net, &error), 0);
        expect_body(kind, &same, &from, head);
        memory_destroy(head);
        checkpoint_finish(&from);
        checkpoint_finish(&same);
        net_destroy(own);
        net_destroy(again);
        net_destroy(net);
    }
}
END_TEST

START_TEST(another_body_is_refused_and_the_checkpoint_stays_as_it_was)
{
    struct checkpoint small, large, deep;
    struct net *net = checkpoints_make(&small, 2, 3, 1), *wide = checkpoints_make(&large, 2, 4, 1);
    struct net *deeper = checkpoints_make(&deep, 3, 3, 1);
    struct error error = {0};
    unsigned char *of_wide = net_find_head(wide, &error), *of_deeper = net_find_head(deeper, &error),
                  *of_net = net_find_head(net, &error);
    ck_assert_int_eq(checkpoint_take_body(&small, "x.h5", wide, of_wide, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(
        error.text, "x.h5: rnn.weight_ih_l0 is [12, 2] where the model has [16, 2]: all but the head");
    ck_assert_int_eq(checkpoint_take_body(&small, "x.h5", deeper, of_deeper, &error), -1);
    ck_assert_says(error.text, "has no more parameters but the head where the model has rnn.weight_ih_l2");
    ck_assert_int_eq(checkpoint_take_body(&deep, "x.h5", net, of_net, &error), -1);
    ck_assert_says(error.text, "has rnn.weight_ih_l2 where the model has no more parameters but the head");
    ck_assert_int_eq(checkpoint_fits(&small, "x.h5", net, &error), 0);
    ck_assert(!small.weights_alone && small.moments[0]);
    memory_destroy(of_wide);
    memory_destroy(of_deeper);
    memory_destroy(of_net);
    checkpoint_finish(&small);
    checkpoint_finish(&large);
    checkpoint_finish(&deep);
    net_destroy(net);
    net_destroy(wide);
    net_destroy(deeper);
}
END_TEST

START_TEST(another_model_is_refused_by_its_first_difference)
{
    struct checkpoint small, large, deep;
    struct net *net = checkpoints_make(&small, 2, 3, 1), *wide = checkpoints_make(&large, 2, 4, 1);
    struct net *deeper = checkpoints_make(&deep, 3, 3, 1);
    struct error error = {0};
    ck_assert_int_eq(checkpoint_fits(&small, "x.h5", net, &error), 0);
    ck_assert_int_eq(checkpoint_fits(&small, "x.h5", wide, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "x.h5: rnn.weight_ih_l0 is [12, 2] where the model has [16, 2]");
    ck_assert_int_eq(checkpoint_fits(&small, "x.h5", deeper, &error), -1);
    ck_assert_says(error.text, "has head.weight where the model has rnn.weight_ih_l2");
    ck_assert_int_eq(checkpoint_match(&small, "x.h5", deep.parameter, small.parameters - 1, &error), -1);
    small.parameters--;
    ck_assert_int_eq(checkpoint_fits(&small, "x.h5", net, &error), -1);
    ck_assert_says(error.text, "has no more parameters where the model has head.bias");
    small.parameters++;
    ck_assert_int_eq(checkpoint_match(&small, "x.h5", small.parameter, small.parameters - 1, &error), -1);
    ck_assert_says(error.text, "has head.bias where the model has no more parameters");
    checkpoint_finish(&small);
    checkpoint_finish(&large);
    checkpoint_finish(&deep);
    net_destroy(net);
    net_destroy(wide);
    net_destroy(deeper);
}
END_TEST

START_TEST(the_estimate_is_near_the_size)
{
    const size_t shapes[][2] = {{1, 1}, {1, 128}, {3, 64}, {16, 8}, {NET_MOST_LAYERS, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct checkpoint checkpoint;
        struct net *net = checkpoints_make(&checkpoint, shapes[i][0], shapes[i][1], 1);
        char *bytes;
        size_t size;
        encode(&checkpoint, &bytes, &size);
        size_t estimate = checkpoint_estimate(net, checkpoint.optimizer);
        ck_assert_msg(labs((long)estimate - (long)size) < 16 << 10, "%zu layers of %zu: %zu, estimated %zu",
            shapes[i][0], shapes[i][1], size, estimate);
        memory_destroy(bytes);
        checkpoint_finish(&checkpoint);
        net_destroy(net);
    }
}
END_TEST

START_TEST(weights_that_changed_in_memory_are_not_saved)
{
    struct checkpoint checkpoint;
    net_destroy(checkpoints_make(&checkpoint, 1, 2, 1));
    struct error error = {0};
    void *bytes = NULL;
    size_t size = 0;
    checkpoint.weights[3] *= 1.0000001f;
    ck_assert_int_eq(checkpoint_encode(&checkpoint, &bytes, &size, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_INTERNAL);
    ck_assert_ptr_null(bytes);
    checkpoint_finish(&checkpoint);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *cases = tcase_create("checkpoint");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    tcase_add_test(cases, what_is_written_is_read_back);
    tcase_add_test(cases, every_optimizer_and_depth_is_read_back);
    tcase_add_test(cases, every_word_of_the_structures_is_read_back);
    tcase_add_test(cases, states_and_ends_of_epochs_are_read_back_and_judged);
    tcase_add_test(cases, every_member_of_the_model_is_read_back);
    tcase_add_test(cases, every_option_is_read_back);
    tcase_add_test(cases, options_that_cannot_go_together_are_refused_by_name);
    tcase_add_loop_test(cases, files_of_earlier_versions_are_read, 1, CHECKPOINT_VERSION);
    tcase_add_test(cases, equal_checkpoints_give_equal_bytes);
    tcase_add_test(cases, the_last_line_tells_hash_and_length);
    tcase_add_test(cases, a_flipped_bit_in_any_byte_is_refused);
    tcase_add_test(cases, a_file_cut_or_grown_anywhere_is_refused);
    tcase_add_test(cases, a_repacked_file_serves_but_is_not_resumed_from);
    tcase_add_test(cases, group_hashes_see_every_change);
    tcase_add_test(cases, impossible_values_are_refused_by_name);
    tcase_add_test(cases, sets_larger_than_the_file_are_refused_before_memory_is_asked_for);
    tcase_add_test(cases, damage_in_a_file_without_line_is_never_taken_for_good);
    tcase_add_test(cases, files_that_are_no_checkpoints_say_so);
    tcase_add_test(cases, h5diff_finds_nothing_but_provenance);
    tcase_add_test(cases, common_tools_read_it);
    int cells = 0;
    while (cell_names[cells])
        cells++;
    tcase_add_loop_test(cases, a_body_goes_into_a_network_of_other_outputs_without_its_head, 0, cells);
    tcase_add_test(cases, another_body_is_refused_and_the_checkpoint_stays_as_it_was);
    tcase_add_test(cases, another_model_is_refused_by_its_first_difference);
    tcase_add_test(cases, the_estimate_is_near_the_size);
    tcase_add_test(cases, weights_that_changed_in_memory_are_not_saved);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
