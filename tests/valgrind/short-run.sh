#!/bin/sh
# short-run.sh RNN_DATA RNN_TRAIN: a training run of one epoch, then resumed for another, without a leak of ours or
# any use of memory that is not there. Exit code 77: no valgrind here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
config=$here/../../datasets/lorenz.ini
rnn_data=$1
rnn_train=$2
command -v valgrind >/dev/null || exit 77

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Open MPI's own list goes with its package; what it leaves out is in ours.
theirs=/usr/share/openmpi/openmpi-valgrind.supp
[ -f "$theirs" ] || theirs=$here/mpi.supp

# train EPOCHS
train() {
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --num-callers=50 --keep-debuginfo=yes --suppressions="$theirs" --suppressions="$here/mpi.supp" \
        "$rnn_train" --run "$folder/run" --set data.train="$folder/lorenz-train.h5" \
        --set data.valid="$folder/lorenz-valid.h5" --set model.hidden=8 --set train.batch=2 --set train.microbatch=1 \
        --set train.schedule=constant --set train.warmup=0 --set train.epochs="$1" "$config" </dev/null
}

"$rnn_data" make lorenz --sequences 4 -o "$folder"
train 1
train 2
