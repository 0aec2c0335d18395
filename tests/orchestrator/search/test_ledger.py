"""What a search learns from trials on record: those that it asks for, and no others."""

from pathlib import Path

from orchestrator.planning.plan import make_plan
from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.search.ledger import StoreLedger
from orchestrator.search.score import TrialHistory
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from reports.trials import Epoch, State

TEXT = """study: known
network: {width: 1, depth: 8}
training: {recipe: quick, epochs: 1}
seeds: 3
"""


def test_only_the_trials_that_are_asked_for_are_read(tmp_path):
    plan = make_plan(check_study(parse_yaml(TEXT, "a.yaml"), Path()))
    one, other, waiting = (trial.id for trial in plan.trials)
    with Store.open(tmp_path / "r.db") as store:
        store.record_plan(plan)
        ledger = StoreLedger(store, plan.name)
        assert ledger.known([one, other, waiting]) == {}
        with Recorder(store, plan.name) as recorder:
            for trial, error in ((one, 5.0), (other, 7.0)):
                recorder.put(AttemptStarted(trial, "cpu", "here", {}))
                recorder.put(EpochDone(trial, Epoch(1, 1.0, error, 1.0, error, 0.1, 2.0)))
                recorder.put(TrialEnded(trial, State.COMPLETE, seconds=2.0))
            assert recorder.flush()
        assert ledger.known([waiting]) == {}
        known = ledger.known([other, waiting])
        states = {trial.id: trial for trial in store.load_study(plan.name).trials}
    assert known == {each: TrialHistory.of(states[each]) for each in (other, waiting)}
    assert [each.state for each in known.values()] == [State.COMPLETE, State.WAITING]
