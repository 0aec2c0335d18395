"""A worker looks at its machine before it trains: other code or versions than the driver's make it unfit."""

import ast
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from orchestrator.engine import worker
from orchestrator.engine.worker import UnfitNode, WorkerSettings, train_pack
from orchestrator.records import environment
from orchestrator.records.environment import host_name, numeric_versions
from orchestrator.records.events import AttemptStarted, Notice
from orchestrator.running.executors import worker_settings
from orchestrator.scheduling.packs import Pack
from orchestrator.study_file.sections import Resources
from trainers.mps import Sharing

PACK = Pack({}, {0: "a"})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"torch": "1.0.0"}, r"it has torch \S+ \(the driver: 1\.0\.0\): install the same versions on every node"),
        ({"numpy": "1.0", "torch": "1.0"}, r"it has torch .*\); numpy .*\): install"),
        ({"jax": "0.4"}, r"it has no jax \(the driver: 0\.4\)"),
    ],
)
def test_a_node_with_other_versions_of_what_computes_is_unfit(
    changed: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnfitNode, match=reason):
        next(train_pack(PACK, WorkerSettings(versions={**numeric_versions(), **changed})))


def test_a_node_with_other_code_is_unfit() -> None:
    with pytest.raises(UnfitNode, match=r"it imports other code from .* than the driver"):
        next(train_pack(PACK, WorkerSettings(code="0123")))


def test_the_driver_tells_its_versions_and_a_build_for_another_device_is_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = worker_settings(Resources(), tmp_path, tmp_path).versions
    assert told["torch"] == environment.package_versions()["torch"].partition("+")[0]
    monkeypatch.setattr(environment, "package_versions", lambda: {"torch": f"{told['torch']}+cu128", "numpy": "2"})
    assert environment.numeric_versions() == {"torch": told["torch"], "numpy": "2"}


def test_a_node_that_claims_a_gpu_and_has_none_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnfitNode, match="it was started with GPUs for Ray, but torch finds none on it"):
        next(train_pack(PACK, WorkerSettings(device="cuda")))


@pytest.mark.parametrize(
    ("sharing", "starts", "told"),
    [
        (Sharing(True), True, ["compute on it side by side, under NVIDIA's MPS"]),
        (Sharing(False, "it hangs"), True, ["take turns on it, without NVIDIA's MPS: it hangs"]),
        (Sharing(False, "none runs"), False, []),
    ],
)
def test_how_a_gpu_is_shared_is_told_and_on_record_before_anything_uses_it(
    sharing: Sharing, starts: bool, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    monkeypatch.setattr(worker, "share_gpu", lambda start: order.append(start) or sharing)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: order.append("CUDA") or True)
    monkeypatch.setattr("trainers.take_share", lambda device, share: order.append(share))
    monkeypatch.setattr(worker, "environment_facts", lambda *given: {"host": "here"})
    events = next(train_pack(PACK, WorkerSettings(device="cuda", gpu_share=0.25, starts_mps=starts)))
    assert order == [starts, "CUDA", 0.25]
    notices = [each.text for each in events if isinstance(each, Notice)]
    assert notices == [f"packs that share a GPU of {host_name()} {each}" for each in told]
    facts = [each.environment for each in events if isinstance(each, AttemptStarted)]
    assert facts == [{"host": "here", "mps": sharing.under_mps}]


def test_a_whole_gpu_is_shared_with_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "share_gpu", None)
    events = next(train_pack(PACK, WorkerSettings()))
    assert [each for each in events if isinstance(each, Notice)] == []
    assert "mps" not in events[0].environment  # type: ignore[union-attr]


def test_a_gpu_without_room_for_a_process_in_its_part_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "share_gpu", lambda start: Sharing(False))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=2**30))
    with pytest.raises(UnfitNode, match=r"a part of 0\.5 of the 1024 MiB there is no more than that"):
        next(train_pack(PACK, WorkerSettings(device="cuda", gpu_share=0.5)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import blocks_here", r"own code \(blocks_here\) is not what the run was planned with: copy the same files"),
        ("import not_here", r"nets_here needs a module that is not installed: not_here \(every node needs it\)"),
        (None, r"there is no module nets_here: put it beside the study file, or install it \(every node needs it\)"),
    ],
)
def test_a_node_with_other_modules_of_the_user_is_unfit(
    text: str | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "blocks_here.py").write_text("")
    if text is not None:
        (tmp_path / "nets_here.py").write_text(text)
    there = {"nets_here": hashlib.sha256(ast.dump(ast.parse(text or "")).encode()).hexdigest()[:16], "blocks_here": "0"}
    pack = Pack({"network": {"family": "nets_here:build"}}, {0: "a"})
    try:
        with pytest.raises(UnfitNode, match=reason):
            next(train_pack(pack, WorkerSettings(plugins=tmp_path, modules=there)))
    finally:
        for name in ("nets_here", "blocks_here"):
            sys.modules.pop(name, None)
