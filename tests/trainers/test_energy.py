"""The energy of a device from counters that a test writes, since few machines let anybody read their own."""

import sys
from types import SimpleNamespace

import pytest
import torch

from tests.trainers.networks import TINY, task
from trainers import Trainer, energy
from trainers.energy import EnergyMeter

CPU = torch.device("cpu")


class Packages:
    """A folder of counters as Linux has them: two processor packages, and the part of one that must not be added."""

    def __init__(self, folder):
        self.folder = folder
        for name, of, start in (("0", "package-0", 100), ("0:0", "core", 5), ("1", "package-1", 900)):
            place = folder / f"intel-rapl:{name}"
            place.mkdir()
            (place / "name").write_text(f"{of}\n")
            (place / "max_energy_range_uj").write_text("1000\n")
            (place / "energy_uj").write_text(f"{start}\n")

    def set(self, name, microjoules):
        (self.folder / f"intel-rapl:{name}" / "energy_uj").write_text(f"{microjoules}\n")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    return Packages(tmp_path)


def test_the_packages_are_added_also_when_a_counter_starts_again(packages):
    meter = EnergyMeter(CPU)
    packages.set("0", 350)
    packages.set("0:0", 800)
    packages.set("1", 50)
    assert meter.joules() == pytest.approx((250 + 150) / 1e6)


def test_counters_that_nobody_may_read_are_no_energy(packages, tmp_path):
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    assert EnergyMeter(CPU).joules() is None


def test_a_counter_that_goes_away_in_between_is_no_energy(packages, tmp_path):
    meter = EnergyMeter(CPU)
    (tmp_path / "intel-rapl:0" / "name").write_text("psys\n")
    assert meter.joules() is None


def test_a_gpu_is_asked_by_its_identity(monkeypatch):
    millijoules = {"GPU-abc": 7}
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="abc"))
    driver = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: millijoules[handle],
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    meter = EnergyMeter(torch.device("cuda:0"))
    millijoules["GPU-abc"] = 2507
    assert meter.joules() == pytest.approx(2.5)


def test_a_gpu_whose_driver_cannot_be_asked_is_no_energy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert EnergyMeter(torch.device("cuda:0")).joules() is None


@pytest.mark.parametrize(("fuse", "joules"), [("never", 12), ("always", 6)])
def test_a_training_shares_the_energy_among_its_seeds_and_keeps_it_in_its_checkpoint(
    tmp_path, monkeypatch, fuse, joules
):
    """Two epochs of 6 joules: for each seed where they train in turn, for both where they train as one."""
    monkeypatch.setattr(EnergyMeter, "joules", lambda self: 6.0)
    first = Trainer(task(0, 1, data=TINY, epochs=2, fuse=fuse))
    first.run_epoch()
    first.save(tmp_path / "a.pt")
    again = Trainer.resume(first.task, tmp_path / "a.pt")
    again.run_epoch()
    assert [each.telemetry["energy_joules"] for each in again.outcomes()] == [joules, joules]


def test_where_no_energy_is_known_the_telemetry_has_none(monkeypatch):
    monkeypatch.setattr(EnergyMeter, "joules", lambda self: None)
    trainer = Trainer(task(0, data=TINY, epochs=1))
    trainer.run_epoch()
    assert "energy_joules" not in trainer.outcomes()[0].telemetry


def test_a_checkpoint_from_before_energy_was_measured_goes_on(tmp_path):
    trainer = Trainer(task(0, data=TINY, epochs=2))
    trainer.run_epoch()
    state = trainer.replicas[0].state()
    del state["joules"]
    trainer.replicas[0].load_state(state)
    assert trainer.replicas[0].joules == 0.0
