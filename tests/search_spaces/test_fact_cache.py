"""Facts that are kept between processes: known again, and never where anything has changed that they follow from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces import fact_cache
from search_spaces.fact_cache import _FactCache, _program, cached_fact
from trainers.settings.data import WITHOUT_FILES, data_sets, loader, settings_of

ROOT = str(Path(__file__).parents[2])
PLAN = """
import sys
from pathlib import Path
from orchestrator.planning.{how}
import orchestrator.study  # as a driver has
from orchestrator.study_file.config import read_study
print(make_plan(read_study(Path("study.yaml"))))
print("torch" in sys.modules, file=sys.stderr)
"""
STUDY = """\
study: kept
data: {name: synthetic, train_size: 8, test_size: 8}
network: {width: 2, depth: 8}
factors:
  shortcut: [identity, {op: scale, shortcut: 0.5}]
  training.lr: [0.1, 0.05]
baseline: {shortcut: identity}
training: {epochs: 1, batch_size: 4}
probes: [layer_response]
seeds: 2
"""


OWN = """\
from torch import nn
with open("imported", "a") as file:
    file.write(".")
def build(*, input_shape, num_classes, width: int = 1):
    wide = (num_classes * width)
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, wide), nn.ReLU(), nn.Linear(wide, num_classes))
"""


class Counting:
    """Works a fact out, and counts how often."""

    def __init__(self, fact: object) -> None:
        self.fact = fact
        self.calls = 0

    def __call__(self) -> object:
        self.calls += 1
        return self.fact


@pytest.mark.parametrize("fact", [{"params": 3, "parts": [1.5, None, True, "é"]}, [], 0, None, "text\nof two lines"])
def test_a_fact_is_worked_out_once(tmp_path, fact):
    work_out = Counting(fact)
    assert [_FactCache(tmp_path, "program").fact("network", work_out) for _ in range(3)] == [fact] * 3
    assert work_out.calls == 1


@pytest.mark.parametrize(("program", "about"), [("other", "network"), ("program", "another")])
def test_another_program_and_another_question_have_facts_of_their_own(tmp_path, program, about):
    _FactCache(tmp_path, "program").fact("network", lambda: 1)
    assert _FactCache(tmp_path, program).fact(about, lambda: 2) == 2
    assert _FactCache(tmp_path, "program").fact("network", lambda: 3) == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"0\n5", None])
def test_a_broken_file_is_worked_out_and_written_anew(tmp_path, content):
    _FactCache(tmp_path, "program").fact("network", lambda: [1, 2, 3])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3] if content is None else content)
    work_out = Counting([1, 2, 3])
    assert [_FactCache(tmp_path, "program").fact("network", work_out) for _ in range(2)] == [[1, 2, 3]] * 2
    assert work_out.calls == 1


def test_what_json_would_change_is_not_kept(tmp_path):
    work_out = Counting((1, 2))
    assert [_FactCache(tmp_path, "program").fact("pair", work_out) for _ in range(2)] == [(1, 2)] * 2
    assert work_out.calls == 2


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path):
    facts = _FactCache(tmp_path, "program")
    tmp_path.rmdir()
    tmp_path.touch()
    assert facts.fact("network", lambda: 4) == 4


def test_another_process_is_asked_once_for_what_is_missing(tmp_path):
    facts, asked = _FactCache(tmp_path, "program"), []

    def other() -> None:
        asked.append("other")
        _FactCache(tmp_path, "program").fact("network", lambda: 1)

    facts.other = other
    work_out = Counting(2)
    assert [facts.fact(about, work_out) for about in ("network", "network", "not kept by it")] == [1, 1, 2]
    assert (asked, work_out.calls) == (["other"], 1)


def test_an_error_is_not_kept(tmp_path):
    def fail() -> object:
        raise ValueError("no such network")

    with pytest.raises(ValueError, match="no such network"):
        _FactCache(tmp_path, "program").fact("network", fail)
    assert _FactCache(tmp_path, "program").fact("network", lambda: 5) == 5


def test_the_number_of_files_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(fact_cache, "MOST_FILES", 3)
    facts = _FactCache(tmp_path, "program")
    assert [facts.fact(str(each), lambda each=each: each) for each in range(5)] == [0, 1, 2, 3, 4]
    assert len(list(tmp_path.iterdir())) == 3
    _FactCache(tmp_path, "program")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "small_program"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "split.json").write_text("[1]")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fact_cache, "SOURCES", ("small_program",))
    return folder


@pytest.mark.parametrize("name", ["__init__.py", "split.json", "new.py", "below/new.py"])
def test_a_changed_file_makes_another_program(package, name):
    before = _program()
    assert before is not None
    assert _program() == before
    file = package / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("[2]")
    assert _program() not in (before, None)


@pytest.mark.parametrize("name", fact_cache.VERSIONS)
def test_another_version_of_a_package_makes_another_program(package, monkeypatch, name):
    before = _program()
    real = fact_cache.version
    monkeypatch.setattr(fact_cache, "version", lambda each: "99.1" if each == name else real(each))
    assert _program() not in (before, None)


def test_another_torch_of_the_same_version_makes_another_program(package, monkeypatch):
    before = _program()
    other = package / "__init__.py"
    real = fact_cache.find_spec
    spec = type("Spec", (), {"origin": str(other)})()
    monkeypatch.setattr(fact_cache, "find_spec", lambda each: spec if each == "torch" else real(each))
    assert _program() not in (before, None)


def test_a_program_without_files_keeps_nothing(monkeypatch):
    monkeypatch.setattr(fact_cache, "SOURCES", ("no_such_package",))
    assert _program() is None


@pytest.fixture
def facts(tmp_path, monkeypatch):
    monkeypatch.setattr(fact_cache, "_fact_cache", lambda: _FactCache(tmp_path, "program"))


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        ({"family": "resnet_cifar", "depth": 8}, 1),
        ({"family": "mynet:build", "depth": 8}, 2),
        ([{"shortcut": [{"op": "my.module:Op"}]}], 2),
        ("mydata:load", 2),
    ],
)
def test_what_names_code_of_the_users_own_is_always_worked_out(facts, given, calls):
    work_out = Counting(1)
    assert [cached_fact("network", given, work_out) for _ in range(2)] == [1, 1]
    assert work_out.calls == calls


def test_a_process_that_has_torch_works_everything_out():
    import torch  # noqa: F401

    fact_cache._fact_cache.cache_clear()
    assert fact_cache._fact_cache() is None


@pytest.mark.parametrize("name", data_sets())
def test_only_data_that_come_with_the_program_are_known_without_reading_them(name):
    assert (name in WITHOUT_FILES) == ("root" not in settings_of(loader(name)))


def planned(folder: Path, cache: Path, how: str = "plan import make_plan") -> tuple[str, bool]:
    """Return the plan of a new process, and whether it has imported torch."""
    environment = {**os.environ, "PYTHONPATH": ROOT, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", PLAN.format(how=how)]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout, done.stderr.split()[-1] == "True"


def test_the_driver_of_a_run_plans_without_torch_from_the_first_time_on(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    apart, has_torch = planned(tmp_path, tmp_path / "cache", "apart import make_plan_apart as make_plan")
    assert not has_torch
    assert planned(tmp_path, tmp_path / "none") == (apart, True)


def test_code_of_the_users_own_is_called_in_the_process_that_plans(tmp_path):
    (tmp_path / "study.yaml").write_text(
        STUDY.replace("width: 2, depth: 8", 'family: "own:build"')
        .replace("shortcut: [identity, {op: scale, shortcut: 0.5}]", "width: [1, 2]")
        .replace("shortcut: identity", "width: 1")
    )
    (tmp_path / "own.py").write_text(OWN)
    first, has_torch = planned(tmp_path, tmp_path / "cache", "apart import make_plan_apart as make_plan")
    assert has_torch
    assert (tmp_path / "imported").read_text() == "."
    (tmp_path / "own.py").write_text(OWN.replace("width)", "2 * width)"))
    other, _ = planned(tmp_path, tmp_path / "cache", "apart import make_plan_apart as make_plan")
    assert other != first


def test_a_driver_without_a_cache_plans_by_itself(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "cache").touch()
    _, has_torch = planned(tmp_path, tmp_path / "cache", "apart import make_plan_apart as make_plan")
    assert has_torch


def test_a_second_plan_is_equal_and_does_without_torch_until_the_file_changes(tmp_path):
    file, cache = tmp_path / "study.yaml", tmp_path / "cache"
    file.write_text(STUDY)
    first, has_torch = planned(tmp_path, cache)
    assert has_torch
    assert planned(tmp_path, cache) == (first, False)
    for each in (cache / "ablation-orchestrator" / "facts").iterdir():
        each.write_bytes(each.read_bytes()[:20])
    assert planned(tmp_path, cache) == (first, True)
    file.write_text(STUDY.replace("width: 2", "width: 3"))
    other, has_torch = planned(tmp_path, cache)
    assert has_torch
    assert other != first
