/* rnn-data import as a user meets it: what becomes of classes, missing values and splits, what is refused,
 * and what is left behind. That values are those of other programs is held by tests/import. */
#include "data/dataset.h"
#include "data/names.h"
#include "support/command.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 60, MOST_WORDS = 24 };

static const char *program;

static void put(const char *name, const char *text)
{
    write_file(in_folder(name), text, strlen(text));
}

/* rnn-data import with words cut at blanks, in the folder of the test. */
static void run(struct command_result *result, const char *text)
{
    char copy[1000];
    const char *words[MOST_WORDS] = {program, "import"};
    size_t n = 2;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        ck_assert_uint_lt(n, MOST_WORDS - 1);
        words[n++] = word;
    }
    command_run(&(struct command){.argv = words, .directory = folder_path(), .seconds = SECONDS}, result);
    ck_assert(!result->timed_out);
}

static void succeed(const char *text, const char *says)
{
    struct command_result result;
    run(&result, text);
    ck_assert_msg(result.status == 0, "%s: %s", text, result.errors);
    ck_assert_msg(strstr(result.output, says) != NULL, "'%s' does not say %s", result.output, says);
    command_result_finish(&result);
}

/* Refuses in one line that says two things, and writes nothing. */
static void refuse(const char *text, int status, const char *one, const char *other)
{
    struct command_result result;
    run(&result, text);
    ck_assert_msg(result.status == status, "%s: exit code %d: %s", text, result.status, result.errors);
    ck_assert_msg(strstr(result.errors, one) && strstr(result.errors, other),
        "'%s' does not say '%s' and '%s'", result.errors, one, other);
    ck_assert_ptr_eq(strchr(result.errors, '\n'), strrchr(result.errors, '\n'));
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
}

/* An open dataset, all in memory. */
static struct dataset *open_set(const char *name)
{
    struct error error;
    struct dataset *set = dataset_open(in_folder(name), 64 << 20, &error);
    ck_assert_msg(set != NULL, "%s", error.text);
    return set;
}

static void assert_floats(const float *values, const float *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(isnan(wanted[i]) ? isnan(values[i]) : values[i] == wanted[i], "place %zu: %g, not %g",
            i, (double)values[i], (double)wanted[i]);
}

