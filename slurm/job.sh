# Sourced by the job scripts beside it: what they share. It checks before it starts anything, hands signals on, and puts
# a job that stopped in time back into the queue.
# shellcheck shell=bash
#
#   RNN_BIN        folder of the programs; otherwise build/src/cmd beside the folder of this file, or below the folder
#                  of submission, or PATH
#   RNN_MPI        how srun starts the ranks (default pmix; srun --mpi=list shows what there is)
#   RNN_RESTARTS   how often a job goes back into the queue (default 50), SLURM's own restarts counted
#   RNN_SLURM      folder of this file; otherwise that of the script as it was submitted, or slurm/ below the folder of
#                  submission
: "${shared:?}" "${original?}"

# The name of the script: what runs is a copy that SLURM gives a name of its own.
script=${0##*/}
[ "$script" != slurm_script ] || script=${original##*/}

# What SLURM's commands call the job: the number of an array's last task would mean all of it.
job_id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID:-}}
job_id=${job_id:-${SLURM_JOB_ID:-}}

job_say() {
    echo "$script: $*" >&2
}

job_fail() {
    job_say "$*"
    exit 2
}

# job_check srun|mpirun CONFIG.ini [option]...: finds the program, and how the launcher starts ranks.
job_check() {
    launcher=$1
    [ $# -gt 1 ] || job_fail "which configuration? sbatch slurm/$script CONFIG.ini"
    local folder
    for folder in "$shared/../build/src/cmd" build/src/cmd; do
        if [ -z "${RNN_BIN:-}" ] && [ -x "$folder/rnn-train" ]; then
            RNN_BIN=$folder
        fi
    done
    program=$(command -v "${RNN_BIN:+$RNN_BIN/}rnn-train") ||
        job_fail "rnn-train not found: set RNN_BIN to the folder that holds it"
    "job_check_$launcher"
}

# mpirun takes the nodes and the number of ranks from the job.
job_check_mpirun() {
    command -v mpirun >/dev/null || job_fail "mpirun not found: load the module of your Open MPI"
    launch=(mpirun --bind-to core)
    # What mpirun gives its ranks to save in, where it ends them: its own default is one second. It waits for
    # as long before it tells them, and both must be over within SLURM's KillWait, 30 seconds mostly. By the
    # environment, since each version has an option of its own name: Open MPI 4 and 5.
    export OMPI_MCA_odls_base_sigkill_timeout=10 PRTE_MCA_odls_base_sigkill_timeout=10
}

# With srun, a rank that ends early ends them all. Open MPI's ranks leave MPI_Init together: one that still is in it
# crashes over a message. SLURM's plugin for PMIx lets those of a node leave without the other nodes', unless nodes tell
# each other in a ring.
job_check_srun() {
    export SLURM_PMIX_FENCE="${SLURM_PMIX_FENCE:-ring}"
    local way=${RNN_MPI:-pmix}
    if ! srun --mpi=list 2>&1 | grep -qw "$way"; then
        job_say "srun here has no --mpi=$way: set RNN_MPI to one of these, or take multi-node-mpirun.sh"
        srun --mpi=list >&2 || true
        exit 2
    fi
    launch=(srun --mpi="$way" --cpu-bind=cores --kill-on-bad-exit=1)
}

# What SLURM says of the job: "running", "ending" (it was cancelled or preempted, or a node failed), or "late" (its time
# is over). "unknown": SLURM does not say.
job_state() {
    case $(scontrol show job -o "$job_id" 2>/dev/null || true) in
    *JobState=COMPLETING*Reason=TimeLimit*) echo late ;;
    *JobState=COMPLETING* | *JobState=CANCELLED* | *JobState=PENDING*) echo ending ;;
    *JobState=*) echo running ;;
    *) echo unknown ;;
    esac
}

