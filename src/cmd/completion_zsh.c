/* zsh has _arguments, which reads a line as getopt_long does: the script finds the command that the line has
 * come to and hands on a specification of each of its options. */
#include "cmd/completion.h"
#include "config/keys.h"

#include <string.h>

static const char of_all[] = "\n"
                             "_NAME()\n"
                             "{\n"
                             "    local place= next expl\n"
                             "    while (( CURRENT > 2 )); do\n"
                             "        next=\"${place:+$place }${words[2]}\"\n"
                             "        _NAME_is_place \"$next\" || break\n"
                             "        place=$next\n"
                             "        shift words\n"
                             "        (( CURRENT-- ))\n"
                             "    done\n"
                             "    _NAME_arguments\n"
                             "}\n"
                             "\n"
                             "# It is read by the first completion, or sourced.\n"
                             "if [[ $funcstack[1] = _PROGRAM ]]; then\n"
                             "    _NAME \"$@\"\n"
                             "else\n"
                             "    compdef _NAME PROGRAM\n"
                             "fi\n";

static const char *const of_kind[] = {[WORD_ANY] = " ",
    [WORD_FILE] = "_files",
    [WORD_H5] = "_files -g \"*.h5(-.)\"",
    [WORD_INI] = "_files -g \"*.ini(-.)\"",
    [WORD_FOLDER] = "_files -/",
    [WORD_SETTING] = "_NAME_setting"};

/* ":FILE:_files"; a colon of the word has a backslash. */
static void write_value(const struct completion *completion, const struct option_row *row)
{
    fputs(row->kind == OPTION_WHOLE_OR_NONE ? "::" : ":", stdout);
    completion_write_quoted(row->argument, ":\\");
    putchar(':');
    if (!row->names) {
        completion_write(completion, of_kind[row->word]);
        return;
    }
    putchar('(');
    completion_write_names(row);
    putchar(')');
}

/* Which options do not go with this one any more: it itself, and with one that asks all. */
static void write_excluded(const struct option_row *row)
{
    if (row->kind == OPTION_ASK)
        fputs("(- *)", stdout);
    else if (row->kind == OPTION_LIST || row->kind == OPTION_COUNTER)
        putchar('*');
    else if (row->letter)
        printf("(-%c --%s)", row->letter, row->name);
}

static void write_spelling(const struct completion *completion, const struct option_row *row, int letter)
{
    fputs("            '", stdout);
    write_excluded(row);
    if (letter)
        printf("-%c%s", row->letter, row->argument ? "+" : "");
    else
        printf("--%s%s", row->name, row->argument ? "=" : "");
    putchar('[');
    completion_write_quoted(row->help, "[]\\");
    putchar(']');
    if (row->argument)
        write_value(completion, row);
    puts("' \\");
}

/* "'1:word:((make info))'", or what stands there in any number. */
static void write_operands(const struct completion *completion, const struct completion_place *place)
{
    if (place->words > 0)
        completion_write(completion, "            '1:word:_NAME_word'");
    else if (place->operands != WORD_ANY) {
        fputs("            '*:file:", stdout);
        completion_write(completion, of_kind[place->operands]);
        putchar('\'');
    } else
        fputs("            '*: : '", stdout);
    puts(" ;;");
}

static void write_arguments(const struct completion *completion)
{
    completion_write(completion, "\n_NAME_arguments()\n{\n    case $place in\n");
    for (size_t p = 0; p < completion->places; p++) {
        const struct completion_place *place = &completion->place[p];
        printf("        '%s') _arguments -s -S : \\\n", place->path);
        for (size_t i = 0; i < place->table->rows; i++) {
            const struct option_row *row = &place->table->row[i];
            if (!option_is_known(row, place->command))
                continue;
            if (row->letter)
                write_spelling(completion, row, 1);
            write_spelling(completion, row, 0);
        }
        write_operands(completion, place);
    }
    puts("    esac\n}");
}

static void write_places(const struct completion *completion)
{
    completion_write(
        completion, "\n# Does $1 have options of its own?\n_NAME_is_place()\n{\n    case $1 in\n");
    for (size_t p = 0; p < completion->places; p++)
        if (completion->place[p].path[0])
            printf("        '%s') return 0 ;;\n", completion->place[p].path);
    puts("    esac\n    return 1\n}");
}

/* ":'what it is'" */
static void write_summary(const char *text)
{
    fputs(":'", stdout);
    completion_write_quoted(text, "");
    putchar('\'');
}

static void write_words(const struct completion *completion)
{
    completion_write(
        completion, "\n# Commands and kinds.\n_NAME_word()\n{\n    local -a word\n    case $place in\n");
    for (size_t p = 0; p < completion->places; p++) {
        const struct completion_place *place = &completion->place[p];
        if (!place->words)
            continue;
        printf("        '%s') word=(", place->path);
        for (size_t w = 0; w < place->words; w++) {
            printf("\n            %s", place->word[w].name);
            if (place->word[w].summary)
                write_summary(place->word[w].summary);
        }
        puts(") ;;");
    }
    puts("    esac\n    _describe -t words word word\n}");
}

/* ---- SECTION.KEY=VALUE ---- */

static void write_key(const struct config_key *key)
{
    const char *const *words = key_words(key);
    char allowed[CONFIG_VALUE_MOST];
    key_allowed(key, allowed, sizeof allowed);
    printf("        %s.%s) ", key->section, key->name);
    if (key->type == KEY_PATHS)
        fputs("compset -P '*,'; _files -g '*.h5(-.)'", stdout);
    else if (words) {
        fputs("_wanted values expl value compadd -", stdout);
        for (size_t w = 0; words[w]; w++)
            printf(" %s", words[w]);
    } else {
        fputs("_message -e values '", stdout);
        completion_write_quoted(allowed, "");
        putchar('\'');
    }
    puts(" ;;");
}

static void write_keys(const struct completion *completion)
{
    char allowed[CONFIG_VALUE_MOST];
    completion_write(completion,
        "\n# A key of a configuration, and its value.\n"
        "_NAME_setting()\n{\n    local expl key=${PREFIX%%=*}\n    local -a keys\n"
        "    if ! compset -P 1 '*='; then\n        keys=(");
    for (size_t k = 0; k < config_key_count; k++) {
        key_allowed(&config_keys[k], allowed, sizeof allowed);
        printf("\n            %s.%s", config_keys[k].section, config_keys[k].name);
        write_summary(allowed);
    }
    fputs(")\n        _describe -t keys key keys -S =\n        return\n    fi\n    case $key in\n", stdout);
    for (size_t k = 0; k < config_key_count; k++)
        write_key(&config_keys[k]);
    puts("    esac\n}");
}

void completion_print_zsh(const struct completion *completion)
{
    completion_write(completion,
        "#compdef PROGRAM\n"
        "# Completes the words of PROGRAM in zsh. Made by 'PROGRAM --completion zsh'.\n");
    write_places(completion);
    write_words(completion);
    if (completion_has_settings(completion))
        write_keys(completion);
    write_arguments(completion);
    completion_write(completion, of_all);
}
