#!/bin/bash
# The shipped job scripts on a SLURM of their own (cluster.sh): jobs that are stopped, cancelled, preempted and run out of
# time end with the weights of the run that nothing happened to. The scenarios run side by side.
set -u

usage() {
    cat <<'TEXT'
Usage: cluster-jobs.sh FOLDER_OF_PROGRAMS [SCENARIO]...

Exit code 77: there is no SLURM here, it does not come up, or MPI is not Open MPI.
TEXT
}

[ $# -gt 0 ] || { usage >&2 && exit 2; }
programs=$(cd "$1" && pwd)
shift
late_fence=${LATE_LIBRARY:-$programs/../../tests/slurm/liblate_fence.so}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/scripts/common.sh"
# shellcheck source=tests/slurm/cluster.sh
. "$here/cluster.sh"
. "$root/tests/support/small-job.sh"
only_open_mpi "$programs"

# A short path: that of munged's socket has at most 107 bytes.
folder=$(mktemp -d /tmp/rnn-slurm-XXXXXX)
finish() {
    cluster_stop "$folder"
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

mpi_environment
unset OMPI_MCA_btl OMPI_MCA_pml # nodes need TCP
# All ranks share the cores of this machine; between its nodes they talk over the loopback. Not so the daemons of Open MPI
# 5's mpirun, which refuse the loopback where there is more than one of them: they take what other interface there is.
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
export OMP_NUM_THREADS=1 RNN_BIN=$programs LC_ALL=C
# What ranks that are killed leave of the memory between them goes with the folder.
mkdir "$folder/shm"
export OMPI_MCA_btl_vader_backing_directory="$folder/shm" OMPI_MCA_btl_sm_backing_directory="$folder/shm"
unset SLURM_JOB_ID

if ! cluster_start "$folder"; then
    echo "not run: $(cat "$folder/why")"
    exit 77
fi
if ! srun --mpi=list 2>&1 | grep -qw pmix; then
    echo "not run: srun has no --mpi=pmix here"
    exit 77
fi

mkdir "$folder/work"
cd "$folder/work" || exit 1
small_job "$programs" 40 || exit 1
sed 's/^epochs = .*/epochs = 1000000/; s/^schedule = .*/schedule = constant/' run.ini >endless.ini

# ---- what a scenario does ----

# Ends the scenario with a reason.
wrong() {
    echo "$*"
    exit 1
}

# last_of LOG: enough of it to see why, whatever the daemons wrote behind the ranks.
last_of() {
    grep -v "^epoch=" "$1" | tail -n 40
}

# submit OPTION... SCRIPT ARGUMENT...: as a user would; its number.
submit() {
    sbatch --parsable "$@" || wrong "sbatch refused: $*"
}

two_nodes=(--nodes=2 --ntasks-per-node=2)

rows() {
    if [ -e "runs/$1/metrics.csv" ]; then grep -c . "runs/$1/metrics.csv"; else echo 0; fi
}

rows_are() {
    [ "$(rows "$1")" -gt "$2" ]
}

# await_steps RUN N: until it has made that many more.
await_steps() {
    local from
    from=$(rows "$1")
    cluster_await 200 rows_are "$1" $((from + $2)) || wrong "run $1 makes no steps: $(squeue; grep -v "^epoch=" "$1"*.log | tail -n 20)"
}

state_of() {
    sed -n 's/^state=//p' "runs/$1/status" 2>/dev/null
}

run_is() {
    [ "$(state_of "$1")" = "$2" ]
}

# await_run RUN STATE SECONDS
await_run() {
    cluster_await "$3" run_is "$1" "$2" || wrong "run $1 is not '$2' but '$(state_of "$1")':
$(cat "runs/$1/status" 2>&1; grep -v '^epoch=' "$1"*.log | tail -n 40)"
}

job_is() {
    case $(squeue -h -j "$1" -o %T 2>/dev/null) in
    *"$2"*) return 0 ;;
    *) return 1 ;;
    esac
}

