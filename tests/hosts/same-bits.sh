#!/bin/bash
# Every kind of output and every cell, with dropout, on one, two and three hosts (network.sh) with equal and unequal
# numbers of ranks, whose microbatches are few enough for teams of two to four: a run is killed on some of them when it has
# saved its third step, goes on on others, and ends with the bits of one rank that nobody disturbed.
#
#     same-bits.sh FOLDER_OF_PROGRAMS END_LIBRARY        exit code 77: there can be no hosts here
#
# END_LIBRARY, loaded before others, kills the rank that gives a file its name (tests/cli/end_at_file.c).
set -u

programs=$(cd "${1:?}" && pwd) || exit 2
library=$(realpath "${2:?}") || exit 2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/scripts/common.sh"
# shellcheck source=tests/hosts/network.sh
. "$here/network.sh"
. "$root/tests/support/small-job.sh"
only_open_mpi "$programs"

if why=$(network_missing); then
    echo "not run: $why"
    exit 77
fi

folder=$(mktemp -d /tmp/rnn-bits-XXXXXX)
finish() {
    jobs -pr | xargs -r kill 2>/dev/null
    network_stop "$folder/net"
    wait
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

network_environment
unset "${!SLURM_@}"
cd "$folder" || exit 1

for kind in context adding spell; do
    "$programs/rnn-data" make $kind -o . --sequences 60 >/dev/null || exit 1
done
# The digits of cubes, to be read where each of them is written three times.
seq 60 | awk '{ cube = written = $1 * $1 * $1; gsub(/./, "&&&", written); print written "\t" cube }' |
    "$programs/rnn-data" import text --to pair - -o digits-train.h5 >/dev/null || exit 1
cp digits-train.h5 digits-valid.h5

# write_config OUTPUT CELL BIDIRECTIONAL MICROBATCH
write_config() {
    local kind settings layers=2
    case $1 in
    frame) kind=context settings="loss = softmax" ;;
    sequence) kind=adding settings="loss = mse" ;;
    ctc) kind=digits settings= ;;
    decoder) kind=spell layers=1 settings= ;;
    esac
    cat >run.ini <<INI
[data]
train = $kind-train.h5
valid = $kind-valid.h5
[model]
output = $1
$settings
cell = $2
bidirectional = $3
layers = $layers
hidden = 40
dropout = 0.3
[train]
batch = 20
microbatch = $4
epochs = 2
lr = 0.01
[checkpoint]
every = 1 step
INI
}

# train HOSTS MPIRUN'S-OPTION...
train() {
    local hosts=$1
    shift
    network_mpirun "$folder/net" "$hosts" --bind-to none "$@" "$programs/rnn-train" run.ini -o run >log 2>&1
}

hash_of() {
    sed -n 's/^finished: .*weights_hash=\([0-9a-f]*\).*/\1/p' "$1"
}

passed=0 failed=0
# agree OUTPUT CELL BIDIRECTIONAL MICROBATCH HOSTS HOSTS-AFTER
agree() {
    local alone hash
    write_config "$1" "$2" "$3" "$4"
    rm -rf run alone
    "$programs/rnn-train" run.ini -o alone >alone.log 2>&1
    alone=$(hash_of alone.log)
    [ -n "$alone" ] || { cat alone.log && exit 1; }
    if train "$5" -x LD_PRELOAD="$library" -x END_SIGNAL=9 -x END_AT_FILE=checkpoint-0000000003.h5; then
        echo "$*: it was not killed"
        exit 1
    fi
    rm run/lock # of a host that died a moment ago
    train "$6"
    hash=$(hash_of log)
    if [ "$hash" = "$alone" ]; then
        passed=$((passed + 1))
        echo "$*: $hash"
    else
        failed=$((failed + 1))
        echo "$*: $hash, one rank by itself $alone"
        tail -n 20 log
    fi
}

network_start "$folder/net" 3 || { cat net/why && exit 1; }
agree frame lstm yes 5 h1:1,h2:1 h1:1,h2:2,h3:5
agree frame gru no 10 h1:2,h2:3 h2:4
agree frame mingru yes 20 h1:1,h2:2,h3:5 h1:1,h2:1
agree frame lru no 2 h1:2,h2:2,h3:2 h1:2,h2:3
agree sequence rnn yes 10 h1:2,h2:2,h3:2 h3:1
agree sequence indrnn no 5 h1:1,h2:2,h3:5 h1:2,h2:2,h3:2
agree sequence lstm yes 20 h2:4 h1:4,h3:4
agree sequence gru yes 3 h1:2,h2:3 h1:1,h2:1
agree ctc gru yes 10 h1:1,h2:2,h3:5 h1:2,h2:3
agree ctc lstm no 5 h1:4,h3:4 h1:1,h2:2,h3:5
agree ctc lru yes 3 h1:1,h2:1 h2:4
agree ctc mingru no 20 h2:4 h1:2,h2:2,h3:2
agree decoder lstm yes 10 h1:2,h2:3 h1:2,h2:2,h3:2
agree decoder gru yes 5 h1:2,h2:2,h3:2 h1:1,h2:2,h3:5
agree decoder rnn no 3 h1:1,h2:2,h3:5 h2:4
agree decoder indrnn yes 20 h1:4,h3:4 h1:1,h2:1

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
