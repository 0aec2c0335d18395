"""Studies in which nothing differs, from their plan to their verdicts: how often is a claim decided wrongly?"""

import math

import numpy as np
import pytest

from reports.analysis.adaptive import next_block
from reports.analysis.claims import parse_claims
from reports.analysis.decisions import decide
from reports.analysis.judged import Conclusion
from tests.reports.analysis.build import study

STUDIES = 500
LEVELS = ("original", "preact", "scaled")
DECLARED = (
    {"id": "better", "says": "preact < original"},
    {"id": "worse", "says": "original < scaled"},
    {"id": "apart", "says": "scaled < preact"},
)


def ended(seeds: object, rng: np.random.Generator):
    """Run one study whose arms are draws of one distribution, shared seeds correlated, until it asks for no more."""
    settings = {"seeds": seeds, "claims": DECLARED}
    common = rng.normal(0, 0.1, 12)
    errors = {level: 6.6 + common + rng.normal(0, 0.16, 12) for level in LEVELS}
    counts = dict.fromkeys(LEVELS, 3 if isinstance(seeds, dict) else seeds)

    def so_far():
        results = [({"variant": level}, [float(each) for each in errors[level][: counts[level]]]) for level in LEVELS]
        return study(results, baseline={"variant": "original"}, settings=settings)

    made = so_far()
    claims = parse_claims(DECLARED, made.factors)
    while asked := [pair for block in next_block(made, claims).blocks for pair in block.trials]:
        for level in LEVELS:
            counts[level] += sum(arm == f"variant={level}" for arm, _ in asked)
        made = so_far()
    return decide(made, claims, made.analysis)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [5, {"looks": [3, 5, 8, 12]}])
def test_null_studies_decide_a_claim_wrongly_in_at_most_one_of_twenty(seeds):
    rng = np.random.default_rng(20260314)
    wrong = sum(any(each.outcome is not Conclusion.INCONCLUSIVE for each in ended(seeds, rng)) for _ in range(STUDIES))
    assert wrong / STUDIES <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)
