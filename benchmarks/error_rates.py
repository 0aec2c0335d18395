"""How often are claims decided wrongly where nothing differs? Simulated studies, judged as real ones are.

    python -m benchmarks.error_rates --studies 2000 --out benchmarks/results/error_rates.json

It may be interrupted, or bounded by --minutes: what the file has is not simulated again.

Every study is drawn so that its claims are false by nothing: the arms have the same mean (the same median for noise
without one), or a difference of exactly the margin. Counted is a study in which any claim is decided, once in all and
once without the badge that says that the verdict assumes no rare outliers, or that the spreads differ.
"""

import argparse
import itertools
import json
import math
import platform
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import NARROW, OUTLIERS
from reports.analysis.claims import parse_claims
from reports.analysis.decisions import decide
from reports.analysis.judged import Conclusion
from reports.analysis.verdicts import judge
from reports.results import History, PlanVersion, Study
from reports.trials import Arm, State, Trial

Values = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Values]
START = datetime(2026, 1, 1, tzinfo=UTC)
EXCUSES = {OUTLIERS, *NARROW}
"""Badges that name an assumption which the noise at hand breaks."""


def _outliers(share: float, size: float) -> Noise:
    """Normal noise with outliers upwards, centred on its mean."""
    return lambda rng, n: rng.normal(0, 1, n) + size * ((rng.random(n) < share) - share)


NOISES: Mapping[str, tuple[Noise, Noise]] = {
    "normal": (lambda rng, n: rng.normal(0, 1, n),) * 2,
    "heavy tails (t, 3 df)": (lambda rng, n: rng.standard_t(3, n),) * 2,
    "uniform": (lambda rng, n: rng.uniform(-1, 1, n),) * 2,
    "lognormal in both": (lambda rng, n: np.exp(0.8 * rng.normal(0, 1, n)) - math.exp(0.32),) * 2,
    "exponential in both": (lambda rng, n: rng.exponential(1, n) - 1,) * 2,
    "spreads 1 to 5": (lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.normal(0, 5, n)),
    "whole images": (lambda rng, n: np.round(rng.normal(0, 1, n)),) * 2,
    "few images": (lambda rng, n: rng.binomial(3, 0.3, n) - 0.9,) * 2,
    "5 % outliers in both": (_outliers(0.05, 6),) * 2,
    "20 % outliers in one": (_outliers(0.2, 30), lambda rng, n: rng.normal(0, 1, n)),
    "10 % outliers in one": (_outliers(0.1, 30), lambda rng, n: rng.normal(0, 1, n)),
    "lognormal in one": (
        lambda rng, n: np.exp(0.8 * rng.normal(0, 1, n)) - math.exp(0.32),
        lambda r, n: r.normal(0, 1, n),
    ),
}
CENTRE = 10.0
IMAGES = ("whole images", "few images")
"""Noises whose differences are ties."""


def study(errors: Mapping[str, Sequence[float]], seeds: Sequence[int], claims: Sequence[Mapping[str, object]]) -> Study:
    """Return the study whose arms have these errors by seed; only `seeds` of them were trained."""
    arms = tuple(Arm(name, {"variant": name}, {}, hash=name) for name in errors)
    trials = tuple(
        Trial(f"{name}/{seed}", name, seed, State.COMPLETE, test_error=float(errors[name][seed]), seconds=1.0,
              finished_at=START + timedelta(hours=1))
        for name in errors for seed in seeds
    )  # fmt: skip
    settings = {"claims": list(claims), "seeds": list(seeds)}
    return Study("null", "", "", settings, {"variant": tuple(errors)}, {}, 95, arms, trials)


