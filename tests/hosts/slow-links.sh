#!/bin/bash
# How long a step takes on four hosts (network.sh) of four ranks each, whose links are held to a rate: the median of the
# steps of so many seconds, and of what ranks waited in them for others, for one program after the other, ROUNDS times.
#
#     slow-links.sh CONFIG MICROBATCH RNN-TRAIN...
#
# The variables RATE (200mbit), SECONDS_EACH (10) and ROUNDS (2) may say otherwise. exit code 77: there can be no hosts here
set -eu

[ $# -ge 3 ] || { sed -n 's/^#     //p' "$0" >&2; exit 2; }
config=$1
microbatch=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/scripts/common.sh"
# shellcheck source=tests/hosts/network.sh
. "$here/network.sh"

rate=${RATE:-200mbit} limit=$(printf '00:%02d:%02d' $((${SECONDS_EACH:-10} / 60)) $((${SECONDS_EACH:-10} % 60)))
if why=$(network_missing); then
    echo "not run: $why"
    exit 77
fi
folder=$(mktemp -d /tmp/rnn-links-XXXXXX)
finish() {
    network_stop "$folder/net"
    wait
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

network_environment
network_start "$folder/net" 4 || { cat "$folder/net/why"; exit 77; }
for i in 1 2 3 4; do # what it sends, and what is sent to it
    network_run "$folder/net" h$i tc qdisc add dev net0 root tbf rate "$rate" burst 64kb latency 200ms
    network_run "$folder/net" switch tc qdisc add dev h$i root tbf rate "$rate" burst 64kb latency 200ms
done

# median COLUMN FILE: of the steps of training but the first quarter of them, in milliseconds.
median() {
    awk -F, -v column="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $at["split"] == "train" { print $at[column] }' "$2" |
        awk '{ x[NR] = $1 } END { for (i = int(NR / 4) + 1; i <= NR; i++) print x[i] }' | sort -g |
        awk '{ x[NR] = $1 } END { printf "%.2f ms", 1000 * (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'
}

for ((round = 0; round < ${ROUNDS:-2}; round++)); do
    for program; do
        network_mpirun "$folder/net" h1:4,h2:4,h3:4,h4:4 -np 16 --map-by slot --oversubscribe "$(realpath "$program")" -q \
            --fresh -o "$folder/run" -s "train.microbatch=$microbatch" -s train.epochs=1000000 -s train.patience=0 \
            -s "checkpoint.every=1000 epochs" --max-time "$limit" "$config" >"$folder/said" 2>&1 || {
            cat "$folder/said"
            exit 1
        }
        rows=$folder/run/metrics.csv
        echo "$program: a step $(median seconds "$rows"), of it waiting $(median comm_wait "$rows")"
    done
done
