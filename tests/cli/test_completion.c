/* What bash and zsh complete by the scripts of --completion. The first argument says which of them; exit code
 * 77, "skipped", where it is not installed. The options are held to what --help says, the keys and their
 * values to the table of the configuration, kinds to their lists. */
#include "config/keys.h"
#include "data/import/import.h"
#include "data/make/make.h"
#include "support/command.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECONDS = 120, MOST_LINES = 128, LINE = 200 };

static const char *shell; /* "bash" or "zsh" */
static int is_zsh;

static const struct {
    const char *name, *variable;
} programs[] = {{"rnn-train", "RNN_TRAIN"}, {"rnn-predict", "RNN_PREDICT"}, {"rnn-bench", "RNN_BENCH"},
    {"rnn-data", "RNN_DATA"}, {"rnn-model", "RNN_MODEL"}};

enum { PROGRAMS = sizeof programs / sizeof *programs };

/* Lines that are completed together, and the text of the answers to all of them. */
struct lines {
    size_t n;
    char line[MOST_LINES][LINE];
    char *answers;
};

static struct lines lines;

static const char *find_program(const char *name)
{
    for (size_t p = 0; p < PROGRAMS; p++)
        if (strcmp(programs[p].name, name) == 0)
            return getenv(programs[p].variable);
    ck_abort_msg("%s", name);
    return NULL;
}

/* ---- scripts and files ---- */

static void write_script(const char *program)
{
    struct command_result result;
    char name[64];
    command_call(&result, SECONDS, find_program(program), "--completion", shell, NULL);
    ck_assert_msg(result.status == 0 && !*result.errors, "%s", result.errors);
    snprintf(name, sizeof name, "%s%s", is_zsh ? "_" : "", program);
    write_file(in_folder(name), result.output, result.output_size);
    command_result_finish(&result);
}

static void set_up(void)
{
    static const char *const files[] = {"play/a.ini", "play/x.h5", "play/y.csv"};
    folder_make();
    for (size_t p = 0; p < PROGRAMS; p++)
        write_script(programs[p].name);
    ck_assert_int_eq(mkdir(in_folder("play"), 0777), 0);
    ck_assert_int_eq(mkdir(in_folder("play/deep"), 0777), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_file(in_folder(files[i]), "", 0);
}

/* ---- asking ---- */

static void begin(void)
{
    free(lines.answers);
    lines = (struct lines){.n = 0};
}

/* Adds a line of two parts. */
static void add(const char *line, const char *rest)
{
    ck_assert_uint_lt(lines.n, MOST_LINES);
    int n = snprintf(lines.line[lines.n++], LINE, "%s%s", line, rest);
    ck_assert_int_lt(n, LINE);
}

/* Completes what was added, in the folder "play". */
static void ask(const char *const *environment)
{
    char folder[1024];
    const char *argv[MOST_LINES + 4] = {is_zsh ? "zsh" : "bash",
        is_zsh ? SCRIPTS "/completion.zsh" : SCRIPTS "/completion.bash", folder, NULL};
    struct command_result result;
    char play[1024];
    snprintf(folder, sizeof folder, "%s", folder_path());
    snprintf(play, sizeof play, "%s", in_folder("play"));
    for (size_t i = 0; i < lines.n; i++)
        argv[3 + i] = lines.line[i];
    command_run(&(struct command){argv, environment, play, SECONDS}, &result);
    ck_assert_msg(result.status == 0 && !*result.errors, "%s", result.errors);
    lines.answers = strdup(result.output);
    command_result_finish(&result);
}

/* Returns where the answers to the line begin: behind its newline. */
static const char *find_answers(const char *line)
{
    size_t n = strlen(line);
    for (const char *at = lines.answers; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, line, n) == 0 && at[n] == '\n')
            return at + n + 1;
    ck_abort_msg("no answer to '%s' in:\n%s", line, lines.answers);
    return NULL;
}

/* bash puts the sign behind a key, zsh shows it apart. */
static int is_answer(const char *answer, const char *word)
{
    size_t n = strcspn(answer, "\n");
    if (n > 0 && answer[n - 1] == '=' && !strchr(word, '='))
        n--;
    return n == strlen(word) && strncmp(answer, word, n) == 0;
}

static int offers(const char *line, const char *word)
{
    const char *at = find_answers(line);
    for (; *at == '\t'; at = strchr(at, '\n') + 1)
        if (is_answer(at + 1, word))
            return 1;
    return 0;
}

