#include "data/import/keyed.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

int keyed_check(const struct keyed_options *options, struct error *error)
{
    const char *const file[] = {options->alignment, options->text, options->labels, options->mlf};
    int given = 0;
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        given += file[i] != NULL;
    if (given > 1)
        return error_set(error, EXIT_CODE_USAGE,
            "targets come from one file: give one of --alignment, --text, "
            "--labels and --mlf");
    if (options->symbols && !given)
        return error_set(error, EXIT_CODE_USAGE,
            "--symbols %s: there are no targets that they name: give a file "
            "of targets too, or leave it out",
            options->symbols);
    if (options->subsampling != 1 && !options->alignment)
        return error_set(error, EXIT_CODE_USAGE, "--subsampling goes with --alignment: leave it out");
    return 0;
}

/* ---- alignments ---- */

static int next_alignment(struct keyed_targets *keyed, struct error *error)
{
    int got = kaldi_table_next(&keyed->table, error);
    if (got <= 0 || keyed->table.is_script)
        return got;
    return kaldi_read_integers(&keyed->table.file, keyed->table.key, &keyed->vector, error) != 0 ? -1 : 1;
}

static int add_number(
    const struct keyed_targets *keyed, struct import *import, const char *name, int64_t number)
{
    char shown[TEXT_SHOWN];
    if (!keyed->symbols.count && number >= 0)
        return import_add_class_number(import, number);
    int64_t place = keyed->symbols.count ? symbols_find(&keyed->symbols, number) : -2;
    if (place >= 0)
        return import_add_class(import, keyed->symbols.name[place]);
    if (place == -1)
        return import_add_class(import, NULL);
    return error_set(import_error(import), EXIT_CODE_DATA, "%s: key %s: %" PRId64 " is %s",
        keyed->table.file.path, text_show(name, shown), number,
        keyed->symbols.count ? "no number of the symbol table" : "no class, which begin with 0");
}

static int add_alignment(
    struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence)
{
    char shown[TEXT_SHOWN];
    struct kaldi_table *table = &keyed->table;
    struct error *error = import_error(import);
    int64_t each = keyed->options->subsampling, wanted = (sequence->frames + each - 1) / each;
    if (kaldi_table_next(table, error) != 1 ||
        kaldi_read_integers(table->object, table->key, &keyed->vector, error) != 0)
        return -1;
    if ((int64_t)keyed->vector.rows != wanted)
        return error_set(error, EXIT_CODE_DATA,
            "%s: key %s has %zu integers, but the sequence %" PRId64 " frames, so that %" PRId64
            " are needed: align these features%s",
            table->file.path, text_show(sequence->name, shown), keyed->vector.rows, sequence->frames, wanted,
            each == 1 ? ", or say --subsampling N" : "");
    for (int64_t t = 0; t < sequence->frames; t++)
        if (add_number(keyed, import, sequence->name, keyed->vector.integers[t / each]) != 0)
            return -1;
    return 0;
}

/* ---- lines of text ---- */

/* Reads a line that is not empty: its key is in table.key, `rest` is what follows. */
static int read_entry(struct keyed_targets *keyed, char **rest, struct error *error)
{
    char shown[TEXT_SHOWN];
    struct bounded_file *file = &keyed->table.file;
    for (int got; (got = bounded_read_line(file, error)) != 0;) {
        *rest = file->line;
        const char *key = got > 0 ? bounded_next_word(rest) : NULL;
        if (got < 0)
            return -1;
        if (!key)
            continue;
        if (strlen(key) >= sizeof keyed->table.key)
            return error_set(error, EXIT_CODE_DATA, "%s: line %" PRId64 ": key %s is longer than %zu bytes",
                file->path, file->lines, text_show(key, shown), sizeof keyed->table.key - 1);
        memcpy(keyed->table.key, key, strlen(key) + 1);
        return 1;
    }
    return 0;
}

static int next_line(struct keyed_targets *keyed, struct error *error)
{
    char *rest;
    return read_entry(keyed, &rest, error);
}

int keyed_add_class(const struct keyed_targets *keyed, struct import *import, const char *label)
{
    import_set_file(import, keyed->table.file.path);
    import_set_line(import, keyed->table.file.lines);
    int outcome = import_add_class(import, label);
    import_set_file(import, NULL);
    import_set_line(import, 0);
    return outcome;
}

static int add_text(struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence)
{
    char *rest;
    if (read_entry(keyed, &rest, import_error(import)) != 1)
        return -1;
    for (const char *word; (word = bounded_next_word(&rest));)
        if (strcmp(word, SYMBOLS_NOTHING) != 0 && keyed_add_class(keyed, import, word) != 0)
            return -1;
    return 0;
}

static int add_label(
    struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence)
{
    char shown[TEXT_SHOWN], *rest;
    if (read_entry(keyed, &rest, import_error(import)) != 1)
        return -1;
    const char *label = bounded_next_word(&rest);
    if (!label || bounded_next_word(&rest))
        return error_set(import_error(import), EXIT_CODE_DATA,
            "%s: line %" PRId64 ": key %s has %s: --labels takes lines KEY LABEL, --text any number of words",
            keyed->table.file.path, keyed->table.file.lines, text_show(sequence->name, shown),
            label ? "more than one label" : "no label");
    return keyed_add_class(keyed, import, strcmp(label, SYMBOLS_NOTHING) == 0 ? NULL : label);
}

