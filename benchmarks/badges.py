"""Which badges do verdicts carry, honest and false ones? Simulated studies of one claim, judged as real ones are.

    python -m benchmarks.badges --studies 1000
    python -m benchmarks.badges --studies 100 --part skewed

Printed are, of the verdicts that were decided, the shares with a badge: that one seed decides, that the analysis does,
that seeds are skewed or spreads differ, and that outliers which the seeds do not show could undo it. The second part
has studies of nine arms that do not differ: how often their seeds are called skewed, how often differences to the first
arm are wrongly clear and means missed by their interval, and how many of these carry the mark.
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

import numpy as np

from benchmarks.coverage import holds
from benchmarks.error_rates import CENTRE, LESS, NOISES, Noise, draw, sentences, study
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.arms import summarise
from reports.analysis.badges import DEPENDS, NARROW, ONE_SEED, OUTLIERS, SKEWED
from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import contrasts
from reports.analysis.judged import Conclusion
from reports.analysis.skewness import are_skewed
from reports.analysis.threshold import decides
from reports.analysis.verdicts import judge

SEEDS = (5, 8, 12, 20)
ARMS = 9
BADGES: Mapping[str, str] = {"one seed": ONE_SEED, "analysis": DEPENDS, "skewed": SKEWED, "assumes": OUTLIERS}
SHIFTS: Mapping[str, tuple[str, float]] = {
    "normal, 2.5 SDs apart": ("normal", 2.5),
    "normal, 1 SD apart": ("normal", 1.0),
    **{f"{name}, alike": (name, 0.0) for name in NOISES},
}


def carried(noise: tuple[Noise, Noise], n: int, shift: float, studies: int, seed: int) -> tuple[int, Counter[str]]:
    """Return how many of the studies decide their claim, and how many of these verdicts carry each badge."""
    rng, said, settings = np.random.default_rng([seed, n]), sentences(2, 1, LESS), AnalysisSettings()
    decided, badges = 0, Counter[str]()
    for _ in range(studies):
        made = study(draw(rng, noise, 2, n, shift), range(n), said)
        (found,) = judge(made, parse_claims(said, made.factors), settings)
        if found.verdict is not Conclusion.INCONCLUSIVE:
            decided += 1
            badges.update(set(found.badges))
    return decided, badges


def marked(noise: tuple[Noise, Noise], n: int, studies: int) -> tuple[float, ...]:
    """Return the share of studies that are called skewed; of wrong differences, and those marked; the same of means."""
    rng = np.random.default_rng([7, n])
    skewed, wrong, missed = 0, [], []
    for _ in range(studies):
        errors = draw(rng, noise, ARMS, n)
        is_skewed = are_skewed({arm: dict(enumerate(map(float, values))) for arm, values in errors.items()})
        skewed += is_skewed
        made = replace(study(errors, range(n), []), baseline={"variant": "a0"})
        wrong += [not NARROW.isdisjoint(each.badges) for each in contrasts(made) if decides(each.p)]
        missed += [is_skewed for each in summarise(made) if not holds(each.low, each.high, CENTRE)]
    shares = (
        len(wrong) / studies / (ARMS - 1),
        fmean(wrong or [0]),
        len(missed) / studies / ARMS,
        fmean(missed or [0]),
    )
    return skewed / studies, *shares


def print_marked(studies: int, only: str) -> None:
    """Print the second part, a line for each kind of noise and number of seeds."""
    print(f"{'nine arms':<34} {'n':>3} {'skewed':>8} {'wrong':>9} {'marked':>9} {'missed':>9} {'marked':>9}")
    for name, noise in NOISES.items():
        for n in SEEDS[:-1] if only in name else ():
            called, *rest = marked(noise, n, studies)
            print(f"{name:<34} {n:>3} {called:8.3f} " + " ".join(f"{each:9.3f}" for each in rest), flush=True)


def main() -> None:
    """Print a line for each kind of noise and number of seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261128, help="of the verdicts; the other part has its own")
    parser.add_argument("--only", default="", help="only the lines whose name has this text")
    parser.add_argument("--part", choices=("verdicts", "skewed"), default="verdicts")
    given = parser.parse_args()
    if given.part == "skewed":
        print_marked(given.studies, given.only)
        return
    print(f"{'':<34} {'n':>3} {'decided':>8} " + " ".join(f"{name:>9}" for name in BADGES))
    for name, (noise, shift) in SHIFTS.items():
        for n in SEEDS if given.only in name else ():
            decided, badges = carried(NOISES[noise], n, shift, given.studies, given.seed)
            shares = " ".join(f"{badges[each] / max(1, decided):9.3f}" for each in BADGES.values())
            print(f"{name:<34} {n:>3} {decided / given.studies:8.3f} {shares}", flush=True)


if __name__ == "__main__":
    main()
