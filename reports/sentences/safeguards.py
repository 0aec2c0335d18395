"""What guards a study's numbers, in sentences: the noise floor, the machines compared, and how trials computed."""

from collections import Counter
from collections.abc import Callable, Mapping

from reports.analysis.noise import MachineCheck, NoiseFloor, machine_check, noise_floor
from reports.analysis.threshold import decides
from reports.results import Study
from reports.trials import Scalar
from reports.wording import counted, level, listed, number, seeds, shortened, signed


def noise_sentences(study: Study) -> tuple[str, ...]:
    """Say what the baseline differs by from itself; nothing unless the study asked for the A/A check."""
    return tuple(_floor(each) for each in noise_floor(study) if each.is_repeated)


def machine_sentences(study: Study) -> tuple[str, ...]:
    """Say whether hosts or devices gave other errors; nothing for a study that ran on one of each kind."""
    checks = (machine_check(study, kind) for kind in ("host", "device"))
    return tuple(_machines(each) for each in checks if each is not None)


def numerics_sentences(study: Study) -> tuple[str, ...]:
    """Say in what precision and memory order trials computed, as far as that is recorded."""
    known = Counter(str(trial.telemetry["numerics"]) for trial in study.trials if trial.telemetry.get("numerics"))
    if len(known) < 2:
        return tuple(f"Networks computed in {way}." for way in known)
    told = listed([f"{way} ({counted(count, 'trial')})" for way, count in known.most_common()], 6)
    return (
        f"Networks computed in {told}. Each way rounds differently, which over a deep network's training grows: "
        "compare arms that computed in the same one.",
    )


def pack_sentences(study: Study) -> tuple[str, ...]:
    """Say which seeds trained as one network, what that does to their numbers, and how to repeat one of them."""
    together = Counter(
        tuple(trial.telemetry.get("pack_seeds", ())) for trial in study.trials if trial.telemetry.get("fused")
    )
    packs = {pack: count for pack, count in together.items() if len(pack) > 1}
    if not packs:
        return ()
    first = next(iter(packs))
    told = listed([f"seeds {seeds(pack)} ({counted(count, 'trial')})" for pack, count in packs.items()], 6)
    return (
        f"Seeds of an arm were trained side by side as one network: {told}.",
        "Each computes what it would alone, but sums are rounded in another order, so that its numbers depend on which "
        "seeds it trained with; to repeat a trial bit for bit, train the same seeds together on the same kind of "
        f"machine, for instance with `seeds: {list(first)}` and `resources: {{seeds_per_pack: {len(first)}}}`. With "
        "`resources: {seeds_per_pack: 1}` every seed trains alone.",
    )


def _floor(floor: NoiseFloor) -> str:
    text = f"{_arm(floor.arm.levels)} against itself with other seeds ({seeds(floor.first)} and {seeds(floor.second)})"
    text += f" differs by {signed(floor.difference)} points"
    if floor.low is None or floor.high is None or floor.p is None:
        return f"{text}; too few seeds for an interval."
    text += f", 95 % interval {signed(floor.low)} to {signed(floor.high)}, p={number(floor.p)}"
    if floor.is_skewed:
        text += "; its seeds are skewed, so that the interval may be too narrow"
    surprise = (
        " Such a difference is rare by chance: look for what the seeds do not control." if decides(floor.p) else ""
    )
    smallest = f"; so many seeds see a difference of {number(floor.smallest)} points" if floor.smallest else ""
    return f"{text}{smallest}.{surprise}"


def _machines(check: MachineCheck) -> str:
    parts = [f"{shortened(name, 40)} {signed(offset)} (n={check.n[name]})" for name, offset in check.offsets.items()]
    text = f"{counted(len(parts), check.kind)} trained seeds of the same arms; offsets in points: {listed(parts)}"
    if check.p is None:
        return f"{text}; too few trials for a test."
    verdict = "they differ more than chance explains" if decides(check.p) else "chance explains as much"
    return f"{text}; F test p={number(check.p, 3)}, {verdict}."


def _arm(levels: Mapping[str, Scalar]) -> str:
    named = listed([f"{shortened(factor, 30)} {shortened(level(value), 30)}" for factor, value in levels.items()])
    return f"The baseline ({named})" if named else "The baseline"


def _joined(say: Callable[[Study], tuple[str, ...]]) -> Callable[[Study], str | None]:
    return lambda study: " ".join(say(study)) or None


SENTENCES: dict[str, Callable[..., str | None]] = {
    "safeguards.noise": _joined(noise_sentences),
    "safeguards.machines": _joined(machine_sentences),
    "safeguards.numerics": _joined(numerics_sentences),
    "safeguards.packs": _joined(pack_sentences),
}
