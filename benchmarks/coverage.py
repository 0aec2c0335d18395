"""Do printed intervals hold what they promise, and power and forecasts too? Simulated studies with a known truth.

    python -m benchmarks.coverage --studies 1000 --out benchmarks/results/coverage.json

A row of "coverage" is the share of studies in which an interval contains the truth, of those where one is printed; a
row of "power" sets the chance that is promised against the share of studies in which a claim was decided. A rate holds
where it is at least 95 % (of a power: within) less three standard errors of the simulation.
"""

import argparse
import json
import math
import platform
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import scipy

from benchmarks.error_rates import CENTRE, NOISES, Noise, draw, sentences, study, with_looks
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.arms import summarise
from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import contrasts
from reports.analysis.decisions import decide
from reports.analysis.judged import Conclusion
from reports.analysis.power import t_power
from reports.analysis.prospects import Spread, prospects, study_spread
from reports.analysis.search import confirmations
from reports.analysis.shares import study_shares
from reports.analysis.verdicts import judge
from reports.results import Study
from reports.trials import Arm, State, Trial

Random = np.random.Generator
LESS: Mapping[str, object] = {"says": "{a} < {b}"}
SHIFT = 1.0
SPREAD = math.sqrt(2)
"""The SD of a difference by seed between two arms of normal noise."""


@dataclass(frozen=True)
class Interval:
    """One kind of printed interval: `draw` makes a study and says whether it holds the truth, None without one."""

    name: str
    noise: str
    n: int
    draw: Callable[[Random], bool | None]


@dataclass(frozen=True)
class Promise:
    """One kind of promised power: `draw` returns the chance that was promised and whether the claim was decided."""

    name: str
    n: int
    draw: Callable[[Random], tuple[float, bool] | None]


def holds(low: float | None, high: float | None, truth: float) -> bool | None:
    """Return whether an interval, of which an end may be open, contains the truth; None where both are open."""
    if low is None and high is None:
        return None
    return (low is None or low <= truth) and (high is None or truth <= high)


def compared(errors: Mapping[str, Sequence[float]], n: int, test: str) -> tuple[float | None, float | None]:
    """Return the interval of the second arm's difference to the first, the study's baseline."""
    made = study(errors, range(n), [])
    (found,) = contrasts(Study(**{**vars(made), "baseline": {"variant": "a0"}}), test=test)
    return found.low, found.high


def intervals() -> Iterator[Interval]:
    """Return every kind of interval under the kinds of noise that matter to it."""
    for name, noise in NOISES.items():
        for n in (3, 5, 8, 20):
            yield Interval("difference, paired t", name, n, _difference(noise, n, "paired"))
    for name in ("normal", "heavy tails (t, 3 df)", "lognormal in both", "exponential in both", "20 % outliers in one"):
        for n in (5, 8, 12, 20):
            yield Interval("mean of an arm", name, n, _mean(NOISES[name], n))
            yield Interval("SD of an arm", name, n, _spread(NOISES[name], n))
    for name in ("normal", "lognormal in both"):
        for n in (5, 8):
            yield Interval("SD of nine arms", name, n, _spread(NOISES[name], n, 9))
    for name in ("normal", "spreads 1 to 5", "heavy tails (t, 3 df)"):
        yield Interval("difference, Welch", name, 5, _difference(NOISES[name], 5, "welch"))
        yield Interval("median difference, sign test", name, 8, _difference(NOISES[name], 8, "sign"))
    yield Interval("claim", "normal", 5, _claim(LESS, AnalysisSettings(), 5))
    yield Interval("claim, equality", "normal", 5, _claim({"says": "{a} == {b}", "within": 3}, AnalysisSettings(), 5))
    looks = AnalysisSettings(looks=(5, 8, 12))
    yield Interval("claim, looks at 5, 8, 12", "normal", 12, _claim(LESS, looks, 12))
    for rate, n in ((0.1, 5), (0.3, 10), (0.5, 20)):
        yield Interval(f"fail rate of {rate:g}", "binomial", n, _rate(rate, n))
    for n in (3, 5, 8):
        yield Interval("share of a search's gain that survived", "normal", n, _survived(n))
    for n in (5, 10, 20):
        yield Interval("share of the variance that a factor explains", "normal", n, _share(n))


def _difference(noise: tuple[Noise, Noise], n: int, test: str) -> Callable[[Random], bool | None]:
    return lambda rng: holds(*compared(draw(rng, noise, 2, n, SHIFT), n, test), SHIFT)


def _mean(noise: tuple[Noise, Noise], n: int) -> Callable[[Random], bool | None]:
    def one(rng: Random) -> bool | None:
        found = summarise(study({"a0": CENTRE + noise[0](rng, n)}, range(n), []))[0]
        return holds(found.low, found.high, CENTRE)

    return one


def _spread(noise: tuple[Noise, Noise], n: int, arms: int = 1) -> Callable[[Random], bool | None]:
    truth = float(np.std(noise[0](np.random.default_rng(0), 1_000_000)))

    def one(rng: Random) -> bool | None:
        errors = {f"a{at}": CENTRE + noise[0](rng, n) for at in range(arms)}
        found = study_spread(study(errors, range(n), []))
        return None if found is None else holds(found.low, found.high, truth)

    return one


