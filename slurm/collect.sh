#!/bin/bash
# The results of a sweep as a table, a line for each run, separated by tabs:   slurm/collect.sh FOLDER [FOLDER]...
#
# FOLDER is that of the runs, runs/NAME, as sweep.sh makes it. Not a job: run it where the files are, also while the
# sweep goes on; it only reads. Needs h5dump of HDF5. A run without a checkpoint has "-" for what only a checkpoint tells. By
# the lowest loss first:   slurm/collect.sh runs/NAME | sort -t "$(printf '\t')" -g -k 5
set -eu

fail() {
    echo "collect.sh: $*" >&2
    exit 2
}

[ $# -gt 0 ] || fail "which folder? slurm/collect.sh runs/NAME"
command -v h5dump >/dev/null || fail "h5dump not found: load the module of your HDF5, or install hdf5-tools"

# A cell of the table on standard output, whatever is in a file or a name: one line, nothing that a terminal obeys. There
# are controls of one byte, and in UTF-8 some of two.
cell() {
    printf '%s' "$1" | tr '\t\n' '  ' | tr '\001-\037\177' '[?*]' | LC_ALL=C sed 's/\xc2[\x80-\x9f]/??/g'
}

# state=... of the status file; "waiting" where the run has none yet.
state_of() {
    if [ -r "$1/status" ]; then
        sed -n 's/^state=//p' "$1/status"
    else
        echo waiting
    fi
}

# The newest checkpoint: their names have numbers of one width.
newest_of() {
    local file newest=
    for file in "$1"/checkpoint-*.h5; do
        newest=$file
    done
    [ ! -e "$newest" ] || echo "$newest"
}

# step, loss, error, best and weights_hash, separated by tabs. A checkpoint may go while it is read: then once more.
figures_of() {
    local try file text
    for try in 1 2 3; do
        file=$(newest_of "$1")
        [ -n "$file" ] || break
        if text=$(h5dump -m %.9g -a /progress/step -a /progress/loss -a /progress/error -a /progress/best \
            -a /weights_hash "$file" 2>/dev/null); then
            awk -F'[ :"]+' '
                /^ATTRIBUTE/ { name = $2 }
                /^ *\(0\):/ { value[name] = $3 }
                END {
                    printf "%s\t%s\t%s\t%s\t%s\n", value["step"], value["loss"], value["error"], value["best"],
                        value["weights_hash"]
                }' <<<"$text"
            return
        fi
        [ "$try" -eq 3 ] || sleep 1
    done
    printf '%s\t%s\t%s\t%s\t%s\n' - - - - -
}

printf 'run\tsetting\tstatus\tstep\tloss\terror\tbest\tweights_hash\n'
for folder; do
    folder=${folder%/}
    found=no
    while IFS= read -r -d '' name; do
        found=yes
        run=$folder/${name%.setting}
        printf '%s\t%s\t%s\t%s\n' "$(cell "$run")" "$(cell "$(cat "$run.setting")")" "$(cell "$(state_of "$run")")" \
            "$(figures_of "$run")"
    done < <(find "$folder/" -maxdepth 1 -name '*.setting' -printf '%f\0' | sort -zn)
    [ $found = yes ] || fail "$folder: holds no runs of a sweep (no files N.setting)"
done
