"""How many replicas of a pack fit into memory side by side, measured on one step of one replica."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from search_spaces.arm import canonical_json
from trainers.data.batch_loader import BatchLoader
from trainers.process import is_out_of_memory
from trainers.records import DataInfo, Task
from trainers.step.precision import Numerics
from trainers.step.step_schedule import StepSchedule
from trainers.tuning.dry_run import DryRun, first_batches, free

SHARE = 0.9  # of the available memory
TEMPORARY = (
    4  # activations of the largest size that a backward pass on a CPU holds temporarily, as measured (docs/log.md)
)
MEMINFO = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")

_NEEDS: dict[tuple[Any, ...], int] = {}  # bytes of one replica, by what they depend on


def fitting(task: Task, info: DataInfo, loader: BatchLoader, schedule: StepSchedule, numerics: Numerics) -> int:
    """Return how many replicas of `task` fit into memory, at least one; on a CPU replicas in turn need no more room.

    Out of memory halves a pack that turns out to be too large all the same (`trainers.step.pack_trainer`); on a CPU,
    where the system may end the process first, this is the only guard.
    """
    if len(task.seeds) == 1 or (numerics.device.type == "cpu" and not numerics.fused):
        return len(task.seeds)
    key = (
        canonical_json([task.network, task.training.get("step"), task.training["checkpoint_activations"]]),
        (loader.sizes[0], loader.sizes[-1], *info.input_shape),
        (numerics.device, numerics.precision, numerics.triton),
    )
    if key not in _NEEDS:
        try:
            last = loader.sizes[-1] / loader.sizes[0]
            batches = first_batches(loader, task.seeds[:1])
            _NEEDS[key] = replica_bytes(DryRun(task, info, schedule, numerics, batches), last)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return 1
        finally:
            free(numerics.device)
    fit = int(SHARE * available_bytes(numerics.device) / _NEEDS[key])
    return min(max(fit, 1), len(task.seeds))


def replica_bytes(dry_run: DryRun, last: float = 1.0) -> int:
    """Return the bytes that the one replica of `dry_run` needs while it trains, by taking one step.

    `last` is the size of an epoch's last batch as a share of the others. Where it is smaller, its steps run one kernel
    at a time on a GPU, beside the memory that the recorded step of the others keeps.

    They are its weights, gradients and velocities, and what the step needs besides: on a GPU at most at once, as its
    allocator counts; on a CPU all that the forward pass keeps for the backward pass, and what that holds temporarily.
    """
    device, network = dry_run.numerics.device, dry_run.groups[0][0].network
    weights = sum(each.nbytes for each in network.parameters())
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        dry_run.step()
        needed = torch.cuda.max_memory_allocated(device) - before  # the gradients are among it
        return int(needed * (1 + last if last < 1 else 1)) + 2 * weights
    return _saved_bytes(dry_run, network) + 3 * weights


def _saved_bytes(dry_run: DryRun, network: nn.Module) -> int:
    """Return the bytes that a backward pass on a CPU needs: all storages saved for it, and gradients of activations."""
    own = {each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        dry_run.step()
    return sum(saved.values()) + TEMPORARY * max(saved.values(), default=0)


def available_bytes(device: torch.device) -> int:
    """Return the bytes that could be allocated now: of this process's share of the device, or on a CPU."""
    if device.type == "cuda":
        free_bytes, whole = torch.cuda.mem_get_info(device)
        share = torch.cuda.get_per_process_memory_fraction(device.index) * whole
        return int(min(free_bytes + torch.cuda.memory_reserved(device), share) - torch.cuda.memory_allocated(device))
    return int(min(_machine_bytes(), _control_group_bytes()))


def _machine_bytes() -> int:
    try:
        return 1024 * _numbers(MEMINFO)["MemAvailable:"]
    except (OSError, KeyError):  # not Linux: all there is
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _control_group_bytes() -> int | float:
    """Return what a container's limit leaves (control groups version 2); files in the cache can be given back."""
    try:
        limit = int((CONTROL_GROUP / "memory.max").read_text())
        used = int((CONTROL_GROUP / "memory.current").read_text())
        return limit - used + _numbers(CONTROL_GROUP / "memory.stat")["inactive_file"]
    except (OSError, KeyError, ValueError):  # no such file, or the limit is "max"
        return float("inf")


def _numbers(path: Path) -> dict[str, int]:
    """Return the numbers of a file with lines such as ``name 12``."""
    words = [line.split() for line in path.read_text().splitlines()]
    return {each[0]: int(each[1]) for each in words if len(each) > 1}
