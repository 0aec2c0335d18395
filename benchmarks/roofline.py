"""What a device reaches at best, to hold a training's speed against."""

import time
from collections.abc import Callable

import torch


def roofline(device: torch.device) -> dict[str, float]:
    """Return what the device reaches: TFLOP/s of a large matmul (bf16 on a GPU, fp32 on a CPU), GB/s of a copy."""
    on_gpu = device.type == "cuda"
    size = 8192 if on_gpu else 1024
    left = torch.randn(size, size, device=device, dtype=torch.bfloat16 if on_gpu else torch.float32)
    source = torch.empty((1 << 30) if on_gpu else (1 << 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    matmul, copy = fastest(lambda: left @ left, device), fastest(lambda: target.copy_(source), device)
    return {"matmul_tflops": 2 * size**3 / matmul / 1e12, "copy_gbs": 2 * len(source) / copy / 1e9}


def fastest(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest of several calls."""
    found = []
    for _ in range(8):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(time.perf_counter() - started)
    return min(found)
