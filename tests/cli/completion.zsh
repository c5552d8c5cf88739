#!/bin/zsh -f
# Completes lines as a zsh does that somebody types into: FOLDER holds the scripts, and each further word is a line, at
# the end of which the key is pressed. Prints, for each, "LINE" and what was offered, each behind a tab.
zmodload zsh/zpty || exit 77
emulate -R zsh
folder=$1
shift
answers=$(mktemp)
trap 'zpty -d shell 2>/dev/null; rm -f $answers' EXIT

# What completion functions add goes into a file too.
typeset -g inside='
PS1= PS2= RPS1=
unsetopt zle_bracketed_paste prompt_cr prompt_sp 2>/dev/null
unset zle_bracketed_paste
fpath=($folder $fpath)
autoload -Uz compinit
compinit -D -u
zstyle ":completion:*" list-max 0
LISTMAX=0
setopt no_beep no_auto_list no_auto_menu
compadd() {
    local -a offered
    local word
    for word; do
        case $word in
            -|--) break ;;
            -[OAD]) builtin compadd "$@"; return ;;
        esac
    done
    builtin compadd -O offered "$@"
    (( ${#offered} )) && print -rl -- $offered >>$answers
    builtin compadd "$@"
}
note_end() { print -r -- "/end" >>$answers }
press() { zle complete-word; comppostfuncs=(); note_end; BUFFER=; }
zle -N press
bindkey "^T" press
print -r -- "/end" >>$answers
'

await_end() {
    local -i waited=0
    local said
    while ! grep -q '^/end$' $answers; do
        zpty -r -t shell said >/dev/null 2>&1 || sleep 0.02
        (( waited++ < 1500 )) || { print -u2 "no answer to: $1"; exit 1 }
    done
}

script=$(mktemp)
print -r -- "folder=${(q)folder} answers=${(q)answers}$inside" >$script
zpty shell "TERM=dumb COLUMNS=1000 zsh -f -i"
zpty -w shell "source $script"
await_end start
rm -f $script
for line; do
    : >$answers
    zpty -w -n shell "$line"$'\C-T'
    await_end $line
    print -r -- "$line"
    sed -n '/^\/end$/q; s/^/\t/p' $answers
done
