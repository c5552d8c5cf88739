# shellcheck shell=bash
# A job for scripts that stop, cut off and kill it. Sourced.

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