# The ranks stop with a checkpoint on USR1. Both launchers hand USR1 on and wait; on TERM mpirun kills the ranks after the
# time set above. Where SLURM itself ends the job, ranks and launcher have got its TERM already.
job_hand_on() {
    signalled=$1
    [ -n "$child" ] || return 0
    if [ "$1" = USR1 ] || [ "$(job_state)" = running ]; then
        kill -USR1 "$child" 2>/dev/null || true
    fi
}

# From here on a signal does not end the script; one that comes before the run starts keeps it from starting.
child=
signalled=
trap 'job_hand_on USR1' USR1
trap 'job_hand_on TERM' TERM

# job_directory CONFIG.ini [option]...: the directory of this run.
job_directory() {
    local word before='' directory=${1##*/}
    directory=runs/${directory%.ini}
    if [ -d "$1" ]; then # a run itself, or its own file
        directory=$1
    elif [ "${1##*/}" = config.ini ] && [ -e "${1%config.ini}status" ]; then
        directory=${1%config.ini}.
    fi
    for word; do
        case $before/$word in
            -o/* | --run/*) directory=$word ;;
            */--run=*) directory=${word#--run=} ;;
            */-o?*) directory=${word#-o} ;;
        esac
        before=$word
    done
    printf '%s' "$directory"
}

# job_status_file DIRECTORY: which file is `status` of the run? Each time it is written it is another one.
job_status_file() {
    stat -c '%i %y' "$1/status" 2>/dev/null || true
}

# job_train CONFIG.ini [option]...: trains behind the script, so that signals find the script awake; the exit code goes
# into `status`. --fresh and --init are for the first start: a job that was put back goes on.
job_train() {
    if [ -n "$signalled" ]; then
        job_say "asked to stop by $signalled before it began"
        status=75
        return
    fi
    local directory former
    directory=$(job_directory "$@")
    former=$(job_status_file "$directory")
    if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
        local word words=() before='' begun=no
        # Without a checkpoint --init is needed again.
        ! compgen -G "$directory/checkpoint-*.h5" >/dev/null || begun=yes
        for word; do
            case $begun/$before/$word in
                */*/--fresh | yes/--init/* | yes/*/--init | yes/*/--init=*) ;;
                *) words+=("$word") ;;
            esac
            before=$word
        done
        set -- "${words[@]}"
    fi
    "${launch[@]}" "$program" --stop-exit-code 75 "$@" </dev/null &
    child=$!
    while :; do
        signalled=
        status=0
        wait "$child" || status=$?
        # A signal ends the wait, too, with a code of its own. That of the child is still there, also where it ended
        # while the signal was handled.
        [ -n "$signalled" ] || break
    done
    child=
    # mpirun of MPICH now and then ends with 0, or by SIGPIPE, where the ranks have ended with 75. The run itself knows.
    case $status in
    0 | 141)
        if [ "$(job_status_file "$directory")" != "$former" ] && grep -q '^state=stopped$' "$directory/status"; then
            job_say "the launcher ended with $status, but the run has stopped with a checkpoint"
            status=75
        fi
        ;;
    esac
}

# What comes next must not be ended by a signal, nor what it starts: it puts the job back.
job_ignore_signals() {
    trap '' USR1 TERM
}

# Ends the script with the status of the run; 75, stopped with more to do, puts the job back into the queue.
job_requeue() {
    local limit=${RNN_RESTARTS:-50}
    job_ignore_signals
    [ "$status" -eq 75 ] || exit "$status"
    if [ "$(job_state)" = ending ]; then
        job_say "stopped with a checkpoint; SLURM ends the job, and starts it again if it preempted it"
    elif [ "${SLURM_RESTART_COUNT:-0}" -ge "$limit" ]; then
        job_say "stopped with a checkpoint; not put back into the queue after $limit restarts (RNN_RESTARTS)"
    elif ! scontrol requeue "$job_id"; then
        job_say "stopped with a checkpoint, but not put back into the queue: submit it again"
    fi
    exit "$status"
}
