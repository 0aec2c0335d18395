"""Data on its way from the plan to the worker: what differs there is not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.records.events import TrialEnded
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.packs import Pack
from orchestrator.study_file.config import read_study
from reports.trials import State
from search_spaces import complete_network
from trainers import DataError, complete_data, complete_training, inspect_data


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
    with pytest.raises(DataError, match=f"image_folder in {photographs} on host"):
        ended(pack)


STUDY = """
study: batches
data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 64, test_size: 32}
network: {family: resnet_cifar, depth: 8, width: 4}
training: {epochs: 1}
seeds: 2
"""


def planned(tmp_path: Path, text: str) -> StudyPlan:
    (tmp_path / "study.yaml").write_text(text)
    return make_plan(read_study(tmp_path / "study.yaml"))


def test_a_batch_that_is_larger_than_the_training_set_is_refused_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a batch of 128 is larger than the 64 training images: at most 64"):
        planned(tmp_path, f"{STUDY}factors: {{training.batch_size: [64, 128, 4096]}}")
    with pytest.raises(UserError, match=r"study\.yaml:5: training\.batch_size: a batch of 65"):
        planned(tmp_path, STUDY.replace("epochs: 1", "epochs: 1, batch_size: 65"))


def test_a_recipes_batch_that_is_larger_than_the_training_set_is_told(tmp_path: Path) -> None:
    notes = planned(tmp_path, STUDY.replace("64", "40")).notes
    assert "training: the batch of 64 of recipe quick is cut to the 40 training images: one step is one epoch" in notes


def test_held_out_images_count_for_the_batch(tmp_path: Path) -> None:
    text = STUDY.replace("test_size: 32", "test_size: 32, validation: 0.2")
    with pytest.raises(UserError, match="larger than the 52 training images"):
        planned(tmp_path, text.replace("epochs: 1", "epochs: 1, batch_size: 60"))


def test_what_was_decided_about_the_files_stands_in_the_plan(photographs: Path, tmp_path: Path) -> None:
    data = f"{{name: image_folder, root: {photographs}, size: 8, workers: 0}}"
    text = STUDY.replace(STUDY.splitlines()[2], f"data: {data}").replace("epochs: 1", "epochs: 1, batch_size: 4")
    (photographs / "train" / ".ipynb_checkpoints").mkdir()
    notes = planned(tmp_path, text).notes
    assert "data: trained on train (8 images) in 2 classes, tested on val (8 images)" in notes
    assert "data: left out (hidden, or made by a system): train/.ipynb_checkpoints" in notes
