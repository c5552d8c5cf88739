/* Weights that go out of a checkpoint and come in again, and files that are no good. */
#include "ckpt/checkpoint.h"
#include "cli/model_job.h"
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_JANSSON
enum { READS_SAFETENSORS = 1 };
#else
enum { READS_SAFETENSORS = 0 };
#endif
#ifdef HAVE_LIBZIP
enum { HAS_NPZ = 1 };
#else
enum { HAS_NPZ = 0 };
#endif

static const char base[] = "[data]\ntrain = train.h5\n"
                           "[model]\nhidden = 4\nlayers = 1\nbidirectional = no\ncell = rnn\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";

static void set_up(void)
{
    char hash[17];
    struct sample_shape shape = {.sequences = 8,
        .shortest = 1,
        .longest = 9,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2};
    job_write_sample("train.h5", &shape, 1);
    job_write_text("base.ini", base);
    job_finish(hash, 0, "base.ini", "run", NULL);
    job_finish(hash, 0, "base.ini", "other", "--set", "train.seed=2", NULL);
}

static void export_to(const char *format, const char *name)
{
    struct command_result result;
    char run[1024], path[1024];
    call(
        &result, "RNN_MODEL", "export", lasting("run", run), "-o", lasting(name, path), "--to", format, NULL);
    expect(&result, "weights_hash=");
}

static void import_from(struct command_result *result, const char *name)
{
    char file[1024], like[1024], path[1024];
    call(result, "RNN_MODEL", "import", lasting(name, file), "--like", lasting("other", like), "-o",
        lasting("in.h5", path), NULL);
}

/* The file is refused with this line, and nothing is written. */
static void refuses(const char *name, const char *says)
{
    struct command_result result;
    import_from(&result, name);
    expect_failure(&result, 65, says);
    ck_assert(!job_exists("in.h5"));
}

/* ---- out and in ---- */

static void goes_out_and_in(const char *format, const char *name)
{
    struct command_result result;
    struct checkpoint out, in;
    struct error error;
    char path[1024];
    export_to(format, name);
    import_from(&result, name);
    expect(&result, "in.h5: weights=");
    checkpoint_init(&out);
    checkpoint_init(&in);
    ck_assert_int_eq(checkpoint_read(job_path("run/best.h5"), CHECKPOINT_ANY, &out, &error), 0);
    ck_assert_int_eq(checkpoint_read(job_path("in.h5"), CHECKPOINT_ANY, &in, &error), 0);
    ck_assert_uint_eq(out.weights_hash, in.weights_hash);
    ck_assert(in.weights_alone && !in.data[DATA_TRAIN].shape);
    checkpoint_finish(&out);
    checkpoint_finish(&in);
    call(&result, "RNN_PREDICT", lasting("in.h5", path), job_path("train.h5"), NULL);
    expect(&result, "sequences=8 ");
    call(&result, "RNN_TRAIN", "--verify", path, NULL);
    expect(&result, ": sound: ");
    job_remove("in.h5");
}

START_TEST(weights_out_and_in_again_have_the_same_hash)
{
    if (READS_SAFETENSORS)
        goes_out_and_in("safetensors", "run.safetensors");
    if (HAS_NPZ)
        goes_out_and_in("npz", "run.npz");
}
END_TEST

START_TEST(equal_weights_make_equal_files)
{
    export_to("safetensors", "one.safetensors");
    export_to("safetensors", "two.safetensors");
    ck_assert(job_same_file("one.safetensors", "two.safetensors"));
    if (!HAS_NPZ)
        return;
    export_to("npz", "one.npz");
    export_to("npz", "two.npz");
    ck_assert(job_same_file("one.npz", "two.npz"));
}
END_TEST

START_TEST(a_format_that_this_build_lacks_says_so)
{
    struct command_result result;
    char run[1024], path[1024];
    if (!HAS_NPZ) {
        call(&result, "RNN_MODEL", "export", lasting("run", run), "-o", lasting("no.npz", path), "--to",
            "npz", NULL);
        expect_failure(&result, 2, "was built without libzip");
    }
    if (!READS_SAFETENSORS) {
        export_to("safetensors", "run.safetensors");
        import_from(&result, "run.safetensors");
        expect_failure(&result, 2, "was built without jansson");
    }
}
END_TEST

/* ---- safetensors that are no good ---- */

/* Writes a file of this header, and so many bytes of zeroes behind it. */
static void write_safetensors(const char *name, const char *header, size_t buffer)
{
    size_t n = strlen(header);
    char *bytes = calloc(1, 8 + n + buffer);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (char)((unsigned long long)n >> 8 * i);
    memcpy(bytes + 8, header, n);
    job_write(name, bytes, 8 + n + buffer);
    free(bytes);
}

