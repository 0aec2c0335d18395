"""How often are claims decided wrongly where nothing differs? Simulated studies, judged as real ones are.

    python -m benchmarks.error_rates --studies 2000 --out benchmarks/results/error_rates.json

Every study is drawn so that its claims are false by nothing: the arms have the same mean (the same median for noise
without one), or a difference of exactly the margin. Counted is a study in which any claim is decided, once in all and
once without the badge that says that the verdict assumes no rare outliers, or that the spreads differ.
"""

import argparse
import itertools
import json
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import SKEWED
from reports.analysis.decisions import decide
from reports.analysis.judged import Outcome
from reports.analysis.settings import AnalysisSettings
from reports.analysis.verdicts import OUTLIERS, judge
from reports.results import Arm, History, PlanVersion, State, Study, Trial

Values = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Values]
START = datetime(2026, 1, 1, tzinfo=UTC)
EXCUSES = {OUTLIERS, SKEWED}
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
    if all(each.outcome is Outcome.INCONCLUSIVE for each in decide(made, claims, settings)):
        return False, False
    found = [each for each in judge(made, claims, settings) if each.verdict is not Outcome.INCONCLUSIVE]
    return True, any(not EXCUSES & set(each.badges) for each in found)


def with_looks(errors: dict[str, Values], claims: Sequence[Mapping[str, object]], settings: AnalysisSettings) -> Study:
    """Return a study that got more seeds, look by look, until every claim was decided."""
    for size in settings.looks:
        made = study(errors, range(size), claims)
        found = decide(made, parse_claims(claims, made.factors), settings)
        if all(each.outcome is not Outcome.INCONCLUSIVE for each in found):
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


def rates(studies: int, part: str = "all", seed: int = 20261128) -> list[dict[str, object]]:
    """Simulate the cases of a part ("noises", "forms" or "all") and return a row for each."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []

    def row(case: str, noise: str, outcomes: Sequence[tuple[bool, bool]]) -> None:
        every, bare = (sum(each[at] for each in outcomes) / len(outcomes) for at in (0, 1))
        bound = 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(outcomes))
        holds = "holds" if every <= bound else "with its badge" if bare <= bound else "does not hold"
        facts = {"studies": len(outcomes), "decided": every, "without_badge": bare, "bound": bound, "result": holds}
        rows.append({"case": case, "noise": noise, **facts})
        print(f"{case:<44} {noise:<24} {every:6.3f} {bare:6.3f} {holds}", flush=True)

    less = {"says": "{a} < {b}"}
    for noise, pair in NOISES.items() if part != "forms" else ():
        for n in (2, 3, 5, 8, 12, 20):
            made = (study(draw(rng, pair, 2, n), range(n), sentences(2, 1, less)) for _ in range(studies))
            row(f"one claim, {n} seeds", noise, [decided(each, AnalysisSettings()) for each in made])
        looks = AnalysisSettings(looks=(3, 5, 8, 12))
        each_look = (with_looks(draw(rng, pair, 2, 12), sentences(2, 1, less), looks) for _ in range(studies))
        row("one claim, looks at 3, 5, 8, 12", noise, [decided(each, looks) for each in each_look])
        for count, arms in ((5, 4), (20, 10)):
            made = (
                study(draw(rng, pair, arms, 5), range(5), sentences(arms, count, less)) for _ in range(studies // 4)
            )
            row(f"{count} claims, 5 seeds", noise, [decided(each, AnalysisSettings()) for each in made])
    if part == "noises":
        return rows
    normal = NOISES["normal"]
    forms: Mapping[str, tuple[dict[str, object], float]] = {
        "equality at its margin": ({"says": "{a} == {b}", "within": 1.5}, 1.5),
        "difference at its margin": ({"says": "{a} < {b}", "by": 1.5}, 1.5),
        "equality at its margin, sign test": ({"says": "{a} == {b}", "within": 1.5, "test": "sign"}, 1.5),
        "no difference, sign test": ({"says": "{a} < {b}", "test": "sign"}, 0.0),
        "no difference, Welch": ({"says": "{a} < {b}", "test": "welch"}, 0.0),
    }
    for name, (form, shift) in forms.items():
        for n in (5, 8, 12):
            made = (study(draw(rng, normal, 2, n, shift), range(n), sentences(2, 1, form)) for _ in range(studies))
            row(f"{name}, {n} seeds", "normal", [decided(each, AnalysisSettings()) for each in made])
    for n in (3, 5, 8):
        wide: tuple[Noise, Noise] = (lambda rng, n: rng.normal(0, 5, n),) * 2
        made = []
        for _ in range(studies):
            errors = {**draw(rng, wide, 2, n), **{f"b{at}": CENTRE + rng.normal(0, 1, n) for at in range(6)}}
            made.append(study(errors, range(n), sentences(2, 1, {**less, "test": "pooled"})))
        row(
            f"pooled test of two wide arms among eight, {n}",
            "normal",
            [decided(each, AnalysisSettings()) for each in made],
        )
    for sizes in ((3, 4, 5, 6, 7, 8), tuple(range(3, 13)), tuple(range(3, 21))):
        found = [grown(draw(rng, normal, 2, sizes[-1]), sizes, sentences(2, 1, less)) for _ in range(studies)]
        row(f"seeds grown by hand from {sizes[0]} to {sizes[-1]}", "normal", [(each, each) for each in found])
    picked = [chosen(draw(rng, normal, 2, 12), 12, 5, sentences(2, 1, less)) for _ in range(studies)]
    row("the best 5 of 12 seeds", "normal", [(each, each) for each in picked])
    return rows


def main() -> None:
    """Simulate, print a line a case, and keep the rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=("all", "noises", "forms"), default="all")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    began = time.monotonic()
    rows = rates(given.studies, given.part)
    if given.out:
        facts = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
        whole = {"studies": given.studies, "seconds": round(time.monotonic() - began), **facts, "rows": rows}
        given.out.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
