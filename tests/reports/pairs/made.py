"""Small studies of which a sentence is true or not."""

from dataclasses import replace

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.findings import Findings, find
from tests.reports import searches, studies
from tests.reports.small import WAITING, found

LESS, MORE = (3.0, 3.11, 3.2), (6.0, 6.1, 6.21)
FIVE = {"a": (*MORE, 6.05, 6.15), "b": (*LESS, 3.05, 3.12)}
OPEN = {"a": (4.0, 6.0, 5.0, 5.2, 4.9), "b": (5.5, 4.4, 5.6, 4.8, 5.1)}
NOISY, OTHER = (4.0, 6.0, 5.0), (5.5, 4.4, 5.6)

# One seed in eight lies far off, in different seeds of the two.
FAR = (3.0, 3.1, 2.9, 3.05, 2.95, 3.0, 3.02, 9.0)
FLAT = (3.02, 3.12, 2.98, 3.05, 2.95, 3.07, 3.0, 3.1)


def variants(**errors) -> Findings:
    return found(("variant",), {(name,): by_seed for name, by_seed in errors.items()}, baseline={"variant": "a"})


def declared(*says: str, errors=None, seeds=None) -> Findings:
    plain = variants(**(errors or FIVE)).study
    claims = [{"id": f"c{at}", "says": each} for at, each in enumerate(says)]
    settings = {**plain.settings, "claims": claims, **({"seeds": seeds} if seeds else {})}
    whole = replace(plain, settings=settings)
    return find(whole, judge(whole, parse_claims(claims, whole.factors)))


def unconfirmed() -> Findings:
    whole = searches.searched()
    return find(replace(whole, arms=tuple(arm for arm in whole.arms if arm.levels["stage"] == "search"), trials=()))


def grid(*seeds: float) -> Findings:
    errors = {
        (depth, name): tuple(depth / 4 + at + seed for seed in seeds)
        for depth in (8, 14)
        for at, name in enumerate("abc")
    }
    return found(("depth", "variant"), errors)


def orphaned() -> Findings:
    whole = studies.degradation()
    return find(replace(whole, arms=(replace(whole.arms[0], orphaned=True), *whole.arms[1:])))


def unsized() -> Findings:
    whole = studies.degradation()
    return find(replace(whole, arms=tuple(replace(arm, flops=None) for arm in whole.arms)))


def waiting() -> Findings:
    return variants(a=(WAITING,), b=(WAITING,))
