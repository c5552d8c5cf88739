# Sourced by bash: hosts of its own for tests, on this machine, and mpirun over them.
#
#   network_environment               sets MPI up for them; wants scripts/common.sh
#   network_start FOLDER N            hosts h1 to hN; fails, with a reason in FOLDER/why, where they cannot be had
#   network_run FOLDER HOST COMMAND...         a command on a host
#   network_mpirun FOLDER HOSTS ARGUMENT...    mpirun on h1 over HOSTS ("h2:2,h3:1": ranks 0 and 1 on h2, 2 on h3; mpirun
#                                     takes its own host first, wherever it is named)
#   network_cut FOLDER HOST [down]    nothing passes between it and the others any more; with `down` its port is down, so
#                                     that it knows
#   network_join FOLDER HOST          no longer cut off
#   network_kill FOLDER HOST          all of its processes, at once
#   network_processes FOLDER HOST     their ids
#   network_impatient FOLDER N        connections end after N retries
#   network_stop FOLDER               ends what runs on the hosts, and them
#
# A host is a process that sleeps in a network, host-name and mount namespace of its own; a bridge in one more namespace
# joins their networks. Nothing of it has a name outside, so that several networks do not meet, and the kernel removes all
# of it with the last process; the sleepers die with the shell that started them. File systems are shared, and so are the
# process numbers, by which a test finds the ranks; the trainer goes by the host's name. Needs root and `ip`.
# shellcheck shell=bash

PATH=$PATH:/usr/sbin:/sbin

network_missing() {
    local program
    [ "$(id -u)" -eq 0 ] || { echo "needs root"; return 0; }
    for program in ip unshare nsenter setpriv mpirun; do
        command -v "$program" >/dev/null || { echo "no $program"; return 0; }
    done
    unshare --net --uts --mount true 2>/dev/null || { echo "no right to make namespaces (unshare)"; return 0; }
    unshare --net ip link add name b type bridge 2>/dev/null || { echo "no bridges in this kernel"; return 0; }
    unshare --net ip link add name a type veth peer name b 2>/dev/null || { echo "no veth in this kernel"; return 0; }
    return 1
}

# What MPI takes to run on the hosts, with more ranks than there are cores.
network_environment() {
    mpi_environment
    unset OMPI_MCA_btl OMPI_MCA_pml # hosts need TCP
    export OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1 LC_ALL=C
}

# network_sleeper FOLDER NAME: a host, or the switch between them.
network_sleeper() {
    local folder=$1 name=$2
    # shellcheck disable=SC2016 # for the inner shell
    setpriv --pdeathsig KILL unshare --net --uts --mount sh -c '
        echo "$2" >/proc/sys/kernel/hostname && mount --bind "$1/hosts" /etc/hosts &&
        readlink /proc/self/ns/net | tr -dc 0-9 >"$1/$2.new" && mv "$1/$2.new" "$1/$2.space" && exec sleep infinity' sh "$folder" "$name" </dev/null >>"$folder/why" 2>&1 &
    echo $! >"$folder/$name.pid"
    disown
}

network_run() {
    local folder=$1 host=$2
    shift 2
    nsenter --target "$(cat "$folder/$host.pid")" --net --uts --mount -- env -C "$PWD" "$@"
}

# network_await SECONDS COMMAND...
network_await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

network_connect() {
    local folder=$1 host=$2 address=$3
    network_run "$folder" switch ip link add "$host" type veth peer name net0 netns "$(cat "$folder/$host.pid")" &&
        network_run "$folder" switch ip link set "$host" master bridge up &&
        network_run "$folder" "$host" ip link set lo up &&
        network_run "$folder" "$host" ip address add "$address/24" dev net0 &&
        network_run "$folder" "$host" ip link set net0 up
}

# What mpirun starts the daemons of other hosts by: AGENT HOST COMMAND..., the command for a shell. Like the client of ssh
# it stays on mpirun's host, and says 255 when what it waits for was killed.
network_write_agent() {
    cat >"$1/agent" <<SH
#!/bin/sh
host=\$1
shift
nsenter --target "\$(cat "$1/\$host.pid")" --net --uts --mount -- sh -c "\$*"
code=\$?
[ \$code -le 128 ] || code=255
exit \$code
SH
    chmod +x "$1/agent"
}