static void expect_offer(const char *line, const char *word)
{
    ck_assert_msg(offers(line, word), "'%s' offers no '%s':\n%s", line, word, lines.answers);
}

/* Exactly these; `words` have a blank between. zsh may offer one more than once. */
static void expect(const char *line, const char *words)
{
    char list[1024], *rest;
    size_t wanted = 0, got = 0;
    snprintf(list, sizeof list, "%s", words);
    for (char *word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        wanted++;
        expect_offer(line, word);
    }
    for (const char *at = find_answers(line); *at == '\t'; at = strchr(at, '\n') + 1) {
        char answer[256];
        snprintf(answer, sizeof answer, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
        const char *behind = strchr(at, '\n') + 1;
        int again = 0;
        for (; *behind == '\t'; behind = strchr(behind, '\n') + 1)
            again |= is_answer(behind + 1, answer);
        got += !again;
    }
    ck_assert_msg(wanted == got, "'%s' offers not just '%s':\n%s", line, words, lines.answers);
}

/* ---- options ---- */

/* Every option in the rows of --help is offered behind one of the lines. Returns how many there are. */
static size_t expect_options(const char *help, const char *const *line)
{
    size_t found = 0;
    for (const char *at = help; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        char name[64];
        int has_letter = strncmp(at, "  -", 3) == 0;
        char letter = has_letter ? at[3] : '\0';
        if ((!has_letter && strncmp(at, "      --", 8) != 0) ||
            sscanf(at + 8 * (strlen(at) > 8), "%60[a-z0-9-]", name + 2) != 1)
            continue;
        memcpy(name, "--", 2);
        char spelled[] = {'-', letter, '\0'};
        int named = 0, lettered = !letter;
        for (size_t i = 0; line[i]; i++) {
            named |= offers(line[i], name);
            lettered |= offers(line[i], spelled);
        }
        ck_assert_msg(
            named && lettered, "'%s' offers no %s (-%c):\n%s", line[0], name, letter, lines.answers);
        found++;
    }
    return found;
}

static void expect_help(const char *const *words, const char *const *line, size_t least)
{
    struct command_result result;
    const char *argv[8] = {find_program(words[0]), NULL};
    for (size_t i = 1; words[i]; i++)
        argv[i] = words[i];
    command_run(&(struct command){argv, NULL, NULL, SECONDS}, &result);
    ck_assert_int_eq(result.status, 0);
    ck_assert_uint_ge(expect_options(result.output, line), least);
    command_result_finish(&result);
}

START_TEST(every_option_of_help_is_offered)
{
    static const char *const of_data[] = {"rnn-data -", "rnn-data make -", "rnn-data info -",
        "rnn-data check -", "rnn-data repack -", "rnn-data suggest -", NULL};
    static const char *const of_model[] = {"rnn-model -", "rnn-model info -", "rnn-model export -",
        "rnn-model import -", "rnn-model average -", "rnn-model seal -", NULL};
    static const char *const alone[] = {"rnn-train -", "rnn-predict -", "rnn-bench -"};
    begin();
    for (size_t p = 0; p < 3; p++)
        add(alone[p], "");
    for (size_t i = 0; of_data[i]; i++)
        add(of_data[i], "");
    for (size_t i = 0; of_model[i]; i++)
        add(of_model[i], "");
    ask(NULL);
    for (size_t p = 0; p < 3; p++)
        expect_help((const char *const[]){programs[p].name, "--help", NULL},
            (const char *const[]){alone[p], NULL}, 10);
    expect_help((const char *const[]){"rnn-data", "--help", NULL}, of_data, 9);
    expect_help((const char *const[]){"rnn-model", "--help", NULL}, of_model, 5);
    ck_assert(!offers("rnn-data info -", "--seed") && !offers("rnn-data make -", "--compress"));
}
END_TEST

START_TEST(every_option_of_a_kind_of_import_is_offered)
{
    char line[LINE];
    begin();
    for (size_t k = 0; k < import_kind_count(); k++) {
        snprintf(line, sizeof line, "rnn-data import %s -", import_kind_at(k)->name);
        add(line, "");
    }
    ask(NULL);
    for (size_t k = 0; k < import_kind_count(); k++) {
        const char *name = import_kind_at(k)->name;
        snprintf(line, sizeof line, "rnn-data import %s -", name);
        expect_help((const char *const[]){"rnn-data", "import", name, "--help", NULL},
            (const char *const[]){line, NULL}, 9);
    }
}
END_TEST

START_TEST(words_of_options_are_offered)
{
    begin();
    add("rnn-train --progress ", "");
    add("rnn-train --progress=l", "");
    add("rnn-bench --cell ", "");
    add("rnn-bench --output ", "");
    add("rnn-predict --import ", "");
    add("rnn-model export --to ", "");
    add("rnn-data check --loss m", "");
    add("rnn-data import csv --missing m", "");
    add("rnn-train --completion ", "");
    add("rnn-train --max-time ", "");
    ask(NULL);
    expect("rnn-train --progress ", "auto line log");
    expect("rnn-train --progress=l", "line log");
    expect("rnn-bench --output ", "frame ctc decoder");
    expect("rnn-model export --to ", "safetensors npz onnx c");
    expect("rnn-data check --loss m", "mse mae");
    expect("rnn-data import csv --missing m", "mask mean");
    expect("rnn-train --completion ", "bash zsh");
    expect("rnn-train --max-time ", "");
    for (size_t c = 0; cell_names[c]; c++)
        expect_offer("rnn-bench --cell ", cell_names[c]);
    for (size_t k = 0; k < import_kind_count(); k++)
        expect_offer("rnn-predict --import ", import_kind_at(k)->name);
}
END_TEST

/* ---- commands, kinds, files ---- */

START_TEST(commands_and_kinds_are_offered)
{
    begin();
    add("rnn-data ", "");
    add("rnn-data make ", "");
    add("rnn-data make -o deep --seed 3 l", "");
    add("rnn-data make lorenz ", "");
    add("rnn-data import ", "");
    add("rnn-model ", "");
    ask(NULL);
    expect("rnn-data ", "make info check repack import suggest");
    expect("rnn-model ", "info export import average seal");
    for (size_t k = 0; k < dataset_kind_count(); k++)
        expect_offer("rnn-data make ", dataset_kind_at(k)->name);
    for (size_t k = 0; k < import_kind_count(); k++)
        expect_offer("rnn-data import ", import_kind_at(k)->name);
    expect("rnn-data make -o deep --seed 3 l", "lorenz");
    ck_assert(!offers("rnn-data make lorenz ", "lorenz"));
}
END_TEST

START_TEST(files_are_offered_that_an_option_or_a_command_takes)
{
    static const struct {
        const char *line, *words;
    } cases[] = {{"rnn-train ", "a.ini deep"}, {"rnn-train --fresh -- ", "a.ini deep"},
        {"rnn-train --init ", "x.h5 deep"}, {"rnn-train --init=", "x.h5 deep"}, {"rnn-train -o ", "deep"},
        {"rnn-train -o deep ", "a.ini deep"}, {"rnn-train --machine y", "y.csv"},
        {"rnn-predict ", "x.h5 deep"}, {"rnn-predict x.h5 ", "x.h5 deep"}, {"rnn-data make -o ", "deep"},
        {"rnn-data repack -o ", "a.ini x.h5 y.csv deep"}, {"rnn-data info ", "x.h5 deep"},
        {"rnn-data import csv ", "a.ini x.h5 y.csv deep"}, {"rnn-data import csv --like ", "x.h5 deep"},
        {"rnn-model average x.h5 ", "x.h5 deep"}, {"rnn-model import ", "a.ini x.h5 y.csv deep"},
        {"rnn-train --set data.valid=", "x.h5 deep"}};
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        add(cases[i].line, "");
    ask(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].line, cases[i].words);
}
END_TEST

