"""Studies for the tests, built from plain numbers: None is a diverged trial, a missing seed is no trial."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.results import Measurement, Study
from reports.trials import Arm, Scalar, State, Trial

Levels = Mapping[str, Scalar]


def arm_name(levels: Levels) -> str:
    return " ".join(f"{factor}={level}" for factor, level in levels.items()) or "baseline"


def study(
    results: Sequence[tuple[Levels, Sequence[float | None] | Mapping[int, float | State | None]]],
    *,
    baseline: Levels | None = None,
    settings: Mapping[str, Any] | None = None,
    fail_above: float | None = 20,
    seconds: float = 3600,
    train: Mapping[str, Mapping[int, float]] | None = None,
    measurements: Sequence[Measurement] = (),
    name: str = "made-up",
) -> Study:
    arms, trials = [], []
    for levels, values in results:
        arms.append(Arm(arm_name(levels), dict(levels), {}))
        by_seed = values if isinstance(values, Mapping) else dict(enumerate(values))
        for seed, value in by_seed.items():
            trials.append(_trial(arm_name(levels), seed, value, seconds, (train or {}).get(arm_name(levels), {})))
    factors: dict[str, dict[Scalar, None]] = {}
    for arm in arms:
        for factor, level in arm.levels.items():
            factors.setdefault(factor, {})[level] = None
    return Study(
        name=name,
        question="",
        source="",
        settings=settings or {},
        factors={factor: tuple(levels) for factor, levels in factors.items()},
        baseline=baseline or {},
        fail_above=fail_above,
        arms=tuple(arms),
        trials=tuple(trials),
        measurements=tuple(measurements),
    )


def _trial(arm: str, seed: int, value: float | State | None, seconds: float, train: Mapping[int, float]) -> Trial:
    state = value if isinstance(value, State) else State.DIVERGED if value is None else State.COMPLETE
    error = float(value) if isinstance(value, int | float) else None
    return Trial(f"{arm}/{seed}", arm, seed, state, test_error=error, train_error=train.get(seed), seconds=seconds)
