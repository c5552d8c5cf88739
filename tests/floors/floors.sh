#!/bin/sh
# shellcheck disable=SC2317 # the functions of the rules are called by names that are put together
# Holds the source to the rules of its floors. Each finding is a line "FILE:LINE: what is wrong".
set -eu
export LC_ALL=C

usage() {
    cat <<'TEXT'
Usage: floors.sh RULE SOURCE [FLOOR=FOUNDATION,...]...

The rules, of which "all" is every one:

  climbs      a file includes files that are there, of its own floor and of those that its floor builds on
  libraries   only h5 includes the headers of HDF5, only comm that of MPI
  circles     no file includes itself by way of others, and no two pairs NAME.c and NAME.h include each other
  structs     no two structs have one name
  parameters  no function, and no pointer to one, takes more than 7 parameters
  length      no function is longer than 40 lines
  kinds       nothing asks which cell, loss or output a network has, but the files of the kinds

SOURCE is a folder with a folder for each floor. FLOOR=FOUNDATION,... says what a floor builds on; what these build on
comes along. The rule "length" needs universal-ctags. Exit code 1: there are findings; 77: the rule can not be tried here.
TEXT
}

case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
[ $# -ge 2 ] || { usage >&2 && exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
rule=$1
cd "$2"
shift 2
table=$*

files=$(find -L . -name '*.[ch]' | sed 's|^\./||' | sort)
[ -n "$files" ] || { echo "floors.sh: no source files in $PWD" >&2 && exit 2; }

# The source without comments and without what stands in quotes, as "FILE:LINE:text".
bare() {
    # shellcheck disable=SC2086 # a list of names
    awk -f "$here/bare.awk" $files
}

# The included files, as "FILE:LINE:INCLUDED".
included() {
    # shellcheck disable=SC2086
    awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/^[^"<]*/, "", name)
        print FILENAME ":" FNR ":" name
    }' $files
}

try_climbs() {
    included | awk -F: -v table="$table" -v files="$files" -f "$here/climbs.awk"
}

try_libraries() {
    included | awk -F: '
        $3 ~ /^.(hdf5|H5[A-Za-z]*)\.h/ && $1 !~ /^h5\// { print $1 ":" $2 ": only h5/ includes HDF5" }
        $3 ~ /^.mpi\.h/ && $1 !~ /^comm\// { print $1 ":" $2 ": only comm/ includes MPI" }'
}

try_circles() {
    included | awk -F: -f "$here/circles.awk"
}

try_structs() {
    bare | awk -F: '
        match($3, /(^|[^a-z_])struct [a-z_0-9]+ *($|\{)/) {
            name = substr($3, RSTART, RLENGTH)
            sub(/.*struct /, "", name)
            sub(/ *\{?$/, "", name)
            if (name in seen)
                print $1 ":" $2 ": struct " name " is also defined in " seen[name]
            else
                seen[name] = $1 ":" $2
        }'
}

try_parameters() {
    bare | awk -F: -v limit=7 -f "$here/parameters.awk"
}

try_length() {
    # shellcheck disable=SC2086
    ctags -x --_xformat='%F %n %{end} %N' --languages=C --langmap=C:.c.h --kinds-C=f $files |
        awk '$3 - $2 >= 40 { print $1 ":" $2 ": " $4 " has " $3 - $2 + 1 " lines, more than 40" }'
}

try_kinds() {
    bare | awk -F: '
        $1 !~ /^net\/(cells|losses|outputs)\// &&
        ($3 ~ /case +(CELL|LOSS|OUTPUT)_[A-Z]/ || $3 ~ /[=!]= *(CELL|LOSS|OUTPUT)_[A-Z]/ ||
            $3 ~ /(CELL|LOSS|OUTPUT)_[A-Z_0-9]+ *[=!]=/) {
            text = $3
            sub(/^ */, "", text)
            print $1 ":" $2 ": asks for a kind: " text
        }'
}

try() {
    if [ "$1" = length ] && ! ctags --version 2>/dev/null | grep -q Universal; then
        echo "not run: $1 (no universal-ctags here)" >&2
        return 77
    fi
    "try_$1" >"$findings"
    cat "$findings"
    [ ! -s "$findings" ]
}

findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
rules="climbs libraries circles structs parameters length kinds"
case " $rules all " in
*" $rule "*) ;;
*) usage >&2 && exit 2 ;;
esac
[ "$rule" = all ] || rules=$rule
status=0
for rule in $rules; do
    outcome=0
    try "$rule" || outcome=$?
    [ "$outcome" -eq 0 ] || [ "$status" -eq 1 ] || status=$outcome
done
exit "$status"
