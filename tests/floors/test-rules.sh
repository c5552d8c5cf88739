#!/bin/bash
# Each rule of floors.sh passes a small tree without a fault and finds the one that is put into it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
table=(base= kernel=base comm=base net=kernel 'cmd=net,comm')
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"
checks=0
failures=0

# A tree without a fault, in which much looks like one.
plant() {
    rm -rf base kernel comm net cmd
    mkdir -p base kernel comm net/cells cmd
    cat >base/error.h <<'C'
/* struct other { is only a comment, and "net/net.h" too */
struct error {
    char text[200];
};
C
    cat >kernel/kernel.h <<'C'
#include "base/error.h"
struct kernel {
    void (*add)(float *sum, const float *a, const float *b, size_t n, size_t m, size_t k, int more);
};
C
    printf '#include "base/error.h"\n#include <mpi.h>\n' >comm/comm.h
    printf '#include "kernel/kernel.h"\n#include "base/error.h"\nstruct net;\nint net_size(const struct net *net);\n' >net/net.h
    cat >net/net.c <<'C'
#include "net/net.h"
struct net {
    struct error error;
};
int net_size(const struct net *net)
{
    printf("case CELL_LSTM:");
    return sum(net, CELL_LSTM, (size_t)1, (int)2, 3, 4, 5, 6, 7, 8);
}
C
    printf '#include "net/net.h"\nint is_lstm(int cell)\n{\n    return cell == CELL_LSTM;\n}\n' >net/cells/lstm.c
    printf '#include "comm/comm.h"\n#include "net/net.h"\n#include "cmd/help.h"\n' >cmd/main.c
    : >cmd/help.h
}

claim() {
    checks=$((checks + 1))
    if [ "$2" = yes ]; then
        return
    fi
    failures=$((failures + 1))
    echo "failed: $1: status $status, output: $output" >&2
}

try() {
    status=0
    output=$("$here/floors.sh" "$1" "$tree" "${table[@]}" 2>&1) || status=$?
}

# finds RULE PLACE: exactly one finding, at that place.
finds() {
    local good=no
    try "$1"
    if [ "$status" -eq 1 ] && [ "$(wc -l <<<"$output")" -eq 1 ] && [[ $output == "$2: "* ]]; then
        good=yes
    fi
    claim "$1 finds what is wrong in $2" $good
    plant
}

lines() {
    local i
    for ((i = 0; i < $1; i++)); do
        echo "    step($i);"
    done
}

has_ctags=no
! ctags --version 2>/dev/null | grep -q Universal || has_ctags=yes

plant
try all
good=no
if [ "$status" -eq 0 ] || { [ $has_ctags = no ] && [ "$status" -eq 77 ]; }; then
    good=yes
fi
claim "a tree without a fault passes all rules" $good

echo '#include "net/net.h"' >>kernel/kernel.h && finds climbs kernel/kernel.h:5
echo '#include "comm/comm.h"' >net/other.c && finds climbs net/other.c:1
echo '#include "net.h"' >net/other.c && finds climbs net/other.c:1
mkdir attic && echo '#include "base/error.h"' >attic/old.c && finds climbs attic/old.c:1
rm -r attic
echo '#  include <hdf5.h>' >net/other.c && finds libraries net/other.c:1
echo '#include <H5public.h>' >net/other.c && finds libraries net/other.c:1
echo '#include "mpi.h"' >net/other.c && finds libraries net/other.c:1
printf '#include "cmd/b.h"\n' >cmd/a.h && printf '#include "cmd/a.h"\n' >cmd/b.h && finds circles cmd/b.h:1
printf '#include "cmd/b.h"\n' >cmd/a.c && printf '#include "cmd/a.h"\n' >cmd/b.c && : >cmd/a.h && : >cmd/b.h &&
    finds circles cmd/b.c:1
echo '#include "cmd/a.h"' >cmd/a.h && finds circles cmd/a.h:1
printf '\nstruct error {\n    int line;\n};\n' >cmd/a.c && finds structs cmd/a.c:2
printf 'static struct kernel\n{\n    int line;\n} only;\n' >comm/a.c && finds structs kernel/kernel.h:2
printf 'int eight(int a, int b, int c, int d, int e, int f,\n    int g, const char *h)\n{\n}\n' >cmd/a.c && finds parameters cmd/a.c:1
printf '\nvoid eight(int a, int b, int c, int d, int e, int f, int g, int h);\n' >cmd/a.h && finds parameters cmd/a.h:2
printf 'struct a {\n    int (*eight)(struct a *a, int b, int c, int d, int (*e)(int, int), int f,\n        int g, int h);\n};\n' >cmd/a.h &&
    finds parameters cmd/a.h:2
echo 'int f(int k) { switch (k) { case CELL_GRU: return 1; } }' >net/other.c && finds kinds net/other.c:1
echo 'int f(int k) { return k != LOSS_MSE; }' >net/other.c && finds kinds net/other.c:1
echo 'int f(int k) { return OUTPUT_CTC == k; }' >cmd/a.c && finds kinds cmd/a.c:1
if [ $has_ctags = yes ]; then
    { printf 'int long_one(int a)\n{\n' && lines 38 && printf '}\n'; } >cmd/a.c && finds length cmd/a.c:1
    { printf 'int good_one(int a)\n{\n' && lines 37 && printf '}\n'; } >cmd/a.c
    try length
    claim "a function of 40 lines is good" "$([ "$status" -eq 0 ] && echo yes)"
fi
status=0
output=$("$here/floors.sh" nonsense "$tree" "${table[@]}" 2>&1) || status=$?
claim "an unknown rule is refused" "$([ "$status" -eq 2 ] && echo yes)"
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
