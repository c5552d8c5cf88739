/* bash has no more than the words of the line and takes no more than a list of what may stand at the cursor.
 * So the script finds out where the line has come to; what the tables say are functions of it, each a `case`
 * that fills the array `takes`: its first element says of which sort what may stand there is. */
#include "cmd/completion.h"
#include "config/keys.h"

/* What is typed in front of the cursor: bash breaks words also at characters of COMP_WORDBREAKS, of which "="
 * is one, and takes as answers what comes behind the last of them. */
static const char of_words[] =
    "\n"
    "# Fills `words` with the words up to the cursor: what stands together in the line is one.\n"
    "_NAME_split()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} piece gap i\n"
    "    words=()\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        if ((i < COMP_CWORD)); then\n"
    "            piece=${COMP_WORDS[i]}\n"
    "            gap=${line%%\"$piece\"*}\n"
    "        else\n"
    "            gap=${line%%[![:space:]]*}\n"
    "            piece=${line#\"$gap\"}\n"
    "        fi\n"
    "        line=${line#\"$gap$piece\"}\n"
    "        if ((i > 0)) && [[ -z $gap ]]; then\n"
    "            words[${#words[@]} - 1]+=$piece\n"
    "        else\n"
    "            words+=(\"$piece\")\n"
    "        fi\n"
    "    done\n"
    "}\n"
    "\n"
    "# Takes the part of the answers that bash has already.\n"
    "_NAME_cut()\n"
    "{\n"
    "    local tail=$1 i\n"
    "    for ((i = 0; i < ${#COMP_WORDBREAKS}; i++)); do\n"
    "        case ${COMP_WORDBREAKS:i:1} in\n"
    "            [[:space:]] | \\\" | \\') ;;\n"
    "            *) tail=${tail##*\"${COMP_WORDBREAKS:i:1}\"} ;;\n"
    "        esac\n"
    "    done\n"
    "    for i in \"${!COMPREPLY[@]}\"; do\n"
    "        COMPREPLY[i]=${COMPREPLY[i]:${#1} - ${#tail}}\n"
    "    done\n"
    "}\n";

static const char of_answers[] =
    "\n"
    "# Files of a pattern and folders, or where no file is of the pattern all files.\n"
    "_NAME_files()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -f -X \"!$2\" -- \"$1\")\n"
    "    if ((${#COMPREPLY[@]} == 0)); then\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
    "    elif [[ $2 != '*' ]]; then\n"
    "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$1\")\n"
    "    fi\n"
    "    compopt -o filenames 2>/dev/null\n"
    "}\n"
    "\n"
    "# Answers with what `takes` says and what begins as the value $1 does.\n"
    "_NAME_answer()\n"
    "{\n"
    "    local start=\n"
    "    case ${takes[0]-} in\n"
    "        words) mapfile -t COMPREPLY < <(compgen -W \"${takes[*]:1}\" -- \"$1\") ;;\n"
    "        files) _NAME_files \"$1\" \"${takes[1]}\" ;;\n"
    "        folders)\n"
    "            mapfile -t COMPREPLY < <(compgen -d -- \"$1\")\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            ;;\n";

static const char of_settings[] =
    "        list)\n"
    "            [[ $1 != *,* ]] || start=${1%,*},\n"
    "            _NAME_files \"${1##*,}\" \"${takes[1]}\"\n"
    "            ;;\n"
    "        setting)\n"
    "            _NAME_key \"${1%%=*}\"\n"
    "            if [[ $1 == *=* ]]; then\n"
    "                start=${1%%=*}=\n"
    "                _NAME_answer \"${1#*=}\"\n"
    "            else\n"
    "                _NAME_keys\n"
    "                mapfile -t COMPREPLY < <(compgen -S = -W \"${takes[*]:1}\" -- \"$1\")\n"
    "                compopt -o nospace 2>/dev/null\n"
    "            fi\n"
    "            ;;\n";

static const char of_prefix[] = "    esac\n"
                                "    COMPREPLY=(\"${COMPREPLY[@]/#/$start}\")\n"
                                "}\n";

static const char of_all[] =
    "\n"
    "_NAME()\n"
    "{\n"
    "    local IFS=$' \\t\\n' place='' typed value i operands=0 waits=0 operands_alone=0\n"
    "    local -a words takes=()\n"
    "    COMPREPLY=()\n"
    "    _NAME_split\n"
    "    typed=${words[${#words[@]} - 1]}\n"
    "    for ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
    "        _NAME_is_place \"${place:+$place }${words[i]}\" || break\n"
    "        place=${place:+$place }${words[i]}\n"
    "    done\n"
    "    for (( ; i < ${#words[@]} - 1; i++)); do\n"
    "        if ((waits)); then\n"
    "            waits=0\n"
    "        elif ((operands_alone)) || [[ ${words[i]} != -?* ]]; then\n"
    "            ((operands += 1))\n"
    "        elif [[ ${words[i]} == -- ]]; then\n"
    "            operands_alone=1\n"
    "        else\n"
    "            _NAME_option \"$place\" \"${words[i]}\"\n"
    "            waits=$((${#takes[@]} > 0))\n"
    "        fi\n"
    "    done\n"
    "    value=$typed\n"
    "    if ((waits)); then\n"
    "        :\n"
    "    elif ((operands_alone)) || [[ $typed != -* ]]; then\n"
    "        _NAME_operand \"$place\" \"$operands\"\n"
    "    elif [[ $typed == --*=* ]]; then\n"
    "        _NAME_option \"$place\" \"${typed%%=*}\"\n"
    "        value=${typed#*=}\n"
    "    else\n"
    "        _NAME_option \"$place\" \"${typed:0:2}\"\n"
    "        value=${typed:2}\n"
    "        if ((${#typed} < 3 || ${#takes[@]} == 0)); then\n"
    "            _NAME_options \"$place\"\n"
    "            value=$typed\n"
    "        fi\n"
    "    fi\n"
    "    _NAME_answer \"$value\"\n"
    "    COMPREPLY=(\"${COMPREPLY[@]/#/${typed:0:${#typed} - ${#value}}}\")\n"
    "    _NAME_cut \"$typed\"\n"
    "}\n"
    "complete -o bashdefault -F _NAME PROGRAM\n";

