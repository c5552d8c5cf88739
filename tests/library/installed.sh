#!/bin/sh
# What shells complete, and librnn, as somebody has them who installed them: what can be seen of the library, and examples/
# built against it through pkg-config, shared and static, whose answers are those of rnn-predict. Prints its counts as
# Check does.
#
# Usage: installed.sh SOURCE BUILD, with CC, RNN_DATA, RNN_TRAIN and RNN_PREDICT in the environment.
set -eu
export LC_ALL=C

source=$1
build=$2
for tool in pkg-config nm ldd; do
    command -v "$tool" >/dev/null || {
        echo "skipped: no $tool"
        exit 77
    }
done
folder=$(mktemp -d "${TMPDIR:-/tmp}/rnn-installed-XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder"
checks=0
failures=0

# claim WHAT COMMAND...: the command succeeds.
claim() {
    what=$1
    shift
    checks=$((checks + 1))
    "$@" >said 2>&1 </dev/null && return
    failures=$((failures + 1))
    echo "not so: $what"
    head -20 said
}

# Under the prefix that it was made for it lies below the folder; whoever moves a package moves its .pc file with it.
install() {
    meson install -C "$build" --no-rebuild --destdir "$folder/there" &&
        pc=$(find there -name rnn.pc) && sed -i "s|^prefix=|prefix=$folder/there|" "$pc" &&
        PKG_CONFIG_PATH=$folder/$(dirname "$pc") && export PKG_CONFIG_PATH
}
install >said 2>&1 || {
    cat said
    exit 1
}
library=$(pkg-config --variable=libdir rnn)

# ---- what shells complete ----

completes() {
    for program in rnn-train rnn-predict rnn-bench rnn-data rnn-model; do
        grep -q "^complete .* $program\$" "$(find there -path "*/bash-completion/completions/$program")" &&
            grep -q "^#compdef $program\$" "$(find there -path "*/zsh/site-functions/_$program")" || return 1
    done
}
completion_is_built() {
    [ -f "$build/src/cmd/completion/rnn-train" ]
}
! completion_is_built || claim "scripts that complete words lie where shells look" completes

# ---- what can be seen ----

only_ours() {
    nm "$@" --defined-only | awk 'NF == 3 && $2 ~ /[A-Z]/ && $3 !~ /^(rnn_[a-z_]+(@@RNN_0)?|RNN_0)$/ { print; bad = 1 }
        END { exit bad }'
}
claim "the shared library shows rnn_* alone" only_ours -D "$library/librnn.so"
claim "the static library shows rnn_* alone" only_ours -g "$library/librnn.a"

# Of what it is made of, nothing ends the program, prints, or meets signals; and there is no MPI.
asks_for_nothing() {
    nm -u "$1" | awk '{ sub(/@.*/, "", $2); print $2 ? $2 : $1 }' |
        grep -xE '(_?exit|_Exit|quick_exit|abort|at_?exit|printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror|signal|sigaction|raise|sigaltstack|timer_create|fork|H5dont_atexit|(P?MPI|OMPI).*)' &&
        return 1
    ! ldd "$library/librnn.so" | grep -iE 'mpi|pmix'
}
claim "the shared library asks for no exit, output or signals" asks_for_nothing "$library/librnn.so"
claim "the static library asks for no exit, output or signals" asks_for_nothing "$library/librnn.a"
declares_what_there_is() {
    nm -D --defined-only "$library/librnn.so" | sed -n 's/.* T \(rnn_[a-z_]*\)@@.*/\1/p' | sort >there_is
    grep -oE '\brnn_[a-z_]+\(' "$(pkg-config --variable=includedir rnn)/rnn.h" | tr -d '(' | sort -u >declared
    diff there_is declared
}
claim "the header declares what there is" declares_what_there_is

# ---- the example ----

# shellcheck disable=SC2046,SC2086 # lists of words
claim "the example is built with the shared library" $CC -std=c11 -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror \
    "$source/examples/rnn-filter.c" $(pkg-config --cflags --libs rnn) -o shared
# shellcheck disable=SC2046,SC2086
claim "the example is built with the static library" $CC -std=c11 -D_XOPEN_SOURCE=700 "$source/examples/rnn-filter.c" \
    $(pkg-config --cflags rnn) "$library/librnn.a" $(pkg-config --static --libs rnn | sed 's/-lrnn //') -o static
printf '#include <rnn.h>\nint main() { return rnn_version()[0] == 0; }\n' >plus.cc
# shellcheck disable=SC2046
command -v c++ >/dev/null && claim "the header serves C++" c++ -Wall -Wextra -Werror plus.cc \
    $(pkg-config --cflags --libs rnn) -o plus

"$RNN_DATA" make reber -o . --sequences 80 >said 2>&1
cat >run.ini <<'TEXT'
[data]
train = reber-train.h5
valid = reber-valid.h5
[model]
output = frame
loss = softmax
hidden = 8
bidirectional = no
[train]
epochs = 1
TEXT
"$RNN_TRAIN" run.ini >said 2>&1 </dev/null || cat said
claim "rnn-predict writes what is compared with" "$RNN_PREDICT" -o predicted.h5 runs/run reber-test.h5

# The inputs as lines, an empty one behind each sequence; the outputs with as many digits as tell a float.
lines_of() {
    h5dump -y -w 1 -m %.9g -d "/$2" "$1" | tr -d , |
        awk '/DATA \{/ { on = 1; next } on && /\}/ { exit } on { print $1 }'
}
split() {
    lines_of reber-test.h5 input_offsets >offsets
    awk 'NR == FNR { end[$1]; next } { print } FNR in end { print "" }' offsets -
}
# The class whose probability is the largest comes first, as in the file.
most_probable() {
    awk -v names="B T P S X V E" 'BEGIN { split(names, name, " ") }
        { most = 1; for (i = 2; i <= NF; i++) if ($i + 0 > $most + 0) most = i; print name[most], $0 }'
}
answers() {
    export LD_LIBRARY_PATH="$library"
    "$@" runs/run <frames >answered && cmp answered wanted
}
if command -v h5dump >/dev/null; then
    lines_of reber-test.h5 inputs | split >frames
    lines_of predicted.h5 outputs | paste -d' ' - - - - - - - | most_probable | split >wanted
    claim "there is something to compare" test "$(wc -l <wanted)" -gt 50
    claim "the filter says what rnn-predict writes" answers ./shared
    claim "the filter of the static library says the same" answers ./static
    if command -v valgrind >/dev/null && [ -z "${RNN_SANITIZED:-}" ]; then
        claim "valgrind finds nothing" answers valgrind -q --error-exitcode=9 --leak-check=full \
            --errors-for-leak-kinds=definite,indirect ./shared
    fi
fi
refuses() {
    export LD_LIBRARY_PATH="$library"
    ! ./shared reber-test.h5 && ! ./shared nowhere && ! echo "x y" | ./shared runs/run
}
claim "what is none is refused" refuses
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
