#!/bin/sh
# Trains ten steps (ten_steps.c) in one kind of build and compares hashes with expected.txt.
set -eu

usage() {
    cat <<'TEXT'
Usage: same-bits.sh --program TEN_STEPS [--xxhash FOLDER] KIND

  generic avx2 avx512 neon   the program as it was built, on this processor
  emulated-avx2              the same under qemu-x86_64
  gcc clang                  built here by that compiler: every instruction set that this processor has
  arm64 arm64-clang          built here for 64-bit ARM, run under qemu-aarch64

FOLDER holds xxhash.h, which a program built here takes in whole. Exit code 77: what it takes is not there.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
source=$here/../../src
program=
xxhash=/usr/include
while [ $# -gt 1 ]; do
    case $1 in
    --program) program=$2 ;;
    --xxhash) xxhash=$2 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift 2
done
[ $# -eq 1 ] || { usage >&2 && exit 2; }
kind=$1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

has() {
    command -v "$1" >/dev/null 2>&1
}

skip() {
    echo "not run: $1: $2"
    exit 77
}

# Whether the processor can run a build of the kernel.
processor_has() {
    case $1 in
    generic) flags= ;;
    avx2) flags='avx2 fma' ;;
    avx512) flags='avx512f avx512dq avx512vl' ;;
    neon) [ "$(uname -m)" = aarch64 ] && return 0 || return 1 ;;
    esac
    for flag in $flags; do
        grep -qw "$flag" /proc/cpuinfo || return 1
    done
}

checks=0
failures=0
# compare ISA COMMAND...
compare() {
    checks=$((checks + 1))
    RNN_ISA=$1
    export RNN_ISA
    shift
    echo "$kind, $RNN_ISA:"
    if ! "$@" >"$folder/output" </dev/null; then
        echo "failed: $*"
        failures=$((failures + 1))
    elif ! grep -v '^#' "$here/expected.txt" | diff - "$folder/output"; then
        echo "other bits than expected.txt has (<)"
        failures=$((failures + 1))
    else
        tail -n 1 "$folder/output"
    fi
}

# build ARCHITECTURE COMPILER...: $folder/program, with the flags that meson gives.
build() {
    architecture=$1
    shift
    [ -f "$xxhash/xxhash.h" ] || skip "$kind" "no $xxhash/xxhash.h"
    mkdir "$folder/include" "$folder/objects"
    ln -s "$xxhash/xxhash.h" "$folder/include"
    set -- "$@" -std=gnu11 -O3 -ffp-contract=off -fno-math-errno -Wno-psabi -DXXH_INLINE_ALL \
        -I"$folder/include" -I"$source"
    for file in "$source"/base/*.c "$source"/net/*.c "$source"/optim/*.c "$source"/comm/tree.c \
        "$source"/comm/squares.c "$source"/kernel/choose.c "$source"/kernel/plain.c "$here"/ten_steps.c; do
        "$@" -c "$file" -o "$folder/objects/$(basename "$(dirname "$file")")-$(basename "$file" .c).o"
    done
    for file in cell product row table; do
        build_kernel generic -DKERNEL_GENERIC "$@"
        case $architecture in
        x86_64)
            build_kernel avx2 '-DKERNEL_AVX2 -mavx2 -mfma' "$@"
            build_kernel avx512 '-DKERNEL_AVX512 -mavx512f -mavx512dq -mavx512vl -mfma' "$@"
            ;;
        aarch64) build_kernel neon -DKERNEL_NEON "$@" ;;
        esac
    done
    "$@" -static "$folder"/objects/*.o -o "$folder/program" -lm
}

# build_kernel NAME FLAGS COMPILER...: one file of the kernel for one instruction set.
build_kernel() {
    name=$1
    flags=$2
    shift 2
    # shellcheck disable=SC2086 # a list of words
    "$@" $flags -c "$source/kernel/$file.c" -o "$folder/objects/kernel-$file-$name.o"
}

build_arm64() {
    has aarch64-linux-gnu-gcc || skip "$kind" "no aarch64-linux-gnu-gcc (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross)"
    has qemu-aarch64 || skip "$kind" "no qemu-aarch64 (qemu-user)"
    build aarch64 "$@"
    compare generic qemu-aarch64 "$folder/program"
    compare neon qemu-aarch64 "$folder/program"
}

case $kind in
generic | avx2 | avx512 | neon)
    processor_has "$kind" || skip "$kind" "this processor does not have it"
    compare "$kind" "$program"
    ;;
emulated-avx2)
    has qemu-x86_64 || skip "$kind" "no qemu-x86_64 (qemu-user)"
    # Before 7.2 it did not emulate AVX2; the program says so with 2.
    status=0
    RNN_ISA=avx2 qemu-x86_64 -cpu max "$program" >/dev/null 2>&1 </dev/null || status=$?
    [ $status -ne 2 ] || skip "$kind" "qemu-x86_64 does not emulate it"
    compare avx2 qemu-x86_64 -cpu max "$program"
    ;;
gcc | clang)
    has "$kind" || skip "$kind" "no such compiler"
    build "$(uname -m)" "$kind"
    for isa in generic avx2 avx512 neon; do
        if processor_has $isa; then
            compare $isa "$folder/program"
        else
            echo "not run: $kind, $isa: this processor does not have it"
        fi
    done
    ;;
arm64) build_arm64 aarch64-linux-gnu-gcc ;;
arm64-clang)
    has clang || skip "$kind" "no clang"
    build_arm64 clang --target=aarch64-linux-gnu
    ;;
*) usage >&2 && exit 2 ;;
esac

# In the form of Check's last line, which scripts/test counts.
echo "100%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures -eq 0 ]