/* ---- keys ---- */

START_TEST(every_key_is_offered)
{
    begin();
    add("rnn-train --set ", "");
    add("rnn-train -s train.wa", "");
    add("rnn-bench --set=mod", "");
    ask(NULL);
    for (size_t k = 0; k < config_key_count; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", config_keys[k].section, config_keys[k].name);
        expect_offer("rnn-train --set ", name);
        if (strcmp(config_keys[k].section, "model") == 0)
            expect_offer("rnn-bench --set=mod", name);
    }
    expect("rnn-train -s train.wa", "train.warmup train.watchdog");
}
END_TEST

/* The words of a value, with blanks between; "" where it has none. */
static const char *list_values(const struct config_key *key, char list[static 512])
{
    size_t used = 0;
    list[0] = '\0';
    if (key->type == KEY_SWITCH || key->type == KEY_SWITCHES)
        return "no yes";
    if (key->type == KEY_AUTO)
        return "auto";
    for (size_t c = 0; key->type == KEY_CHOICE && key->choices[c]; c++)
        used += (size_t)snprintf(list + used, 512 - used, "%s ", key->choices[c]);
    return list;
}

static void write_value_line(const struct config_key *key, char line[static LINE])
{
    snprintf(line, LINE, "rnn-train --set %s.%s=", key->section, key->name);
}