job_is_gone() {
    case $(scontrol show job -o "$1" 2>/dev/null) in
    *JobState=RUNNING* | *JobState=PENDING* | *JobState=COMPLETING* | *JobState=CONFIGURING*) return 1 ;;
    *) return 0 ;;
    esac
}

await_gone() {
    cluster_await "${2:-240}" job_is_gone "$1" || wrong "job $1 does not end: $(scontrol show job -o "$1")"
}

await_pending() {
    cluster_await 120 job_is "$1" PENDING || wrong "job $1 was not put back: $(scontrol show job -o "$1" 2>&1)"
}

# await_stopped RUN JOB: its last line comes after what `status` says, by way of slurmstepd and srun; the log has it when
# the job is back in the queue.
await_stopped() {
    await_run "$1" stopped 200
    await_pending "$2"
}

# A job that was put back waits for two minutes, by SLURM's rule; not here.
start_again() {
    await_pending "$1"
    # In the same second the nodes would still refuse it.
    sleep 2
    scontrol update JobId="$1" StartTime=now || wrong "job $1 can not be started at once"
}

restarts_of() {
    scontrol show job -o "$1" | sed 's/.* Restarts=\([0-9]*\).*/\1/'
}

# The finished: line with the weights of the undisturbed run, and in metrics.csv each step once, in order.
check_run() {
    local run=$1 log=$2 like=$3 hash
    run_is "$run" finished || wrong "run $run is '$(state_of "$run")': $(last_of "$log")"
    hash=$(sed -n 's/^finished: .*weights_hash=\([0-9a-f]*\).*/\1/p' "$log" | tail -n 1)
    [ "$hash" = "$(cat "$like.hash")" ] || wrong "run $run ended with $hash, undisturbed $(cat "$like.hash")"
    awk -F, '$3 == "train" && $1 != ++step { exit 1 }' "runs/$run/metrics.csv" || wrong "run $run lost or repeats steps"
    [ ! -e "runs/$run/lock" ] || wrong "run $run is locked"
}

# check_stopped RUN LOG SIGNAL: it stopped by itself with a checkpoint. Rank 0, which says why, has "a signal" for one that
# it has not got itself yet.
check_stopped() {
    run_is "$1" stopped || wrong "run $1 is '$(state_of "$1")': $(last_of "$2")"
    grep -qE "^stopped: .*reason=asked to by ($3|a signal) " "$2" || wrong "not stopped by $3: $(last_of "$2")"
}

# again RUN: submitted again, on two nodes and with fewer ranks, to the end of the undisturbed run.
again() {
    local job
    finite "$1"
    job=$(submit --nodes=2 --ntasks-per-node=1 -o "$1-again.log" "$root/slurm/multi-node.sh" "$1.ini") || wrong "$job"
    await_gone "$job"
    check_run "$1" "$1-again.log" "$1"
}

# reference NAME CONFIG OPTION...: the weights of the undisturbed run, on one rank without SLURM, into NAME.hash.
reference() {
    local name=$1
    shift
    (
        unset "${!SLURM_@}"
        "$programs/rnn-train" -o "runs/reference-$name" "$@" </dev/null
    ) >"reference-$name.log" 2>&1 || wrong "the undisturbed run failed: $(tail -n 3 "reference-$name.log")"
    sed -n 's/^finished: .*weights_hash=\([0-9a-f]*\).*/\1/p' "reference-$name.log" >"$name.hash"
}

# endless NAME: a configuration of that name without an end, for what is to be stopped, however fast the machine is.
endless() {
    cp endless.ini "$1.ini"
}

# finite RUN: its configuration gets an end, that of the epoch after next; undisturbed it gives RUN.hash.
finite() {
    local step
    step=$(awk -F, '$3 == "train" { step = $1 } END { print step }' "runs/$1/metrics.csv")
    sed -i "s/^epochs = .*/epochs = $((step / 15 + 2))/" "$1.ini"
    reference "$1" "$1.ini" -s "checkpoint.every=1000000 epochs"
}