/* Begins a function that fills `takes`, by way of a case. */
static void begin_function(
    const struct completion *completion, const char *comment, const char *name, const char *of)
{
    printf("\n# %s\n", comment);
    completion_write(completion, "_NAME");
    printf("_%s()\n{\n    takes=()\n    case %s in\n", name, of);
}

static void end_function(void)
{
    puts("    esac\n}");
}

static const char *const of_kind[] = {[WORD_ANY] = "any",
    [WORD_FILE] = "files '*'",
    [WORD_H5] = "files '*.h5'",
    [WORD_INI] = "files '*.ini'",
    [WORD_FOLDER] = "folders",
    [WORD_SETTING] = "setting"};

static void write_takes(const struct option_row *row)
{
    if (!row->names) {
        printf("takes=(%s)", of_kind[row->word]);
        return;
    }
    printf("takes=(words ");
    completion_write_names(row);
    putchar(')');
}

/* Of an option whose value may be left out nothing is said: what follows may be an operand. */
static void write_option(const struct completion_place *place, const struct option_row *row)
{
    if (!row->argument || row->kind == OPTION_WHOLE_OR_NONE || !option_is_known(row, place->command))
        return;
    printf("        '%s:--%s'", place->path, row->name);
    if (row->letter)
        printf(" | '%s:-%c'", place->path, row->letter);
    fputs(") ", stdout);
    write_takes(row);
    puts(" ;;");
}

static void write_options(const struct completion *completion)
{
    begin_function(completion, "The options of the place $1.", "options", "$1");
    for (size_t p = 0; p < completion->places; p++) {
        const struct completion_place *place = &completion->place[p];
        printf("        '%s') takes=(words", place->path);
        for (size_t i = 0; i < place->table->rows; i++) {
            const struct option_row *row = &place->table->row[i];
            if (option_is_known(row, place->command) && row->letter)
                printf(" -%c", row->letter);
            if (option_is_known(row, place->command))
                printf(" --%s", row->name);
        }
        puts(") ;;");
    }
    end_function();
    begin_function(completion, "What the option $2 takes in the place $1.", "option", "\"$1:$2\"");
    for (size_t p = 0; p < completion->places; p++)
        for (size_t i = 0; i < completion->place[p].table->rows; i++)
            write_option(&completion->place[p], &completion->place[p].table->row[i]);
    end_function();
}

static void write_operands(const struct completion *completion)
{
    begin_function(completion, "What may stand in the place $1 behind $2 operands.", "operand", "\"$1:$2\"");
    for (size_t p = 0; p < completion->places; p++) {
        const struct completion_place *place = &completion->place[p];
        if (place->words == 0) {
            printf("        '%s':*) takes=(%s) ;;\n", place->path, of_kind[place->operands]);
            continue;
        }
        printf("        '%s:0') takes=(words", place->path);
        for (size_t w = 0; w < place->words; w++)
            printf(" %s", place->word[w].name);
        puts(") ;;");
    }
    end_function();
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

static void write_key(const struct config_key *key)
{
    const char *const *words = key_words(key);
    if (words || key->type == KEY_PATHS)
        printf("        %s.%s) takes=(%s", key->section, key->name, words ? "words" : "list '*.h5'");
    for (size_t w = 0; words && words[w]; w++)
        printf(" %s", words[w]);
    if (words || key->type == KEY_PATHS)
        puts(") ;;");
}

static void write_keys(const struct completion *completion)
{
    fputs("\n# The keys of a configuration.\n", stdout);
    completion_write(completion, "_NAME_keys()\n{\n    takes=(words");
    for (size_t k = 0; k < config_key_count; k++)
        printf("\n        %s.%s", config_keys[k].section, config_keys[k].name);
    fputs(")\n}\n", stdout);
    begin_function(completion, "What the key $1 takes.", "key", "$1");
    for (size_t k = 0; k < config_key_count; k++)
        write_key(&config_keys[k]);
    end_function();
}

void completion_print_bash(const struct completion *completion)
{
    completion_write(completion,
        "# shellcheck shell=bash\n"
        "# Completes the words of PROGRAM in bash. Made by 'PROGRAM --completion bash'.\n");
    write_places(completion);
    write_options(completion);
    write_operands(completion);
    if (completion_has_settings(completion))
        write_keys(completion);
    completion_write(completion, of_words);
    completion_write(completion, of_answers);
    if (completion_has_settings(completion))
        completion_write(completion, of_settings);
    completion_write(completion, of_prefix);
    completion_write(completion, of_all);
}
