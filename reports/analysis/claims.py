"""The claims of a study file: declared sentences about arms, read and checked once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from reports.analysis.fields import ClaimFields, PaperFields
from reports.analysis.grammar import Factors, LevelFilter, Statement, parse_says, parse_where
from reports.analysis.published import Published, parse_statistic
from reports.metrics import PRIMARY, Metric, check_metric
from reports.trials import Scalar
from search_spaces.errors import SettingError, shown, with_key
from search_spaces.factors import unseen_character
from search_spaces.settings import read_settings

OVER = ("every", "average", "any")
_RATE = re.compile(r"\s*(>=|<=|>|<)\s*(\d*\.?\d+)\s*")


@dataclass(frozen=True)
class Claim:
    """One declared sentence. "<" means a smaller number of the metric; margins are in the metric's units.

    `by` is the difference that is claimed at least, `within` the one at most ("=="), `rate` the sign and share of
    seeds of "fails". `over` says in which of the contexts (the levels of all other factors) it must hold. `test` is
    None where the study's own applies. `unit` is that of a difference of two readings of the metric, and
    `is_exact` says that the network alone fixes it;
    two readings closer than `resolution` are the same. `title` is what the report calls it.
    """

    id: str
    says: str
    statement: Statement
    where: str | None = None
    conditions: tuple[LevelFilter, ...] = ()
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
    title: str | None = None

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
        claim = with_key(place, parse_claim, given, factors, declared or {}, on_record=on_record)
        if claim.id in {each.id for each in made}:
            raise SettingError(f'two claims have the id "{claim.id}": give each its own', (place, "id"))
        made.append(claim)
    return tuple(made)


def parse_claim(
    given: Mapping[str, Any], factors: Factors, declared: Mapping[str, Metric], *, on_record: bool = True
) -> Claim:
    """Read one claim; `declared` and `on_record` as for `parse_claims`."""
    fields = ClaimFields(**read_settings(ClaimFields, given, "setting of a claim"))
    says = fields.says.strip()
    statement = parse_says(says, factors)
    relation = statement.relation
    where = None if fields.where is None else fields.where.strip()
    metric = check_metric(PRIMARY.name if fields.metric is None else fields.metric, declared, on_record=on_record)
    claim = Claim(
        id=fields.id.strip(),
        says=says,
        statement=statement,
        where=where,
        conditions=parse_where(where, factors) if where is not None else (),
        by=_by(fields, relation),
        within=_within(fields, relation),
        rate=_rate(fields, relation),
        over=fields.over,
        test=_test(fields, statement),
        metric=metric.name,
        unit=metric.title if metric.is_exact else metric.difference_unit,
        is_exact=metric.is_exact,
        resolution=metric.resolution,
        paper=_paper(fields.paper, statement),
        title=None if fields.title is None else fields.title.strip(),
    )
    if relation == "fails" and claim.over == "average":
        raise SettingError('fails are counted in each context: over must be "every" or "any"', ("over",))
    if relation == "fails" and claim.metric != PRIMARY.name:
        raise SettingError(f"fails are told by the {PRIMARY.title}: leave metric out", ("metric",))
    if not on_record and (bad := unseen_character(claim.id)):
        raise SettingError(f"the id {shown(claim.id)} of a claim has {bad} in it", ("id",))
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


def _by(fields: ClaimFields, relation: str) -> float:
    if fields.by is None:
        return 0.0
    if relation == "==":
        raise SettingError('"==" takes within (how far apart they may be), not by', ("by",))
    if relation == "fails":
        raise SettingError('"fails" takes rate, for instance "> 0.5", not by', ("by",))
    return float(fields.by)


def _within(fields: ClaimFields, relation: str) -> float | None:
    if relation == "==":
        if fields.within is None:
            raise SettingError('"==" needs within: how far apart they may be, for instance 0.1', ("within",))
        return float(fields.within)
    if fields.within is not None:
        raise SettingError('within belongs to "==": a difference takes by', ("within",))
    return None


def _rate(fields: ClaimFields, relation: str) -> tuple[str, float]:
    if fields.rate is None:
        return ">", 0.5
    if relation != "fails":
        raise SettingError('rate belongs to "fails"', ("rate",))
    match = _RATE.fullmatch(fields.rate)
    share = float(match[2]) if match else -1.0
    if match is None or not 0 < share < 1:
        right = 'a sign and a share between 0 and 1, for instance "> 0.5" or "< 0.2"'
        raise SettingError(f"rate must be {right}, not {fields.rate!r}", ("rate",))
    return match[1], share


def _test(fields: ClaimFields, statement: Statement) -> str | None:
    if fields.test is None:
        return None
    if statement.relation == "fails":
        raise SettingError('"fails" is judged by the exact bound of its rate: leave test out', ("test",))
    if statement.value is not None and fields.test in ("pooled", "welch"):
        raise SettingError('a comparison with a number is "paired" (one sample) or "sign"', ("test",))
    return fields.test


def _paper(fields: PaperFields | None, statement: Statement) -> Published | None:
    if statement.value is None:
        if fields is not None:
            raise SettingError("paper belongs to a comparison with a number, for instance original == 6.61", ("paper",))
        return None
    if fields is None:
        return Published(statement.value)
    kind, runs = (None, None) if fields.statistic is None else parse_statistic(fields.statistic)
    if fields.statistic is not None and kind is None:
        right = 'statistic must be "mean", "median of 5", "best of 5" or "single"'
        raise SettingError(f"{right}, not {fields.statistic!r}", ("paper", "statistic"))
    n = runs if fields.n is None else fields.n
    sd = None if fields.sd is None else float(fields.sd)
    return Published(statement.value, sd, n, kind, None if fields.ref is None else str(fields.ref))
