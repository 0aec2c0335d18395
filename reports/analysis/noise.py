"""The noise floor: the baseline against itself with other seeds, and one machine against another."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from reports.analysis.analysis_settings import repeats_from
from reports.analysis.effects import welch
from reports.analysis.intervals import standard_deviation
from reports.analysis.power import smallest_welch
from reports.analysis.readings import finite, grid
from reports.analysis.skewness import is_skewed_sample
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Arm


@dataclass(frozen=True)
class NoiseFloor:
    """One arm against itself: its seeds against those of the A/A check, by Welch's t.

    Without that check it is the lower half of its seeds against the upper half, and `is_repeated` is False. Nothing
    but the seeds differs, so `difference` is noise and `p` is small in one study of twenty. `smallest` is the smallest
    difference of two arms that this many seeds would have detected in 80 % of all studies. Of seeds that are skewed the
    interval may be too narrow.
    """

    arm: Arm
    first: Mapping[int, float]
    second: Mapping[int, float]
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    sd: float | None
    smallest: float | None
    is_repeated: bool = False
    is_skewed: bool = False


def noise_floor(study: Study, metric: str = PRIMARY.name, level: float = 0.95) -> tuple[NoiseFloor, ...]:
    """Return the A/A check of every baseline arm with at least two sound seeds, one for each context."""
    by_arm = grid(study, metric, repeated=True)
    start = repeats_from(study.settings.get("seeds"))
    arms = [arm for arm in study.arms if study.baseline.items() <= arm.levels.items() and not arm.orphaned]
    halves = [(arm, *_halves(finite(by_arm[arm.name]), start)) for arm in arms]
    return tuple(_floor(arm, one, other, level, start is not None) for arm, one, other in halves if one and other)


def _halves(values: Mapping[int, float], start: int | None) -> tuple[dict[int, float], dict[int, float]]:
    seeds = sorted(values)
    if start is not None:
        own, again = [seed for seed in seeds if seed < start], [seed for seed in seeds if seed >= start]
    else:
        half = len(seeds) // 2
        own, again = seeds[:half], seeds[half : 2 * half]
    return {seed: values[seed] for seed in own}, {seed: values[seed] for seed in again}


def _floor(
    arm: Arm, first: Mapping[int, float], second: Mapping[int, float], level: float, is_repeated: bool
) -> NoiseFloor:
    effect = welch({"first": first, "second": second}, {"second": 1.0, "first": -1.0})
    low, high = effect.interval(level) if effect else (None, None)
    difference = math.fsum(second.values()) / len(second) - math.fsum(first.values()) / len(first)
    spread = standard_deviation([*first.values(), *second.values()])
    size = smallest_welch(min(len(first), len(second)), 1 - level)
    return NoiseFloor(
        arm=arm,
        first=first,
        second=second,
        difference=difference,
        low=low,
        high=high,
        p=effect.p if effect else None,
        sd=spread,
        smallest=size * spread if size is not None and spread else None,
        is_repeated=is_repeated,
        is_skewed=is_skewed_sample({**first, **second}),
    )


@dataclass(frozen=True)
class MachineCheck:
    """Whether hosts or devices give other errors: offsets that add to zero, and the F test that all are zero."""

    kind: str
    offsets: Mapping[str, float]
    n: Mapping[str, int]
    f: float | None
    p: float | None


def machine_check(study: Study, kind: str = "host", metric: str = PRIMARY.name) -> MachineCheck | None:
    """Compare the machines of a study, `kind` being "host" or "device", in the model error ~ arm + machine.

    None when no arm ran on two of them: only such an arm can tell.
    """
    by_arm = grid(study, metric, repeated=True)
    places = {(trial.arm, trial.seed): getattr(trial, kind) for trial in study.trials if getattr(trial, kind)}
    groups: list[tuple[list[str], list[float]]] = []
    for arm, values in by_arm.items():
        sound = {seed: value for seed, value in finite(values).items() if (arm, seed) in places}
        if len({places[arm, seed] for seed in sound}) > 1:
            groups.append(([places[arm, seed] for seed in sound], list(sound.values())))
    return _machines(kind, groups) if groups else None


def _machines(kind: str, groups: Sequence[tuple[list[str], list[float]]]) -> MachineCheck:
    """Fit the machines after the arms' means are taken out of both sides (Frisch, Waugh and Lovell)."""
    names = sorted({name for places, _ in groups for name in places})
    sides, readings = [], []
    for places, values in groups:
        side = np.array([[float(place == name) for name in names] for place in places])
        sides.append(side - side.mean(axis=0))
        readings.append(np.array(values) - np.mean(values))
    design, target = np.vstack(sides), np.concatenate(readings)
    offsets, _, rank, _ = np.linalg.lstsq(design, target, rcond=None)
    residual = float(((target - design @ offsets) ** 2).sum())
    explained = float((target**2).sum()) - residual
    df = len(target) - len(groups) - int(rank)
    f = max(explained, 0.0) / int(rank) / (residual / df) if df > 0 and residual > 1e-20 else None
    return MachineCheck(
        kind=kind,
        offsets={name: float(value) for name, value in zip(names, offsets, strict=True)},
        n=Counter(name for places, _ in groups for name in places),
        f=f,
        p=float(scipy.stats.f.sf(f, int(rank), df)) if f is not None else None,
    )
