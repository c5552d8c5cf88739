#!/bin/bash
# Completes lines as bash does when the key is pressed at their ends, without a terminal: FOLDER holds the scripts, and
# each further word is a line. Prints, for each, "LINE" and the answers, each behind a tab. Between words of a line are
# single blanks, and characters of COMP_WORDBREAKS are not quoted.
set -u
folder=$1
shift
COMP_WORDBREAKS=${BREAKS-$' \t\n"\'><=;|&(:'}
breaks=${COMP_WORDBREAKS//[[:space:]]/}

# Breaks COMP_LINE into COMP_WORDS: characters at which words break, side by side, are a word.
break_words() {
    local i character kind before=blank
    COMP_WORDS=()
    for ((i = 0; i < ${#COMP_LINE}; i++)); do
        character=${COMP_LINE:i:1}
        kind=letter
        [[ $breaks != *"$character"* ]] || kind='break'
        [[ $character != ' ' ]] || kind=blank
        if [[ $kind == blank ]]; then
            :
        elif [[ $kind == "$before" ]]; then
            COMP_WORDS[${#COMP_WORDS[@]} - 1]+=$character
        else
            COMP_WORDS+=("$character")
        fi
        before=$kind
    done
    [[ $before != blank ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMP_POINT=${#COMP_LINE}
}

for COMP_LINE; do
    program=${COMP_LINE%% *}
    # shellcheck disable=SC1090 # the script that is tested
    . "$folder/$program"
    break_words
    specification=$(complete -p "$program")
    name=${specification##*-F }
    "${name%% *}" "$program" "${COMP_WORDS[COMP_CWORD]}" ''
    printf '%s\n' "$COMP_LINE"
    [[ ${#COMPREPLY[@]} -eq 0 ]] || printf '\t%s\n' "${COMPREPLY[@]}"
done
