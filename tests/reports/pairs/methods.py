"""The section on methods."""

from dataclasses import replace

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.findings import Findings, find
from reports.results import History, PlanVersion, Study
from reports.trials import State
from tests.reports import searches, studies
from tests.reports.pairs.made import LESS, MORE, OPEN, declared, grid, variants, waiting
from tests.reports.pairs.pair import Pairs
from tests.reports.small import CRASHED, found, near


def alone() -> Findings:
    return found((), {(): near(3)})


def mixed(root: str, key: str, value: object) -> Findings:
    """A study whose arms do not share a setting."""
    whole = variants(a=MORE, b=LESS).study
    own = {**whole.arms[0].settings, root: {key: value}}
    return find(replace(whole, arms=(replace(whole.arms[0], settings=own), *whole.arms[1:])))


def late() -> Findings:
    findings = declared("b < a", "b > a")
    verdicts = tuple(replace(each, changes=("by added",)) for each in findings.verdicts)
    return replace(findings, verdicts=verdicts)


def at_two_depths(over: str) -> Findings:
    whole = grid(0, 0.1).study
    claims = [{"id": "c", "says": "a < b", "over": over}]
    return find(whole, judge(whole, parse_claims(claims, whole.factors)))


def on_metric(metric: str) -> Findings:
    findings = declared("b < a")
    (verdict,) = findings.verdicts
    return replace(findings, verdicts=(replace(verdict, claim=replace(verdict.claim, metric=metric)),))


def planned_again() -> Findings:
    findings = declared("b < a")
    versions = tuple(PlanVersion(at, studies.START, {}, None, 0) for at in (1, 2))
    return replace(findings, study=replace(findings.study, history=History(versions)))


def sized(*params: int) -> Findings:
    whole = variants(a=MORE, b=LESS).study
    arms = tuple(replace(arm, params=count) for arm, count in zip(whole.arms, params, strict=True))
    return find(replace(whole, arms=arms))


def unknown_sizes() -> Findings:
    whole = variants(a=MORE, b=LESS).study
    return find(replace(whole, arms=tuple(replace(arm, params=None) for arm in whole.arms)))


def untrained() -> Findings:
    return find(replace(variants(a=MORE).study, trials=()))


def running() -> Findings:
    whole = variants(a=MORE).study
    return find(replace(whole, trials=tuple(replace(each, state=State.RUNNING) for each in whole.trials)))


def packed(*, together: bool) -> Study:
    whole = variants(a=MORE, b=LESS).study
    facts = {"fused": together, "pack_seeds": [0, 1, 2]}
    return replace(whole, trials=tuple(replace(each, telemetry=facts) for each in whole.trials))


def computed(*ways: str) -> Study:
    whole = variants(a=MORE, b=LESS).study
    facts = [{"numerics": ways[at % len(ways)]} for at in range(len(whole.trials))]
    return replace(
        whole, trials=tuple(replace(each, telemetry=own) for each, own in zip(whole.trials, facts, strict=True))
    )


def on_hosts(*, several: bool) -> Study:
    """Seeds of the same arms on one machine or on two, of which the second gives more error."""
    whole = variants(a=(3.0, 3.1, 9.0, 9.1), b=(4.0, 4.1, 10.0, 10.1)).study
    hosts = [f"node-{'two' if several and each.seed > 1 else 'one'}" for each in whole.trials]
    return replace(
        whole, trials=tuple(replace(each, host=host) for each, host in zip(whole.trials, hosts, strict=True))
    )


