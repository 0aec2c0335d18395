"""`orchestrate probe` and `orchestrate export`: what is done with the kept weights of a finished study."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from orchestrator import RunOptions, load_study, run_study
from orchestrator.errors import UserError
from orchestrator.results.exporting import export_network
from orchestrator.running.probe_study import probe_study

INLINE = RunOptions(executor="inline", report=False)


@pytest.fixture
def done(small: Path) -> Path:
    run_study(small, changes=["seeds=1"], options=INLINE)
    return small


def test_a_probe_measures_every_finished_network_once(done: Path) -> None:
    lines: list[str] = []
    result = probe_study("small", kinds=["lesion"], executor="inline", say=lines.append)
    assert (result.made, result.failed, result.interrupted) == (2, 0, False)
    assert any(line.startswith("variant=plain seed=0: lesion: one_unit") for line in lines)
    assert probe_study("small", kinds=["lesion"], executor="inline", say=lines.append).made == 0
    assert lines[-1] == "nothing is left to measure"
    assert len(load_study("small").measurements("lesion")) > 0


def test_what_a_probe_finds_later_is_what_it_would_have_found_at_once(small: Path) -> None:
    run_study(small, changes=["seeds=1", "probes=[gradient_flow, lesion, layer_response]"], options=INLINE)
    at_once = {(each.kind, each.trial): each.values for each in load_study("small").study.measurements}
    Path("results.db").rename("before.db")
    run_study(small, changes=["seeds=1"], options=INLINE)
    probe_study("small", kinds=["gradient_flow", "lesion", "layer_response"], executor="inline")
    later = {(each.kind, each.trial): each.values for each in load_study("small").study.measurements}
    assert later == at_once


def test_without_a_kind_the_file_says_what_is_measured(done: Path) -> None:
    with pytest.raises(UserError, match="small asks for no probe: name one, for instance"):
        probe_study("small", executor="inline")


def test_mistakes_are_one_sentence(done: Path) -> None:
    with pytest.raises(UserError, match=r'--kind: unknown probe "lesions": did you mean "lesion"'):
        probe_study("small", kinds=["lesions"], executor="inline")
    with pytest.raises(UserError, match='did you mean "small"'):
        probe_study("smal", kinds=["lesion"], executor="inline")
    with pytest.raises(UserError, match=r'--executor: unknown executor "replay": .*inline'):
        probe_study("small", kinds=["lesion"], executor="replay")


def test_weights_that_were_not_kept_are_said(small: Path) -> None:
    run_study(small, changes=["seeds=1", "keep=none"], options=INLINE)
    with pytest.raises(UserError, match="no weights are kept that could be measured"):
        probe_study("small", kinds=["lesion"], executor="inline")


def test_weights_that_are_gone_fail_that_trial_alone(done: Path) -> None:
    frames, lines = load_study("small"), []
    Path(frames.kept("variant=plain", 0).path).unlink()
    result = probe_study("small", kinds=["layer_response"], executor="inline", say=lines.append)
    assert (result.made, result.failed) == (1, 1)
    assert any("not measured: the weights" in line and "cannot be read" in line for line in lines)


def test_the_line_between_two_seeds_ends_in_their_networks(small: Path) -> None:
    run_study(small, changes=["seeds=2"], options=INLINE)
    study = load_study("small")
    line = study.interpolation("variant=original", 0, 1, points=3)
    back = study.interpolation("variant=original", 1, 0, points=3)
    assert list(line.columns) == ["share", "loss", "error", "above_line"]
    assert list(line.loss) == pytest.approx(list(back.loss)[::-1], rel=1e-4)
    assert line.loss[0] != line.loss[2]
    with pytest.raises(UserError, match="has no seed 5; its seeds are 0, 1"):
        study.interpolation("variant=original", 0, 5)


NETWORK_OF_THE_USER = """
from torch import nn


class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return x + self.layer(x).relu()


def build(*, input_shape, num_classes):
    units = nn.Sequential(Unit(), Unit(), Unit())
    return nn.Sequential(units, nn.Dropout(0.5), nn.Flatten(), nn.Linear(input_shape[1] * input_shape[2], num_classes))
"""


def test_code_beside_the_study_file_is_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "network_of_the_user.py").write_text(NETWORK_OF_THE_USER)
    (folder / "own.yaml").write_text(
        "study: own\ndata: digits\nnetwork: {family: 'network_of_the_user:build'}\nseeds: 1\n"
        "factors: {training.lr: [0.1, 0.05]}\ntraining: {recipe: quick, epochs: 1}\nkeep: last\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    for command in (["run", "studies/own.yaml", "--no-report"], ["probe", "own", "--kind", "lesion"]):
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *command, "--executor", "inline"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    rows = load_study("own").measurements("lesion")
    assert len(rows[rows.order == "single"]) == 6


@pytest.fixture
def raw() -> torch.Tensor:
    from trainers.data import load

    return load("digits", torch.device("cpu")).test.pixels[:16]


def expected(raw: torch.Tensor) -> torch.Tensor:
    network = load_study("small").network("variant=original", 0)
    with torch.no_grad():
        return network(network.normalisation(raw))


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is:FutureWarning")
def test_torchscript_takes_raw_images(done: Path, raw: torch.Tensor) -> None:
    path = export_network("small", "variant=original", 0, "torchscript")
    assert path == Path("out/small/networks/variant-original-seed-0.ts").resolve()
    with torch.no_grad():
        found = torch.jit.load(str(path))(raw.float())
    torch.testing.assert_close(found, expected(raw), rtol=1e-4, atol=1e-4)


def test_a_state_dict_is_the_networks_own(done: Path, tmp_path: Path) -> None:
    path = export_network("small", "variant=original", 0, "state_dict", out=tmp_path / "weights.pt")
    state = torch.load(path, weights_only=True)
    kept = load_study("small").network("variant=original", 0).state_dict()
    assert state.keys() == kept.keys()
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_onnx_takes_raw_images(done: Path, raw: torch.Tensor) -> None:
    import onnxruntime  # not above: it takes a second

    path = export_network("small", "variant=original", 0, "onnx")
    session = onnxruntime.InferenceSession(str(path))
    found = torch.from_numpy(session.run(None, {"images": raw.float().numpy()})[0])
    torch.testing.assert_close(found, expected(raw), rtol=1e-3, atol=1e-3)


def test_a_network_that_cannot_be_exported_is_one_sentence(done: Path) -> None:
    with pytest.raises(UserError, match=r'--to: unknown format "onx": did you mean "onnx"'):
        export_network("small", "variant=original", 0, "onx")
    with pytest.raises(UserError, match='--arm: say which of 2 is to be exported: "variant=plain"'):
        export_network("small", None, None, "state_dict")
    with pytest.raises(UserError, match="has no seed 3; its seeds are 0"):
        export_network("small", "variant=plain", 3, "state_dict")


def test_a_damaged_file_is_one_sentence(done: Path) -> None:
    path = Path(load_study("small").kept("variant=plain", 0).path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match="are damaged: the file is not what was written"):
        export_network("small", "variant=plain", 0, "state_dict")