START_TEST(values_of_enumerated_keys_are_offered)
{
    char line[LINE], list[512];
    begin();
    for (size_t k = 0; k < config_key_count; k++) {
        write_value_line(&config_keys[k], line);
        add(line, "");
    }
    ask(NULL);
    for (size_t k = 0; k < config_key_count; k++) {
        write_value_line(&config_keys[k], line);
        if (config_keys[k].type != KEY_PATHS)
            expect(line, list_values(&config_keys[k], list));
    }
}
END_TEST

START_TEST(a_setting_is_completed_however_it_is_spelled)
{
    begin();
    add("rnn-train --set=model.cell=l", "");
    add("rnn-train --set model.cell=l", "");
    add("rnn-train -smodel.cell=l", "");
    add("rnn-train -s model.cell=l", "");
    add("rnn-train --set train.lr=1 --set model.cell=l", "");
    ask(NULL);
    for (size_t i = 0; i < lines.n; i++)
        expect(lines.line[i], "lstm lru");
}
END_TEST

/* Some take the sign out of COMP_WORDBREAKS, others add the dot: answers are what comes behind a break. */
START_TEST(bash_may_break_words_elsewhere)
{
    if (is_zsh)
        return;
    begin();
    add("rnn-train --set=model.cell=l", "");
    add("rnn-train --set model.ce", "");
    ask((const char *const[]){"BREAKS= ", NULL});
    expect("rnn-train --set=model.cell=l", "--set=model.cell=lstm --set=model.cell=lru");
    expect("rnn-train --set model.ce", "model.cell=");
    begin();
    add("rnn-train --set model.ce", "");
    add("rnn-train --set model.cell=l", "");
    ask((const char *const[]){"BREAKS= =.:", NULL});
    expect("rnn-train --set model.ce", "cell=");
    expect("rnn-train --set model.cell=l", "lstm lru");
}
END_TEST

START_TEST(scripts_are_sound)
{
    struct command_result result;
    for (size_t p = 0; p < PROGRAMS; p++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", is_zsh ? "_" : "", programs[p].name);
        command_call(&result, SECONDS, shell, "-n", in_folder(name), NULL);
        ck_assert_msg(result.status == 0 && !*result.errors, "%s", result.errors);
        command_result_finish(&result);
        if (is_zsh)
            continue;
        command_call(&result, SECONDS, "shellcheck", in_folder(name), NULL);
        ck_assert_msg(result.status == 0 || result.status == 127, "%s%s", result.output, result.errors);
        command_result_finish(&result);
    }
}
END_TEST

int main(int argc, char **argv)
{
    shell = argc > 1 ? argv[1] : "bash";
    is_zsh = strcmp(shell, "zsh") == 0;
    if (system(is_zsh ? "zsh -f -c true" : "bash -c true") != 0) {
        printf("skipped: no %s\n", shell);
        return 77;
    }
    Suite *suite = suite_create("completion");
    TCase *tests = tcase_create("completion");
    tcase_add_unchecked_fixture(tests, set_up, folder_remove);
    tcase_set_timeout(tests, SECONDS);
    tcase_add_test(tests, every_option_of_help_is_offered);
    tcase_add_test(tests, every_option_of_a_kind_of_import_is_offered);
    tcase_add_test(tests, words_of_options_are_offered);
    tcase_add_test(tests, commands_and_kinds_are_offered);
    tcase_add_test(tests, files_are_offered_that_an_option_or_a_command_takes);
    tcase_add_test(tests, every_key_is_offered);
    tcase_add_test(tests, values_of_enumerated_keys_are_offered);
    tcase_add_test(tests, a_setting_is_completed_however_it_is_spelled);
    tcase_add_test(tests, bash_may_break_words_elsewhere);
    tcase_add_test(tests, scripts_are_sound);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