#define WEIGHTS                                                                                              \
    "\"rnn.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]},"                      \
    "\"rnn.weight_hh_l0\":{\"dtype\":\"F32\",\"shape\":[4,4],\"data_offsets\":[48,112]},"                    \
    "\"rnn.bias_ih_l0\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[112,128]},"                       \
    "\"rnn.bias_hh_l0\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[128,144]},"                       \
    "\"head.weight\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[144,176]}"
#define BIAS(type, shape, begin, end)                                                                        \
    ",\"head.bias\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static const struct {
    const char *header;
    size_t buffer;
    const char *says;
} hostile[] = {
    {"{" WEIGHTS BIAS("F32", "[2]", "176", "184") "}", 188, "its tensors end 4 bytes before the file does"},
    {"{" WEIGHTS BIAS("F32", "[2]", "176", "184") "}", 180, "head.bias lies outside of the file"},
    {"{" WEIGHTS BIAS("F32", "[2]", "172", "180") "}", 180, "head.bias overlaps another"},
    {"{" WEIGHTS BIAS("F32", "[2]", "180", "188") "}", 188, "does not begin where the one before it ends"},
    {"{" WEIGHTS BIAS("F32", "[2]", "176", "192") "}", 192, "does not have the bytes that its shape takes"},
    {"{" WEIGHTS BIAS("F32", "[2]", "184", "176") "}", 184, "head.bias lies outside of the file"},
    {"{" WEIGHTS BIAS("F32", "[2]", "-8", "184") "}", 184, "head.bias lies outside of the file"},
    {"{" WEIGHTS BIAS("F32", "[2]", "1e2", "184") "}", 184, "head.bias lies outside of the file"},
    {"{" WEIGHTS BIAS("F32", "[9223372036854775807]", "176", "184") "}", 184,
        "head.bias is [9223372036854775807] where the network of"},
    {"{" WEIGHTS BIAS("F32", "[2,1]", "176", "184") "}", 184, "head.bias is [2, 1] where"},
    {"{" WEIGHTS BIAS("F32", "[2,1,1,1,1,1,1,1,1]", "176", "184") "}", 184, "head.bias has no shape"},
    {"{" WEIGHTS BIAS("F32", "2", "176", "184") "}", 184, "head.bias has no shape"},
    {"{" WEIGHTS BIAS("BF16", "[2]", "176", "180") "}", 180, "head.bias is of type BF16"},
    {"{" WEIGHTS BIAS("\\u0001[7m", "[2]", "176", "180") "}", 180, "head.bias is of type ?[7m"},
    {"{" WEIGHTS "}", 176, "has no head.bias, which the network of"},
    {"{" WEIGHTS ",\"tail.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[176,184]}}", 184,
        "has tail.bias, which the network of"},
    {"{" WEIGHTS ",\"head.bias\":7}", 176, "head.bias has no dtype"},
    {"{" WEIGHTS BIAS("F32", "[2]", "176", "184") BIAS("F32", "[2]", "176", "184") "}", 184,
        "its header is no JSON object: duplicate object key"},
    {"{", 8, "its header is no JSON object"},
    {"{}", 0, "has no rnn.weight_ih_l0"},
};

START_TEST(a_safetensors_file_that_is_no_good_is_refused_with_a_line)
{
    if (!READS_SAFETENSORS)
        return;
    write_safetensors("bad.safetensors", hostile[_i].header, hostile[_i].buffer);
    refuses("bad.safetensors", hostile[_i].says);
}
END_TEST

START_TEST(numbers_of_64_bits_are_rounded_and_nothing_infinite_comes_in)
{
    static const char header[] =
        "{" WEIGHTS ",\"head.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[176,192]}}";
    struct command_result result;
    struct checkpoint in;
    size_t size;
    double value = 0.1;
    if (!READS_SAFETENSORS)
        return;
    write_safetensors("wide.safetensors", header, 192);
    char *bytes = job_read("wide.safetensors", &size);
    memcpy(bytes + size - 8, &value, 8);
    job_write("wide.safetensors", bytes, size);
    import_from(&result, "wide.safetensors");
    expect(&result, "weights_hash=");
    checkpoint_init(&in);
    ck_assert_int_eq(checkpoint_read(job_path("in.h5"), CHECKPOINT_ANY, &in, NULL), 0);
    ck_assert(in.weights[in.count - 1] == 0.1F && in.weights[0] == 0);
    checkpoint_finish(&in);
    job_remove("in.h5");
    value = 1e300;
    memcpy(bytes + size - 8, &value, 8);
    job_write("wide.safetensors", bytes, size);
    free(bytes);
    refuses("wide.safetensors", "number 1 of head.bias is not finite as a 32-bit float");
}
END_TEST