# ---- scenarios ----

srun_and_mpirun_give_the_bits_of_one_rank() {
    local job_s job_m job_n
    job_s=$(submit "${two_nodes[@]}" -o s.log "$root/slurm/multi-node.sh" run.ini -o runs/s) || wrong "$job_s"
    job_m=$(submit "${two_nodes[@]}" -o m.log "$root/slurm/multi-node-mpirun.sh" run.ini -o runs/m) || wrong "$job_m"
    job_n=$(submit --ntasks=2 -o n.log "$root/slurm/single-node.sh" run.ini -o runs/n) || wrong "$job_n"
    await_gone "$job_s"
    await_gone "$job_m"
    await_gone "$job_n"
    check_run s s.log run
    check_run m m.log run
    check_run n n.log run
}

# usr1 SCRIPT OPTION...: twice, then left alone.
usr1() {
    local script=$1 name job life
    shift
    name=usr1-${script%.sh}
    endless "$name"
    job=$(submit "$@" -o "$name.log" "$root/slurm/$script" "$name.ini") || wrong "$job"
    for life in 1 2; do
        await_steps "$name" 30
        scancel -s USR1 --batch "$job" || wrong "scancel"
        await_pending "$job"
        check_stopped "$name" "$name.log" SIGUSR1
        [ "$life" -eq 1 ] || finite "$name"
        start_again "$job"
    done
    await_gone "$job"
    [ "$(restarts_of "$job")" -eq 2 ] || wrong "restarted $(restarts_of "$job") times, not 2"
    check_run "$name" "$name.log" "$name"
}

asked_by_usr1_a_job_of_srun_goes_on() {
    usr1 multi-node.sh "${two_nodes[@]}"
}

asked_by_usr1_a_job_of_mpirun_goes_on() {
    usr1 multi-node-mpirun.sh "${two_nodes[@]}"
}

asked_by_usr1_a_job_of_one_node_goes_on() {
    usr1 single-node.sh --ntasks=2
}

# Everything of the job gets it: the script, srun, the ranks.
asked_by_usr1_in_full_a_job_of_srun_goes_on() {
    local job
    endless full
    job=$(submit "${two_nodes[@]}" -o full.log "$root/slurm/multi-node.sh" full.ini) || wrong "$job"
    await_steps full 30
    scancel -s USR1 --full "$job"
    await_pending "$job"
    check_stopped full full.log SIGUSR1
    finite full
    start_again "$job"
    await_gone "$job"
    check_run full full.log full
}

cancelled_a_job_stops_stays_out_and_goes_on_when_submitted_again() {
    local job
    endless cancel
    job=$(submit "${two_nodes[@]}" -o cancel.log "$root/slurm/multi-node.sh" cancel.ini) || wrong "$job"
    await_steps cancel 30
    scancel "$job"
    await_gone "$job"
    check_stopped cancel cancel.log SIGTERM
    grep -q "SLURM ends the job" cancel.log || wrong "the script did not notice: $(last_of cancel.log)"
    again cancel
}

# A run without end that its limit stopped goes on, as a new job, to the end of the epoch after next; undisturbed, on one
# rank, it gives the same.
end_the_endless() {
    local run=$1 job=$2 step epochs
    scancel "$job"
    step=$(sed -n 's/^step=//p' "runs/$run/status")
    epochs=$((step / 15 + 2))
    job=$(submit "${two_nodes[@]}" -o "$run-2.log" "$root/slurm/multi-node.sh" endless.ini -o "runs/$run" \
        -s "train.epochs=$epochs") || wrong "$job"
    reference "endless-$run" endless.ini -s "train.epochs=$epochs" -s "checkpoint.every=1000000 epochs"
    await_gone "$job"
    check_run "$run" "$run-2.log" "endless-$run"
}

# rnn-train behind a sleep, so that jobs that wait for their limit do not compute all the while.
mkdir late
printf '#!/bin/sh\nsleep 40\nexec "%s/rnn-train" "$@"\n' "$programs" >late/rnn-train
chmod +x late/rnn-train

