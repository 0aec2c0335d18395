"""Settings that belong to the whole process, and what the process has left of its memory."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from search_spaces.user_code import text_of
from trainers.errors import NoRoom

PROCESS = Path("/proc/self")  # Linux: facts of this process

CONTEXT = 600 * 2**20  # bytes of a GPU that a process takes besides its tensors: about so many are usual

# What torch, CUDA's runtime (a graph's nodes take memory too), cuBLAS and cuDNN say when memory runs out.
_RAN_OUT = ("can't allocate memory", "CUDA error: out of memory", "_ALLOC_FAILED", "_ALLOCATION_FAILED")


@contextmanager
def process_settings(threads: int, deterministic: bool = True) -> Iterator[None]:
    """Set threads, denormals and cuDNN inside the block, and put them back for whatever else runs in the process.

    `deterministic` keeps cuDNN to algorithms that repeat themselves bit for bit.

    Deep plain networks are full of denormals, which are slow, so they count as zero. cuDNN may not choose its
    algorithms by timing them, since the choice would change the numbers.
    """
    before, flushed = torch.get_num_threads(), bool(torch.tensor(1e-38) / 1e3 == 0)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=deterministic, allow_tf32=True):
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushed)


class BusyMeter:
    """Measures the share of a stretch of time in which the device computed, from its making to `busy_share`."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.started = time.process_time()

    def busy_share(self, seconds: float) -> float:
        """Return the share over the last `seconds` of wall time.

        On a CPU: the processor time of this process over the wall time of its threads. On a GPU: what its driver
        says, a sample over its last period; 0 where it cannot be asked, as for a part of a card (MIG).
        """
        if self.device.type == "cuda":
            try:
                return torch.cuda.utilization(self.device) / 100
            except Exception:  # each driver's library raises its own, and no training ends for a figure
                return 0.0
        return (time.process_time() - self.started) / max(seconds * torch.get_num_threads(), 1e-9)


class BrokenProcessError(RuntimeError):
    """Recording a step failed and this torch cannot go on after that: another process trains it, without a graph."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on a GPU or on the CPU, in torch or in a library that it calls.

    Not where the process cannot go on: a smaller pack could not train in it either.
    """
    if isinstance(error, BrokenProcessError):
        return False
    said = text_of(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(each in said for each in _RAN_OUT)


def take_share(device: str, share: float) -> None:
    """Keep this process to its `share` (0 to 1) of a GPU's memory; others may train on the rest.

    What a process takes besides its tensors (context, libraries, kernels) comes off a share below 1; NoRoom where
    nothing is left of it then.
    """
    if torch.device(device).type != "cuda":
        return
    whole = torch.cuda.get_device_properties(torch.device(device)).total_memory
    own = share if share >= 1 else share - CONTEXT / whole
    if own <= 0:
        raise NoRoom(
            f"a process needs about {CONTEXT / 2**20:.0f} MiB of a GPU for itself, and a part of {share:g} of the "
            f"{whole / 2**20:.0f} MiB there is no more than that: ask for a larger part with resources.gpus"
        )
    torch.cuda.set_per_process_memory_fraction(float(own), torch.device(device).index)


class PeakMemory:
    """Measures the most memory in use at once since its making: of the device, or of this process on a CPU.

    A worker trains one trial after another in one process, so the system's count is set back; where that cannot be
    done, it goes back to the start of the process.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            return
        with suppress(OSError):
            (PROCESS / "clear_refs").write_text("5")

    def mebibytes(self) -> float:
        """Return the peak in MiB."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        try:
            lines = (PROCESS / "status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
        except (OSError, StopIteration):
            kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return kilobytes / (2**20 if sys.platform == "darwin" else 2**10)
