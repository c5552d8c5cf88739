/* A kind of rnn-data import, of which the first byte of an input chooses the options, and whether it is read
 * for a network, as rnn-predict --import does; the rest is the source, or a file of targets beside one that
 * is sound: what is taken must make a dataset without a fault, and what is refused must say why. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/import/import.h"
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORDS = 12 };

/* Two frames of one feature, as Kaldi writes a matrix in text, and as HTK writes them. */
static const char kaldi_source[] = "u [ 1\n 2 ]\n";
static const char htk_source[] = "\0\0\0\2\0\1\206\240\0\4\0\11\77\200\0\0\100\0\0\0";

/* How a source is read; `end` is that of its name. The word "@" stands for the input, which then is no source
 * but lies beside one of a sequence u. */
static const struct fuzz_variant {
    const char *kind, *end;
    char *words[MOST_WORDS - 2];
} variants[] = {
    {"csv", ".csv", {"--missing", "mask"}},
    {"csv", ".csv", {"--sequence", "a", "--target", "b", "--classes", "--missing", "mean"}},
    {"csv", ".csv", {"--sequence", "a", "--order", "b", "--target", "c", "--separator", "semicolon"}},
    {"csv", ".csv",
        {"--sequence", "a", "--inputs", "b", "--symbols", "--target", "c", "--classes", "--per-sequence"}},
    {"npy", ".npy", {"--missing", "mask"}},
    {"npy", ".npz", {"--missing", "mask"}},
    {"npy", ".npz", {"--real-inputs", "--real-targets"}},
    {"text", ".txt", {"--end"}},
    {"text", ".txt", {"--to", "label", "--units", "words", "--least", "2"}},
    {"text", ".txt", {"--to", "pair", "--least", "2", "--target-units", "words"}},
    {"ts", ".ts", {"--missing", "mask"}},
    {"ts", ".arff", {"--missing", "mean"}},
    {"ts", ".tsv", {"--missing", "mask"}},
    {"kaldi", ".ark", {"--missing", "mask"}},
    {"kaldi", ".scp", {"--missing", "mask"}},
    {"kaldi", ".ark", {"--alignment", "@"}},
    {"kaldi", ".ark", {"--text", "@"}},
    {"kaldi", ".ark", {"--unmatched", "skip", "--labels", "@"}},
    {"kaldi", ".ark", {"--text", "/dev/null", "--unmatched", "skip", "--symbols", "@"}},
    {"htk", ".mfc", {"--missing", "mask"}},
    {"htk", ".scp", {"--mlf", "@"}},
    {"currennt", ".nc", {"--missing", "mask"}},
    {"rnnlib", ".nc", {"--missing", "mask"}},
    {"rnnlib", ".nc", {"--missing", "mask", "--task", "transcription"}},
    {"returnn", ".hdf", {"--missing", "mask"}},
    {"returnn", ".hdf", {"--missing", "mask", "--target", "classes"}},
    {"audio", ".wav", {"--features", "raw"}},
    {"audio", ".wav", {"--deltas", "2"}},
};

static char *symbols[] = {"a", "b", "c"}, *classes[] = {"x", "y"};
static const float means[] = {0.5F, 0.5F};
static const struct net_names nameless,
    named = {.list = {[NAMES_OF_SYMBOLS] = {3, symbols}, [NAMES_OF_CLASSES] = {2, classes}}};

/* Networks: of features and of symbols. */
static const struct import_pattern patterns[] = {
    {.path = "net", .features = 2, .classes = 3, .per_frame = 1, .names = &nameless, .mean = means},
    {.path = "net", .features = 1, .values = 1, .per_sequence = 1, .names = &nameless, .mean = means},
    {.path = "net", .symbols = 3, .classes = 2, .per_sequence = 1, .names = &named},
    {.path = "net", .symbols = 3, .classes = 2, .names = &named},
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

/* The variant of this number among those of the kind, counted around; each time with another pattern, first
 * with none. */
static const struct fuzz_variant *find_variant(size_t number, const struct import_pattern **pattern)
{
    size_t of_kind[sizeof variants / sizeof *variants], n = 0;
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
        if (strcmp(variants[v].kind, FUZZ_KIND) == 0)
            of_kind[n++] = v;
    size_t around = number / n % (PATTERNS + 1);
    *pattern = around ? &patterns[around - 1] : NULL;
    return &variants[of_kind[number % n]];
}

/* Reads the options of a variant, with the output, and the file of targets where there is one, as the program
 * does. */
static struct import_options *make_options(
    const struct import_kind *kind, const struct fuzz_variant *variant, char *output, char *targets)
{
    struct error error;
    struct option_table table = {0};
    char *words[MOST_WORDS + 2] = {"import", "-o", output};
    int n = 3;
    for (int w = 0; variant->words[w]; w++)
        words[n++] = strcmp(variant->words[w], "@") == 0 ? targets : variant->words[w];
    struct import_options *options = import_create_options(kind, &error);
    struct option_row *rows = import_list_options(kind, &table.rows, &error);
    table.row = rows;
    if (!options || !rows || options_read(&table, 0, options, n, words, &error) != n)
        abort();
    memory_destroy(rows);
    return options;
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* Is the input no source, but what stands beside one? */
static int is_beside(const struct fuzz_variant *variant)
{
    for (int w = 0; variant->words[w]; w++)
        if (strcmp(variant->words[w], "@") == 0)
            return 1;
    return 0;
}

/* Writes the sound source; where that is a list, also the one file of it. */
static void write_sound(const struct fuzz_variant *variant, const char *source, const char *listed)
{
    char line[FUZZ_PATH_BYTES + 16];
    if (strcmp(variant->end, ".scp") != 0) {
        write_bytes(source, kaldi_source, sizeof kaldi_source - 1);
        return;
    }
    write_bytes(listed, htk_source, sizeof htk_source - 1);
    write_bytes(source, line, (size_t)snprintf(line, sizeof line, "u %s", listed));
}

static void forget(void *context, const char *text)
{
    fprintf(stderr, "%s\n", text);
}

static void check_output(const char *path)
{
    struct faults faults;
    faults_init(&faults, 20, forget, NULL);
    dataset_check(path, NULL, &faults);
    if (faults.count)
        abort();
    fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char made[FUZZ_PATH_BYTES], source[FUZZ_PATH_BYTES + 8], output[FUZZ_PATH_BYTES + 8];
    char listed[FUZZ_PATH_BYTES + 8];
    const struct import_pattern *pattern;
    const struct fuzz_variant *variant = find_variant(size ? (size_t)(bytes[0] - '0') & 255 : 0, &pattern);
    const struct import_kind *kind = import_kind_find(variant->kind);
    struct import_result result;
    struct error error = {0};
    fuzz_file_make(bytes + (size > 0), size ? size - 1 : 0, made);
    snprintf(source, sizeof source, "%s%s", made, variant->end);
    snprintf(output, sizeof output, "%s.h5", made);
    snprintf(listed, sizeof listed, "%s.listed", made);
    if (is_beside(variant))
        write_sound(variant, source, listed);
    else if (rename(made, source) != 0)
        abort();
    struct import_options *options = make_options(kind, variant, output, made);
    options->pattern = pattern;
    if (import_run(kind, options, (char *[]){source, NULL}, NULL, &result, &error) == 0)
        check_output(output);
    else if (!error.code || !error.text[0] || access(output, F_OK) == 0)
        abort();
    import_result_finish(&result);
    memory_destroy(options);
    unlink(made);
    unlink(listed);
    unlink(source);
    unlink(output);
    return 0;
}
