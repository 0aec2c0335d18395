"""The claims of a study file: declared sentences about arms, read and checked once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from reports.analysis.grammar import Condition, Factors, Statement, parse_says, parse_where
from reports.analysis.published import Published, parse_statistic
from reports.analysis.settings import TESTS
from reports.metrics import PRIMARY, Metric, check_metric
from reports.results import Scalar
from search_spaces.errors import SettingError, unknown

KEYS = ("id", "says", "where", "by", "over", "within", "rate", "test", "metric", "paper")
OVER = ("every", "average", "any")
LARGEST = 1_000_000_000
"""No margin and no standard deviation is larger, in the unit of any metric."""
MOST_RUNS = 100_000
_PAPER_KEYS = ("sd", "n", "ref", "statistic")
_RATE = re.compile(r"\s*(>=|<=|>|<)\s*(\d*\.?\d+)\s*")


@dataclass(frozen=True)
class Claim:
    """One declared sentence. "<" means a smaller number of the metric; margins are in the metric's units.

    `by` is the difference that is claimed at least, `within` the one at most ("=="), `rate` the sign and share of
    seeds of "fails". `over` says in which of the contexts (the levels of all other factors) it must hold. `test` is
    None where the study's own applies. `unit` is that of a difference of two readings of the metric, and
    `is_exact` says that the network alone fixes it;
    two readings closer than `resolution` are the same.
    """

    id: str
    says: str
    statement: Statement
    where: str | None = None
    conditions: tuple[Condition, ...] = ()
    by: float = 0.0
    within: float | None = None
    rate: tuple[str, float] = (">", 0.5)
    over: str = "every"
    test: str | None = None
    metric: str = PRIMARY.name
    unit: str = "points"
    is_exact: bool = False
    resolution: float = 0.0
    paper: Published | None = None

    @property
    def margin(self) -> float:
        """Return the number that the verdict is held against: `by`, `within`, or the share of `rate`."""
        if self.statement.relation == "fails":
            return self.rate[1]
        return self.by if self.within is None else self.within

    def open_factors(self, factors: Factors) -> tuple[str, ...]:
        """Return the factors that the sentence leaves open: their levels are its contexts."""
        fixed = {*self.statement.left, self.statement.along}
        return tuple(factor for factor in factors if factor not in fixed)

    def levels(self, factor: str, factors: Factors) -> tuple[Scalar, ...]:
        """Return the levels of one factor that the conditions leave."""
        mine = [each for each in self.conditions if each.factor == factor]
        return tuple(level for level in factors[factor] if all(each.holds(level) for each in mine))

    def contexts(self, factors: Factors) -> Iterator[dict[str, Scalar]]:
        """Yield each combination of levels in which the sentence is judged."""
        names = self.open_factors(factors)
        for levels in product(*(self.levels(name, factors) for name in names)):
            yield dict(zip(names, levels, strict=True))


def parse_claims(
    claims: Sequence[Mapping[str, Any]] | None,
    factors: Factors,
    declared: Mapping[str, Metric] | None = None,
    *,
    on_record: bool = True,
) -> tuple[Claim, ...]:
    """Read the study file's `claims:` list; `factors` maps each factor to its levels.

    `declared` are the metrics of the probes, beside those of every trial. Of a study `on_record` any other dotted name
    is a metric too, as an earlier version may have known it; whoever plans a study does not allow that.

    Raises SettingError, keyed by the claim's place and setting, for anything that cannot be meant.
    """
    if claims is None:
        return ()
    if not isinstance(claims, Sequence) or isinstance(claims, str):
        raise SettingError("claims must be a list, each with an id and what it says")
    made: list[Claim] = []
    for place, given in enumerate(claims):
        try:
            claim = parse_claim(given, factors, declared or {}, on_record=on_record)
        except SettingError as error:
            raise error.under(place) from None
        if claim.id in {each.id for each in made}:
            raise SettingError(f'two claims have the id "{claim.id}": give each its own', (place, "id"))
        made.append(claim)
    return tuple(made)


def parse_claim(
    given: Mapping[str, Any], factors: Factors, declared: Mapping[str, Metric], *, on_record: bool = True
) -> Claim:
    """Read one claim; `declared` and `on_record` as for `parse_claims`."""
    if not isinstance(given, Mapping):
        raise SettingError(f"a claim is a mapping with id and says, not {given!r}")
    for key in given:
        if key not in KEYS:
            raise unknown("setting of a claim", key, KEYS, (str(key),))
    says = _text(given, "says", 'for instance "preact < original"')
    name = _text(given, "id", "a short name of its own")
    statement = parse_says(says, factors)
    where = _text(given, "where", 'for instance "depth >= 110"') if given.get("where") is not None else None
    relation, over = statement.relation, _word(given, "over", OVER)
    metric = _metric(given, declared, on_record)
    claim = Claim(
        id=name,
        says=says,
        statement=statement,
        where=where,
        conditions=parse_where(where, factors) if where is not None else (),
        by=_by(given, relation),
        within=_within(given, relation),
        rate=_rate(given, relation),
        over=over,
        test=_test(given, statement),
        metric=metric.name,
        unit=metric.difference_unit,
        is_exact=metric.is_exact,
        resolution=metric.resolution,
        paper=_paper(given, statement),
    )
    if relation == "fails" and over == "average":
        raise SettingError('fails are counted in each context: over must be "every" or "any"', ("over",))
    if relation == "fails" and claim.metric != PRIMARY.name:
        raise SettingError(f"fails are told by the {PRIMARY.title}: leave metric out", ("metric",))
    _check_conditions(claim, factors)
    return claim


def _check_conditions(claim: Claim, factors: Factors) -> None:
    for condition in claim.conditions:
        if condition.factor in claim.statement.left:
            raise SettingError(f"{condition.factor} is fixed by says already", ("where",))
        levels = claim.levels(condition.factor, factors)
        known = ", ".join(map(str, factors[condition.factor]))
        if not levels:
            raise SettingError(f'no level of {condition.factor} meets "{claim.where}": it has {known}', ("where",))
        if condition.factor == claim.statement.along and len(levels) < 2:
            raise SettingError(
                f"an effect needs two levels of {condition.factor} to grow along: it has {known}", ("where",)
            )


def _text(given: Mapping[str, Any], key: str, right: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value.strip():
        found = f", not {value!r}" if key in given else ""
        raise SettingError(f"{key} must be a text, {right}{found}", (key,))
    return value.strip()


def _word(given: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value = given.get(key, known[0])
    if value not in known:
        raise unknown(key, value, known, (key,))
    return str(value)


def _size(given: Mapping[str, Any], key: str, zero: bool) -> float:
    value = given[key]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LARGEST or (value == 0 and not zero):
        low = "from 0 on" if zero else "above 0"
        raise SettingError(f"{key} must be a number {low}, at most {LARGEST:,}, not {value!r}", (key,))
    return float(value)


def _by(given: Mapping[str, Any], relation: str) -> float:
    if "by" not in given:
        return 0.0
    if relation == "==":
        raise SettingError('"==" takes within (how far apart they may be), not by', ("by",))
    if relation == "fails":
        raise SettingError('"fails" takes rate, for instance "> 0.5", not by', ("by",))
    return _size(given, "by", zero=True)


def _within(given: Mapping[str, Any], relation: str) -> float | None:
    if relation == "==":
        if "within" not in given:
            raise SettingError('"==" needs within: how far apart they may be, for instance 0.1', ("within",))
        return _size(given, "within", zero=False)
    if "within" in given:
        raise SettingError('within belongs to "==": a difference takes by', ("within",))
    return None


def _rate(given: Mapping[str, Any], relation: str) -> tuple[str, float]:
    if "rate" not in given:
        return ">", 0.5
    if relation != "fails":
        raise SettingError('rate belongs to "fails"', ("rate",))
    found = _RATE.fullmatch(str(given["rate"]))
    share = float(found[2]) if found else -1.0
    if found is None or not 0 < share < 1:
        right = 'a sign and a share between 0 and 1, for instance "> 0.5" or "< 0.2"'
        raise SettingError(f"rate must be {right}, not {given['rate']!r}", ("rate",))
    return found[1], share


def _test(given: Mapping[str, Any], statement: Statement) -> str | None:
    if "test" not in given:
        return None
    if statement.relation == "fails":
        raise SettingError('"fails" is judged by the exact bound of its rate: leave test out', ("test",))
    test = _word(given, "test", TESTS)
    if statement.value is not None and test in ("pooled", "welch"):
        raise SettingError('a comparison with a number is "paired" (one sample) or "sign"', ("test",))
    return test


def _metric(given: Mapping[str, Any], declared: Mapping[str, Metric], on_record: bool) -> Metric:
    return check_metric(given.get("metric", PRIMARY.name), declared, on_record=on_record)


def _paper(given: Mapping[str, Any], statement: Statement) -> Published | None:
    paper = given.get("paper")
    if statement.value is None:
        if paper is not None:
            raise SettingError("paper belongs to a comparison with a number, for instance original == 6.61", ("paper",))
        return None
    if paper is None:
        return Published(statement.value)
    if not isinstance(paper, Mapping):
        raise SettingError(f'paper must be a mapping such as {{sd: 0.16, n: 5, ref: "..."}}, not {paper!r}', ("paper",))
    for key in paper:
        if key not in _PAPER_KEYS:
            raise unknown("setting of a paper", key, _PAPER_KEYS, ("paper", str(key)))
    kind, runs = parse_statistic(str(paper["statistic"])) if "statistic" in paper else (None, None)
    if "statistic" in paper and kind is None:
        raise SettingError('statistic must be "mean", "median of 5", "best of 5" or "single"', ("paper", "statistic"))
    n = paper.get("n", runs)
    if n is not None and (not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST_RUNS):
        raise SettingError(f"n must be the number of runs, at most {MOST_RUNS:,}, not {n!r}", ("paper", "n"))
    try:
        sd = _size(paper, "sd", zero=False) if paper.get("sd") is not None else None
    except SettingError as error:
        raise error.under("paper") from None
    reference = paper.get("ref")
    return Published(statement.value, sd, n, kind, None if reference is None else str(reference))
