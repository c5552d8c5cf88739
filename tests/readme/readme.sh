#!/bin/bash
# readme.sh BUILD_FOLDER: runs the commands of README.md in the order in which they stand there, in a folder of its own. What
# installs, builds for minutes or needs a cluster is only looked at: the script is there, and its syntax or its --help is
# good. Python runs where it has h5py, or torch; without h5py rnn-data makes the datasets.
set -eu

[ $# -eq 1 ] || { echo "Usage: readme.sh BUILD_FOLDER" >&2 && exit 2; }
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/common.sh"
mpi_environment

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ln -s "$build" build
ln -s "$root/man" "$root/slurm" .
mkdir scripts
for script in quickstart test check; do
    printf '#!/bin/sh\nexec "%s" --help\n' "$root/scripts/$script" >"scripts/$script"
    chmod +x "scripts/$script"
done

# blocks LANGUAGE: the blocks of that language, each in a file LANGUAGE.N; their number.
blocks() {
    awk -v language="$1" '
        $0 == "```" { inside = 0 }
        inside { print >file }
        $0 == "```" language { inside = 1; file = language "." ++count }
        END { print count + 0 }' "$root/README.md"
}

# The commands that are only looked at.
cat >only-looked-at <<'SH'
set -eu
sbatch() {
    bash -n "$1"
}
man() {
    [ -r "$1" ]
}
HOME=$PWD
python3() {
    [ "$*" = "-m venv $HOME/rnn-tools" ] && mkdir -p rnn-tools/bin && printf '#!/bin/sh\n' >rnn-tools/bin/pip &&
        chmod +x rnn-tools/bin/pip
}
SH

has_module() {
    python3 -c "import importlib.util, sys; sys.exit(not importlib.util.find_spec('$1'))" 2>/dev/null
}

# The datasets that the first block of Python writes.
make_datasets() {
    if has_module h5py && has_module numpy; then
        python3 python.1
        return
    fi
    build/src/cmd/rnn-data make context --sequences 500 -o data >/dev/null
    mv data/context-train.h5 mine-train.h5
    mv data/context-valid.h5 mine-valid.h5
}

pythons=$(blocks python)
shells=$(blocks sh)
if [ "$pythons" -ne 2 ] || [ "$shells" -lt 6 ]; then
    die "README.md has $pythons blocks of Python and $shells of commands"
fi
make_datasets

# In one shell, since a block may set what the next one needs.
for ((block = 1; block <= shells; block++)); do
    echo "echo '# block $block'"
    cat "sh.$block"
done | cat only-looked-at - >commands
bash -x commands >said 2>&1 </dev/null || {
    cat said
    die "a command of README.md fails"
}
[ -s mine-outputs.h5 ] || die "no outputs were written"

# What mine.ini has behind a key.
value_of() {
    sed -n "s/^$1 = \([^ ]*\).*/\1/p" mine.ini
}

# The network in PyTorch is the one that was suggested for the data that README.md writes.
if has_module h5py && has_module numpy; then
    grep -q "LSTM(4, $(value_of hidden), num_layers=$(value_of layers), bidirectional=True)" python.2 ||
        die "the network of README.md in PyTorch is not that of mine.ini"
fi
if has_module h5py && has_module torch; then
    python3 python.2
fi
echo "Checks: $(grep -c '^# block' said), Failures: 0, Errors: 0"
