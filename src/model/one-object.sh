#!/bin/sh
# Makes a static library of one object, of which only the names rnn_* can be seen from outside: what it is made of
# has names that other programs have too. Of the libraries after the first only what is needed is taken.
set -eu

usage() {
    cat <<'TEXT'
Usage: one-object.sh OUTPUT FOLDER FIRST-LIBRARY LIBRARY... -- COMPILER...

OUTPUT is the library, FOLDER is for what is made on the way.
TEXT
}

case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
[ $# -ge 5 ] || { usage >&2 && exit 2; }
output=$1
object=$2/rnn.o
first=$3
shift 3
mkdir -p "${object%/*}"
libraries=
while [ "$1" != -- ]; do
    libraries="$libraries $1"
    shift
done
shift
# shellcheck disable=SC2086 # a list of names, which the build makes
"$@" -r -nostdlib -o "$object" -Wl,--whole-archive "$first" -Wl,--no-whole-archive -Wl,--start-group $libraries \
    -Wl,--end-group
objcopy --wildcard --keep-global-symbol='rnn_*' "$object"
rm -f "$output"
ar rcs "$output" "$object"