def plan(
    errors: Mapping[str, Sequence[float]], seeds: Sequence[int], claims: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Return a version of the plan as the DB keeps it."""
    return {
        "arms": {name: {"variant": name} for name in errors}, "factors": {"variant": list(errors)},
        "claims": list(claims), "seeds": list(seeds), "looks": [], "alpha": 0.05, "family": "holm", "test": "paired",
        "fail_above": 95, "data": ["d"],
    }  # fmt: skip


def draw(
    rng: np.random.Generator, noise: tuple[Noise, Noise], arms: int, n: int, shift: float = 0.0
) -> dict[str, Values]:
    """Return the errors of several arms; every other one has the second noise, and lies `shift` higher."""
    shared = 0.5 * rng.normal(0, 1, n)
    return {f"a{at}": CENTRE + shared + noise[at % 2](rng, n) + shift * (at % 2) for at in range(arms)}


def sentences(arms: int, count: int, form: Mapping[str, object]) -> list[dict[str, object]]:
    """Return `count` claims that compare pairs of arms, even against odd ones."""
    pairs = [(a, b) for a in range(0, arms, 2) for b in range(1, arms, 2)]
    return [
        {"id": str(at), **form, "says": str(form["says"]).format(a=f"a{a}", b=f"a{b}")}
        for at, (a, b) in enumerate(itertools.islice(itertools.cycle(pairs), count))
    ]


def decided(made: Study, settings: AnalysisSettings) -> tuple[bool, bool]:
    """Return whether any claim is decided, and whether one is without a badge that names a broken assumption."""
    claims = parse_claims(made.settings["claims"], made.factors)
    if all(each.outcome is Conclusion.INCONCLUSIVE for each in decide(made, claims, settings)):
        return False, False
    found = [each for each in judge(made, claims, settings) if each.verdict is not Conclusion.INCONCLUSIVE]
    return True, any(not EXCUSES & set(each.badges) for each in found)


def with_looks(errors: dict[str, Values], claims: Sequence[Mapping[str, object]], settings: AnalysisSettings) -> Study:
    """Return a study that got more seeds, look by look, until every claim was decided."""
    for size in settings.looks:
        made = study(errors, range(size), claims)
        found = decide(made, parse_claims(claims, made.factors), settings)
        if all(each.outcome is not Conclusion.INCONCLUSIVE for each in found):
            break
    return made


def grown(errors: dict[str, Values], sizes: Sequence[int], claims: Sequence[Mapping[str, object]]) -> bool:
    """Return whether growing the seeds by hand, and looking each time, ever decides the claim."""
    versions: list[PlanVersion] = []
    for at, size in enumerate(sizes):
        # The first plan is made before the results; each further one after them.
        versions.append(
            PlanVersion(at + 1, START + timedelta(hours=2 * at), plan(errors, range(size), claims), str(at))
        )
        made = study(errors, range(size), claims)
        made = Study(**{**vars(made), "history": History(tuple(versions))})
        if decided(made, AnalysisSettings())[0]:
            return True
    return False


def chosen(errors: dict[str, Values], total: int, kept: int, claims: Sequence[Mapping[str, object]]) -> bool:
    """Return whether the seeds that speak most for the claim decide it, the others being left out."""
    first, second = errors.values()
    best = sorted(sorted(range(total), key=lambda seed: first[seed] - second[seed])[:kept])
    versions = (
        PlanVersion(1, START, plan(errors, range(total), claims), "0"),
        PlanVersion(2, START + timedelta(hours=2), plan(errors, best, claims), "1"),
    )
    full = study(errors, range(total), claims)
    left_out = tuple(trial for trial in full.trials if trial.seed not in best)
    made = study(errors, best, claims)
    made = Study(**{**vars(made), "history": History(versions, left_out)})
    return decided(made, AnalysisSettings())[0]


@dataclass(frozen=True)
class Case:
    """One kind of study: `draw` makes one and returns what was decided; every `share`-th of the studies is enough."""

    name: str
    noise: str
    draw: Callable[[np.random.Generator], tuple[bool, bool]]
    share: int = 1


LESS: Mapping[str, object] = {"says": "{a} < {b}"}
FORMS: Mapping[str, tuple[Mapping[str, object], float]] = {
    "equality at its margin": ({"says": "{a} == {b}", "within": 1.5}, 1.5),
    "difference at its margin": ({"says": "{a} < {b}", "by": 1.5}, 1.5),
    "equality at its margin, sign test": ({"says": "{a} == {b}", "within": 1.5, "test": "sign"}, 1.5),
    "no difference, sign test": ({"says": "{a} < {b}", "test": "sign"}, 0.0),
    "no difference, Welch": ({"says": "{a} < {b}", "test": "welch"}, 0.0),
}


DEPTHS = (8, 14, 20)
IN_CONTEXTS: Mapping[str, Mapping[str, object]] = {
    "a trend over three depths": {"id": "it", "says": "effect(a, b) increases with depth"},
    "in any of three depths": {"id": "it", "says": "a < b", "over": "any"},
    "on average over three depths": {"id": "it", "says": "a < b", "over": "average"},
    "in every of three depths": {"id": "it", "says": "a < b", "over": "every"},
}
"""Claims about several contexts."""


def in_contexts(rng: np.random.Generator, noise: tuple[Noise, Noise], n: int, claim: Mapping[str, object]) -> Study:
    """Return a study of two arms at each of three depths."""
    made = [
        (Arm(f"{depth}{name}", {"depth": depth, "variant": name}, {}, hash=f"{depth}{name}"), values)
        for depth in DEPTHS
        for name, values in zip("ab", draw(rng, noise, 2, n).values(), strict=True)
    ]
    trials = tuple(
        Trial(f"{arm.name}/{seed}", arm.name, seed, State.COMPLETE, test_error=float(values[seed]), seconds=1.0)
        for arm, values in made
        for seed in range(n)
    )
    factors, settings = {"depth": DEPTHS, "variant": ("a", "b")}, {"claims": [claim], "seeds": n}
    return Study("null", "", "", settings, factors, {}, 95, tuple(arm for arm, _ in made), trials)


def cases(part: str) -> Iterator[Case]:
    """Return the cases of a part: "noises", "forms", "both" (forms under every noise) or "all"."""
    if part in ("noises", "all"):
        for name, noise in NOISES.items():
            yield from _noise_cases(name, noise)
    if part in ("forms", "all"):
        yield from _form_cases()
    if part in ("both", "all"):
        for name, noise in NOISES.items():
            yield from _both_cases(name, noise)


def _both_cases(name: str, noise: tuple[Noise, Noise]) -> Iterator[Case]:
    """Return every form under one noise; the sign test, which is about medians, where the arms have the same noise."""

    def formed(form: Mapping[str, object], shift: float, n: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        said = sentences(2, 1, form)
        return lambda rng: decided(study(draw(rng, noise, 2, n, shift), range(n), said), AnalysisSettings())

    def about_a_number(n: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        claim = {"id": "it", "says": f"a0 < {CENTRE:g}"}
        return lambda rng: decided(study({"a0": CENTRE + noise[0](rng, n)}, range(n), [claim]), AnalysisSettings())

    def contexts(claim: Mapping[str, object], n: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        return lambda rng: decided(in_contexts(rng, noise, n, claim), AnalysisSettings())

    for n in (5, 12):
        for form, (said, shift) in FORMS.items():
            is_exact_tie = name in IMAGES and "within" in said  # on the margin is within it, so that the claim is true
            if name != "normal" and (said.get("test") != "sign" or (noise[0] is noise[1] and not is_exact_tie)):
                yield Case(f"{form}, {n} seeds", name, formed(said, shift, n), share=4)
        yield Case(f"a number, {n} seeds", name, about_a_number(n), share=4)
        for form, claim in IN_CONTEXTS.items():
            yield Case(f"{form}, {n} seeds", name, contexts(claim, n), share=4)


def _noise_cases(name: str, noise: tuple[Noise, Noise]) -> Iterator[Case]:
    def plain(arms: int, n: int, claims: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        said = sentences(arms, claims, LESS)
        return lambda rng: decided(study(draw(rng, noise, arms, n), range(n), said), AnalysisSettings())

    def looking(rng: np.random.Generator) -> tuple[bool, bool]:
        looks = AnalysisSettings(looks=(3, 5, 8, 12))
        return decided(with_looks(draw(rng, noise, 2, 12), sentences(2, 1, LESS), looks), looks)

    for n in (2, 3, 4, 5, 8, 12, 20):
        yield Case(f"one claim, {n} seeds", name, plain(2, n, 1))
    yield Case("one claim, looks at 3, 5, 8, 12", name, looking)
    for count, arms in ((5, 4), (20, 10)):
        yield Case(f"{count} claims, 5 seeds", name, plain(arms, 5, count), share=4)


def _form_cases() -> Iterator[Case]:
    normal = NOISES["normal"]

    def formed(form: Mapping[str, object], shift: float, n: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        said = sentences(2, 1, form)
        return lambda rng: decided(study(draw(rng, normal, 2, n, shift), range(n), said), AnalysisSettings())

    def pooled(n: int) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        wide: tuple[Noise, Noise] = (lambda rng, n: rng.normal(0, 5, n),) * 2
        said = sentences(2, 1, {**LESS, "test": "pooled"})

        def one(rng: np.random.Generator) -> tuple[bool, bool]:
            errors = {**draw(rng, wide, 2, n), **{f"b{at}": CENTRE + rng.normal(0, 1, n) for at in range(6)}}
            return decided(study(errors, range(n), said), AnalysisSettings())

        return one

    def growing(sizes: Sequence[int]) -> Callable[[np.random.Generator], tuple[bool, bool]]:
        return lambda rng: (grown(draw(rng, normal, 2, sizes[-1]), sizes, sentences(2, 1, LESS)),) * 2

    for name, (form, shift) in FORMS.items():
        for n in (3, 5, 8, 12):
            yield Case(f"{name}, {n} seeds", "normal", formed(form, shift, n))
    for n in (3, 5, 8):
        yield Case(f"pooled test of two wide arms among eight, {n} seeds", "normal", pooled(n))
    for last in (8, 12, 20):
        yield Case(f"seeds grown by hand from 3 to {last}", "normal", growing(tuple(range(3, last + 1))))
    said = sentences(2, 1, LESS)
    yield Case("the best 5 of 12 seeds", "normal", lambda rng: (chosen(draw(rng, normal, 2, 12), 12, 5, said),) * 2)


def simulate(case: Case, studies: int, seed: int) -> dict[str, object]:
    """Return the row of one case, the same whichever cases were simulated before it."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{case.name}/{case.noise}".encode())])
    outcomes = [case.draw(rng) for _ in range(studies // case.share)]
    every, bare = (sum(each[at] for each in outcomes) / len(outcomes) for at in (0, 1))
    bound = 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(outcomes))
    holds = "holds" if every <= bound else "with its badge" if bare <= bound else "does not hold"
    facts = {"studies": len(outcomes), "decided": every, "without_badge": bare, "bound": bound, "result": holds}
    return {"case": case.name, "noise": case.noise, **facts}


def main() -> None:
    """Simulate what the file does not have yet, print a line a case, and keep each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=("all", "noises", "forms", "both"), default="all")
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no case after so long; the file goes on")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    began = time.monotonic()
    facts = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    kept = json.loads(given.out.read_text())["rows"] if given.out and given.out.exists() else []
    known = {(row["case"], row["noise"]) for row in kept if row["studies"] >= given.studies // 4}
    for case in cases(given.part):
        if (case.name, case.noise) in known or time.monotonic() - began > 60 * given.minutes:
            continue
        row = simulate(case, given.studies, given.seed)
        kept = [each for each in kept if (each["case"], each["noise"]) != (case.name, case.noise)] + [row]
        print(f"{case.name:<48} {case.noise:<24} {row['decided']:6.3f} {row['without_badge']:6.3f} {row['result']}")
        sys.stdout.flush()
        if given.out:
            given.out.write_text(json.dumps({**facts, "seed": given.seed, "rows": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
