"""Replays: recorded trials answer on a simulated clock, and the results DB that they come from stays as it is."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.engine.dispatch import Dispatcher
from orchestrator.engine.replay import ReplayBackend
from orchestrator.errors import UserError
from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.scheduling.packs import BlockSource, Pack
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.source import SearchSource
from orchestrator.storage import Store
from reports.trials import Epoch, State, Trial
from tests.orchestrator.search.conftest import plan_of

FACTORS = """\
factors:
  shortcut: [identity, none]
  width: [1, 2, 3]
"""
TABLE = f"""\
study: table
data: {{name: digits, validation: 0.2}}
network: {{family: resnet_cifar, width: 2, depth: 8}}
{FACTORS}
training: {{recipe: quick, epochs: 2}}
seeds: 1
"""
SEARCH = f"""\
study: hunt
data: digits
network: {{family: resnet_cifar, width: 2, depth: 8}}
{FACTORS}
design: search
search: {{arms: 4, sampler: random, confirm: {{best: 1, seeds: 1}}}}
training: {{recipe: quick, epochs: 2}}
resources: {{max_concurrent: 100}}
"""


def recorded(trial: str, seconds: float = 2.0, epochs: int = 3) -> Trial:
    curve = tuple(Epoch(at, 1.0, 1.0, 1.0, 9.0, 0.1, seconds, 1.0, 9.0) for at in range(1, epochs + 1))
    return Trial(trial, "arm", 0, State.COMPLETE, seconds=seconds * epochs, curve=curve)


def replay(trials: dict[str, Trial], names: list[str], slots: int) -> tuple[list[object], float]:
    events: list[object] = []
    backend = ReplayBackend(trials, slots)
    Dispatcher(BlockSource([Pack({}, {0: name}) for name in names]), backend, events.append, Flag()).run()
    return events, backend.seconds


def test_workers_run_side_by_side_on_the_simulated_clock() -> None:
    trials = {name: recorded(name) for name in "abcd"}
    assert replay(trials, list("abcd"), 1)[1] == 24.0
    assert replay(trials, list("abcd"), 2)[1] == 12.0
    assert replay(trials, list("abcd"), 100)[1] == 6.0


def test_a_trial_is_told_as_it_was_recorded() -> None:
    events, _ = replay({"a": recorded("a")}, ["a"], 1)
    assert [type(each) for each in events] == [AttemptStarted, EpochDone, EpochDone, EpochDone, TrialEnded]
    assert events[-1].state is State.COMPLETE
    assert (events[-1].at - events[0].at).total_seconds() == 6.0


def test_a_diverged_trial_ends_after_the_epoch_before_it() -> None:
    gone = replace(recorded("a", epochs=1), state=State.DIVERGED, diverged_at=2)
    assert replay({"a": gone}, ["a"], 1)[0][-1].diverged_at == 2
    nothing = replace(gone, curve=())
    assert replay({"a": nothing}, ["a"], 1)[0][-1].state is State.DIVERGED


def test_a_trial_that_is_not_on_record_fails() -> None:
    events, _ = replay({}, ["a"], 1)
    assert (events[-1].state, events[-1].reason) == (State.FAILED, "not on record")


def test_a_search_is_replayed_on_a_factorial_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    Path("table.yaml").write_text(TABLE)
    Path("hunt.yaml").write_text(SEARCH)
    with pytest.raises(UserError, match=r"run a study there first|no results"):
        run_study("hunt.yaml", options=RunOptions(executor="replay", report=False))
    table = run_study("table.yaml", options=RunOptions(executor="inline", report=False)).study
    errors = {trial.id: trial.val_error for trial in table.trials}
    with pytest.raises(UserError, match=r"the baseline .* is not on record; .* data\.validation: 0\.2"):
        run_study("hunt.yaml", changes=["training.epochs=3"], options=RunOptions(executor="replay"))
    hunt = run_study("hunt.yaml", options=RunOptions(executor="replay")).study
    found = [trial for trial in hunt.trials if trial.state is State.COMPLETE]
    assert len(found) == len(hunt.trials) == 4
    assert {trial.id: trial.val_error for trial in found}.items() <= errors.items()
    assert all(trial.started_at.year == 1970 for trial in found)
    configurations = hunt.search["comparison"]["configurations"]
    assert [(each["name"], len(each["best"])) for each in configurations] == [("random", 20)]
    assert Path("out/hunt/replay/index.html").exists()
    with Store.open("results.db", read_only=True) as store:
        assert [study.name for study in store.studies()] == ["table"]


class MadeUp(dict[str, Trial]):
    """A record of every trial that anyone asks for: nine epochs of 1 to 3 seconds, each trial's own."""

    def get(self, trial: str, default: object = None) -> Trial:
        chance = random.Random(trial)
        seconds, end = chance.uniform(1, 3), chance.uniform(1, 40)
        rows = [Epoch(at, 1.0, 1.0, 1.0, 9.0, 0.1, seconds, 1.0, end + 20 / at) for at in range(1, 10)]
        return Trial(trial, "arm", 0, State.COMPLETE, seconds=9 * seconds, curve=tuple(rows))


def on_a_hundred_workers(scheduler: object) -> tuple[list[AttemptStarted], list[TrialEnded], ReplayBackend]:
    search = {"arms": 600, "sampler": "random", "scheduler": scheduler, "confirm": {"best": 1, "seeds": 1}}
    factors = {"training.lr": {"low": 0.01, "high": 0.5, "log": True}}
    events: list[object] = []
    backend = ReplayBackend(MadeUp(), 100)
    source = SearchSource(
        plan_of(factors=factors, search=search, training={"recipe": "quick", "epochs": 9}), MemoryLedger()
    )
    Dispatcher(source, backend, events.append, Flag()).run()
    begun = [each for each in events if isinstance(each, AttemptStarted)]
    return begun, [each for each in events if isinstance(each, TrialEnded)], backend


def test_on_a_hundred_workers_none_idles_while_an_arm_waits() -> None:
    begun, ended, backend = on_a_hundred_workers("none")
    assert len({each.trial for each in begun}) == len(begun) == len(ended) == 602
    times = [MadeUp().get(each.trial).seconds for each in begun]
    *searched, one, other = times  # the confirmation waits for the whole search
    assert backend.seconds <= sum(searched) / 100 + max(searched) + max(one, other)


def test_on_a_hundred_workers_a_scheduler_stops_arms_at_its_rungs_and_saves_their_time() -> None:
    begun, ended, backend = on_a_hundred_workers({"name": "asha", "first_rung": 1, "factor": 3})
    states = Counter(each.state for each in ended)
    assert states[State.PRUNED] + states[State.COMPLETE] == len(begun) == 602
    assert {each.reason.split(" with ")[0] for each in ended if each.state is State.PRUNED} == {
        "stopped by asha at epoch 1",
        "stopped by asha at epoch 3",
    }
    assert backend.seconds < on_a_hundred_workers("none")[2].seconds / 2
    begun_at = {each.trial: each.at for each in begun}
    assert all(0 < (each.at - begun_at[each.trial]).total_seconds() <= 27 for each in ended)
