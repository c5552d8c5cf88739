#!/bin/bash
# Trains the same configuration with different settings, one job of an array for each line of a file:
#
#   sbatch --array=1-4 slurm/sweep.sh SETTINGS CONFIG.ini [rnn-train option]...
#   slurm/collect.sh runs/NAME        NAME: of SETTINGS, without .txt
#
# A line of SETTINGS holds what --set takes, separated by semicolons:
#
#   train.lr = 0.01
#   train.lr = 0.01; model.hidden = 64 32
#
# Empty lines and those that begin with # do not count; task N takes the Nth of the others, and leaves its run in
# runs/NAME/N, the line beside it in runs/NAME/N.setting. The same line again continues what is not finished.
#
# To adapt:
#   --array        1-LINES; 1-LINES%4 runs at most four at a time
#   --ntasks       one rank a core; more than batch / microbatch of the configuration would idle (rnn-train --plan tells)
#   --time         --signal asks the run some minutes before to stop with a checkpoint, and the job puts itself back
#                  into the queue; the run also asks squeue for the job's end, and stops by itself before it
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan N prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN, RNN_RESTARTS, RNN_SLURM   see job.sh beside this file
#
#SBATCH --job-name=rnn-sweep
#SBATCH --nodes=1
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --output=%x-%A-%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -eu

# module load openmpi hdf5

# sbatch runs a copy of this script; job.sh lies beside the original, whose path SLURM keeps as the job's command.
original=$(scontrol show job "${SLURM_JOB_ID:-0}" 2>/dev/null | sed -n 's/^ *Command=\([^ ]*\).*/\1/p;T;q')
for shared in "${RNN_SLURM:-}" "${0%/*}" "${original%/*}" slurm; do [ ! -f "$shared/job.sh" ] || break; done
# shellcheck source=slurm/job.sh
. "$shared/job.sh" || exit 2

[ $# -ge 2 ] || job_fail "which settings and configuration? sbatch --array=1-LINES slurm/sweep.sh SETTINGS CONFIG.ini"
settings=$1
shift
[ -n "${SLURM_ARRAY_TASK_ID:-}" ] || job_fail "not an array: sbatch --array=1-LINES slurm/sweep.sh SETTINGS CONFIG.ini"
[ -r "$settings" ] || job_fail "$settings: can not be read below $PWD, the folder of submission"
line=$(grep -v -e '^[[:space:]]*#' -e '^[[:space:]]*$' "$settings" | sed -n "${SLURM_ARRAY_TASK_ID}p")
[ -n "$line" ] || job_fail "$settings: has no line $SLURM_ARRAY_TASK_ID (empty ones and comments do not count)"
job_check mpirun "$@"

sets=()
while IFS= read -r setting; do
    # Blanks around the key and the value are no part of them.
    setting=$(sed 's/^[[:space:]]*//; s/[[:space:]]*$//; s/[[:space:]]*=[[:space:]]*/=/' <<<"$setting")
    [ -z "$setting" ] || sets+=(--set "$setting")
done < <(tr ';' '\n' <<<"$line")

name=${settings##*/}
run=runs/${name%.txt}/$SLURM_ARRAY_TASK_ID
mkdir -p "${run%/*}"
echo "$line" >"$run.setting"
job_train "$@" "${sets[@]}" --run "$run"
job_requeue
