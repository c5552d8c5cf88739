#!/bin/sh
# digits-one-hash.sh RNN_TRAIN COMPILER: one epoch of the digits recipe by rnn-train as it was built and as COMPILER
# builds it, with every instruction set that this processor has: the epoch's line and the checkpoint must be the same
# each time. Exit code 77: no data (RNN_TEST_DATA), or no such compiler.
set -eu

rnn_train=$1
compiler=$2
root=$(cd "$(dirname "$0")/../.." && pwd)

skip() {
    echo "not run: $1"
    exit 77
}

data=${RNN_TEST_DATA:-}
[ -n "$data" ] || skip "RNN_TEST_DATA names no folder with digits"
[ -f "$data/digits-train.h5" ] || skip "no $data/digits-train.h5"
command -v "$compiler" >/dev/null || skip "no $compiler"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

show_and_fail() {
    tail -n 30 "$1"
    exit 1
}

checks=0
failures=0
# compare NAME ISA RNN_TRAIN: with the first that ran.
compare() {
    name=$1-$2
    processor_needs=
    case $2 in
    avx2) processor_needs='avx2 fma' ;;
    avx512) processor_needs='avx512f avx512dq avx512vl' ;;
    esac
    for flag in $processor_needs; do
        grep -qw "$flag" /proc/cpuinfo || { echo "not run: $name: this processor does not have it" && return; }
    done
    checks=$((checks + 1))
    if ! RNN_ISA=$2 "$3" -o "$folder/$name" -s "data.train=$data/digits-train.h5" \
        -s "data.valid=$data/digits-valid.h5" -s train.epochs=1 "$root/datasets/digits.ini" \
        >"$folder/$name.output" 2>&1 </dev/null; then
        echo "failed: $name"
        cat "$folder/$name.output"
        failures=$((failures + 1))
        return
    fi
    sed -n 's/^\(epoch=.*\) slowest=.*/\1/p' "$folder/$name.output" >"$folder/$name.epoch" # less what is the machine's
    echo "$name: $(cat "$folder/$name.epoch")"
    first=${first:-$name}
    checkpoint=$(cd "$folder/$first" && ls checkpoint-*.h5)
    if ! grep -q 'weights_hash=[0-9a-f]\{16\}' "$folder/$name.epoch" ||
        ! cmp "$folder/$first.epoch" "$folder/$name.epoch" ||
        ! h5diff --exclude-path /provenance "$folder/$first/$checkpoint" "$folder/$name/$checkpoint"; then
        echo "$name is not like $first"
        failures=$((failures + 1))
    fi
}

# A build folder of its own, without tests.
build() {
    env CC="$compiler" meson setup -Dtests=false "$folder/build" "$root" >"$folder/log" 2>&1 </dev/null ||
        show_and_fail "$folder/log"
    ninja -C "$folder/build" src/cmd/rnn-train >"$folder/log" 2>&1 </dev/null || show_and_fail "$folder/log"
}

build
case $(uname -m) in
x86_64) kernels='generic avx2 avx512' ;;
aarch64) kernels='generic neon' ;;
*) kernels=generic ;;
esac
for isa in $kernels; do
    compare built "$isa" "$rnn_train"
    [ "$isa" = generic ] || compare "$compiler" "$isa" "$folder/build/src/cmd/rnn-train"
done

# In the form of Check's last line, which scripts/test counts.
echo "100%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures -eq 0 ]
