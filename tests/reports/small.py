"""Small studies whose numbers a reader can check by eye: each arm's errors by seed, None for a seed that diverged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports.findings import Findings, find
from reports.results import Study
from reports.trials import Scalar, State
from tests.reports import studies

CRASHED = float("nan")
WAITING = float("inf")
Errors = Mapping[tuple[Scalar, ...], Sequence[float | None]]


def study(factors: Sequence[str], errors: Errors, **more: object) -> Study:
    """Return a study of these arms, each under its levels of the factors in their order, without a baseline."""
    arms, trials = [], []
    for levels, by_seed in errors.items():
        one = studies.arm(dict(zip(factors, levels, strict=True)))
        arms.append(one)
        for seed, error in enumerate(by_seed):
            number = len(trials)
            if error is None:
                trials.append(studies.diverged(number, one.name, seed))
            elif error == WAITING or error != error:
                state = State.WAITING if error == WAITING else State.FAILED
                trials.append(studies.unfinished(number, one.name, seed, state))
            else:
                trials.append(replace(studies.trial(number, one.name, seed, error), test_error=error))
    named = {name: tuple(dict.fromkeys(levels[at] for levels in errors)) for at, name in enumerate(factors)}
    return studies.study(arms, trials, named, **{"baseline": {}, "fail_above": 50.0, **more})


def found(factors: Sequence[str], errors: Errors, **more: object) -> Findings:
    """Return what the sections share of such a study."""
    return find(study(factors, errors, **more))


def near(error: float) -> tuple[float, ...]:
    """Return three seeds around an error, with a mean of exactly that."""
    return (error - 0.1, error, error + 0.1)


def running() -> Study:
    """Return a study of three arms, of which one has no result yet and one has a seed to come."""
    errors = {("a",): near(3), ("b",): (4.0, 4.1, WAITING), ("c",): (WAITING, WAITING, WAITING)}
    return study(("variant",), errors, baseline={"variant": "a"})
