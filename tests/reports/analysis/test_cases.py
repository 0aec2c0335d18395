"""The worked cases: the numbers of tests/gold/statistics.yaml, from the functions that the pages use."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from reports.analysis import factors, literature, looks, many, pareto, pooled, power, rates, shares
from reports.analysis.arms import summarise_values
from reports.analysis.contrasts import contrasts
from reports.analysis.effects import (
    Sign,
    differences,
    one_sided_flip_p,
    paired,
    smallest_p,
    welch,
)
from reports.analysis.intervals import sd_interval
from tests.reports.analysis.build import study
from tests.reports.analysis.gold import B_MINUS_A, CASES, GRID, by_seed, grid_study, near, numbers, pair


@pytest.mark.parametrize("code", ["S01", "S02", "S03", "S04", "S05", "S06"])
def test_arm_summaries(code):
    expected = CASES[code]["expect"]
    found = summarise_values(by_seed(CASES[code]["inputs"]["values"]))
    ends = {
        "ci95_t": (found.low, found.high),
        "sd_ci95_chi2": sd_interval([list(found.values.values())]) or (None, None),
        "fail_rate_ci95_clopper_pearson": (found.fail_low, found.fail_high),
    }
    names = {
        "min": "minimum",
        "max": "maximum",
        "render": "text",
        "mean_ok": "mean",
        "mean_of_ok_shown_only_in_detail": "mean",
    }
    for key, value in expected.items():
        if key in ends and value is None:
            assert ends[key] == (None, None)
        elif key in ends:
            near(code, ends[key], tuple(value))
        elif isinstance(value, str) or value is None:
            assert getattr(found, names.get(key, key)) == value
        else:
            near(code, getattr(found, names.get(key, key)), value)


@pytest.mark.parametrize("code", ["T01", "T02"])
def test_paired_contrasts(code):
    expected = CASES[code]["expect"]
    made = study(
        [({"v": "A"}, list(pair(code)["A"].values())), ({"v": "B"}, list(pair(code)["B"].values()))],
        baseline={"v": "A"},
    )
    (found,) = contrasts(made)
    near(code, found.estimate, expected["diff_mean"])
    near(code, found.sd, expected["diff_sd"])
    near(code, found.p, expected["p_two_sided"])
    near(code, [found.low, found.high], expected["ci95"])
    effect = paired(found.differences)
    near(code, (effect.t, effect.df), (expected["t"], expected["df"]))


def test_t03_welch():
    expected = CASES["T03"]["expect"]
    found = welch(pair("T03"), B_MINUS_A)
    near("T03", (found.t, found.df, found.p), (expected["t"], expected["df"], expected["p"]))
    near("T03", list(found.interval(0.95)), expected["ci95"])


def test_t04_sign_flip():
    values = list(differences(pair("T04"), B_MINUS_A).values())
    assert 2 * one_sided_flip_p(values) == CASES["T04"]["expect"]["signflip_p_two_sided"]


def test_t05_smallest_p():
    for n, expected in CASES["T05"]["expect"].items():
        near("T05", smallest_p(int(n)), expected["signflip_or_wilcoxon_two_sided"])


def test_t08_worst_rank_sign():
    expected = CASES["T08"]["expect"]
    found = Sign(tuple(differences(pair("T08"), B_MINUS_A).values()))
    assert (found.above(0.2), found.n) == (expected["wins"], expected["n"])
    near("T08", found.p_above(0.2), expected["p_one_sided"])


def test_t09_fail_rates():
    for name, expected in CASES["T09"]["expect"].items():
        (k, n), (j, m) = (map(int, side.split("/")) for side in name.split(" vs "))
        near("T09", rates.fisher_p(k, n, j, m), expected["fisher"])


def test_m01_holm():
    expected = CASES["M01"]["expect"]
    near("M01", many.holm(expected["p"]), expected["adj"])


def test_p01_smallest_effect():
    for n, expected in CASES["P01"]["expect"].items():
        near("P01", power.smallest_paired(int(n)), expected["paired_dz"])
        near("P01", power.smallest_welch(int(n)), expected["welch_d"])


def test_p02_seeds_needed():
    found = {str(distance): power.seeds_needed(distance) for distance in CASES["P02"]["inputs"]["dz"]}
    assert found == CASES["P02"]["expect"]


def terms(found):
    return {":".join(effect.term): effect for effect in found.effects}


def test_f01_blocked_anova():
    expected = CASES["F01"]["expect"]["anova"]
    found = factors.study_anova(grid_study())
    for name, effect in terms(found).items():
        line = expected[name]
        near("F01", (effect.squares, effect.df, effect.f, effect.p), (line["SS"], line["df"], line["F"], line["p"]))
        near(
            "F01",
            (effect.partial_eta2, effect.omega2),
            (line["partial_eta2"], line["omega2"]),
        )
    near("F01", (found.mse, found.df), (expected["Residual"]["mse"], expected["Residual"]["df"]))


def plain(name):
    return ":".join(part[2:].split(",")[0] for part in name.split(":"))


def against(code, found, expected):
    for name, line in expected.items():
        if name not in ("Residual", "Intercept"):
            effect = terms(found)[plain(name)]
            near(code, (effect.squares, effect.df, effect.f, effect.p), (line["SS"], line["df"], line["F"], line["p"]))
    assert found.df == expected["Residual"]["df"]


def test_f02_unblocked_anova():
    against("F02", factors.study_anova(grid_study(), blocked=False), CASES["F02"]["expect"])


def test_f03_exact_shares():
    expected = CASES["F03"]["expect"]
    found, reason = shares.study_shares(grid_study(), draws=20)
    assert reason is None
    near("F03", [each.raw for each in found.shares], list(expected["raw"].values()))
    near("F03", [each.corrected for each in found.shares], list(expected["noise_corrected"].values()))


@pytest.mark.parametrize("kind", [2, 3])
def test_f04_unbalanced_anova(kind):
    found = factors.study_anova(grid_study(drop=[("full_preact", "164", 2)]), kind=kind)
    against("F04", found, CASES["F04"]["expect"][f"typ{kind}"])
    assert found.n == 44


def test_f05_interaction_contrast():
    expected = CASES["F05"]["expect"]
    found = paired(
        differences(
            {name: by_seed(values) for name, values in GRID.items()},
            {("original", "164"): 1, ("full_preact", "164"): -1, ("original", "56"): -1, ("full_preact", "56"): 1},
        )
    )
    near("F05", (found.estimate, found.t, found.p), (expected["mean"], expected["t"], expected["p"]))
    near("F05", found.se * math.sqrt(5), expected["sd"])
    near("F05", list(found.interval(0.95)), expected["ci95"])


@pytest.mark.parametrize("depth", ["110", "164"])
def test_f06_pooled_contrast(depth):
    expected = CASES["F06"]["expect"][f"depth_{depth}"]
    model = pooled.fit({name: by_seed(values) for name, values in GRID.items()})
    found = model.effect({("original", depth): 1.0, ("full_preact", depth): -1.0})
    near("F06", (found.estimate, found.se, found.df), (expected["est"], expected["se"], expected["df"]))
    near("F06", (found.t, found.p, found.p_above(0.2)), (expected["t"], expected["p"], expected["p_sup_02"]))
    near("F06", list(found.interval(0.95)), expected["ci95"])


def test_q03_e_values():
    for case, expected in zip(CASES["Q03"]["inputs"]["cases"], CASES["Q03"]["expect"]["e"], strict=True):
        near("Q03", looks.e_value(case["t"], case["n"], case["g"]), expected)


def bootstrap_covers(data, rng, draws=500):
    count, n = data.shape
    picks = rng.integers(0, n, size=(count, draws, n))
    means = np.sort(np.take_along_axis(data[:, None, :], picks, axis=2).mean(axis=2), axis=1)
    low, high = means[:, int(0.025 * draws)], means[:, int(0.975 * draws)]
    return (low <= 0) & (high >= 0)


def test_b01_coverage():
    rng = np.random.default_rng(1)
    for place, n in enumerate(CASES["B01"]["inputs"]["n"]):
        data = rng.normal(size=(50_000, n))
        mean, sd = data.mean(axis=1), data.std(axis=1, ddof=1)
        covered = {
            "t": np.abs(mean) <= stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n),
            "z_1_96_sem": np.abs(mean) <= 1.96 * sd / math.sqrt(n),
            "mean_pm_sd": np.abs(mean) <= sd,
            "percentile_bootstrap": bootstrap_covers(data[:4000], rng),
        }
        for name, each in covered.items():
            near("B01", float(np.mean(each)), CASES["B01"]["expect"][name][place])


def test_b02_bootstrap_of_three_is_the_range():
    values = CASES["B02"]["inputs"]["values"]
    means = [sum(each) / 3 for each in product(values, repeat=3)]
    near("B02", list(np.quantile(means, [0.025, 0.975], method="inverted_cdf")), CASES["B02"]["expect"]["percentile95"])


def test_r01_paper_with_mean_and_sd():
    inputs, expected = CASES["R01"]["inputs"], CASES["R01"]["expect"]
    published = literature.Published(inputs["paper"]["mean"], inputs["paper"]["sd"], inputs["paper"]["n"], "mean")
    found = literature.compare(by_seed(inputs["ours"]), published)
    near("R01", (found.t, found.p), (expected["t"], expected["p"]))
    assert found.verdict == expected["verdict"]


def test_r02_paper_with_one_number():
    inputs, expected = CASES["R02"]["inputs"], CASES["R02"]["expect"]
    found = literature.compare(by_seed(inputs["ours"]), literature.Published(inputs["paper"]))
    near("R02", (found.t, found.p), (expected["t"], expected["p"]))
    near("R02", [found.ours_low, found.ours_high], expected["ci"])
    assert "no error bar" in found.note


def test_r03_best_of_n():
    for n, expected in CASES["R03"]["expect"].items():
        near("R03", literature.expected_best(int(n)), expected)


def test_x01_pareto():
    points = {name: tuple(numbers(point)) for name, point in CASES["X01"]["inputs"]["points"].items()}
    found = pareto.pareto(points)
    assert (list(found.front), list(found.excluded)) == (
        CASES["X01"]["expect"]["front"],
        CASES["X01"]["expect"]["excluded"],
    )
