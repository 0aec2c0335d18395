"""What a process asks of its device, and how it reads the answers."""

from types import SimpleNamespace

import pytest
import torch

from trainers.errors import NoRoom
from trainers.process import CONTEXT, BusyMeter, PeakMemory, is_out_of_memory, process_settings, take_share

CUDA = torch.device("cuda")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: tried 9 bytes"),
            True,
        ),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False),
    ],
)
def test_every_librarys_word_for_memory_that_ran_out_is_known(error, expected):
    assert is_out_of_memory(error) is expected


@pytest.mark.parametrize("flushed", [True, False])
def test_the_process_is_left_as_it_was(flushed):
    torch.set_flush_denormal(flushed)
    try:
        with process_settings(1):
            assert torch.tensor(1e-30) * 1e-10 == 0
        assert bool(torch.tensor(1e-30) * 1e-10 == 0) is flushed
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize("status", [None, "Name: python\n"])
def test_where_the_system_does_not_count_for_a_while_the_peak_is_that_of_the_process(status, tmp_path, monkeypatch):
    if status:
        (tmp_path / "status").write_text(status)
    monkeypatch.setattr("trainers.process.PROCESS", tmp_path / "nowhere" if status is None else tmp_path)
    assert PeakMemory(torch.device("cpu")).mebibytes() > 50


def test_a_gpu_tells_how_busy_it_is(monkeypatch):
    monkeypatch.setattr("torch.cuda.utilization", lambda device: 75)
    assert BusyMeter(CUDA).busy_share(1.0) == 0.75


def test_a_driver_that_does_not_say_ends_no_training(monkeypatch):
    class NotSupported(Exception):
        """What NVIDIA's library raises for a part of a card."""

    def refuse(device):
        raise NotSupported

    monkeypatch.setattr("torch.cuda.utilization", refuse)
    assert BusyMeter(CUDA).busy_share(1.0) == 0


def test_a_share_of_a_gpu_is_a_share_of_its_memory(monkeypatch):
    taken = []
    monkeypatch.setattr("torch.cuda.memory._lazy_init", lambda: None)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 3)
    monkeypatch.setattr("torch._C._cuda_setMemoryFraction", lambda *arguments: taken.append(arguments))
    card = SimpleNamespace(total_memory=10 * CONTEXT)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: card)
    for device, share in (("cuda", 0.25), ("cuda:1", 1), ("cpu", 1), ("cuda", 0.125)):
        take_share(device, share)
    assert taken == [(pytest.approx(0.15), 3), (1.0, 1), (pytest.approx(0.025), 3)]
    with pytest.raises(
        NoRoom, match=r"about 600 MiB of a GPU for itself, and a part of 0\.1 of the 6000 MiB there is no more"
    ):
        take_share("cuda", 0.1)


@pytest.mark.parametrize("count", [2, 3, 5, 9])
def test_processes_that_share_a_gpu_fit_on_it_with_what_each_takes_for_itself(count, monkeypatch):
    whole, taken = 10 * CONTEXT, []
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(total_memory=whole))
    monkeypatch.setattr("torch.cuda.set_per_process_memory_fraction", lambda own, device: taken.append(own))
    take_share("cuda", 1 / count)
    assert count * (taken[0] * whole + CONTEXT) <= whole * (1 + 1e-9)
