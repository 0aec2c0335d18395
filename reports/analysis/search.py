"""What a search found: the best arm so far against random search, the front, and how much of the gain was confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.analysis.contrasts import Contrast, contrasts
from reports.results import Study
from reports.trials import Arm, Scalar

STAGE, SEARCH, CONFIRM = "stage", "search", "confirm"


@dataclass(frozen=True)
class Searched:
    """One arm that a search trained: its place in the order of training (from 1), and what its sampler was told.

    `error` is the validation error in per cent, None for an arm that was stopped early or failed.
    """

    place: int
    number: int
    arm: str
    origin: str
    state: str | None
    error: float | None
    values: tuple[float, ...] | None
    params: Mapping[str, Scalar]
    generation: int | None


@dataclass(frozen=True)
class Confirmed:
    """One arm of the confirmation: its gain on the validation split, and what is left of it on the test set.

    Gains are the baseline's error minus the arm's, in percentage points. `contrast` holds the test error's difference
    with its interval, `survived` the share of the searched gain; None where the search saw no gain. `survived_low` and
    `survived_high` enclose it: the interval of the gain on the test set, over the gain that the search saw. `searched`
    is the name of the arm that the search trained.
    """

    arm: Arm
    searched: str
    searched_error: float | None
    searched_gain: float | None
    contrast: Contrast
    survived: float | None
    survived_low: float | None
    survived_high: float | None


def confirmed_view(study: Study) -> Study:
    """Return the study without what its search saw: the confirmed arms alone, without the factor "stage".

    Any other study is returned as it is.
    """
    if STAGE not in study.factors:
        return study
    arms = tuple(_without_stage(arm) for arm in study.arms if arm.levels.get(STAGE) == CONFIRM)
    names = {arm.name: _without_stage(arm).name for arm in study.arms if arm.levels.get(STAGE) == CONFIRM}
    trials = tuple(replace(trial, arm=names[trial.arm]) for trial in study.trials if trial.arm in names)
    factors = {name: _levels(arms, name) for name in study.factors if name != STAGE}
    return replace(study, arms=arms, trials=trials, factors=factors)


def searched(study: Study, role: str = SEARCH) -> tuple[Searched, ...]:
    """Return the arms that the search, or its control, trained, in the order of their proposal."""
    record = study.search.get("proposals", {}).get(role, [])
    at = objectives(study).index("val_error") if record else 0
    trained = [each for each in record if each["status"] == "trained" and each["origin"] != "warm"]
    return tuple(
        Searched(
            place,
            each["number"],
            each["arm"],
            each["origin"],
            each["state"],
            each["values"][at] if each["values"] else None,
            tuple(each["values"]) if each["values"] else None,
            each["params"],
            each["generation"],
        )
        for place, each in enumerate(trained, start=1)
    )


def best_so_far(arms: Sequence[Searched]) -> tuple[float | None, ...]:
    """Return the least validation error after each arm."""
    least: list[float | None] = []
    best: float | None = None
    for arm in arms:
        if arm.error is not None and (best is None or arm.error < best):
            best = arm.error
        least.append(best)
    return tuple(least)


def objectives(study: Study) -> list[str]:
    """Return what a search made small, by name; the first two are drawn."""
    return list(study.search.get("objectives", ["val_error"]))


def front(study: Study, drawn: int | None = None) -> tuple[str, ...]:
    """Return the search's arms that no other of them is as good as everywhere and better than somewhere.

    That is judged by all objectives, or by the first `drawn` ones; of a single objective there is no front.
    """
    points = {arm.arm: arm.values[:drawn] for arm in searched(study) if arm.values and len(arm.values) > 1}
    return tuple(name for name, mine in points.items() if not any(beats(each, mine) for each in points.values()))


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one is as good as another everywhere and better somewhere, less being better."""
    return tuple(one) != tuple(other) and all(a <= b for a, b in zip(one, other, strict=True))


def ranked(study: Study, arms: Sequence[Searched]) -> list[Searched]:
    """Return arms as the search ranks them: those of the front first, then by validation error and other objectives.

    Arms without a result come last.
    """
    best = front(study)

    def place(arm: Searched) -> tuple[bool, float, tuple[float, ...], int]:
        error = float("inf") if arm.error is None else arm.error
        return arm.arm not in best, error, arm.values or (), arm.place

    return sorted(arms, key=place)


def lowest(arms: Sequence[Searched]) -> tuple[Searched, ...]:
    """Return the arms that share the lowest validation error; none before a result."""
    least = min((arm.error for arm in arms if arm.error is not None), default=None)
    return tuple(arm for arm in arms if arm.error is not None and arm.error == least)


def confirmations(study: Study) -> tuple[Confirmed, ...]:
    """Return what the confirmation says of each arm but the baseline, in the order in which the search ranked them."""
    if not study.search:
        return ()
    view = confirmed_view(study)
    errors = {arm.arm: arm.error for arm in searched(study)}
    base = errors.get(study.search.get("baseline", ""))
    by_levels = {_key(arm.levels): arm.name for arm in study.arms if arm.levels.get(STAGE) == SEARCH}
    confirmed = []
    for contrast in contrasts(view):
        name = by_levels.get(_key(contrast.arm.levels), "")
        error = errors.get(name)
        gain = base - error if base is not None and error is not None else None
        kept = (_share(end, gain) for end in (contrast.estimate, contrast.high, contrast.low))
        confirmed.append(Confirmed(contrast.arm, name, error, gain, contrast, *kept))
    return tuple(confirmed)


def _share(difference: float | None, gain: float | None) -> float | None:
    """Return how much of a gain a difference to the baseline is; None where there was no gain."""
    return None if difference is None or gain is None or gain <= 0 else -difference / gain


def changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parameters in which two arms differ."""
    return tuple(name for name in {**one, **other} if one.get(name) != other.get(name))


def nearest_earlier(arm: Searched, arms: Sequence[Searched]) -> Searched | None:
    """Return the earlier arm that differs in the fewest parameters, the better one of equals; None for the first."""
    earlier = [each for each in arms if each.place < arm.place and each.error is not None]
    return min(earlier, key=lambda each: (len(changed(each.params, arm.params)), each.error, each.place), default=None)


def _without_stage(arm: Arm) -> Arm:
    levels = {factor: level for factor, level in arm.levels.items() if factor != STAGE}
    return replace(arm, name=arm.name.removeprefix(f"{STAGE}={CONFIRM} "), levels=levels)


def _levels(arms: Sequence[Arm], factor: str) -> tuple[Scalar, ...]:
    """Return the levels of a factor that some arm has: numbers in their order, others as they come."""
    levels = list(dict.fromkeys(arm.levels[factor] for arm in arms if factor in arm.levels))
    if all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
        return tuple(sorted(levels, key=lambda level: float(level)))
    return tuple(levels)


def _key(levels: Mapping[str, Scalar]) -> frozenset[tuple[str, Scalar]]:
    return frozenset((factor, level) for factor, level in levels.items() if factor != STAGE)
