#!/bin/sh
# Trains ten steps (ten_steps.c) in one kind of build and compares hashes with expected.txt.
set -eu

usage() {
    cat <<'TEXT'
Usage: same-bits.sh --program TEN_STEPS [--xxhash FOLDER] KIND

  generic avx2 avx512 neon   the program as it was built, on this processor
  emulated-avx2              the same under qemu-x86_64
  emulated-avx512            built here by gcc, run on a Linux in Bochs; kernel: RNN_TEST_KERNEL, or of /boot
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
    set -- "$@" -std=c11 -D_XOPEN_SOURCE=700 -O3 -ffp-contract=off -fno-math-errno -Wno-psabi \
        -I"$folder/include" -I"$source"
    find "$source/base" "$source/net" "$source/optim" -name '*.c' >"$folder/sources"
    for file in "$source"/comm/tree.c "$source"/comm/squares.c "$source"/kernel/choose.c "$here"/ten_steps.c \
        "$here"/studies.c; do
        echo "$file" >>"$folder/sources"
    done
    while read -r file; do
        compile "$file" "" "$@"
    done <"$folder/sources"
    build_kernel plain "" "$@"
    build_kernel generic "" "$@"
    case $architecture in
    x86_64)
        build_kernel avx2 "-mavx2 -mfma" "$@"
        build_kernel avx512 "-mavx512f -mavx512dq -mavx512vl -mfma" "$@"
        ;;
    aarch64) build_kernel neon "" "$@" ;;
    esac
    "$@" -static "$folder"/objects/*.o -o "$folder/program" -lm -pthread
}

# compile FILE BUILD COMPILER...: one object, named after the path of its source.
compile() {
    object=$(echo "$1$2" | tr / -)
    file=$1
    shift 2
    "$@" -c "$file" -o "$folder/objects/$object.o"
}

# build_kernel NAME FLAGS COMPILER...: the kernel for one instruction set, or its plain twins.
build_kernel() {
    name=$1
    flags=$2
    shift 2
    for path in "$source"/kernel/*.c "$source"/kernel/cells/*.c; do
        case $name-${path#"$source/kernel/"} in
        plain-plain.c | plain-table.c | plain-cells/*) ;;
        plain-* | *-plain.c | *-choose.c) continue ;;
        esac
        # shellcheck disable=SC2086 # a list of words
        compile "$path" "-$name" "$@" $flags "-DKERNEL_ISA=\"kernel/isa/$name.h\""
    done
}

build_arm64() {
    has aarch64-linux-gnu-gcc || skip "$kind" "no aarch64-linux-gnu-gcc (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross)"
    has qemu-aarch64 || skip "$kind" "no qemu-aarch64 (qemu-user)"
    build aarch64 "$@"
    compare generic qemu-aarch64 "$folder/program"
    compare neon qemu-aarch64 "$folder/program"
}

show_serial() {
    tr -d '\r' <"$folder/serial" | grep hash= && grep -q '^status=0' "$folder/serial"
}

# AVX-512 is beyond qemu-user (before 8 at least) and valgrind; Bochs has it, but emulates whole machines. The program
# is put beside a first process in the memory file system of a Linux that starts from a CD and speaks on a serial line.
# Linux distrusts the sizes that this Bochs gives for compacted XSAVE areas, hence clearcpuid.
run_emulated_avx512() {
    kernel=${RNN_TEST_KERNEL:-}
    for file in /boot/vmlinuz-*; do
        [ -n "$kernel" ] || [ ! -r "$file" ] || kernel=$file
    done
    [ -n "$kernel" ] || skip "$kind" "no Linux kernel: name one in RNN_TEST_KERNEL (boot/vmlinuz-* of linux-image-*)"
    for tool in gcc bochs xorriso cpio script; do
        has $tool || skip "$kind" "no $tool (gcc bochs bochs-term xorriso cpio bsdutils)"
    done
    isolinux=/usr/lib/ISOLINUX/isolinux.bin
    loader=/usr/lib/syslinux/modules/bios/ldlinux.c32
    for file in $isolinux $loader; do
        [ -f "$file" ] || skip "$kind" "no $file (isolinux syslinux-common)"
    done

    build x86_64 gcc
    mkdir "$folder/files" "$folder/disc"
    gcc -O1 -static "$here/emulated_init.c" -o "$folder/files/init"
    cp "$folder/program" "$folder/files/ten_steps"
    (cd "$folder/files" && printf 'init\nten_steps\n' | cpio -o -H newc --quiet) | gzip -1 >"$folder/disc/files"
    cp "$kernel" "$folder/disc/linux"
    cp $isolinux $loader "$folder/disc"
    cat >"$folder/disc/isolinux.cfg" <<TEXT
default linux
label linux
 kernel linux
 append initrd=files console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off clearcpuid=xsavec,xsaves RNN_ISA=avx512
TEXT
    xorriso -as mkisofs -quiet -o "$folder/disc.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$folder/disc" >"$folder/xorriso.log" 2>&1
    cat >"$folder/bochsrc" <<TEXT
display_library: term
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$folder/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$folder/serial
clock: sync=none, time0=utc
log: $folder/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
TEXT
    # Debian's Bochs waits for a command of its debugger, and draws on a terminal.
    echo c >"$folder/commands"
    TERM=vt100 timeout 1500 script -qec "bochs -q -rc '$folder/commands' -f '$folder/bochsrc'" /dev/null \
        >"$folder/screen" 2>&1 </dev/null || true
    if ! grep -q '^status=' "$folder/serial"; then
        tail -n 20 "$folder/serial" "$folder/bochs.log" || true
    fi
    compare avx512 show_serial
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
emulated-avx512) run_emulated_avx512 ;;
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
