"""Data on its way from the plan to the worker: what differs there is not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.records.events import TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.results import State
from search_spaces import complete_network
from trainers import complete_data, complete_training, inspect_data


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    source = np.random.default_rng(0)
    for part in ("train", "val"):
        for label in ("cat", "dog"):
            folder = tmp_path / part / label
            folder.mkdir(parents=True)
            for at in range(4):
                Image.fromarray(source.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(folder / f"{at}.png")
    return tmp_path


def ended(pack: Pack) -> list[TrialEnded]:
    events = [event for events in train_pack(pack, WorkerSettings()) for event in events]
    return [event for event in events if isinstance(event, TrialEnded)]


def test_a_worker_does_not_train_on_other_data_than_the_driver_planned_with(photographs: Path) -> None:
    data = complete_data({"name": "image_folder", "root": str(photographs), "size": 8, "workers": 0})
    settings = {
        "data": data,
        "network": complete_network({"depth": 8, "width": 4}),
        "training": complete_training({"epochs": 1, "batch_size": 4}, data),
    }
    pack = Pack(settings, {0: "trial"}, fingerprint=inspect_data(data).fingerprint)
    assert [end.state for end in ended(pack)] == [State.COMPLETE]
    (photographs / "train" / "cat" / "0.png").unlink()
    (end,) = ended(pack)
    assert end.state is State.FAILED
    assert f"image_folder in {photographs} on host" in (end.reason or "")
