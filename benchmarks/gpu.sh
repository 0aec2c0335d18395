#!/usr/bin/env bash
# What nine minutes on a bare machine with one GPU can teach, the most wanted first: under 560 seconds in all.
#
#     OUT=results FASHION=folder bash benchmarks/gpu.sh      # from the repository's root
#     TINY=1 OUT=results bash benchmarks/gpu.sh              # the same on a CPU, at a size for a test
#
# Needs torch and torchvision alone; pytest for the step `tests`. FASHION is the folder with Fashion-MNIST's four files;
# without it, speed is compared on the digits of scikit-learn. Each step ends by itself or at its limit and leaves the
# others be; each figure is written the moment it is known, into $OUT: log.txt, ways.jsonl and one JSON a benchmark.
set -u
OUT=${OUT:-out/gpu}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
exec > >(tee -a "$OUT/log.txt") 2>&1
export PYTHONUNBUFFERED=1 PYTHONPATH=.:benchmarks BENCHMARK_RESULTS="$OUT" CUDA_DEVICE_MAX_CONNECTIONS=32

step() {  # name, limit in seconds, command
    local name=$1 limit=$2
    shift 2
    echo "== $name, at most $limit s, $(date +%T)"
    timeout -k 5 "$limit" "$@"
    echo "== $name ended with $? at $(date +%T)"
}

if [ -n "${TINY:-}" ]; then
    common=(--device cpu --data digits --width 4 --batch-size 16 --seeds 2 --rounds 1)
    ways=(--device cpu --steps 2 --batch-size 8 --width 2 --shape 1 8 8 --deep 14 --shallow 8)
    networks=resnet20 steps=2 deep=(resnet20 1) rungs="plain;device data;channels_last" wanted="same_values or whatever_changes"
else
    data=(--data digits)
    [ -n "${FASHION:-}" ] && data=(--data fashion_mnist --root "$FASHION")
    common=("${data[@]}" --rounds 2)
    ways=()
    networks=resnet110,resnet20 steps=200 deep=(resnet1001,resnet1202 5)
    rungs="plain;device data;channels_last;bf16;fused optimiser;cuda graph;streams;triton norms;triton convolutions;grouped fusion"
    wanted="not on_a_cpu and not waits and not anew_whatever and not far_ahead and not hidden"
fi

step machine 30 python3 -c "
import sys, torch
print(sys.version, torch.__version__, torch.version.cuda, torch.backends.cudnn.version())
print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU')"
command -v nvidia-smi > /dev/null && step state 10 nvidia-smi \
    --query-gpu=name,driver_version,clocks.sm,clocks.mem,temperature.gpu,power.draw --format=csv
step ways 175 python3 benchmarks/ways.py --out "$OUT/ways.jsonl" --seconds 140 ${ways[@]+"${ways[@]}"}
step tests 80 python3 -m pytest -o addopts=--import-mode=importlib -p no:cacheprovider -W default -q --timeout 60 \
    -k "$wanted" tests/trainers/step/test_cuda.py
step versus 130 python3 benchmarks/training.py "${common[@]}" --networks "$networks" --peers plain --steps "$steps" \
    --whole-epochs 1 --label versus
step deep 65 python3 benchmarks/training.py "${common[@]}" --networks "${networks##*,}" --peers none --steps "$steps" \
    --deep-networks "${deep[0]}" --deep "${deep[1]}" --label deep
step ladder 60 python3 benchmarks/ladder.py "${common[@]}" --networks "${networks##*,}" --steps "$steps" --rungs "$rungs"
echo "== done at $(date +%T)"
