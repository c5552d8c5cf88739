# Sourced by bash: a SLURM of its own for tests, with daemons of this user on this machine, all below one folder.
#
#   cluster_start FOLDER   fails, with a reason in FOLDER/why, where there is no SLURM or it does not come up
#   cluster_stop FOLDER    cancels the jobs and ends the daemons; nothing it started is left
#
# Four nodes, each a slurmd of this machine with CPUs it only claims to have: n1 and n2 for the partition `main`; n3 and
# n4 for `low` and `high`, where a job of high takes the place of one of low, which goes back into the queue. Each slurmd
# has a host name of its own, which MPI goes by to tell what shares memory; that takes root and namespaces. All listen on
# the loopback only, and trust but who has the key of this munged.
# shellcheck shell=bash

# Where Debian has the daemons.
PATH=$PATH:/usr/sbin:/sbin

cluster_missing() {
    local program
    for program in munged mungekey slurmctld slurmd sbatch srun scontrol squeue; do
        command -v "$program" >/dev/null || { echo "no $program"; return 0; }
    done
    unshare --uts --mount true 2>/dev/null || { echo "no right to give nodes a host name (unshare)"; return 0; }
    return 1
}

# Ports that nobody listens on: the first of six in a row.
cluster_ports() {
    local try port offset
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + (($$ + try * 977) * 8) % 12000))
        for offset in 0 1 2 3 4 5; do
            ! (: </dev/tcp/127.0.0.1/$((port + offset))) 2>/dev/null || continue 2
        done
        echo "$port"
        return 0
    done
    return 1
}

cluster_configure() {
    local folder=$1 port=$2 host user
    host=$(uname -n)
    user=$(id -un)
    cat >"$folder/slurm.conf" <<CONF
ClusterName=rnn$port
SlurmctldHost=${host%%.*}(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
SlurmctldPort=$port
CommunicationParameters=NoInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
TmpFS=$folder/%n/tmp
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
MessageTimeout=60
SlurmdTimeout=300
ReturnToService=2
NodeName=n1 NodeHostname=${host%%.*} NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=24
NodeName=n2 NodeHostname=${host%%.*} NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=24
NodeName=n3 NodeHostname=${host%%.*} NodeAddr=127.0.0.1 Port=$((port + 3)) CPUs=2
NodeName=n4 NodeHostname=${host%%.*} NodeAddr=127.0.0.1 Port=$((port + 4)) CPUs=2
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE PreemptMode=OFF
PartitionName=low Nodes=n3,n4 PriorityTier=1 MaxTime=INFINITE PreemptMode=REQUEUE
PartitionName=high Nodes=n3,n4 PriorityTier=10 MaxTime=INFINITE PreemptMode=OFF
CONF
}

# Starts a program of the cluster behind the script; its process id goes into FOLDER/pids.
cluster_daemon() {
    local folder=$1 name=$2
    shift 2
    "$@" </dev/null >>"$folder/$name.out" 2>&1 &
    echo "$! $name" >>"$folder/pids"
}

# cluster_named FOLDER NAME HOST COMMAND...: under that host name, and where the names of all nodes resolve to this machine.
# slurmctld looks for them too, since 24.11, and answers nobody while it does not find them.
cluster_named() {
    local folder=$1 name=$2 host=$3
    shift 3
    # shellcheck disable=SC2016 # for the inner shell
    cluster_daemon "$folder" "$name" unshare --uts --mount sh -c \
        'hostname "$2" && mount --bind "$1" /etc/hosts && shift 2 && exec "$@"' sh "$folder/hosts" "$host" "$@"
}

# cluster_await SECONDS COMMAND...
cluster_await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

cluster_is_idle() {
    [ "$(sinfo -h -N -o %N,%t 2>/dev/null | sort -u | grep -c ,idle)" -eq 4 ]
}

cluster_start() {
    local folder=$1 port name
    if name=$(cluster_missing); then
        echo "$name" >"$folder/why"
        return 1
    fi
    port=$(cluster_ports) || { echo "no free ports" >"$folder/why"; return 1; }
    cluster_configure "$folder" "$port"
    { cat /etc/hosts && echo "127.0.0.1 n1 n2 n3 n4"; } >"$folder/hosts"
    mkdir -p "$folder/munge" "$folder/state"
    mungekey -c -k "$folder/munge/key"
    cluster_daemon "$folder" munged munged -F --force --num-threads=10 -S "$folder/munge/socket" --key-file="$folder/munge/key" \
        --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
    cluster_await 10 test -S "$folder/munge/socket" || { echo "munged does not start" >"$folder/why"; return 1; }
    export SLURM_CONF=$folder/slurm.conf
    cluster_named "$folder" slurmctld "$(uname -n)" slurmctld -D -i -f "$SLURM_CONF"
    for name in n1 n2 n3 n4; do
        mkdir -p "$folder/$name/tmp"
        cluster_named "$folder" "$name" "$name" slurmd -D -N "$name" -f "$SLURM_CONF"
    done
    cluster_await 40 cluster_is_idle || { echo "the nodes do not come up: $(sinfo -N 2>&1)" >"$folder/why"; return 1; }
}

# Process ids of what has the configuration in its environment: jobs, their steps, and what these started.
cluster_processes() {
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        if [ "$pid" -eq $$ ] || [ "$pid" -eq "$BASHPID" ]; then continue; fi
        ! grep -qzxF "SLURM_CONF=$1/slurm.conf" "$environ" 2>/dev/null || echo "$pid"
    done
}

# Is it a daemon of this shell that still runs? The number of one that has ended may be another process's by now.
cluster_runs() {
    jobs -pr | grep -qx "$1"
}

cluster_has_ended() {
    ! cluster_runs "$1"
}

cluster_has_no_jobs() {
    [ -z "$(squeue -h 2>/dev/null)" ]
}

cluster_stop() {
    local folder=$1 pid name
    [ -f "$folder/pids" ] || return 0
    if [ -n "${SLURM_CONF:-}" ]; then
        squeue -h -o %A 2>/dev/null | sort -u | xargs -r scancel -s KILL --full 2>/dev/null
        squeue -h -o %A 2>/dev/null | sort -u | xargs -r scancel 2>/dev/null
        cluster_await 15 cluster_has_no_jobs || true
    fi
    # The last first: slurmd, slurmctld, munged.
    tac "$folder/pids" >"$folder/pids.backwards"
    while read -r pid name; do
        cluster_runs "$pid" || continue
        kill "$pid" 2>/dev/null
        cluster_await 10 cluster_has_ended "$pid" || kill -KILL "$pid" 2>/dev/null
    done <"$folder/pids.backwards"
    for pid in $(cluster_processes "$folder"); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait
}