# Neither asked by the script's signal, nor by the run itself. A limit is looked at twice a minute, so this takes up to 90
# seconds.
out_of_time_a_job_is_stopped_and_goes_on() {
    local job
    job=$(RNN_BIN=$PWD/late submit "${two_nodes[@]}" --time=1 --signal=B:CONT@0 -o limit.log \
        "$root/slurm/multi-node.sh" endless.ini -o runs/limit --max-time 10:00:00) || wrong "$job"
    await_stopped limit "$job"
    check_stopped limit limit.log SIGTERM
    grep -q "DUE TO TIME LIMIT" limit.log || wrong "it was not the limit: $(last_of limit.log)"
    end_the_endless limit "$job"
}

knowing_the_end_of_its_job_a_run_stops_before_it_and_goes_on() {
    local job
    job=$(RNN_BIN=$PWD/late submit "${two_nodes[@]}" --time=1 --signal=B:CONT@0 -o knows.log \
        "$root/slurm/multi-node.sh" endless.ini -o runs/knows) || wrong "$job"
    await_stopped knows "$job"
    grep -q "^stopped: .*reason=the time limit is near " knows.log || wrong "not by itself: $(last_of knows.log)"
    end_the_endless knows "$job"
}

# Both tasks: the number of the last one is also that of the array.
knowing_its_end_each_task_of_an_array_stops_before_it_and_goes_on() {
    local job task epochs=0 step table
    printf 'train.lr = 0.004\nreport.every = 1 minutes\n' >tasks.txt
    job=$(RNN_BIN=$PWD/late submit --array=1-2 --ntasks=2 --time=1 --signal=B:CONT@0 -o tasks-%a.log \
        "$root/slurm/sweep.sh" tasks.txt endless.ini) || wrong "$job"
    for task in 1 2; do
        await_stopped "tasks/$task" "${job}_$task"
        grep -q "^stopped: .*reason=the time limit is near " "tasks-$task.log" ||
            wrong "task $task did not stop by itself: $(last_of "tasks-$task.log")"
        step=$(sed -n 's/^step=//p' "runs/tasks/$task/status")
        epochs=$((step / 15 + 2 > epochs ? step / 15 + 2 : epochs))
    done
    scancel "$job"
    job=$(submit --array=1-2 --ntasks=1 -o tasks-again-%a.log "$root/slurm/sweep.sh" tasks.txt endless.ini \
        -s "train.epochs=$epochs") || wrong "$job"
    reference tasks endless.ini -s "train.epochs=$epochs" -s "checkpoint.every=1000000 epochs"
    await_gone "$job"
    check_run tasks/1 tasks-again-1.log tasks
    check_run tasks/2 tasks-again-2.log tasks
    table=$("$root/slurm/collect.sh" runs/tasks) || wrong "collect.sh failed: $table"
    [ "$(echo "$table" | cut -f 3,8 | grep -c "^finished	$(cat tasks.hash)$")" -eq 2 ] || wrong "another table: $table"
}

# warned SCRIPT: by --signal; SLURM may send it up to a minute early.
warned() {
    local job name=warned-${1%.sh}
    job=$(submit --nodes=2 --ntasks-per-node=1 --time=1 --signal=B:USR1@10 -o "$name.log" "$root/slurm/$1" \
        endless.ini -o "runs/$name") || wrong "$job"
    await_stopped "$name" "$job"
    check_stopped "$name" "$name.log" SIGUSR1
    end_the_endless "$name" "$job"
}

shortly_before_its_limit_a_job_of_mpirun_is_asked_to_stop_and_goes_on() {
    warned multi-node-mpirun.sh
}

shortly_before_its_limit_a_preemptible_job_is_asked_to_stop_and_goes_on() {
    warned preemptible.sh
}

exit_code_of() {
    scontrol show job -o "$1" | sed 's/.* ExitCode=\([0-9:]*\).*/\1/'
}

