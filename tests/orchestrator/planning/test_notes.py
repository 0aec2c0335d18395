"""What a plan notes of arms that are not what they seem: equal in effect, or too short for their schedule."""

import pytest

from orchestrator.planning.plan import _data_note, make_plan
from orchestrator.study_file.config import read_study

SHORTCUTS = "shortcut: [identity, none, conv1x1]\nbaseline: {shortcut: identity}"
STUDY = """
study: notes
data: {{name: synthetic, shape: [1, 8, 8], classes: 4, train_size: 70, test_size: 20}}
network: {network}
factors:
  {factor}
training: {training}
resources: {resources}
seeds: {seeds}
"""


@pytest.fixture
def notes(tmp_path):
    def of(
        network="{depth: 8, width: 2}",
        factor="network.width: [2, 3]",
        training="{epochs: 1}",
        resources="{}",
        seeds="1",
        before_run=False,
    ):
        path = tmp_path / "study.yaml"
        given = {"network": network, "factor": factor, "training": training, "resources": resources, "seeds": seeds}
        path.write_text(STUDY.format(**given))
        plan = make_plan(read_study(path))
        return "\n".join(plan.notes_before_run if before_run else plan.notes)

    return of


def test_wirings_that_compute_the_same_are_noted(notes):
    told = notes(factor='activation: ["relu_before_add", "conv bn relu conv bn relu | add | relu", "original"]')
    assert told.count("equal in effect") == 1
    assert "original" not in told


def test_a_recipe_that_is_cut_short_is_noted_once_for_every_arm(notes):
    told = notes(training="{recipe: he2015_cifar, epochs: 2}")
    assert told.count("cut short: every arm: its rate never drops") == 1
    assert "cut short" not in notes()


def test_networks_of_the_users_own_that_differ_in_values_are_planned(notes):
    assert "equal in effect" not in notes('{family: "tests.trainers.odd_networks:filtered"}', "kind: [sobel, box]")


def test_networks_of_the_users_own_that_seem_the_same_are_noted_and_planned(notes):
    assert "equal in effect" in notes('{family: "tests.trainers.odd_networks:named"}', "label: [a, b]")


def test_a_plan_for_gpus_says_how_networks_compute_there(notes):
    assert "on a GPU: networks compute in fp32, convolutions in TF32, channels_last" in notes(resources="{gpus: 1}")
    assert "in bf16, channels_last" in notes(training="{epochs: 1, precision: auto}", resources="{gpus: 1}")
    assert "on a GPU" not in notes()


def test_a_plan_for_parts_of_a_gpu_says_what_sharing_means(notes):
    told = notes(resources="{gpus: 0.25}", before_run=True)
    assert "where workers on Ray find NVIDIA's MPS (`nvidia-cuda-mps-control`) to start, else in turns" in told
    assert "each process needs about 600 MiB for itself" in told
    never = notes(resources="{gpus: 0.25, mps: never}", before_run=True)
    assert "take turns on it (mps: never), unless NVIDIA's MPS runs on its node already" in never
    assert "MPS" not in notes(resources="{gpus: 1}", before_run=True)


def test_what_only_matters_before_a_run_is_no_note_for_the_report(notes):
    given = {"factor": "network.width: [2, 3]\nbaseline: {network.width: 2}", "resources": "{gpus: 0.25}"}
    told, before = notes(**given), notes(**given, before_run=True)
    for of_use_before_alone in ("weights: those after the last epoch", "would adjust the widths", "share a GPU"):
        assert of_use_before_alone in before
        assert of_use_before_alone not in told
    assert "unequal: " in told


def test_the_estimand_is_named_with_its_resolution(notes):
    assert "one fixed set of 20 test images, one of which is 5 points" in notes()


def test_the_estimand_names_the_images_that_intervals_cover(notes):
    assert "on one fixed set of 20 test images, one of which is 5 points; intervals cover the seeds, not" in notes()
    drawn = notes(seeds="{count: 2, split: per_seed}")
    assert "on 20 test images that each seed draws from all 90" in drawn
    assert "fixed" not in drawn


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (
            "activation: [original, full_preact]\nbaseline: {activation: original}",
            "all in 1 arm (activation=full_preact: 8 of 8)",
        ),
        ("network.width: [2, 3]\nbaseline: {network.width: 2}", "none in 1 arm (network.width=3: 0 of 8)"),
        (SHORTCUTS, "all in 1 arm (shortcut=none: 8 of 8); "),
    ],
)
def test_the_start_weights_that_pairing_shares_are_counted(notes, factor, told):
    assert f"start weights that an arm shares with its baseline by seed, in tensors: {told}" in notes(factor=factor)


@pytest.mark.parametrize(("bound", "value"), [("MOST_PARAMETERS", 1000), ("MOST_NETWORKS", 1)])
def test_start_weights_of_large_or_many_networks_are_not_counted(notes, monkeypatch, bound, value):
    monkeypatch.setattr(f"orchestrator.planning.start_weights.{bound}", value)
    told = notes(factor=SHORTCUTS)
    assert "start weights that an arm" not in told
    assert "start weights as a rule" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["data: the file names none, so it is digits; write `data: digits` to say so"]),
        ({"data": None}, ["data: the file names none, so it is digits; write `data: digits` to say so"]),
        ({"data": "digits"}, []),
        ({"factors": {"data.name": ["digits", "fashion_mnist"]}}, []),
    ],
    ids=str,
)
def test_data_that_no_file_names_are_told_in_the_plan(given, told):
    config = read_study({"study": "notes", "network": {"family": "resnet_cifar", "depth": 8, "width": 2}, **given})
    assert _data_note(config) == told


@pytest.mark.parametrize(("width", "is_told"), [(2, True), (3, False)])
def test_a_baseline_of_which_no_arm_is_left_is_told_in_the_plan(width, is_told, notes):
    factor = f"network.width: [2, 3]\nbaseline: {{network.width: 2}}\nexclude: [{{network.width: {width}}}]"
    told = "baseline: no arm with network.width=2 is left, so that the others are compared with none"
    assert (told in notes(factor=factor, before_run=True)) is is_told
