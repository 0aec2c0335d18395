"""What a device reaches at best, to hold a training's speed against."""

import time
from collections.abc import Callable

import torch
from torch.nn.functional import conv2d


def roofline(device: torch.device) -> dict[str, float]:
    """Return what the device reaches: TFLOP/s of a large matmul and of a wide convolution, GB/s of a copy.

    Arithmetic is in bf16 on a GPU and in fp32 on a CPU. The convolution is 3x3 in channels_last; on some processors
    its library reaches more than that of matmuls.
    """
    on_gpu = device.type == "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    size = 8192 if on_gpu else 1024
    left = torch.randn(size, size, device=device, dtype=dtype)
    batch, width, side = (256, 512, 32) if on_gpu else (16, 128, 16)
    images = torch.randn(batch, width, side, side, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    weights = torch.randn(width, width, 3, 3, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    source = torch.empty((1 << 30) if on_gpu else (1 << 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    matmul = fastest(lambda: left @ left, device)
    convolution = fastest(lambda: conv2d(images, weights, padding=1), device)
    copy = fastest(lambda: target.copy_(source), device)
    return {
        "matmul_tflops": 2 * size**3 / matmul / 1e12,
        "convolution_tflops": 2 * 9 * width**2 * batch * side**2 / convolution / 1e12,
        "copy_gbs": 2 * len(source) / copy / 1e9,
    }


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
