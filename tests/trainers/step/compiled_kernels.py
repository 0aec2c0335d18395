"""Compile Triton's kernels for a GPU of a capability, which needs none; print a line of JSON for each.

    python compiled_kernels.py 90

test_triton_layers.py starts this.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from trainers.step import conv_kernels, norm_kernels

NUMBERS = {"channels", *norm_kernels.SIZES, *conv_kernels.SIZES}
DECIMALS = {"momentum", "eps"}
OF_IMAGES = {"x", "weights", "shortcut", "out", "gradient", "x_gradient", "shortcut_gradient"}  # the others are fp32
NORM_BLOCK = {"R": norm_kernels.ROWS, "C": norm_kernels.CHANNELS}
NORMS = {
    norm_kernels._moments: NORM_BLOCK,
    norm_kernels._merge_moments: {"P": norm_kernels.MERGED},
    norm_kernels._normalise: {"ADD": True, "RELU": True, **NORM_BLOCK},
    norm_kernels._gradient_sums: {"RELU": True, **NORM_BLOCK},
    norm_kernels._merge_sums: {"P": norm_kernels.MERGED},
    norm_kernels._gradients: {"ADD": True, "RELU": True, **NORM_BLOCK},
}
CONVOLUTIONS = {
    conv_kernels._convolve: {"ADD": True, "R": conv_kernels.ROWS, "Q": conv_kernels.INNER},
    conv_kernels._input_gradient: {"R": conv_kernels.ROWS, "Q": conv_kernels.INNER},
    conv_kernels._weight_gradient: {"R": conv_kernels.ROWS_OF_WEIGHTS, "Q": conv_kernels.TAPS},
}


def of_networks(channels):
    """Return what a 3 x 3 convolution of networks of `channels` channels, after a batch norm, is compiled for."""
    same = {"KH": 3, "KW": 3, "STRIDE": 1, "PAD_H": 1, "PAD_W": 1, "NORM": True, "PRECISION": "tf32"}
    return {"CIN": channels, "COUT": channels, "C": channels, **same}


def compile_for(capability, kernel, constants, kind):
    """Return what a kernel became that computes images of `kind`."""
    in_fp32 = {"out"} if kernel is conv_kernels._weight_gradient else set()
    signature = {}
    for name in kernel.arg_names:
        own = kind if name in OF_IMAGES - in_fp32 else "fp32"
        number = "i32" if name in NUMBERS else "fp32" if name in DECIMALS else f"*{own}"
        signature[name] = "constexpr" if name in constants else number
    # As at a launch: memory that torch allocates, and channels, are multiples of 16; the other numbers may be any.
    aligned = {
        (at,): [["tt.divisibility", 16]]
        for at, name in enumerate(kernel.arg_names)
        if signature[name].startswith("*") or name == "channels"
    }
    source = ASTSource(kernel, signature, constexprs=constants, attrs=aligned)
    compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
    ptx = compiled.asm["ptx"]
    return {
        "kernel": kernel.__name__,
        "kind": kind,
        "channels": constants.get("CIN"),
        "tensor_cores": "wgmma" in ptx or "mma.sync" in ptx,
        "vector_loads": len(re.findall(r"ld\.global[.\w:]*\.v[248]|cp\.async\.c[ag]", ptx)),
        "shared_bytes": compiled.metadata.shared,
        "stack_bytes": stack_bytes(compiled.asm["cubin"]),
    }


def stack_bytes(cubin):
    """Return the memory of a thread that its registers have no room for."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        told = subprocess.run([tool, "--dump-resource-usage", path], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"STACK:(\d+)", told)[1])


if __name__ == "__main__":
    cases = [(kernel, constants, "bf16") for kernel, constants in NORMS.items()]
    for kernel, constants in CONVOLUTIONS.items():
        cases += [(kernel, {**of_networks(16), **constants}, "bf16")]
        cases += [(kernel, {**of_networks(64), **constants}, "fp32")]
    stem = {"CIN": 3, "COUT": 64, "C": 64, "KH": 7, "KW": 7, "STRIDE": 2, "PAD_H": 3, "PAD_W": 3, "PRECISION": "tf32"}
    stem |= {"NORM": False, "ADD": False, "R": conv_kernels.ROWS // 2, "Q": conv_kernels.INNER}
    cases += [(conv_kernels._convolve, stem, kind) for kind in ("bf16", "fp32")]
    for case in cases:
        print(json.dumps(compile_for(int(sys.argv[1]), *case)), flush=True)
