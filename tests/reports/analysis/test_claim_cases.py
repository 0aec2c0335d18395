"""The worked cases of the claims: margins, contexts, looks, fails and equivalence, through `judge`."""

import math

import numpy as np
import pytest
from scipy import special

from reports.analysis import looks
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of
from tests.reports.analysis.gold import CASES, grid_study, near, pair


def two_arms(code):
    found = pair(code)
    return study(
        [({"v": "A"}, list(found["A"].values())), ({"v": "B"}, list(found["B"].values()))], baseline={"v": "B"}
    )


DEEP = {"says": "full_preact < original", "where": "depth >= 110", "by": 0.2}


def test_c01_every_context():
    expected = CASES["C01"]["expect"]
    (found,) = verdicts_of(grid_study(), DEEP)
    assert found.verdict == expected["verdict"]
    for context in found.contexts:
        line = expected[f"depth_{context.context['depth']}"]
        near("C01", (context.estimate, context.effect.t, context.effect.p), (line["mean"], line["t"], line["p"]))
        near("C01", context.effect.se * math.sqrt(5), line["sd"])
        near("C01", [context.low, context.high], line["ci95"])
        near("C01", (context.p_support, context.p_refute), (line["p_sup_0.2"], line["p_ref_0.2"]))
        outcome = "supported" if 2 * context.p_support <= 0.05 else "undecided"
        assert outcome == expected["per_context"][str(context.context["depth"])]


def test_c02_average_over_contexts():
    expected = CASES["C02"]["expect"]
    (found,) = verdicts_of(grid_study(), {**DEEP, "over": "average"})
    assert found.verdict == expected["verdict"]
    (context,) = found.contexts
    near(
        "C02", (context.estimate, context.effect.t, context.effect.p), (expected["mean"], expected["t"], expected["p"])
    )
    near("C02", [found.low, found.high], expected["ci95"])
    near("C02", context.p_support, expected["p_sup_0.2"])


def test_c03_margins():
    for name, expected in CASES["C03"]["expect"].items():
        (found,) = verdicts_of(two_arms("C03"), {"says": "A < B", "by": float(name.split()[1])})
        assert found.verdict == expected["verdict"]
        (context,) = found.contexts
        near("C03", (context.estimate - found.margin) / context.effect.se, expected["t_vs_margin"])
        near(
            "C03",
            (context.p_support, context.p_refute),
            (expected["p_support_one_sided"], expected["p_refute_one_sided"]),
        )


def test_c04_looks():
    expected = CASES["C04"]["expect"]
    near("C04", looks.alpha_spending((3, 5, 8, 12)), expected["alpha_k"])
    for name, line in expected.items():
        if name.startswith("margin"):
            said = {"says": "A < B", "by": float(name.split()[1])}
            (found,) = verdicts_of(two_arms("C04"), said, looks=(3, 5, 8, 12))
            first, second = (look.evidence.contexts[0] for look in found.looks)
            near("C04", [first.low, first.high], expected["repeated_ci_look1_n3"])
            near("C04", [second.low, second.high], expected["repeated_ci_look2_n5"])
            near("C04", found.p_look, line["look_adjusted_p"])
            near("C04", found.p, line.get("p2", found.p))
            undecided = line["verdict"].startswith("undecided")
            assert found.verdict == ("Inconclusive" if undecided else line["verdict"])


def test_c05_fails():
    for name, expected in CASES["C05"]["expect"].items():
        fails, n = map(int, name.split("/"))
        (found,) = verdicts_of(
            study([({"v": "gate"}, [None] * fails + [5.0] * (n - fails)), ({"v": "o"}, [5.0] * n)]),
            {"says": "gate fails"},
        )
        near("C05", [found.low, found.high], expected["ci95"])
        assert found.verdict == expected["verdict"]


def test_t10_equivalence():
    for name, expected in CASES["T10"]["expect"].items():
        margin = float(name.removeprefix("margin_").replace("_", "."))
        # Half of alpha goes to supporting a claim: 0.1 is what the two one-sided tests at 5 % take.
        (found,) = verdicts_of(two_arms("T10"), {"says": "B == A", "within": margin}, alpha=0.1)
        near("T10", (found.estimate, found.p / 2), (expected["mean"], expected["p"]))
        near("T10", [found.low, found.high], expected["ci90"])
        assert found.verdict == expected["verdict"]


def simulated_t(distance, plan, count, seed):
    """Return Student's t and its two-sided p at every look of `count` simulated studies."""
    data = np.random.default_rng(seed).normal(distance, 1, size=(count, plan[-1]))
    found = []
    for n in plan:
        part = data[:, :n]
        t = part.mean(axis=1) / (part.std(axis=1, ddof=1) / math.sqrt(n))
        found.append((t, 2 * special.stdtr(n - 1, -np.abs(t))))
    return found


def test_q01_error_rate_of_the_ramp_and_of_peeking():
    for name, expected in CASES["Q01"]["expect"].items():
        plan = tuple(map(int, name.strip("()").split(",")))
        levels = looks.alpha_spending(plan)
        assert levels == pytest.approx(expected["alpha_k"], abs=1e-6)
        p = [each for _, each in simulated_t(0, plan, 150_000, 1)]
        ramp = np.any([each <= level for each, level in zip(p, levels, strict=True)], axis=0)
        near("Q01", float(ramp.mean()), expected["ramp"])
        near("Q01", float(np.any([each < 0.05 for each in p], axis=0).mean()), expected["naive"])


def test_q02_power_of_the_ramp():
    plan = (3, 5, 8, 12)
    for name, expected in CASES["Q02"]["expect"].items():
        found = simulated_t(float(name.split()[1]), plan, 40_000, 2)
        decided = np.array([p <= level for (_, p), level in zip(found, looks.alpha_spending(plan), strict=True)])
        used = np.where(decided.any(axis=0), np.array(plan)[decided.argmax(axis=0)], plan[-1])
        assert float(decided.any(axis=0).mean()) == pytest.approx(expected["power"], abs=0.01)
        assert float(used.mean()) == pytest.approx(expected["mean_n"], abs=0.1)
