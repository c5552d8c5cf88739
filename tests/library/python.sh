#!/bin/sh
# The Python module as it is installed, in a fresh virtual environment: every block of python/README.md in turn, and
# tests/library/test_python.py. Skips where there is no NumPy, h5py or venv. The README's rnn-train is the one that was
# installed beside it.
#
# Usage: python.sh SOURCE BUILD PYTHON
set -eu

source=$1
build=$2
python=$3
"$python" -c 'import h5py, numpy, venv' 2>/dev/null || {
    echo "skipped: no NumPy, h5py or venv"
    exit 77
}
folder=$(mktemp -d "${TMPDIR:-/tmp}/rnn-python-XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder"
meson install -C "$build" --no-rebuild --destdir "$folder/there" >said 2>&1 || {
    cat said
    exit 1
}
module=$(find there -name rnn_train.py)
LD_LIBRARY_PATH=$folder/$(dirname "$(find there -name librnn.so)")
PATH=$folder/$(dirname "$(find there -path '*/bin/rnn-train')"):$PATH
export LD_LIBRARY_PATH PATH
# NumPy is the system's; the module comes into the environment as a wheel's file would.
"$python" -m venv --system-site-packages --without-pip own
cp "$module" "$(own/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

awk '/^```(python|sh)$/ { n++; kind = substr($0, 4); next } /^```$/ { kind = ""; next }
    kind { print > sprintf("block-%02d.%s", n, kind) }' "$source/python/README.md"
for block in block-*; do
    case $block in
    *.sh) set -- sh -eu ;;
    *) set -- own/bin/python ;;
    esac
    "$@" "$block" >said 2>&1 </dev/null || {
        echo "python/README.md: $block fails:"
        cat "$block" said
        exit 1
    }
done
rnn-predict -o predicted.h5 runs/walks valid.h5 >said 2>&1 </dev/null || cat said
own/bin/python "$source/tests/library/test_python.py" runs/walks valid.h5 predicted.h5