def _claim(form: Mapping[str, object], settings: AnalysisSettings, n: int) -> Callable[[Random], bool | None]:
    said = sentences(2, 1, form)

    def one(rng: Random) -> bool | None:
        errors = draw(rng, NOISES["normal"], 2, n, SHIFT)
        made = with_looks(errors, said, settings) if settings.looks else study(errors, range(n), said)
        (found,) = judge(made, parse_claims(said, made.factors), settings)
        return holds(found.low, found.high, SHIFT)

    return one


def _rate(rate: float, n: int) -> Callable[[Random], bool | None]:
    def one(rng: Random) -> bool | None:
        # `study` takes an error above 95 for a fail.
        found = summarise(study({"a0": np.where(rng.random(n) < rate, 99.0, CENTRE)}, range(n), []))[0]
        return holds(found.fail_low, found.fail_high, rate)

    return one


def searched(searched_gain: float, errors: Mapping[str, Sequence[float]]) -> Study:
    """Return a study of a search that saw this gain of "a1" over "a0", and confirmed both with these errors."""
    arms = tuple(
        Arm(f"stage={stage} variant={name}", {"stage": stage, "variant": name}, {}, hash=f"{stage}{name}")
        for stage in ("search", "confirm")
        for name in errors
    )
    trials = tuple(
        Trial(f"{name}/{seed}", f"stage=confirm variant={name}", seed, State.COMPLETE, test_error=float(error))
        for name, values in errors.items()
        for seed, error in enumerate(values)
    )
    facts = {"status": "trained", "origin": "sampler", "state": "COMPLETE", "params": {}, "generation": None}
    proposals = [
        {"number": at, "arm": arms[at].name, "values": [CENTRE - at * searched_gain], **facts} for at in range(2)
    ]
    record = {"proposals": {"search": proposals}, "objectives": ["val_error"], "baseline": arms[0].name}
    factors = {"stage": ("search", "confirm"), "variant": tuple(errors)}
    return Study(
        "null", "", "", {"claims": [], "seeds": []}, factors, {"variant": "a0"}, 95, arms, trials, search=record
    )


def _survived(n: int) -> Callable[[Random], bool | None]:
    """The best of ten alike arms, whose true gain is `SHIFT`, is chosen on one noisy seed and confirmed on others."""

    def one(rng: Random) -> bool | None:
        gain = SHIFT + float(rng.normal(0, 1, 10).max() - rng.normal(0, 1))
        (found,) = confirmations(searched(gain, draw(rng, NOISES["normal"], 2, n, -SHIFT)))
        return None if gain <= 0 else holds(found.survived_low, found.survived_high, SHIFT / gain)

    return one


def _share(n: int) -> Callable[[Random], bool | None]:
    """Two factors of three levels: effects of SD 1 and 0.5 over the arms, without an interaction."""
    first, second = (size * np.array([-1, 0, 1]) * math.sqrt(1.5) for size in (1.0, 0.5))
    truth = 1 / 1.25

    def one(rng: Random) -> bool | None:
        cells = [(a, b) for a in range(3) for b in range(3)]
        arms = tuple(Arm(f"{a}{b}", {"one": a, "two": b}, {}, hash=f"{a}{b}") for a, b in cells)
        trials = tuple(
            Trial(f"{a}{b}/{seed}", f"{a}{b}", seed, State.COMPLETE, test_error=float(error))
            for a, b in cells
            for seed, error in enumerate(CENTRE + first[a] + second[b] + rng.normal(0, 1, n))
        )
        factors = {"one": (0, 1, 2), "two": (0, 1, 2)}
        found, _ = study_shares(Study("null", "", "", {}, factors, {}, 95, arms, trials), draws=300)
        if found is None:
            return None
        mine = next(each for each in found.shares if each.term == ("one",))
        return holds(mine.low, mine.high, truth)

    return one


def promises() -> Iterator[Promise]:
    """Return every kind of promised power."""
    for n in (5, 8, 20):
        yield Promise("smallest effect that a plan names, one claim", n, _detectable(LESS, n, 1))
        yield Promise("smallest effect that a plan names, 5 claims", n, _detectable(LESS, n, 5))
        yield Promise("smallest margin of an equality that a plan names", n, _detectable(None, n, 1))
    for effect in (1.0, 2.0):
        for n in (3, 5, 8):
            yield Promise(f"seeds needed, from a pilot, true effect {effect:g} SDs: power", n, _needed(effect, n, 0.8))
            yield Promise(f"seeds needed, from a pilot, true effect {effect:g} SDs: assurance", n, _needed(effect, n))
            yield Promise(f"range of the seeds needed, true effect {effect:g} SDs: 80 %", n, _range(effect, n))