# job_failed JOB CODE LOG TEXT; CODE may be several, as in a pattern.
job_failed() {
    await_gone "$1"
    [[ $(exit_code_of "$1") =~ ^($2):0$ ]] || wrong "exit code $(exit_code_of "$1"), not $2: $(last_of "$3")"
    grep -q -e "$4" "$3" || wrong "it does not say '$4': $(last_of "$3")"
}


restarted_as_often_as_allowed_a_job_stays_out_and_says_so() {
    local job
    endless often
    job=$(RNN_RESTARTS=1 submit "${two_nodes[@]}" -o often.log "$root/slurm/multi-node.sh" often.ini) || wrong "$job"
    await_steps often 30
    scancel -s USR1 --batch "$job"
    start_again "$job"
    await_steps often 30
    scancel -s USR1 --batch "$job"
    job_failed "$job" 75 often.log "not put back into the queue after 1 restarts (RNN_RESTARTS)"
    check_stopped often often.log SIGUSR1
    again often
}

# SLURM puts a job back without asking the script: this one does not start then.
put_back_more_often_than_allowed_a_preemptible_job_does_not_start() {
    local job rows
    endless enough
    job=$(RNN_RESTARTS=0 submit "${two_nodes[@]}" -o enough.log "$root/slurm/preemptible.sh" enough.ini) || wrong "$job"
    await_steps enough 30
    scontrol requeue "$job" || wrong "scontrol requeue"
    await_stopped enough "$job"
    rows=$(rows enough)
    start_again "$job"
    job_failed "$job" 2 enough.log "not started: restarted 1 times, allowed are 0"
    [ "$(rows enough)" -eq "$rows" ] || wrong "it made steps"
    again enough
}

# rank_process JOB RANK: mpirun tells its ranks by a variable of its own.
rank_process() {
    local pid list variables rank
    for pid in $(pgrep -x rnn-train); do
        mapfile -d '' -t list 2>/dev/null <"/proc/$pid/environ" || continue
        variables=" ${list[*]} "
        case $variables in
        *" OMPI_COMM_WORLD_RANK="*) rank=OMPI_COMM_WORLD_RANK ;;
        *) rank=SLURM_PROCID ;;
        esac
        case $variables in
        *" SLURM_JOB_ID=$1 "*" $rank=$2 "* | *" $rank=$2 "*" SLURM_JOB_ID=$1 "*)
            echo "$pid"
            return 0
            ;;
        esac
    done
    return 1
}

# killed SCRIPT: a rank of the second node. mpirun of Open MPI 4.1 has been seen to crash when it loses a rank: 139.
# Ranks of Open MPI 5 that lose one on another node end with 14, often before the launcher has noticed.
killed() {
    local job pid name=killed-${1%.sh}
    endless "$name"
    job=$(submit "${two_nodes[@]}" -o "$name.log" "$root/slurm/$1" "$name.ini") || wrong "$job"
    await_steps "$name" 30
    pid=$(rank_process "$job" 3) || wrong "rank 3 of job $job not found"
    kill -KILL "$pid"
    job_failed "$job" "137|139|14" "$name.log" "Killed\|signal 9\|Segmentation fault\|exited due to process rank"
    run_is "$name" running || wrong "run $name is '$(state_of "$name")'"
    again "$name"
    grep -q "warning: .*/lock" "$name-again.log" || wrong "it says nothing of the lock: $(head "$name-again.log")"
}

with_a_rank_killed_a_job_of_srun_fails_and_goes_on_when_submitted_again() {
    killed multi-node.sh
}

with_a_rank_killed_a_job_of_mpirun_fails_and_goes_on_when_submitted_again() {
    killed multi-node-mpirun.sh
}

