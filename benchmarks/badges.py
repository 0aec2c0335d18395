"""Which badges do verdicts carry, honest and false ones? Simulated studies of one claim, judged as real ones are.

    python -m benchmarks.badges --studies 1000

Printed are, of the verdicts that were decided, the shares with a badge: that one seed decides, that the analysis does,
that spreads differ, and that outliers which the seeds do not show could undo it.
"""

import argparse
from collections import Counter
from collections.abc import Mapping

import numpy as np

from benchmarks.error_rates import LESS, NOISES, Noise, draw, sentences, study
from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import SKEWED
from reports.analysis.judged import Outcome
from reports.analysis.settings import AnalysisSettings
from reports.analysis.verdicts import DEPENDS, ONE_SEED, OUTLIERS, judge

SEEDS = (5, 8, 12, 20)
BADGES: Mapping[str, str] = {"one seed": ONE_SEED, "analysis": DEPENDS, "spreads": SKEWED, "assumes": OUTLIERS}
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
        if found.verdict is not Outcome.INCONCLUSIVE:
            decided += 1
            badges.update(set(found.badges))
    return decided, badges


def main() -> None:
    """Print a line for each kind of noise and number of seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--only", default="", help="only the lines whose name has this text")
    given = parser.parse_args()
    print(f"{'':<34} {'n':>3} {'decided':>8} " + " ".join(f"{name:>9}" for name in BADGES))
    for name, (noise, shift) in SHIFTS.items():
        for n in SEEDS if given.only in name else ():
            decided, badges = carried(NOISES[noise], n, shift, given.studies, given.seed)
            shares = " ".join(f"{badges[each] / max(1, decided):9.3f}" for each in BADGES.values())
            print(f"{name:<34} {n:>3} {decided / given.studies:8.3f} {shares}", flush=True)


if __name__ == "__main__":
    main()
