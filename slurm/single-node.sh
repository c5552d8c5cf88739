#!/bin/bash
# Trains on the cores of one node:   sbatch slurm/single-node.sh CONFIG.ini [rnn-train option]...
#
# To adapt:
#   --ntasks       one rank a core; more than batch / microbatch of the configuration would idle (rnn-train --plan tells)
#   --time         --signal asks the run some minutes before to stop with a checkpoint, and the job puts itself back
#                  into the queue; the run also asks squeue for the job's end, and stops by itself before it
#   --partition, --account, --mem-per-cpu   as your site asks; rnn-train --plan N prints the memory of a rank
#   module load    uncomment and name what your site calls Open MPI and HDF5, the ones the programs were built with
#   RNN_BIN, RNN_RESTARTS, RNN_SLURM   see job.sh beside this file
# Submit from the folder that relative paths start from. The same line again continues a run that stopped.
# To stop it by hand: scancel -s USR1 --batch JOB puts it back into the queue, scancel JOB does not.
#
#SBATCH --job-name=rnn-train
#SBATCH --nodes=1
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=1
#SBATCH --hint=nomultithread
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -eu

# module load openmpi hdf5

# sbatch runs a copy of this script; what the scripts share lies beside the original.
script=single-node.sh
shared=${RNN_SLURM:-${0%/*}}/job.sh
[ -f "$shared" ] ||
    shared=$(scontrol show job "${SLURM_JOB_ID:-0}" | sed -n 's|^ *Command=\([^ ]*\)/[^/ ]*.*|\1/job.sh|p;T;q')
[ -f "$shared" ] || shared=${SLURM_SUBMIT_DIR:-.}/slurm/job.sh
if [ ! -f "$shared" ]; then
    echo "$script: job.sh not found: submit from the folder above slurm/, or set RNN_SLURM to the folder slurm/" >&2
    exit 2
fi
# shellcheck source=slurm/job.sh
. "$shared"

job_check "$@"
job_need_mpirun
# mpirun takes the number of ranks from the job.
job_run mpirun --bind-to core "$program" --stop-exit-code 75 "$@"
job_requeue
