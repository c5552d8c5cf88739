#!/bin/bash
# Trains on the cores of several nodes:   sbatch slurm/multi-node.sh CONFIG.ini [rnn-train option]...
#
# To adapt:
#   --nodes, --ntasks-per-node   one rank a core; more ranks than batch / grain of the configuration would idle
#                                (rnn-train --plan N tells what N ranks would do)
#   --time         before this is over the run stops itself with a checkpoint, and the job puts itself back into the
#                  queue; where squeue does not work on a node, give rnn-train --max-time some minutes below it
#                  (--max-time 03:50:00)
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan N prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN        folder of the programs; otherwise build/src/cmd below the folder of submission, or PATH
#   RNN_MPI        how srun starts the ranks (default pmix; srun --mpi=list shows what there is)
# Programs, datasets and the run directory must lie on a file system that all nodes see. Submit from the folder that
# relative paths start from. The same line again continues a run that stopped, on any number of nodes.
#
#SBATCH --job-name=rnn-train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -eu

# module load openmpi hdf5

if [ $# -eq 0 ]; then
    echo "multi-node.sh: which configuration? sbatch slurm/multi-node.sh CONFIG.ini" >&2
    exit 2
fi
if [ -z "${RNN_BIN:-}" ] && [ -x build/src/cmd/rnn-train ]; then
    RNN_BIN=build/src/cmd
fi
program=$(command -v "${RNN_BIN:+$RNN_BIN/}rnn-train") || {
    echo "multi-node.sh: rnn-train not found: set RNN_BIN to the folder that holds it" >&2
    exit 2
}
launch=${RNN_MPI:-pmix}
if ! srun --mpi=list 2>&1 | grep -qw "$launch"; then
    echo "multi-node.sh: srun here has no --mpi=$launch: set RNN_MPI to one of these" >&2
    srun --mpi=list >&2 || true
    exit 2
fi

# A rank that ends early ends them all. 75: stopped in time, more to do.
status=0
srun --mpi="$launch" --cpu-bind=cores --kill-on-bad-exit=1 "$program" --stop-exit-code 75 "$@" </dev/null || status=$?
if [ "$status" -eq 75 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