def _detectable(form: Mapping[str, object] | None, n: int, count: int) -> Callable[[Random], tuple[float, bool] | None]:
    """Draw studies whose effect is the smallest that the plan names; in a family the worst place of Holm's."""
    settings = AnalysisSettings()
    equality = form is None

    def said(margin: float) -> list[dict[str, object]]:
        shape = {"says": "{a} == {b}", "within": margin} if form is None else form
        return sentences(2 * count, 1, shape) + [
            {"id": f"other{at}", "says": f"a{2 * at} < a{2 * at + 1}"} for at in range(1, count)
        ]

    factors = {"variant": tuple(f"a{at}" for at in range(2 * count))}
    asked = parse_claims(said(1.0), factors)
    found = prospects(asked, factors, n, settings, spread=Spread(1.0, "known"))[0]
    size = found.in_family
    if size is None:
        raise ValueError(f"no smallest effect with {n} seeds")

    def one(rng: Random) -> tuple[float, bool] | None:
        errors = draw(rng, NOISES["normal"], 2 * count, n)
        if not equality:
            errors["a1"] = errors["a1"] + size
        claims = said(size)
        made = study(errors, range(n), claims)
        first = decide(made, parse_claims(claims, made.factors), settings)[0]
        return settings.power, first.outcome is Conclusion.SUPPORTED

    return one


def _needed(effect: float, pilot: int, promised: float | None = None) -> Callable[[Random], tuple[float, bool] | None]:
    """Let a pilot say how many seeds decide, and draw so many; nothing where it names no number."""

    def one(rng: Random) -> tuple[float, bool] | None:
        made = _piloted(rng, effect, pilot)
        ahead = judge(made, parse_claims(sentences(2, 1, LESS), made.factors), AnalysisSettings())[0].forecast
        if ahead.needed is None or ahead.assurance is None:
            return None
        again = _piloted(rng, effect, ahead.needed)
        found = decide(again, parse_claims(sentences(2, 1, LESS), again.factors), AnalysisSettings())[0]
        return promised or ahead.assurance, found.outcome is not Conclusion.INCONCLUSIVE

    return one


def _range(effect: float, pilot: int) -> Callable[[Random], tuple[float, bool] | None]:
    truth = next(n for n in range(5, 1000) if t_power(effect * math.sqrt(n), n - 1) >= 0.8)

    def one(rng: Random) -> tuple[float, bool] | None:
        made = _piloted(rng, effect, pilot)
        ahead = judge(made, parse_claims(sentences(2, 1, LESS), made.factors), AnalysisSettings())[0].forecast
        if ahead.needed_low is None and ahead.needed_high is None:
            return None
        return 0.8, (ahead.needed_low or math.inf) <= truth <= (ahead.needed_high or math.inf)

    return one


def _piloted(rng: Random, effect: float, n: int) -> Study:
    """Return a study with one claim, whose true effect is given in SDs of the differences by seed."""
    return study(draw(rng, NOISES["normal"], 2, n, effect * SPREAD), range(n), sentences(2, 1, LESS))


def covered(case: Interval, studies: int, seed: int) -> dict[str, object]:
    """Return the row of an interval, the same whichever were simulated before it."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{case.name}/{case.noise}/{case.n}".encode())])
    found = [each for _ in range(studies) if (each := case.draw(rng)) is not None]
    share = fmean(found) if found else math.nan
    bound = 0.95 - 3 * math.sqrt(0.05 * 0.95 / len(found)) if found else math.nan
    facts = {"interval": case.name, "noise": case.noise, "n": case.n, "studies": studies, "printed": len(found)}
    return {**facts, "covered": share, "bound": bound, "holds": share >= bound}


def kept(case: Promise, studies: int, seed: int) -> dict[str, object]:
    """Return the row of a promised power."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{case.name}/{case.n}".encode())])
    found = [each for _ in range(studies) if (each := case.draw(rng)) is not None]
    promised, got = (fmean(each[at] for each in found) if found else math.nan for at in (0, 1))
    reach = 3 * math.sqrt(promised * (1 - promised) / len(found)) if found else math.nan
    facts = {"promise": case.name, "n": case.n, "studies": studies, "made": len(found)}
    return {**facts, "promised": promised, "found": got, "holds": got >= promised - reach}


def main() -> None:
    """Simulate all rows; print each and write it where asked, as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--only", default="", help="only the rows whose name has this text")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    facts = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    rows: dict[str, list[dict[str, object]]] = {"coverage": [], "power": []}

    def keep(part: str, row: dict[str, object], first: str, second: str) -> None:
        rows[part].append(row)
        told = " ".join(f"{row[key]}" for key in [*row][: 3 if part == "coverage" else 2])
        print(f"{told:<78} {row[first]:6.3f} {row[second]:6.3f} {row['holds']}", flush=True)
        if given.out:
            text = json.dumps({**facts, "seed": given.seed, **rows}, indent=1)
            given.out.write_text(f"{text}\n", encoding="utf-8")

    for interval in intervals():
        if given.only in interval.name:
            keep("coverage", covered(interval, given.studies, given.seed), "bound", "covered")
    for promise in promises():
        if given.only in promise.name:
            keep("power", kept(promise, given.studies, given.seed), "promised", "found")


if __name__ == "__main__":
    main()
