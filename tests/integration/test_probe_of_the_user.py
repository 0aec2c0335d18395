"""A probe that a study file names as ``module:Class``: measured, claimed, and known by its code."""

import linecache
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator import RunOptions, load_study, run_study
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.running.probe_study import probe_study
from orchestrator.study_file.config import read_study
from tests.integration.command import Orchestrate
from tests.integration.test_own_probe import GUIDE

INLINE = RunOptions(executor="inline", report=False)
ASKED = """\
probes: [{name: "norms:WeightNorm", steps: 4}]
claims: [{id: a, says: plain < original, metric: WeightNorm.largest}]
"""


@pytest.fixture
def source() -> str:
    (text,) = re.findall(r"```python\n# trainers/probes/weight_norm.py\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return text


@pytest.fixture
def norms(small: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put the example of the guide beside the study file, which asks for it; return the study file."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(small.parent)
    small.write_text(small.read_text().replace("seeds: 2", "seeds: 1") + ASKED)
    write(small, source)
    yield small
    sys.modules.pop("norms", None)


def write(small: Path, text: str) -> None:
    small.with_name("norms.py").write_text(text)
    sys.modules.pop("norms", None)
    linecache.clearcache()


def test_it_is_measured_and_claimed(norms: Path) -> None:
    result = run_study(norms, changes=["seeds=2"], options=INLINE)
    frames = load_study("small")
    rows = frames.measurements("WeightNorm")
    first = rows[rows["below"].isna() & (rows["arm"] == "variant=plain") & (rows["seed"] == 0)]
    units = [unit for stage in frames.network("variant=plain", 0).stages for unit in stage]
    expected = [sum(each.square().sum().item() for each in unit.parameters()) ** 0.5 for unit in units]
    assert list(first["norm"]) == pytest.approx(expected, rel=1e-5)
    assert len(rows[rows["below"].notna() & (rows["seed"] == 0)]) == 2 * 3 * 4  # arms, units and steps
    assert (result.verdicts[0].n, frames.study.metrics["WeightNorm.largest"].title) == (2, "largest norm of a unit")


def test_results_on_record_need_no_code(norms: Path, orchestrate: Orchestrate) -> None:
    run_study(norms, options=INLINE)
    norms.with_name("norms.py").unlink()
    sys.modules.pop("norms")
    assert len(load_study("small").measurements("WeightNorm")) > 0
    assert load_study("small").study.metrics["WeightNorm.largest"].title == "largest norm of a unit"
    ended = orchestrate("probe", "small", "--executor", "inline")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "there is no module norms: put it beside the study file, or install it" in ended.stderr
    assert orchestrate("probe", "small", "--executor", "inline", "--kind", "layer_response").returncode == 0


def test_other_code_measures_anew_and_trains_nothing(norms: Path, source: str) -> None:
    first = run_study(norms, options=INLINE).study
    changed = source.replace("weights.norm()", "2 * weights.norm()")
    write(norms, changed)
    with pytest.raises(UserError, match="small: norms:WeightNorm has changed: it is not the code that"):
        probe_study("small", executor="inline")
    again = run_study(norms, options=INLINE).study
    assert [trial.finished_at for trial in again.trials] == [trial.finished_at for trial in first.trials]
    largest = [[each.values["scalars"]["largest"] for each in study.measurements] for study in (first, again)]
    assert largest[1] == pytest.approx([2 * each for each in largest[0]])
    write(norms, f"{changed}# A comment is not code.\n")
    assert probe_study("small", executor="inline").made == 0


def test_it_measures_kept_weights_later(norms: Path) -> None:
    run_study(norms, changes=["probes=[]", "claims=[]"], options=INLINE)
    assert probe_study("small", kinds=["norms:WeightNorm"], executor="inline").made == 2
    assert len(load_study("small").measurements("WeightNorm")) == 2 * 3 * (1 + 5)  # five steps by default


@pytest.mark.parametrize(
    ("probes", "says"),
    [
        ('["norms:WeightNrm"]', r'probes\[0\]: unknown class in norms "WeightNrm": did you mean "WeightNorm"\?'),
        ('["norms:Row"]', r"probes\[0\]: norms:Row is no class derived from trainers.probes.probe.Probe"),
        (
            '[{"name": "norms:WeightNorm", "stps": 1}]',
            'unknown setting of norms:WeightNorm "stps": did you mean',
        ),
        ('[{"name": "norms:WeightNorm", "steps": "x"}]', r"probes\[0\]\.steps: steps must be"),
        ('[{"name": "norms:WeightNorm", "code": "0"}]', "norms:WeightNorm has changed"),
        ('["norm:WeightNorm"]', "there is no module norm: put it beside the study file, or install it"),
        ('["norms:WeightNorm", {"name": "norms:WeightNorm", "steps": 2}]', "WeightNorm stands twice"),
        ('["norms.py:WeightNorm"]', 'name the module, not its file: "norms:WeightNorm"'),
    ],
)
def test_a_mistake_in_its_name_is_one_line(probes: str, says: str, norms: Path) -> None:
    with pytest.raises(UserError, match=rf"^{re.escape(str(norms))} --set: .*{says}"):
        make_plan(read_study(norms, [f"probes={probes}"]))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "class WeightNorm",
            "raise OSError('no disk')\nclass WeightNorm",
            "norms cannot be imported: OSError",
        ),
        (
            'Scalar("largest", "largest norm of a unit",',
            'Scalar("largest",',
            "norms cannot be imported: TypeError: .*missing",
        ),
        ("self.steps = steps", "self.steps = 1 / 0", "norms:WeightNorm raised ZeroDivisionError"),
        ("self.steps = steps", "import sys; sys.exit(3)", r"norms:WeightNorm ends the program \(sys.exit\(3\)"),
        ("return 0.0", "return 1 / 0.0", "norms:WeightNorm raised ZeroDivisionError"),
        ("return 0.0", "return 'much'", "norms:WeightNorm refuses these settings: could not convert"),
        ("steps: int = 5", "code: int = 5, steps: int = 5", "cannot have a setting code: every probe has one"),
        ('View("norm", ("unit",)', 'View("norms", ("unit",)', r'WeightNorm draws in the view .*did you mean "norm"\?'),
    ],
)
def test_a_mistake_in_its_code_is_one_line(before: str, after: str, says: str, norms: Path, source: str) -> None:
    assert before in source
    write(norms, source.replace(before, after))
    with pytest.raises(UserError, match=says):
        make_plan(read_study(norms))


def test_a_class_with_the_name_of_a_probe_is_refused(norms: Path, source: str) -> None:
    write(norms, source.replace("class WeightNorm", "class lesion"))
    with pytest.raises(UserError, match="norms:lesion has the name of a probe that is there already"):
        make_plan(read_study(norms, ['probes=["norms:lesion"]', "claims=[]"]))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (r"raise RuntimeError('no\nnorm')", "RuntimeError: no norm"),
        ("raise SystemExit(3)", "the probe asked Python to exit (SystemExit: 3)"),
    ],
)
def test_one_that_fails_while_it_measures_fails_alone(line: str, reason: str, norms: Path, source: str) -> None:
    write(norms, source.replace("import torch\n", f"{line}\n"))
    study = run_study(norms, changes=["probes=[layer_response, norms:WeightNorm]"], options=INLINE).study
    assert [trial.state for trial in study.trials] == ["COMPLETE"] * 2
    failed = {each.kind: each.values.get("failed") for each in study.measurements}
    assert failed == {"layer_response": None, "WeightNorm": reason}
