"""Ranges keep their bounds, bundles keep their names, and a grid has points."""

from threading import Event

import pytest
import yaml

from orchestrator.errors import UserError
from orchestrator.records.events import AttemptStarted, TrialEnded
from orchestrator.scheduling.progress import Progress
from orchestrator.search.ledger import StoreLedger
from orchestrator.search.run import SearchRun
from orchestrator.search.search_plan import plan_search
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.config import check_study
from orchestrator.study_file.search.axes import Interval, parse_interval
from orchestrator.study_file.yaml_source import parse_yaml
from reports.trials import State
from search_spaces.errors import SettingError
from tests.orchestrator.search.conftest import FILE, plan_of


@pytest.mark.parametrize(
    ("low", "high", "number", "value"),
    [
        (0.12345, 0.5, 0.12345, 0.12345),
        (0.1, 0.56789, 0.56789, 0.56789),
        (0.01, 0.5, 0.123456, 0.1235),
        (1.00001, 1.00002, 1.000015, 1.000015),
        (0.99, 0.999, 0.99123456, 0.99123),
    ],
)
def test_a_number_is_rounded_and_never_leaves_its_range(low, high, number, value):
    assert Interval("training.lr", low, high).level({"training.lr": number}).name == value


@pytest.mark.parametrize("at", range(5))
def test_a_stepped_range_has_its_own_numbers(at):
    axis = Interval("training.lr", 0.12345, 0.52345, step=0.1)
    point = list(axis.points())[at]
    assert axis.level(point).name == pytest.approx(0.12345 + at * 0.1, abs=1e-12)
    assert axis.params(axis.level(point).name)


def test_a_range_of_a_whole_setting_may_be_written_with_an_exponent():
    (axis,) = plan_of(factors={"width": {"low": 4, "high": 1e1}}, baseline={"width": 4}).space.axes
    assert (axis.low, axis.high, axis.is_whole) == (4, 10, True)


@pytest.mark.parametrize(
    "names", [("low", "high"), ("low", "mid", "high"), ("when", "then"), ("wirings", "other"), ("levels", "other")]
)
def test_a_mapping_of_mappings_is_bundles_whatever_they_are_called(names):
    bundles = {name: {"width": 2 + at} for at, name in enumerate(names)}
    (axis,) = plan_of(factors={"capacity": bundles}, baseline={"capacity": names[0]}).space.axes
    assert axis.known_levels() == names


@pytest.mark.parametrize("factor", ["a", "capacity", "network.a"])
def test_one_bundle_called_wirings_is_a_bundle_unless_the_factor_is_the_activation(factor):
    (axis,) = plan_of(factors={factor: {"wirings": {"width": 3}}}, baseline={factor: "wirings"}).space.axes
    assert axis.known_levels() == ("wirings",)


@pytest.mark.parametrize("step", [0, -1, 5.5])
def test_a_step_is_above_0_and_no_longer_than_its_range(step):
    assert parse_interval("width", {"low": 4, "high": 9, "step": 5}, ()).step == 5
    with pytest.raises(SettingError, match=f"step must be above 0 and at most 5, not {step}"):
        parse_interval("width", {"low": 4, "high": 9, "step": step}, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": {"training.lr": 0.123456}}, r"baseline\.training\.lr: .* would become 0\.1235: write that"),
        ({"factors": {"width": {"low": 2.5, "high": 4}}}, r"factors\.width\.low: width takes whole numbers"),
        ({"factors": {"training.momentum": {"low": 0.5, "high": 1.5}}}, r"factors\.training\.momentum\.high: .*1\.5"),
        (
            {
                "factors": {"training.lr": {"low": 0.01, "high": 0.5}, "training.momentum": {"low": 0.5, "high": 0.9}},
                "search": {"sampler": "grid"},
            },
            r"factors\.training\.lr: a grid needs points, and training\.lr is a range",
        ),
        ({"search": {"sampler": "grid"}}, r"factors\.training\.lr: a grid needs points"),
        ({"search": {"compare": {"samplers": ["grid"]}}}, r"a grid needs points"),
        (
            {
                "factors": {
                    "width": {"low": 1, "high": 201},
                    "training.lr": {"low": 0.001, "high": 0.101, "step": 0.001},
                },
                "search": {"sampler": "grid"},
            },
            r"hunt\.yaml:\d+: search\.sampler: a grid has at most 20,000 points: take fewer levels",
        ),
        (
            {
                "factors": {
                    "block": ["basic", "bottleneck"],
                    "v": {"a": {}, "b": {"width": 3}, "when": {"block": "basic"}},
                }
            },
            r"factors\.v\.when: beside named bundles `when` is one of them",
        ),
    ],
)
def test_what_a_range_or_a_grid_cannot_be_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        plan_of(**changes)


def test_asking_for_work_writes_nothing(tmp_path):
    text = yaml.safe_dump(FILE, sort_keys=False)
    config = check_study(parse_yaml(text, "hunt.yaml"), tmp_path)
    plan = plan_search(config)
    with Store.open(f"sqlite:///{tmp_path}/results.db") as store:
        store.record_plan(plan)
        run = SearchRun(store, plan, Progress(), tmp_path, slots=1)
        ledger = StoreLedger(store, "hunt")
        assert not run.has_work()
        assert not ledger.proposals(plan.optimization("search"))
        run.begin()
        proposed = ledger.proposals(plan.optimization("search"))
        assert run.has_work()
        assert proposed
        assert ledger.proposals(plan.optimization("search")) == proposed


def test_only_the_checkpoints_of_trials_that_were_stopped_are_removed_at_the_end(tmp_path):
    plan = plan_of()
    stopped, complete = (trial.id for trial in plan.trials[:2])
    kept = tmp_path / "checkpoints"
    kept.mkdir()
    for trial in (stopped, complete):
        for name in (f"{trial}.pt", f"{trial}_1.pt"):
            (kept / name).touch()
    with Store.open(f"sqlite:///{tmp_path}/results.db") as store:
        store.record_plan(plan)
        with Recorder(store, plan.name) as recorder:
            for trial, state in ((stopped, State.PRUNED), (complete, State.FAILED)):
                recorder.put(AttemptStarted(trial, "cpu", "here", {}))
                recorder.put(TrialEnded(trial, state, "made up"))
        SearchRun(store, plan, Progress(), tmp_path, slots=1).finish(Event())
    assert sorted(each.name for each in kept.iterdir()) == [f"{complete}.pt", f"{complete}_1.pt"]