network_start() {
    local folder=$1 count=$2 i why
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    if why=$(network_missing); then
        echo "$why" >"$folder/why"
        return 1
    fi
    { echo "127.0.0.1 localhost" && for ((i = 1; i <= count; i++)); do echo "10.77.0.$i h$i"; done; } >"$folder/hosts"
    network_write_agent "$folder"
    network_sleeper "$folder" switch
    for ((i = 1; i <= count; i++)); do network_sleeper "$folder" "h$i"; done
    network_await 10 test -e "$folder/switch.space" && network_run "$folder" switch ip link add bridge type bridge &&
        network_run "$folder" switch ip link set bridge up || return 1
    for ((i = 1; i <= count; i++)); do
        network_await 10 test -e "$folder/h$i.space" && network_connect "$folder" "h$i" "10.77.0.$i" || return 1
    done 2>>"$folder/why"
    network_await 20 network_is_whole "$folder" || { echo "the hosts do not reach each other" >"$folder/why"; return 1; }
}

# The agent is named to Open MPI 4 (OMPI) and 5 (PRTE).
network_mpirun() {
    local folder=$1 hosts=$2
    shift 2
    network_run "$folder" h1 env OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="$folder/agent" PRTE_MCA_plm=ssh \
        PRTE_MCA_plm_ssh_agent="$folder/agent" mpirun -H "$hosts" --mca btl tcp,self \
        --mca btl_tcp_if_include net0 --mca oob_tcp_if_include net0 "$@" </dev/null
}

# network_impatient FOLDER N: a connection of any host ends after N retries of what is not acknowledged, the last of them
# after 0.2 * (2 ^ (N + 1) - 1) seconds or at most twice that; by itself Linux tries 15 times, a quarter of an hour.
network_impatient() {
    local file
    for file in "$1"/h*.pid; do
        network_run "$1" "$(basename "$file" .pid)" sh -c "echo $2 >/proc/sys/net/ipv4/tcp_retries2"
    done
}

network_cut() {
    if [ "${3:-}" = down ]; then
        network_run "$1" switch ip link set "$2" down
    else
        network_run "$1" switch ip link set "$2" nomaster
    fi
}

network_processes() {
    local sleeper space pid
    sleeper=$(cat "$1/$2.pid" 2>/dev/null)
    space=$(cat "$1/$2.space" 2>/dev/null)
    [ -n "$space" ] || return 0
    find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:?$space?" 2>/dev/null | while IFS=/ read -r _ _ pid _; do
        [ "$pid" = "$sleeper" ] || echo "$pid"
    done
}

# network_reaches FOLDER FROM TO: a port that nobody listens on answers.
network_reaches() {
    LC_ALL=C network_run "$1" "$2" timeout 1 bash -c ": </dev/tcp/$3/9" 2>&1 | grep -q refused
}

# From all to all: for a moment after a cut the kernel holds on to it that a neighbour does not answer.
network_is_whole() {
    local from to
    for from in "$1"/h*.pid; do
        for to in "$1"/h*.pid; do
            network_reaches "$1" "$(basename "$from" .pid)" "$(basename "$to" .pid)" || return 1
        done
    done
}

network_join() {
    network_run "$1" switch ip link set "$2" master bridge up && network_await 20 network_is_whole "$1"
}

# Again until there is none: one may just be starting another.
network_kill() {
    local pids
    while pids=$(network_processes "$1" "$2") && [ -n "$pids" ]; do
        # shellcheck disable=SC2086 # a list of numbers
        kill -KILL $pids 2>/dev/null
        sleep 0.05
    done
}

# May be called twice at a time, by a shell that ends and by the one that ends it.
network_stop() {
    local file pid
    for file in "$1"/*.pid; do
        network_kill "$1" "$(basename "$file" .pid)"
        pid=$(cat "$file" 2>/dev/null) || continue
        rm "$file" 2>/dev/null || continue
        # Only the sleeper itself: where it has ended, its number may be another process's by now.
        [ "$(readlink "/proc/$pid/ns/net" | tr -dc 0-9)" != "$(cat "${file%.pid}.space" 2>/dev/null)" ] ||
            kill -KILL "$pid" 2>/dev/null
    done
    return 0
}