/* A length that is beyond all memory, and files that are cut anywhere. */
START_TEST(a_file_that_is_cut_is_refused_wherever)
{
    static const char *const formats[] = {"safetensors", "npz"};
    for (size_t f = 0; f < 2; f++) {
        size_t size;
        if (!(f ? HAS_NPZ : READS_SAFETENSORS))
            continue;
        export_to(formats[f], "whole");
        char *bytes = job_read("whole", &size);
        static const size_t cuts[] = {0, 4, 8, 20, 300};
        for (size_t c = 0; c < 10; c++) {
            size_t cut = c < 5 ? cuts[c] : size - cuts[c - 5] - 1;
            job_write("cut", bytes, cut);
            refuses("cut", job_path("cut"));
        }
        memset(bytes, 0x7f, f ? 4 : 8);
        job_write("cut", bytes, size);
        refuses("cut", f ? "is none of what weights come in from" : "does not fit into it");
        free(bytes);
    }
}
END_TEST

/* ---- .npz that are no good ---- */

/* Writes the bytes of an exported .npz, with each of one text replaced by another of the same length. */
static void write_edited(const char *name, const char *from, const char *to)
{
    size_t size, n = strlen(from), found = 0;
    export_to("npz", name);
    char *bytes = job_read(name, &size);
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(bytes + i, from, n) == 0) {
            memcpy(bytes + i, to, n);
            found++;
        }
    ck_assert_uint_gt(found, 0);
    job_write(name, bytes, size);
    free(bytes);
}

static const struct {
    const char *from, *to, *says;
} edited[] = {
    {"<f4", "<f2", "of a type that is not read"},
    {"<f4", ">f4", "of a type that is not read"},
    {"<f4", "|O8", "of a type that is not read"},
    {"<f4", "<f8", "does not have the bytes that its shape takes"},
    {"(2,)", "(9,)", "head.bias is [9] where the network of"},
    {"(2,)", "(-,)", "has a shape that no tensor of ours has"},
    {"'shape'", "'shade'", "has no shape"},
    {"False", "True ", "lies by columns"},
    {"head.bias", "head.bia\1", "has head.bia"},
    {"head.bias.npy", "head.bias.txt", "has a member head.bias.txt, which is no array of ours"},
    {"\x93NUMPY", "\x93NUMPI", "is no array of NumPy"},
    {"(4, 3)", "(3, 4)", "rnn.weight_ih_l0 is [3, 4] where the network of"},
    {"'descr'", "'descr\"", "of a type that is not read"},
};

START_TEST(an_npz_that_is_no_good_is_refused_with_a_line)
{
    if (!HAS_NPZ)
        return;
    write_edited("bad.npz", edited[_i].from, edited[_i].to);
    refuses("bad.npz", edited[_i].says);
}
END_TEST

/* The last byte of the numbers: everything fits, but for the checksum. */
START_TEST(a_bit_that_is_wrong_is_found)
{
    size_t size, at = 0;
    if (!HAS_NPZ)
        return;
    export_to("npz", "bit.npz");
    char *bytes = job_read("bit.npz", &size);
    while (at + 4 < size && memcmp(bytes + at, "PK\1\2", 4) != 0)
        at++;
    free(bytes);
    job_flip("bit.npz", at - 1);
    refuses("bit.npz", "does not have its checksum");
}
END_TEST

START_TEST(the_command_line_is_told_what_is_missing)
{
    static const struct {
        const char *words[4];
        const char *says;
    } bad[] = {
        {{"export"}, "which checkpoint?"},
        {{"export", "a.h5", "-o", "b"}, "--to FORMAT is missing"},
        {{"export", "a.h5", "--to", "npz"}, "-o FILE is missing"},
        {{"export", "a.h5", "--to", "yaml"}, "--to yaml: allowed is "},
        {{"export", "a.h5", "b.h5"}, "one checkpoint at a time"},
        {{"import"}, "which file?"},
        {{"import", "a.npz", "--like", "b"}, "-o FILE is missing"},
        {{"import", "a.npz", "b.npz"}, "one file at a time"},
    };
    struct command_result result;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const *w = bad[i].words;
        call(&result, "RNN_MODEL", w[0], w[1], w[2], w[3], NULL);
        expect_failure(&result, 2, bad[i].says);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exchange");
    TCase *tests = tcase_create("exchange");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, weights_out_and_in_again_have_the_same_hash);
    tcase_add_test(tests, equal_weights_make_equal_files);
    tcase_add_test(tests, a_format_that_this_build_lacks_says_so);
    tcase_add_loop_test(tests, a_safetensors_file_that_is_no_good_is_refused_with_a_line, 0,
        sizeof hostile / sizeof *hostile);
    tcase_add_test(tests, numbers_of_64_bits_are_rounded_and_nothing_infinite_comes_in);
    tcase_add_test(tests, a_file_that_is_cut_is_refused_wherever);
    tcase_add_loop_test(
        tests, an_npz_that_is_no_good_is_refused_with_a_line, 0, sizeof edited / sizeof *edited);
    tcase_add_test(tests, a_bit_that_is_wrong_is_found);
    tcase_add_test(tests, the_command_line_is_told_what_is_missing);
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