PAIRS: Pairs = {
    "safeguards.noise": (studies.judged, "against itself with other seeds", studies.degradation),
    "safeguards.machines": (
        lambda: on_hosts(several=True),
        "they differ more than chance explains",
        lambda: on_hosts(several=False),
    ),
    "safeguards.numerics": (
        lambda: computed("fp32, convolutions in TF32, channels_last"),
        "Networks computed in fp32, convolutions in TF32, channels_last.",
        lambda: packed(together=True),
    ),
    "safeguards.packs": (
        lambda: packed(together=True),
        "trained side by side as one network: seeds 0–2 (6 trials)",
        lambda: packed(together=False),
    ),
    "methods.one_arm": (alone, "One arm was trained with 3 seeds (0–2).", lambda: variants(a=MORE)),
    "methods.design": (grid_of_two := lambda: grid(0, 1), "depth (8 and 14) and variant (a, b and c)", alone),
    "methods.searching": (
        lambda: find(searches.searched()),
        "The sampler tpe proposed them, and they were selected by the validation error alone, on 20 % of the training",
        alone,
    ),
    "methods.replay": (
        lambda: find(searches.replay()),
        "This is a replay: nothing was trained.",
        lambda: find(searches.searched()),
    ),
    "methods.baseline": (lambda: variants(a=MORE, b=LESS), "The baseline is variant a", grid_of_two),
    "methods.shared_seeds": (grid_of_two, "shared by all arms", alone),
    "methods.data": (lambda: variants(a=MORE), "Data: digits, ", lambda: mixed("data", "name", "fashion_mnist")),
    "methods.training": (
        lambda: variants(a=MORE, b=LESS),
        "in every arm: 10 epochs",
        lambda: mixed("training", "epochs", 20),
    ),
    "methods.longest": (lambda: variants(a=MORE), "ran 10 epochs", waiting),
    "methods.times": (lambda: variants(a=MORE), "A finished trial took 7.0\N{NO-BREAK SPACE}s", running),
    "methods.measure": (lambda: variants(a=MORE), "no epoch is selected on the test set", untrained),
    "methods.divergence": (lambda: variants(a=MORE), "stopped as diverged", untrained),
    "methods.fail_rule": (
        lambda: variants(a=MORE),
        "above 50 % test error, is called a fail",
        lambda: found(("variant",), {("a",): MORE}, fail_above=None),
    ),
    "methods.crashes": (lambda: variants(a=(3.0, CRASHED)), "count as missing (1 trial)", lambda: variants(a=MORE)),
    "methods.verdict_rule": (
        lambda: declared("b < a"),
        "level of 0.05, lies above its margin; it",
        lambda: variants(a=MORE),
    ),
    "methods.few_seeds": (
        lambda: declared("b < a", errors={"a": MORE, "b": LESS}),
        "with 3 seeds their p is never below 0.25.",
        lambda: declared("b < a"),
    ),
    "methods.by_signs": (
        lambda: declared("b < a", errors={"a": (None, *MORE), "b": (2.0, *LESS)}),
        "an exact sign test decides",
        lambda: declared("b < a"),
    ),
    "methods.contexts": (
        lambda: at_two_depths("every"),
        "A claim over every context is supported where each context supports it",
        lambda: at_two_depths("any"),
    ),
    "methods.other_metrics": (
        lambda: on_metric("train_error"),
        "judged on that: training error (c0).",
        lambda: on_metric("test_error"),
    ),
    "methods.family": (lambda: declared("b < a", "b > a"), "covers the 2 claims", lambda: declared("b < a")),
    "methods.post_hoc": (late, "2 claims post hoc", lambda: declared("b < a")),
    "methods.plan_versions": (planned_again, "The plan is version 2", lambda: declared("b < a")),
    "methods.looks": (
        lambda: declared("b < a", errors=OPEN, seeds={"looks": [5, 8]}),
        "The looks at 5 and 8 seeds",
        lambda: declared("b < a"),
    ),
    "methods.sizes": (
        lambda: sized(1000, 3000),
        "1.00\N{NO-BREAK SPACE}k to 3.00\N{NO-BREAK SPACE}k",
        lambda: sized(1000, 1000),
    ),
    "methods.size_spread": (lambda: sized(1000, 3000), "differs by up to a factor of 3.", lambda: sized(1000, 1000)),
    "methods.tuning": (lambda: variants(a=MORE, b=LESS), "No arm's settings", lambda: find(searches.searched())),
}
