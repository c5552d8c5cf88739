#!/bin/sh
# hdf5-calls.sh LIBRARY HEADER: every function of HDF5 that LIBRARY calls is marked in HEADER (h5/trap.h), so that a crash
# inside it is met, but those that touch no file: the error stack and HDF5's own beginning and end.
set -eu
export LC_ALL=C

list=$(mktemp)
trap 'rm -f "$list"' EXIT
sed -n 's/^#define \(H5[A-Za-z0-9_]*\)(.*/\1/p' "$2" | sort -u >"$list"
called=$(nm -u "$1" | grep -o '\bH5[A-Za-z0-9_]*' | grep -v '_g$' | sort -u) || true
[ -n "$called" ] || {
    echo "not run: nm finds no calls in $1"
    exit 77
}
# H5Literate is a macro of HDF5's own: the one call is in IN_HDF5. Old versions lack H5Pset_file_locking.
unmarked=$(echo "$called" | comm -23 - "$list" | grep -vx \
    -e H5open -e H5check_version -e H5dont_atexit -e 'H5E.*' -e 'H5Literate[12]*') || true
unused=$(echo "$called" | comm -13 - "$list" | grep -vx H5Pset_file_locking) || true
[ -z "$unmarked$unused" ] || {
    printf 'not in %s, or no longer called:\n%s\n%s\n' "$2" "$unmarked" "$unused" >&2
    exit 1
}
