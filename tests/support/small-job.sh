# shellcheck shell=bash
# What scripts that stop, cut off and kill a job share. Sourced.

# only_open_mpi PROGRAMS: ends the test, as one that is skipped, where they were built with another MPI: its scenarios are
# about what Open MPI's mpirun and daemons do, or srun by PMIx, which MPICH's packages do not know.
only_open_mpi() {
    case $("$1/rnn-train" --version) in
    *"(Open MPI "*) return ;;
    esac
    echo "not run: only for Open MPI: $("$1/rnn-train" --version)"
    exit 77
}

# small_job PROGRAMS EPOCHS: adding-*.h5 and run.ini in the current folder: fifteen steps of few numbers an epoch, with a
# checkpoint each.
small_job() {
    "$1/rnn-data" make adding -o . --sequences 60 >/dev/null || return 1
    cat >run.ini <<INI
[data]
train = adding-train.h5
valid = adding-valid.h5
[model]
output = sequence
loss = mse
bidirectional = no
layers = 1
hidden = 8
dropout = 0.2
[train]
batch = 4
microbatch = 1
epochs = $2
lr = 0.004
schedule = cosine
[checkpoint]
every = 1 epoch
INI
}
