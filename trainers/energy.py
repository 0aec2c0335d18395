"""What a device takes of electric energy, where its driver or the operating system tells."""

from pathlib import Path

import torch

POWERCAP = Path("/sys/class/powercap")
"""Linux: a folder for each processor package, `intel-rapl:0` and so on, also of AMD's; often only root may read it."""


class EnergyMeter:
    """Measures the energy of a device from its making to `joules`, with all that other processes did on it meanwhile.

    A GPU's driver counts the card's (from Volta on); of a CPU the packages are counted, without the memory.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._started = _counters(device)

    def joules(self) -> float | None:
        """Return the energy in joules; None where nothing tells it."""
        ended = _counters(self.device)
        if not self._started or ended.keys() != self._started.keys():
            return None
        return sum(_passed(began, ended[name]) for name, began in self._started.items()) / 1e6


Counter = tuple[int, int]
"""Microjoules, and the number at which the counter starts again from 0 (0: never)."""


def _passed(began: Counter, ended: Counter) -> int:
    (first, limit), (last, _) = began, ended
    return last - first + (limit if last < first else 0)


def _counters(device: torch.device) -> dict[str, Counter]:
    """Return the counters of a device by name; none where they cannot be read."""
    try:
        return _of_gpu(device) if device.type == "cuda" else _of_packages()
    except Exception:  # each driver's library raises its own, and no training ends for a figure
        return {}


def _of_gpu(device: torch.device) -> dict[str, Counter]:
    import pynvml  # torch needs it only to tell how busy a GPU is

    pynvml.nvmlInit()
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    return {uuid: (1000 * pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByUUID(uuid)), 0)}


def _of_packages() -> dict[str, Counter]:
    counters = {}
    for folder in sorted(POWERCAP.glob("intel-rapl:*")):
        if (folder / "name").read_text().startswith("package"):
            limit = int((folder / "max_energy_range_uj").read_text())
            counters[folder.name] = (int((folder / "energy_uj").read_text()), limit)
    return counters
