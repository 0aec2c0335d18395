"""What guards a study's numbers, in sentences: the noise floor, and the machines compared."""

from collections.abc import Mapping

from reports.analysis.noise import MachineCheck, NoiseFloor, machine_check, noise_floor
from reports.results import Scalar, Study
from reports.wording import counted, level, listed, number, seeds, shortened, signed


def noise_sentences(study: Study) -> tuple[str, ...]:
    """Say what the baseline differs by from itself; nothing unless the study asked for the A/A check."""
    return tuple(_floor(each) for each in noise_floor(study) if each.is_repeated)


def machine_sentences(study: Study) -> tuple[str, ...]:
    """Say whether hosts or devices gave other errors; nothing for a study that ran on one of each kind."""
    checks = (machine_check(study, kind) for kind in ("host", "device"))
    return tuple(_machines(each) for each in checks if each is not None)


def _floor(floor: NoiseFloor) -> str:
    text = f"{_arm(floor.arm.levels)} against itself with other seeds ({seeds(floor.first)} and {seeds(floor.second)})"
    text += f" differs by {signed(floor.difference)} points"
    if floor.low is None or floor.high is None or floor.p is None:
        return f"{text}; too few seeds for an interval."
    text += f", 95 % interval {signed(floor.low)} to {signed(floor.high)}, p={number(floor.p)}"
    surprise = " Such a difference is rare by chance: look for what the seeds do not control." if floor.p < 0.05 else ""
    smallest = f"; so many seeds see a difference of {number(floor.smallest)} points" if floor.smallest else ""
    return f"{text}{smallest}.{surprise}"


def _machines(check: MachineCheck) -> str:
    parts = [f"{shortened(name, 40)} {signed(offset)} (n={check.n[name]})" for name, offset in check.offsets.items()]
    text = f"{counted(len(parts), check.kind)} trained seeds of the same arms; offsets in points: {listed(parts)}"
    if check.p is None:
        return f"{text}; too few trials for a test."
    verdict = "they differ more than chance explains" if check.p < 0.05 else "chance explains as much"
    return f"{text}; F test p={number(check.p, 3)}, {verdict}."


def _arm(levels: Mapping[str, Scalar]) -> str:
    named = listed([f"{shortened(factor, 30)} {shortened(level(value), 30)}" for factor, value in levels.items()])
    return f"The baseline ({named})" if named else "The baseline"