# The ranks have about a second: where they do not make it, the checkpoint before is good.
cancelled_a_job_of_mpirun_stays_out_and_goes_on_when_submitted_again() {
    local job
    endless cancel-m
    job=$(submit "${two_nodes[@]}" -o cancel-m.log "$root/slurm/multi-node-mpirun.sh" cancel-m.ini) || wrong "$job"
    await_steps cancel-m 30
    scancel "$job"
    await_gone "$job"
    run_is cancel-m stopped || run_is cancel-m running || wrong "run cancel-m is '$(state_of cancel-m)'"
    again cancel-m
}

tasks_that_do_not_find_each_other_are_refused() {
    local other none alone
    other=$(RNN_MPI=another submit "${two_nodes[@]}" -o other.log "$root/slurm/multi-node.sh" run.ini -o runs/other) ||
        wrong "$other"
    none=$(RNN_MPI=none submit "${two_nodes[@]}" -o none.log "$root/slurm/multi-node.sh" run.ini -o runs/none) ||
        wrong "$none"
    alone=$(submit --ntasks=2 -o alone.log --wrap "$programs/rnn-train run.ini -o runs/alone") || wrong "$alone"
    job_failed "$other" 2 other.log "srun here has no --mpi=another"
    # The first to end ends the others, by TERM where they are slower to see it.
    job_failed "$none" "2|143" none.log "srun started 4 tasks, but MPI knows of one"
    [ ! -e runs/none ] || wrong "it began the run"
    await_gone "$alone"
    grep -q "warning: the job has 2 tasks, but this run is of one rank" alone.log || wrong "no warning: $(cat alone.log)"
    check_run alone alone.log run
}

# Open MPI's ranks crash over a message that comes before they are ready: those of other nodes have to wait in MPI_Init.
no_message_reaches_a_rank_that_is_late_in_its_start() {
    local job
    job=$(LATE_RANK=3 LD_PRELOAD=$late_fence submit "${two_nodes[@]}" -o late.log "$root/slurm/multi-node.sh" run.ini \
        -o runs/late) || wrong "$job"
    await_gone "$job"
    check_run late late.log run
}

preempted_a_job_goes_back_into_the_queue_and_goes_on() {
    local job higher
    endless preempt
    job=$(submit "${two_nodes[@]}" -p low -o preempt.log "$root/slurm/preemptible.sh" preempt.ini) || wrong "$job"
    await_steps preempt 30
    higher=$(submit "${two_nodes[@]}" -p high -o high.log "$root/slurm/multi-node.sh" run.ini -o runs/high) ||
        wrong "$higher"
    await_stopped preempt "$job"
    check_stopped preempt preempt.log SIGTERM
    await_gone "$higher"
    check_run high high.log run
    finite preempt
    start_again "$job"
    await_gone "$job"
    [ "$(restarts_of "$job")" -eq 1 ] || wrong "restarted $(restarts_of "$job") times, not once"
    grep -q "preemptible.sh: start 2 of" preempt.log || wrong "the script does not count: $(last_of preempt.log)"
    check_run preempt preempt.log preempt
}

a_chain_runs_to_its_end_and_no_further() {
    local link jobs=() log
    endless chain
    for link in 1 2 3 4 5 6; do
        jobs+=("$(submit "${two_nodes[@]}" --job-name=chain -o "chain-$link.log" "$root/slurm/chain.sh" \
            chain.ini)") || wrong "${jobs[*]}"
    done
    # The third has to wait for the configuration's end.
    scontrol hold "${jobs[2]}" || wrong "scontrol hold"
    for link in 0 1; do
        await_steps chain 30
        scancel -s USR1 --batch "${jobs[link]}"
        await_gone "${jobs[link]}"
        check_stopped chain "chain-$((link + 1)).log" SIGUSR1
    done
    finite chain
    scontrol release "${jobs[2]}" || wrong "scontrol release"
    await_gone "${jobs[2]}"
    check_run chain chain-3.log chain
    for link in 3 4 5; do
        await_gone "${jobs[link]}" 20
        log=chain-$((link + 1)).log
        [ ! -s "$log" ] || wrong "a link started after the end: $(cat "$log")"
    done
}

