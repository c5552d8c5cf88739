#!/bin/sh
# Every file and folder that CONTRIBUTING.md names is there, and its table of floors is that of src/meson.build, which comes
# as FLOOR=FOUNDATION,... A path may leave out src/.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
failures=0
checks=0
claim() {
    checks=$((checks + 1))
    shift
    "$@" || failures=$((failures + 1))
}

is_there() {
    for path in "$1" "src/$1"; do
        # shellcheck disable=SC2086 # a pattern
        set -- $path
        [ ! -e "$1" ] || return 0
    done
    echo "CONTRIBUTING.md names $path, which is not there"
    return 1
}

has_floor() {
    floor=${1%%=*}
    foundations=$(echo "${1#*=}" | tr ',' ' ')
    grep -q "^| .src/$floor/. |.*| ${foundations:-the C library} |$" CONTRIBUTING.md && return
    echo "CONTRIBUTING.md has no row of $floor that builds on: ${foundations:-the C library}"
    return 1
}

# Words in backquotes that look like paths; what builds make is not there yet.
# shellcheck disable=SC2016 # backquotes as they are
named=$(grep -o '`[^` ]*`' CONTRIBUTING.md | tr -d '`' | grep -E '^[a-z_A-Z.*-]+/[a-zA-Z_./*-]*$|\.(c|h|md|sh|awk|build|txt)$' |
    grep -v -e '^build' -e '\*\.\[' -e MODULE -e '<' -e '^\.c$' -e '^hdf5.h$' -e '^mpi.h$' | sort -u)
for path in $named; do
    claim there is_there "$path"
done
for floor; do
    claim floor has_floor "$floor"
done
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
