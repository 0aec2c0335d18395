"""Nodes that are unlike: with disks of their own, other code of the user's, more or fewer CPUs, or no GPU."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from orchestrator import run_study
from reports.trials import State
from tests.faults.held import HELD_AFTER, hold, let_go
from tests.faults.nodes import ADDRESS, OF_NODES, Nodes, cluster_of_nodes
from tests.faults.test_killed import HERE, start, states, wait_for_an_epoch
from tests.faults.test_nodes import causes, running_trials
from tests.integration.test_cluster import numbers, wait_for

pytestmark = OF_NODES
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount folders")


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with cluster_of_nodes() as made:
        yield made


def ended(driver: "subprocess.Popen[str]") -> tuple[str, str]:
    """Return what a run printed that ends well, as one line each."""
    output, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    return " ".join(output.split()), " ".join(errors.split())


def assert_undisturbed(file: Path) -> None:
    """AssertionError unless all is trained, with the numbers of a run in this process."""
    assert set(states()) == {State.COMPLETE}
    here = run_study(file, options=replace(HERE, db="sqlite:///here.db"))
    there = run_study(file, options=HERE)
    assert numbers(here.study) == numbers(there.study)


def first_steps(file: Path) -> list[int]:
    """Return at which step each attempt began."""
    return [int(line) for line in file.with_name("begun").read_text().split()]


def note_first_steps(file: Path) -> None:
    """Let every training write down with which step it begins."""
    code = file.with_name("held.py")
    before = "        if self.training and not x.is_meta:\n"
    noting = (
        "            if not hasattr(self, 'begun'):\n"
        "                self.begun = True\n"
        "                with pathlib.Path(__file__).with_name('begun').open('a') as file:\n"
        "                    file.write(f'{int(self.num_batches_tracked)}\\n')\n"
    )
    code.write_text(code.read_text().replace(before, before + noting))


@as_root
@pytest.mark.parametrize("shared", [False, True])
def test_a_trial_goes_on_where_nodes_share_a_folder_and_else_it_is_said_that_it_does_not(
    small: Path, nodes: Nodes, shared: bool
) -> None:
    hold(small, seeds_per_pack=1, **({"checkpoints": f"file://{small.parent}/shared"} if shared else {}))
    note_first_steps(small)
    out = small.parent / "out"
    disks = [small.parent / "disk-1", small.parent / "disk-2"]
    for each in (out, *disks):
        each.mkdir()
    first = nodes.start(instead={out: disks[0]})
    driver = start(small, "--address", ADDRESS)
    wait_for_an_epoch(driver)
    wait_for(lambda: bool(list((small.parent / "shared" if shared else disks[0]).rglob("*.pt"))))
    nodes.kill(first)
    nodes.start(instead={out: disks[1]})
    wait_for(lambda: len(first_steps(small)) >= 2)
    let_go(small)
    output, _ = ended(driver)
    assert ("checkpoints on node-1 stay there" in output) is not shared
    assert causes() == ["node_lost"]
    begun = first_steps(small)
    assert begun[0] == 0
    assert (0 < max(begun) <= HELD_AFTER) is shared
    assert_undisturbed(small)


@as_root
def test_nodes_with_another_version_of_the_users_module_or_none_are_left_out_and_named(
    small: Path, nodes: Nodes
) -> None:
    hold(small, seeds_per_pack=1)
    others = [small.parent.with_name(f"{small.parent.name}-{each}") for each in ("changed", "without")]
    for each in others:
        each.mkdir()
    code = small.with_name("held.py").read_text()
    (others[0] / "held.py").write_text(code.replace("nn.Linear(width", "nn.Dropout(0.5), nn.Linear(width"))
    nodes.start()
    for each in others:
        nodes.start(instead={small.parent: each})
    driver = start(small, "--address", ADDRESS)
    assert driver.stdout is not None
    told: list[str] = []
    while len(told) < 2 and (line := driver.stdout.readline()):
        told += [line] if "is left out" in line else []
    let_go(small)
    _, errors = ended(driver)
    changed, without = sorted(told)
    assert "node-2 is left out: " in changed
    assert "held" in changed
    assert "node-3 is left out: " in without
    assert "no module" in without
    assert errors == ""
    assert causes() == []
    assert_undisturbed(small)


def test_uneven_nodes_that_join_and_leave_are_all_used(small: Path, nodes: Nodes) -> None:
    hold(small, seeds_per_pack=1)
    small.write_text(small.read_text().replace("seeds: 2", "seeds: 3"))
    first = nodes.start()
    driver = start(small, "--address", ADDRESS)
    wait_for(lambda: Path("results.db").exists() and running_trials() == 1)
    nodes.start(cpus=2)
    wait_for(lambda: running_trials() == 3)
    nodes.start(gpus=1)  # has none, and none is asked for
    wait_for(lambda: running_trials() == 4)
    nodes.kill(first)
    wait_for(lambda: causes() == ["node_lost"])
    let_go(small)
    ended(driver)
    assert causes() == ["node_lost"]
    assert_undisturbed(small)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_node_that_claims_a_gpu_and_has_none_is_left_out_and_the_run_ends_with_one_message(
    small: Path, nodes: Nodes
) -> None:
    hold(small, seeds_per_pack=1, gpus=1)
    nodes.start()
    nodes.start(gpus=1)
    driver = start(small, "--address", ADDRESS)
    output, errors = driver.communicate(timeout=250)
    assert driver.returncode == 2, output + errors
    assert errors.startswith("orchestrate: no node of the cluster can train this study: ")
    assert "it was started with GPUs for Ray, but torch finds none on it" in errors
    assert errors.count("\n") == 1
    assert states() == [State.WAITING] * 4