a_sweep_gives_a_table() {
    local job table
    cat >settings.txt <<'TEXT'
# what may make a difference
train.lr = 0.004

train.lr=0.001; model.hidden=4 8; model.layers = 2
train.lr=-1
TEXT
    job=$(submit --array=1-3 --ntasks=2 -o sweep-%a.log "$root/slurm/sweep.sh" settings.txt run.ini) || wrong "$job"
    await_gone "$job"
    table=$("$root/slurm/collect.sh" runs/settings) || wrong "collect.sh failed: $table"
    echo "$table" | awk -F'\t' -v hash="$(cat run.hash)" -v other="$(cat sweep.hash)" '
        NF != 8 { bad = 1 }
        NR == 1 && $0 != "run\tsetting\tstatus\tstep\tloss\terror\tbest\tweights_hash" { bad = 1 }
        NR == 2 && !($2 == "train.lr = 0.004" && $3 == "finished" && $4 == 600 && $8 == hash) { bad = 1 }
        NR == 3 && !($3 == "finished" && $4 == 600 && $5 + 0 > 0 && $7 + 0 > 0 && $8 == other) { bad = 1 }
        NR == 4 && !($2 == "train.lr=-1" && $3 == "waiting" && $8 == "-") { bad = 1 }
        END { exit bad || NR != 4 }' || wrong "another table: $table; $(cat sweep-*.log | tail -n 5)"
    "$root/slurm/sweep.sh" settings.txt run.ini 2>&1 | grep -q "not an array" || wrong "sweep.sh runs without an array"
}

scenarios=(out_of_time_a_job_is_stopped_and_goes_on knowing_the_end_of_its_job_a_run_stops_before_it_and_goes_on
    knowing_its_end_each_task_of_an_array_stops_before_it_and_goes_on
    shortly_before_its_limit_a_job_of_mpirun_is_asked_to_stop_and_goes_on
    shortly_before_its_limit_a_preemptible_job_is_asked_to_stop_and_goes_on
    srun_and_mpirun_give_the_bits_of_one_rank asked_by_usr1_a_job_of_srun_goes_on
    asked_by_usr1_a_job_of_mpirun_goes_on asked_by_usr1_a_job_of_one_node_goes_on
    asked_by_usr1_in_full_a_job_of_srun_goes_on cancelled_a_job_stops_stays_out_and_goes_on_when_submitted_again
    cancelled_a_job_of_mpirun_stays_out_and_goes_on_when_submitted_again
    restarted_as_often_as_allowed_a_job_stays_out_and_says_so
    put_back_more_often_than_allowed_a_preemptible_job_does_not_start
    with_a_rank_killed_a_job_of_srun_fails_and_goes_on_when_submitted_again
    with_a_rank_killed_a_job_of_mpirun_fails_and_goes_on_when_submitted_again
    tasks_that_do_not_find_each_other_are_refused no_message_reaches_a_rank_that_is_late_in_its_start
    preempted_a_job_goes_back_into_the_queue_and_goes_on
    a_chain_runs_to_its_end_and_no_further a_sweep_gives_a_table)
[ $# -eq 0 ] || scenarios=("$@")

# ---- all at once ----

reference run run.ini
reference sweep run.ini -s train.lr=0.001 -s "model.hidden=4 8" -s model.layers=2

# Each in a shell of its own; what it says is why it failed.
pids=()
for scenario in "${scenarios[@]}"; do
    (
        trap - EXIT
        "$scenario" && echo "as it should be after $SECONDS seconds"
    ) >"$scenario.said" 2>&1 &
    pids+=($!)
done
failures=0
for i in "${!pids[@]}"; do
    if wait "${pids[i]}"; then
        echo "ok      ${scenarios[i]}: $(tail -n 1 "${scenarios[i]}.said")"
    else
        failures=$((failures + 1))
        echo "failed  ${scenarios[i]}:"
        sed 's/^/        /' "${scenarios[i]}.said"
    fi
done
echo "Checks: ${#scenarios[@]}, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
