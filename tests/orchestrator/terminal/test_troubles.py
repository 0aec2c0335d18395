"""What went wrong is told with its cause and the last lines of its log, and no kind of it twice."""

from dataclasses import replace

from orchestrator.terminal.tables import trial_facts
from orchestrator.terminal.troubles import LOG_LINES, failure_lines, lost_lines
from reports.trials import LostAttempt, State, Trial
from tests.reports import studies

LOG = "\n".join(f"line {number}" for number in range(30))


def failed(seed: int, reason: str, cause: str) -> Trial:
    return Trial(f"t{seed}", "an arm", seed, State.FAILED, reason=reason, cause=cause, log=LOG)


def test_a_kind_of_failure_is_one_line_with_its_cause_and_the_end_of_one_log() -> None:
    trials = [failed(0, "no memory", "oom"), failed(1, "no memory", "oom"), failed(2, "broken", "code")]
    first, *log, second = list(failure_lines(trials))[: LOG_LINES + 2]
    assert first == "FAILED (oom): an arm seed=0 and 1 more: no memory; the next run tries again"
    assert log == [f"    line {number}" for number in range(25, 30)]
    assert second == "FAILED (code): an arm seed=2: broken; the next run tries again"


def test_lost_attempts_are_counted_by_cause_and_the_newest_of_each_is_told() -> None:
    attempts = (
        LostAttempt("t0", "an arm", 0, "oom", "no memory", log="old"),
        LostAttempt("t1", "an arm", 1, "oom", "no memory again", log="new"),
        LostAttempt("t1", "an arm", 1, "interrupted", "the run was interrupted", log="unasked"),
    )
    study = replace(studies.troubled(), lost=attempts)
    assert list(lost_lines(study)) == [
        "3 attempts ended without a result and had to be repeated: 1 interrupted, 2 oom",
        "last oom: an arm seed=1: no memory again",
        "    new",
    ]
    assert list(lost_lines(studies.troubled())) == []


def test_programs_are_told_of_a_trials_log_and_of_its_lost_attempts() -> None:
    study = studies.troubled()
    one = replace(study.trials[22], log=LOG, cause="oom")
    lost = (LostAttempt(one.id, one.arm, one.seed, "oom", "no memory"),)
    trials = tuple(one if each.id == one.id else each for each in study.trials)
    facts = {each["trial"]: each for each in trial_facts(replace(study, trials=trials, lost=lost), active=False)}
    assert (facts[one.id]["log"], facts[one.id]["lost_attempts"]) == (LOG, ["oom"])
    assert facts[study.trials[0].id]["lost_attempts"] == []
