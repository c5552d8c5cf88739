#!/bin/bash
# Trains on the cores of one node:   sbatch slurm/single-node.sh CONFIG.ini [rnn-train option]...
#
# To adapt:
#   --ntasks       one rank a core; more than batch / grain of the configuration would idle (rnn-train --plan tells)
#   --time         before this is over the run stops itself with a checkpoint, and the job puts itself back into the
#                  queue; where squeue does not work on a node, give rnn-train --max-time some minutes below it
#                  (--max-time 03:50:00)
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN        folder of the programs; otherwise build/src/cmd below the folder of submission, or PATH
# Submit from the folder that relative paths start from. The same line again continues a run that stopped.
#
#SBATCH --job-name=rnn-train
#SBATCH --nodes=1
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -eu

# module load openmpi hdf5

if [ $# -eq 0 ]; then
    echo "single-node.sh: which configuration? sbatch slurm/single-node.sh CONFIG.ini" >&2
    exit 2
fi
if [ -z "${RNN_BIN:-}" ] && [ -x build/src/cmd/rnn-train ]; then
    RNN_BIN=build/src/cmd
fi
program=$(command -v "${RNN_BIN:+$RNN_BIN/}rnn-train") || {
    echo "single-node.sh: rnn-train not found: set RNN_BIN to the folder that holds it" >&2
    exit 2
}
command -v mpirun >/dev/null || {
    echo "single-node.sh: mpirun not found: load the module of your Open MPI" >&2
    exit 2
}

# mpirun takes the number of ranks from the job. 75: stopped in time, more to do.
status=0
mpirun --bind-to core "$program" --stop-exit-code 75 "$@" </dev/null || status=$?
if [ "$status" -eq 75 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
