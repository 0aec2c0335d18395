#!/usr/bin/env bash
# A study on several SLURM nodes: sbatch slurm.sh ablation.yaml
#SBATCH --job-name=ablation
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-task=4
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
set -euo pipefail

# The first node of the job is the head; this script runs on it too.
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes%%$'\n'*}
port=$((20000 + SLURM_JOB_ID % 10000))
# Ray's sockets need a short path on a local disk.
export RAY_TMPDIR=${RAY_TMPDIR:-/tmp}
# Nodes that read Python from a slow shared disk need longer to start than the 30 seconds that Ray waits for them.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=${RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT:-600}
# SQLite does not work on a disk that several nodes share, and a local one is gone when the job is put back.
: "${ORCHESTRATE_DB:?set it to the URL of a PostgreSQL database, for instance postgresql://user@host/ablation}"

# `ray symmetric-run` may end with 1 when it has stopped Ray, whatever the run ended with.
code=$(mktemp)
srun ray symmetric-run --address "$head:$port" --min-nodes "$SLURM_NNODES" \
    --num-cpus "${SLURM_CPUS_PER_TASK:-1}" --num-gpus "${SLURM_GPUS_PER_TASK:-0}" \
    -- bash -c 'orchestrate run "$1" --address "$2"; echo $? >"$3"' - "${1:?a study file}" "$head:$port" "$code" &
job=$!

# Five minutes before the time limit: the driver saves checkpoints and ends; the next job continues.
stop() { pkill -TERM -x orchestrate || true; }
trap stop USR1 TERM

status=0
wait "$job" || status=$?
while kill -0 "$job" 2>/dev/null; do # a signal ends `wait` before the job has ended
    status=0
    wait "$job" || status=$?
done
if [ -s "$code" ]; then status=$(<"$code"); fi
rm -f "$code"
if [ "$status" = 130 ]; then
    scontrol requeue "$SLURM_JOB_ID" # interrupted: the same command goes on where this one stopped
fi
exit "$status"
