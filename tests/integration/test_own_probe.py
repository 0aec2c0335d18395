"""A probe in one file, the example of the guide, is measured, stored, drawn and claimed without another change."""

import re
from pathlib import Path

import pytest

from orchestrator import RunOptions, cli, load_study, run_study
from search_spaces.errors import SettingError
from tests.integration.command import Orchestrate
from trainers import probes

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "probes.md"
CLAIM = (
    "probes: [{name: weight_norm, steps: 4}]\nclaims: [{id: a, says: plain < original, metric: weight_norm.largest}]\n"
)


@pytest.fixture
def weight_norm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the example of the guide beside the other probes."""
    (text,) = re.findall(r"```python\n# trainers/probes/weight_norm.py\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "weight_norm.py").write_text(text)
    monkeypatch.setattr(probes, "__path__", [*probes.__path__, str(folder)])
    monkeypatch.setitem(probes.PROBES, "weight_norm", probes.find_probes()["weight_norm"])


@pytest.mark.usefixtures("weight_norm")
def test_it_is_drawn_and_claimed(small: Path) -> None:
    small.write_text(small.read_text() + CLAIM)
    result = run_study(small, options=RunOptions(executor="inline"))
    frames = load_study("small")
    rows = frames.measurements("weight_norm")
    norms = rows[rows["below"].isna()]
    for trial in frames.study.trials:
        network = frames.network(trial.arm, trial.seed)
        units = [unit for stage in network.stages for unit in stage]
        expected = [sum(each.square().sum().item() for each in unit.parameters()) ** 0.5 for unit in units]
        mine = norms[(norms["arm"] == trial.arm) & (norms["seed"] == trial.seed)]
        assert list(mine["norm"]) == pytest.approx(expected, rel=1e-5)
    assert result.verdicts[0].n == 2
    page = Path("out/small/index.html").read_text()
    assert "Norm of the weights" in page
    assert "weight_norm.largest" in page
    drawn = {each.stem for each in Path("out/small/figures").glob("weight-norm-*.svg")}
    assert drawn == {"weight-norm-1", "weight-norm-2", "weight-norm-3"}


def test_one_that_is_wrong_is_one_line(orchestrate: Orchestrate, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise SettingError("trainers/probes/mine.py: Mine does not define measure")

    monkeypatch.setattr(cli, "app", fail)
    ended = orchestrate("presets")
    assert (ended.returncode, ended.stderr) == (
        2,
        "orchestrate: trainers/probes/mine.py: Mine does not define measure\n",
    )
