#!/bin/bash
# Trains in a chain of jobs, each waiting for the one before it, where jobs may not be requeued. The same line, once for
# each link:
#
#   for link in 1 2 3 4 5; do sbatch --job-name=rnn-mine slurm/chain.sh CONFIG.ini [rnn-train option]...; done
#
# Each link continues the run. The one that finishes it, or fails, takes those that still wait out of the queue.
#
# To adapt:
#   --job-name     one for each chain: jobs of one name and one user run one after the other
#   --nodes, --ntasks-per-node   one rank a core; more ranks than batch / microbatch of the configuration would idle
#                                (rnn-train --plan N tells what N ranks would do)
#   --time         of each link; --signal asks the run some minutes before to stop with a checkpoint; the run also asks
#                  squeue for the job's end, and stops by itself before it
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan N prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN, RNN_MPI, RNN_SLURM   see job.sh beside this file
# Programs, datasets and the run directory must lie on a file system that all nodes see. Submit from the folder that
# relative paths start from. The same line again continues a run that stopped, on any number of nodes.
# To end the whole chain: scancel --name=rnn-mine
#
#SBATCH --job-name=rnn-chain
#SBATCH --dependency=singleton
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
set -eu

# module load openmpi hdf5

# sbatch runs a copy of this script; job.sh lies beside the original, whose path SLURM keeps as the job's command.
original=$(scontrol show job "${SLURM_JOB_ID:-0}" 2>/dev/null | sed -n 's/^ *Command=\([^ ]*\).*/\1/p;T;q')
for shared in "${RNN_SLURM:-}" "${0%/*}" "${original%/*}" slurm; do [ ! -f "$shared/job.sh" ] || break; done
# shellcheck source=slurm/job.sh
. "$shared/job.sh" || exit 2

job_check srun "$@"
for word; do
    [ "$word" != --fresh ] || job_fail "--fresh would start over in each link: remove the run directory instead"
    [[ $word != --init* ]] || job_fail "--init begins a run, and each link goes on with it: begin it by another script"
done
job_train "$@"
# 65 also stands for a run in use: so seems one whose link was lost with its node, until its lock is two minutes old.
if [ "$status" -eq 65 ]; then
    job_say "once more in two minutes, in case the link before was lost with its node"
    sleep 150
    job_train "$@"
fi
job_ignore_signals
if [ "$status" -eq 75 ]; then
    job_say "stopped with a checkpoint; the next link goes on"
    exit 0
fi
if [ "$status" -eq 0 ]; then
    job_say "finished; what is left of the chain is cancelled"
else
    job_say "failed with exit code $status; what is left of the chain is cancelled"
fi
scancel --state=PENDING --name="$SLURM_JOB_NAME" --user="$(id -un)" || true
exit "$status"