static const struct keyed_form alignments = {IMPORT_PER_FRAME, 1, next_alignment, add_alignment};
static const struct keyed_form texts = {IMPORT_ANY_TARGETS, 0, next_line, add_text};
static const struct keyed_form labels = {IMPORT_PER_SEQUENCE, 0, next_line, add_label};

/* ---- all forms ---- */

static int go_to(struct keyed_targets *keyed, const struct mark *mark, struct error *error)
{
    return kaldi_table_go(&keyed->table, (struct kaldi_mark){mark->at, mark->lines}, error);
}

static int refuse_twice(struct keyed_targets *keyed, int64_t place, struct error *error)
{
    char shown[TEXT_SHOWN];
    if (go_to(keyed, &keyed->marks.mark[place], error) != 0 || keyed->form->next(keyed, error) != 1)
        return -1;
    return error_set(error, EXIT_CODE_DATA, "%s: key %s comes twice: leave one of its entries out",
        keyed->table.file.path, text_show(keyed->table.key, shown));
}

static int gather_marks(struct keyed_targets *keyed, struct error *error)
{
    for (;;) {
        struct kaldi_mark mark = kaldi_table_mark(&keyed->table);
        int got = keyed->form->next(keyed, error);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        if (marks_add(&keyed->marks, keyed->table.key, mark.at, mark.lines, error) != 0)
            return -1;
    }
    int64_t twice = marks_order(&keyed->marks);
    return twice < 0 ? 0 : refuse_twice(keyed, twice, error);
}

static int open_file(struct keyed_targets *keyed, struct error *error)
{
    const struct keyed_options *options = keyed->options;
    if (options->alignment) {
        keyed->form = &alignments;
        return kaldi_table_open(&keyed->table, options->alignment, error);
    }
    if (options->mlf) {
        keyed->form = &keyed_mlf;
        return bounded_open(&keyed->table.file, options->mlf, "a master label file", error);
    }
    const char *path = options->text ? options->text : options->labels;
    keyed->form = options->text ? &texts : &labels;
    return bounded_open(&keyed->table.file, path, "a text file of targets", error);
}

int keyed_open(struct keyed_targets *keyed, const struct keyed_options *options, struct error *error)
{
    *keyed = (struct keyed_targets){.options = options, .is_open = 1};
    if (!options->alignment && !options->text && !options->labels && !options->mlf)
        return 0;
    if ((!options->symbols || symbols_read(&keyed->symbols, options->symbols, error) == 0) &&
        open_file(keyed, error) == 0 && gather_marks(keyed, error) == 0) {
        if (keyed->lines_are == MLF_TIMES)
            keyed->form = &keyed_mlf_times;
        return 0;
    }
    keyed_finish(keyed);
    return -1;
}

void keyed_finish(struct keyed_targets *keyed)
{
    kaldi_table_close(&keyed->table);
    marks_finish(&keyed->marks);
    symbols_finish(&keyed->symbols);
    kaldi_object_finish(&keyed->vector);
    *keyed = (struct keyed_targets){0};
}

void keyed_describe(const struct keyed_targets *keyed, struct import_shape *shape)
{
    if (!keyed->form)
        return;
    shape->targets = keyed->form->targets;
    if (keyed->symbols.count) {
        shape->classes.names = (const char *const *)keyed->symbols.name;
        shape->classes.n = (int64_t)keyed->symbols.count;
    } else {
        shape->classes.numbered = keyed->form->numbered;
    }
}

int keyed_find(struct keyed_targets *keyed, struct import *import, const char *name, struct mark **mark)
{
    char lacks[512], shown[TEXT_SHOWN];
    *mark = NULL;
    if (!keyed->form)
        return 1;
    *mark = marks_find(&keyed->marks, name);
    if (*mark)
        return 1;
    snprintf(lacks, sizeof lacks, "has no entry in %s", text_show(keyed->table.file.path, shown));
    return import_unmatched(import, name, lacks) != 0 ? -1 : 0;
}

int keyed_add(struct keyed_targets *keyed, struct import *import, const struct mark *mark,
    const struct keyed_sequence *sequence)
{
    if (!mark)
        return 0;
    return go_to(keyed, mark, import_error(import)) != 0 ? -1 : keyed->form->add(keyed, import, sequence);
}

int keyed_end(struct keyed_targets *keyed, struct import *import)
{
    marks_restore(&keyed->marks);
    import_set_file(import, keyed->table.file.path);
    for (size_t i = 0; i < keyed->marks.count; i++) {
        const struct mark *mark = &keyed->marks.mark[i];
        if (mark->used)
            continue;
        if (go_to(keyed, mark, import_error(import)) != 0 ||
            keyed->form->next(keyed, import_error(import)) != 1 ||
            import_unmatched(import, keyed->table.key, "has no features") != 0)
            return -1;
    }
    import_set_file(import, NULL);
    return 0;
}