static void assert_names(struct dataset *set, enum names_of which, const char *const *wanted, size_t n)
{
    struct net_names names = {{{0}}};
    struct error error;
    ck_assert_int_eq(dataset_read_names(set, &names, &error), 0);
    ck_assert_uint_eq(names.list[which].n, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(names.list[which].text[i], wanted[i]);
    net_names_finish(&names);
}

static const char plain[] = "id,t,x,y,label\na,0,1,2,up\na,1,3,4,down\nb,0,5,6,up\n";

START_TEST(a_table_becomes_sequences_with_classes_by_name)
{
    static const char *const classes[] = {"down", "up"}, *const features[] = {"x", "y"};
    put("t.csv", plain);
    succeed("csv t.csv -o t.h5 --sequence id --inputs x,y --target label --classes",
        "t.h5: sequences=2 frames=3\n");
    struct dataset *set = open_set("t.h5");
    assert_floats(set->kept_inputs, (float[]){1, 2, 3, 4, 5, 6}, 6);
    ck_assert_mem_eq(set->kept_classes, ((int32_t[]){1, 0, 1}), 12);
    ck_assert_int_eq(set->target_kind, TARGET_FRAME);
    assert_names(set, NAMES_OF_CLASSES, classes, 2);
    assert_names(set, NAMES_OF_FEATURES, features, 2);
    dataset_close(set);
    succeed("csv t.csv -o t.h5 --sequence id --inputs x --target label --classes",
        "(replaces the dataset of before)");
}
END_TEST

START_TEST(whole_numbers_as_classes_come_by_value_and_a_target_may_be_missing)
{
    static const char *const classes[] = {"-1", "2", "10"};
    put("t.csv", "x;label\n1;10\n2;2\n3;\n4;-1\n");
    succeed("csv t.csv -o t.h5 --separator semicolon --inputs x --target label --classes",
        "sequences=1 frames=4");
    struct dataset *set = open_set("t.h5");
    ck_assert_mem_eq(set->kept_classes, ((int32_t[]){2, 1, -1, 0}), 16);
    assert_names(set, NAMES_OF_CLASSES, classes, 3);
    dataset_close(set);
}
END_TEST

START_TEST(missing_values_are_refused_marked_or_filled)
{
    static const char *const marked[] = {"x", "y", "y is missing"};
    put("t.csv", "id,x,y\na,1,2\na,3,\na,5,NaN\na,7,4\n");
    refuse("csv t.csv -o t.h5 --sequence id", 65, "t.csv:3: feature y has no value", "--missing");
    succeed("csv t.csv -o t.h5 --sequence id --missing mask", "frames=4");
    struct dataset *set = open_set("t.h5");
    assert_floats(set->kept_inputs, (float[]){1, 2, 0, 3, 0, 1, 5, 0, 1, 7, 4, 0}, 12);
    assert_names(set, NAMES_OF_FEATURES, marked, 3);
    dataset_close(set);
    succeed("csv t.csv -o m.h5 --sequence id --missing mean", "frames=4");
    set = open_set("m.h5");
    assert_floats(set->kept_inputs, (float[]){1, 2, 3, 3, 5, 3, 7, 4}, 8);
    dataset_close(set);
    /* What is imported like a set with marks has the same, and the same means. */
    put("v.csv", "id,x,y\na,1,2\n");
    succeed("csv v.csv -o v.h5 --sequence id --missing mask --like t.h5", "frames=1");
    set = open_set("v.h5");
    assert_floats(set->kept_inputs, (float[]){1, 2, 0}, 3);
    dataset_close(set);
    put("w.csv", "id,x,y\na,,2\n");
    refuse(
        "csv w.csv -o w.h5 --sequence id --missing mask --like t.h5", 65, "feature x", "t.h5 has no column");
    succeed("csv w.csv -o w.h5 --sequence id --missing mean --like m.h5", "frames=1");
    set = open_set("w.h5");
    assert_floats(set->kept_inputs, (float[]){4, 2}, 2);
    dataset_close(set);
}
END_TEST

START_TEST(real_targets_may_be_missing_and_one_a_sequence_is_the_same_in_all_rows)
{
    put("t.csv", "id,x,a,b\np,1,2,3\np,1,2,3\nq,1,,4\n");
    succeed("csv t.csv -o t.h5 --sequence id --inputs x --target a,b --per-sequence", "sequences=2 frames=3");
    struct dataset *set = open_set("t.h5");
    ck_assert_int_eq(set->target_kind, TARGET_SEQUENCE);
    ck_assert_int_eq(set->version, 2);
    assert_floats(set->kept_values, (float[]){2, 3, NAN, 4}, 4);
    dataset_close(set);
    put("t.csv", "id,x,a\np,1,2\np,1,3\n");
    refuse("csv t.csv -o u.h5 --sequence id --inputs x --target a --per-sequence", 65, "t.csv:3: sequence p",
        "another target");
}
END_TEST

START_TEST(like_takes_features_and_classes_by_name_and_refuses_others)
{
    put("t.csv", plain);
    put("v.csv", "more,label,y,id,x\n9,up,2,n,1\n");
    succeed("csv t.csv -o t.h5 --sequence id --inputs x,y --target label --classes", "frames=3");
    succeed("csv v.csv -o v.h5 --sequence id --target label --classes --like t.h5", "frames=1");
    struct dataset *set = open_set("v.h5");
    assert_floats(set->kept_inputs, (float[]){1, 2}, 2);
    ck_assert_int_eq(set->classes, 2);
    ck_assert_int_eq(set->kept_classes[0], 1);
    dataset_close(set);
    put("v.csv", "id,x,y,label\nn,1,2,left\n");
    refuse("csv v.csv -o w.h5 --sequence id --target label --classes --like t.h5", 65, "v.csv:2: label left",
        "t.h5 does not have it");
    put("v.csv", "id,x,z,label\nn,1,2,up\n");
    refuse("csv v.csv -o w.h5 --sequence id --target label --classes --like t.h5", 65, "v.csv:1: --like",
        "column y");
}
END_TEST

/* A hundred sequences, whose order is `step` numbers on. */
static void put_many(const char *name, int step)
{
    char text[4000] = "id,who,x\n";
    for (int i = 0, s = 0; i < 100; i++, s = (s + step) % 100)
        sprintf(text + strlen(text), "s%d,p%d,%d\n", s, s % 7, s);
    put(name, text);
}

/* Marks in which of three sets each sequence is. */
static void find_parts(const char *stem, int part[100])
{
    static const char *const names[] = {"train", "valid", "test"};
    char name[64];
    int found = 0;
    for (int p = 0; p < 3; p++) {
        snprintf(name, sizeof name, "%s-%s.h5", stem, names[p]);
        struct dataset *set = open_set(name);
        for (int64_t s = 0; s < set->sequences; s++, found++)
            part[(int)set->kept_inputs[s]] = p;
        dataset_close(set);
    }
    ck_assert_int_eq(found, 100);
}

START_TEST(a_split_depends_on_names_and_seed_alone)
{
    int one[100], other[100], count[3] = {0};
    put_many("one.csv", 1);
    put_many("other.csv", 37);
    succeed("csv one.csv -o a.h5 --sequence id --inputs x --split 0.6,0.2,0.2", "a-train.h5: sequences=");
    succeed("csv other.csv -o b.h5 --sequence id --inputs x --split 6,2,2 --seed 1", "b-test.h5: sequences=");
    find_parts("a", one);
    find_parts("b", other);
    ck_assert_mem_eq(one, other, sizeof one);
    for (int s = 0; s < 100; s++)
        count[one[s]]++;
    ck_assert(count[0] > 40 && count[0] < 80 && count[1] > 5 && count[2] > 5);
    succeed("csv one.csv -o b.h5 --sequence id --inputs x --split 0.6,0.2,0.2 --seed 2", "b-test.h5");
    find_parts("b", other);
    ck_assert(memcmp(one, other, sizeof one) != 0);
    succeed(
        "csv one.csv -o b.h5 --sequence id --inputs x --split 0.4,0.3,0.3 --by who --seed 5", "b-test.h5");
    find_parts("b", other);
    for (int s = 7; s < 100; s++)
        ck_assert_int_eq(other[s], other[s % 7]);
}
END_TEST

START_TEST(rows_come_in_any_order_where_one_is_named)
{
    put("t.csv", "id,t,x\nb,2,1\na,1.5,2\nb,-1,3\na,1,4\n");
    refuse("csv t.csv -o t.h5 --sequence id", 65, "t.csv:4: sequence b is there twice", "together");
    succeed("csv t.csv -o t.h5 --sequence id --order t", "sequences=2 frames=4");
    struct dataset *set = open_set("t.h5");
    assert_floats(set->kept_inputs, (float[]){3, 1, 4, 2}, 4);
    dataset_close(set);
    put("t.csv", "id,t,x\nb,2,1\nb,2,3\n");
    refuse("csv t.csv -o u.h5 --sequence id --order t", 65, "t.csv:3", "twice");
}
END_TEST

START_TEST(several_sources_make_one_set_and_have_to_agree)
{
    put("a.csv", "id,x,c\na,1,z\n");
    put("b.csv", "id,x,c\nb,2,y\n");
    put("c.csv", "id,y,c\nb,2,y\n");
    succeed("csv a.csv b.csv -o t.h5 --sequence id --target c --classes", "sequences=2 frames=2");
    struct dataset *set = open_set("t.h5");
    ck_assert_mem_eq(set->kept_classes, ((int32_t[]){1, 0}), 8);
    dataset_close(set);
    refuse("csv a.csv c.csv -o u.h5 --sequence id --target c --classes", 65,
        "c.csv:1: features: number 0 is y", "x in a.csv");
    refuse("csv a.csv a.csv -o u.h5 --sequence id --target c --classes", 65, "a.csv:2: sequence a", "twice");
}
END_TEST

START_TEST(standard_input_is_a_source)
{
    struct command_result result;
    put("t.csv", plain);
    command_call(&result, SECONDS, "sh", "-c",
        "\"$0\" import csv - -o \"$1/p.h5\" --sequence id --inputs x,y <\"$1/t.csv\" && \"$0\" check "
        "\"$1/p.h5\"",
        program, folder_path(), (char *)NULL);
    ck_assert_msg(result.status == 0 && strstr(result.output, "p.h5: ok"), "%s", result.errors);
    command_result_finish(&result);
    refuse("npy - -o x.h5", 2, "standard input", "npy");
}
END_TEST

START_TEST(nothing_is_overwritten_that_is_no_dataset_and_nothing_left_of_a_failure)
{
    struct command_result result;
    put("t.csv", plain);
    refuse("csv t.csv -o t.csv --sequence id --inputs x", 74, "t.csv", "is no dataset");
    put("note.txt", "mine\n");
    refuse("csv t.csv -o note.txt --sequence id --inputs x", 74, "note.txt", "is no dataset");
    put("bad.csv", "id,x\na,1\nb,one\n");
    succeed("csv t.csv -o t.h5 --sequence id --inputs x", "frames=3");
    refuse("csv bad.csv -o t.h5 --sequence id", 65, "bad.csv:3: x: one is no number", "decimal");
    refuse("csv t.csv -o t.h5 --like t.h5 --sequence id", 2, "t.h5: is the dataset of --like", "another");
    struct dataset *set = open_set("t.h5");
    ck_assert_int_eq(set->frames, 3);
    dataset_close(set);
    command_call(&result, SECONDS, "sh", "-c",
        "trap '' XFSZ; ulimit -f 1; cd \"$1\" && exec \"$0\" import csv t.csv -o t.h5 --sequence id --inputs "
        "x",
        program, folder_path(), (char *)NULL);
    ck_assert_msg(result.status == 74 && strstr(result.errors, "make room"), "%s", result.errors);
    command_result_finish(&result);
    command_call(&result, SECONDS, "ls", "-A", folder_path(), (char *)NULL);
    ck_assert_str_eq(result.output, "bad.csv\nnote.txt\nt.csv\nt.h5\n");
    command_result_finish(&result);
}
END_TEST

/* What is in the source, how it is read, and what is said of it. */
static const struct refused {
    const char *content, *words;
    int status;
    const char *one, *other;
} refusals[] = {
    {"", "csv s -o o.h5", 65, "s: is empty", "header"},
    {"x\n", "csv s -o o.h5", 65, "o.h5", "no sequence"},
    {"x,y\n1\n", "csv s -o o.h5", 65, "s:2: 1 fields", "has 2"},
    {"x,y\n1,2\n\"1\n2\",3\n", "csv s -o o.h5", 65, "s:3: x:", "no number"},
    {"x\n\"1\n", "csv s -o o.h5", 65, "s:2: a quote", "doubled"},
    {"x\n1\"2\"\n", "csv s -o o.h5", 65, "s:2: a quote", "doubled"},
    {"x\n\xff\n", "csv s -o o.h5", 65, "s:2: field 1", "UTF-8"},
    {"x\n1e39\n", "csv s -o o.h5", 65, "s:2: x: 1e39", "too large"},
    {"x\n1,5\n", "csv s -o o.h5", 65, "s:2:", "fields"},
    {"x\n0x10\n", "csv s -o o.h5", 65, "s:2:", "no number"},
    {"x\ninf\n", "csv s -o o.h5", 65, "s:2:", "no number"},
    {"id,x\n,1\n", "csv s -o o.h5 --sequence id", 65, "s:2: column id", "empty"},
    {"id,x,x\na,1,2\n", "csv s -o o.h5 --inputs x", 65, "two columns", "x"},
    {"ident,x\na,1\n", "csv s -o o.h5 --sequence idem", 65, "s:1: --sequence", "idem"},
    {"x;y\n1;2\n", "csv s -o o.h5 --target y", 65, "--target: there is no column y", "1"},
    {"x,c\n1,2\n", "csv s -o o.h5 --classes", 2, "--classes", "--target"},
    {"x,c\n1,2\n", "csv s -o o.h5 --by c", 2, "--by", "--split"},
    {"x,c\n1,2\n", "csv s -o o.h5 --split 1", 2, "--split 1", "two or three"},
    {"x,c\n1,2\n", "csv s -o o.h5 --split 1,1", 65, "would have no sequence", "--seed"},
    {"x,c\n1,2\n", "csv s -o o.h5 --missing", 2, "--missing", "value"},
    {"x,c\n1,2\n", "csv s", 2, "-o FILE", "missing"},
    {"x,c\n1,2\n", "csv -o o.h5", 2, "which source", "csv --help"},
    {"x,c\n1,2\n", "csv none -o o.h5", 74, "none", "No such file"},
    {"x,c\n1,2\n", "csv . -o o.h5", 74, ".", "folder"},
    {"x,c\n1,2\n", "csw s -o o.h5", 2, "kinds are csv", "not csw"},
    {"x,c\n1,2\n", "csv s -o nowhere/o.h5", 74, "nowhere/o.h5", "No such file"},
    {"a\tb\n", "text s -o o.h5 --to pair --least x", 2, "--least x", "whole number"},
    {"ab\n", "text s -o o.h5 --to label", 65, "s:1:", "tabulator"},
    {"a\tb\tc\n", "text s -o o.h5 --to pair", 65, "s:1: one tabulator", "wanted"},
    {"\tb\n", "text s -o o.h5 --to pair", 65, "s:1:", "without text"},
    {"ab\nc\n", "text s -o o.h5", 65, "s:2: a line of one symbol", "--end"},
    {"ab\n\xc3(\n", "text s -o o.h5", 65, "s:2: is not UTF-8", "convert"},
    {"\n \n", "text s -o o.h5", 65, "o.h5", "no sequence"},
    {"ab\n", "text s -o o.h5 --to label --end", 2, "--end", "next"},
    {"@data\n1,2:a\n1,2,3:4,5:b\n", "ts s -o o.h5", 65, "s:3: dimension 1", "3"},
    {"@data\n1,2:a\n1,2:4,5:b\n", "ts s -o o.h5", 65, "s:3: the case has 2 dimensions", "not 1"},
    {"@dimensions 99999999999\n@data\n", "ts s -o o.h5", 65, "s:1: @dimensions", "99999999999"},
    {"@classLabel true a b\n@data\n1,2:c\n", "ts s -o o.h5", 65, "label c", "not known"},
    {"@timeStamps true\n@data\n", "ts s -o o.h5", 65, "s:1: @timeStamps", "not read"},
    {"@univariate true\n1,2:a\n", "ts s -o o.h5", 65, "s:2:", "@data"},
    {"@univariate maybe\n", "ts s -o o.h5", 65, "@univariate maybe", "true or false"},
    {"@problemName x\n", "ts s -o o.h5", 65, "no @data", "cut"},
    {"@data\n", "ts s -o o.h5", 65, "no case", "s"},
    {"@data\n1,2\n", "ts s -o o.h5", 65, "s:2: the case has no target", ":"},
    {"@data\n1,?:a\n", "ts s -o o.h5", 65, "s:2: feature 0", "--missing"},
    {"@data\n1,x:a\n", "ts s -o o.h5", 65, "s:2: a value: x", "no number"},
    {"@attribute t numeric\n@data\n1\n", "ts s -o o.h5 --form arff", 65, "s:2:", "classes"},
    {"@attribute t string\n", "ts s -o o.h5 --form arff", 65, "s:1:", "type string"},
    {"@attribute r relational\n@end r\n@attribute c {a}\n@data\n1,2,a\n", "ts s -o o.h5 --form arff", 65,
        "s:5:", "quotes"},
    {"@attribute c {a,b\n@data\n1,a\n", "ts s -o o.h5 --form arff", 65, "s:1:", "'}'"},
    {"1\n", "ts s -o o.h5 --form tsv", 65, "s:1:", "tabulators"},
    {"1\tNaN\tNaN\n", "ts s -o o.h5 --form tsv", 65, "s:1:", "one frame"},
    {"x", "npy s -o o.h5", 65, "s", "npz"},
    {"x", "npy s.npy -o o.h5", 74, "s.npy", "No such file"},
};
enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

START_TEST(what_cannot_be_read_is_refused_in_a_line)
{
    const struct refused *refused = &refusals[_i];
    put("s", refused->content);
    refuse(refused->words, refused->status, refused->one, refused->other);
    ck_assert_int_ne(access(in_folder("o.h5"), F_OK), 0);
}
END_TEST

START_TEST(a_field_without_end_takes_no_memory)
{
    struct command_result result;
    command_call(&result, SECONDS, "sh", "-c",
        "{ printf 'x\\n\"'; head -c 20000000 /dev/zero | tr '\\0' a; } | { ulimit -v 400000; \"$0\" import "
        "csv - -o \"$1/o.h5\"; }",
        program, folder_path(), (char *)NULL);
    ck_assert_msg(result.status == 65 && strstr(result.errors, "standard input:2: a field of more than"),
        "%s", result.errors);
    command_result_finish(&result);
}
END_TEST

START_TEST(symbols_of_text_have_names_that_info_shows)
{
    struct command_result result;
    static const char *const symbols[] = {"<end>", "a", "b"}, *const units[] = {"<unk>", "it", "was"};
    put("t.txt", "ab\r\na\n");
    succeed("text t.txt -o t.h5 --end", "sequences=2 frames=3");
    struct dataset *set = open_set("t.h5");
    ck_assert_mem_eq(set->kept_symbols, ((int32_t[]){1, 2, 1}), 12);
    ck_assert_mem_eq(set->kept_classes, ((int32_t[]){2, 0, 0}), 12);
    assert_names(set, NAMES_OF_SYMBOLS, symbols, 3);
    assert_names(set, NAMES_OF_CLASSES, symbols, 3);
    dataset_close(set);
    command_call(&result, SECONDS, program, "info", in_folder("t.h5"), (char *)NULL);
    ck_assert_msg(
        strstr(result.output, "one of 3 symbols per frame: <end>, a, b\n") != NULL, "%s", result.output);
    command_result_finish(&result);
    /* What is rare has a name of its own, and so has what the training set did not have. */
    put("t.txt", "it was it\tx\nwas rare\ty\n");
    succeed("text t.txt -o t.h5 --to label --units words --least 2", "frames=5");
    set = open_set("t.h5");
    assert_names(set, NAMES_OF_SYMBOLS, units, 3);
    ck_assert_mem_eq(set->kept_symbols, ((int32_t[]){1, 2, 1, 2, 0}), 20);
    dataset_close(set);
    put("v.txt", "it is\ty\n");
    succeed("text v.txt -o v.h5 --to label --units words --like t.h5", "frames=2");
    set = open_set("v.h5");
    ck_assert_mem_eq(set->kept_symbols, ((int32_t[]){1, 0}), 8);
    dataset_close(set);
    put("v.txt", "it is\tz\n");
    refuse("text v.txt -o w.h5 --to label --units words --like t.h5", 65, "v.txt:1: label z", "t.h5");
}
END_TEST

START_TEST(help_lists_kinds_and_options)
{
    succeed("--help", "csv");
    succeed("csv --help", "--sequence COLUMN");
    succeed("ts --help", "--form");
    succeed("text --version", "rnn-data ");
}
END_TEST

static Suite *suite_make(void)
{
    Suite *suite = suite_create("import");
    TCase *sets = tcase_create("sets"), *bad = tcase_create("bad");
    tcase_add_test(sets, a_table_becomes_sequences_with_classes_by_name);
    tcase_add_test(sets, whole_numbers_as_classes_come_by_value_and_a_target_may_be_missing);
    tcase_add_test(sets, missing_values_are_refused_marked_or_filled);
    tcase_add_test(sets, real_targets_may_be_missing_and_one_a_sequence_is_the_same_in_all_rows);
    tcase_add_test(sets, like_takes_features_and_classes_by_name_and_refuses_others);
    tcase_add_test(sets, a_split_depends_on_names_and_seed_alone);
    tcase_add_test(sets, rows_come_in_any_order_where_one_is_named);
    tcase_add_test(sets, several_sources_make_one_set_and_have_to_agree);
    tcase_add_test(sets, standard_input_is_a_source);
    tcase_add_test(bad, nothing_is_overwritten_that_is_no_dataset_and_nothing_left_of_a_failure);
    tcase_add_loop_test(bad, what_cannot_be_read_is_refused_in_a_line, 0, REFUSALS);
    tcase_add_test(bad, a_field_without_end_takes_no_memory);
    tcase_add_test(sets, symbols_of_text_have_names_that_info_shows);
    tcase_add_test(sets, help_lists_kinds_and_options);
    TCase *both[] = {sets, bad};
    for (int c = 0; c < 2; c++) {
        tcase_add_checked_fixture(both[c], folder_make, folder_remove);
        tcase_set_timeout(both[c], SECONDS);
        suite_add_tcase(suite, both[c]);
    }
    return suite;
}

int main(void)
{
    program = getenv("RNN_DATA");
    if (!program) {
        fprintf(stderr, "test_import: set RNN_DATA to the program to test\n");
        return EXIT_FAILURE;
    }
    return suite_run(suite_make());
}
