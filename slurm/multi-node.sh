#!/bin/bash
# Trains on the cores of several nodes:   sbatch slurm/multi-node.sh CONFIG.ini [rnn-train option]...
#
# To adapt:
#   --nodes, --ntasks-per-node   one rank a core; more ranks than batch / microbatch of the configuration would idle
#                                (rnn-train --plan N tells what N ranks would do)
#   --time         --signal asks the run some minutes before to stop with a checkpoint, and the job puts itself back
#                  into the queue; the run also asks squeue for the job's end, and stops by itself before it
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan N prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN, RNN_MPI, RNN_RESTARTS, RNN_SLURM   see job.sh beside this file
# Programs, datasets and the run directory must lie on a file system that all nodes see. Submit from the folder that
# relative paths start from. The same line again continues a run that stopped, on any number of nodes.
# To stop it by hand: scancel -s USR1 --batch JOB puts it back into the queue, scancel JOB does not.
#
#SBATCH --job-name=rnn-train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -eu

# module load openmpi hdf5

# sbatch runs a copy of this script; job.sh lies beside the original, whose path SLURM keeps as the job's command.
original=$(scontrol show job "${SLURM_JOB_ID:-0}" 2>/dev/null | sed -n 's/^ *Command=\([^ ]*\).*/\1/p;T;q')
for shared in "${RNN_SLURM:-}" "${0%/*}" "${original%/*}" slurm; do [ ! -f "$shared/job.sh" ] || break; done
# shellcheck source=slurm/job.sh
. "$shared/job.sh" || exit 2

job_check srun "$@"
job_train "$@"
job_requeue
